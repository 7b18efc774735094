//! Whether a transaction leaves every requirement fulfilled. Source: rpm, `lib/depends.cc`.

use std::collections::{HashMap, HashSet};

use pkg::Relation;
use rpm::{Dependency, DependencyKind, Sense, Tag};
use solve::Rich;

use crate::InstallError;
use crate::element::{Element, Side};
use crate::error::Problem;
use crate::facts::Facts;
use crate::installed::InstalledSet;

/// The problems of `elements` over what is installed: requirements that nothing fulfils, and conflicts.
pub(crate) fn dependencies(elements: &[Element], installed: &InstalledSet) -> Result<Vec<Problem>, InstallError> {
    let leaving: HashSet<u32> = elements.iter().filter_map(Element::number).collect();
    let stays = || installed.iter().filter(|record| !leaving.contains(&record.number));
    let comes = || elements.iter().filter(|element| element.comes());
    let mut world = World::default();
    for record in stays() {
        world.add(&record.facts);
    }
    for element in comes() {
        world.add(&element.facts);
    }
    world.add_paths(
        stays()
            .map(|record| (&*record.facts, &record.states[..]))
            .chain(comes().map(|element| (&*element.facts, &[][..]))),
    );
    let mut problems = Vec::new();
    for element in comes() {
        world.check(&element.facts, None, &mut problems);
    }
    // What stays is looked at only for what the transaction takes from it or brings against it.
    let touched: HashSet<&str> = elements
        .iter()
        .flat_map(|element| {
            element.facts.header.strs(Tag::PROVIDENAME).chain(element.facts.header.strs(Tag::BASENAMES))
        })
        .collect();
    let gone: Vec<(&str, Vec<Relation>)> = elements
        .iter()
        .filter_map(|element| match &element.side {
            Side::Goes { .. } => {
                let provides = element.facts.header.dependencies(DependencyKind::Provides);
                Some((element.facts.nevra.as_str(), provides.into_iter().map(|one| one.relation).collect()))
            }
            Side::Comes { .. } => None,
        })
        .collect();
    for record in stays() {
        let mut names = record.facts.header.strs(Tag::REQUIRENAME).chain(record.facts.header.strs(Tag::CONFLICTNAME));
        let concerns = |name: &str| {
            let basename = name.rsplit('/').next().unwrap_or(name);
            name.starts_with('(') || touched.contains(name) || (name.starts_with('/') && touched.contains(basename))
        };
        if names.any(concerns) {
            world.check(&record.facts, Some(&gone), &mut problems);
        }
    }
    Ok(problems)
}

/// What there will be.
#[derive(Default)]
struct World<'a> {
    provides: HashMap<&'a str, Vec<(&'a str, Relation)>>,
    paths: HashSet<String>,
    wanted_names: HashSet<&'a str>,
}

impl<'a> World<'a> {
    fn add(&mut self, facts: &'a Facts) {
        for (name, provided) in
            facts.header.strs(Tag::PROVIDENAME).zip(facts.header.dependencies(DependencyKind::Provides))
        {
            self.provides.entry(name).or_default().push((&facts.nevra, provided.relation));
        }
        for tag in [Tag::REQUIRENAME, Tag::CONFLICTNAME] {
            for name in facts.header.strs(tag).filter(|name| name.contains('/')) {
                for word in name.split([' ', '(', ')']).filter(|word| word.starts_with('/')) {
                    self.wanted_names.insert(word.rsplit('/').next().unwrap_or(word));
                }
            }
        }
    }

    /// Paths matter only where something may ask for one.
    fn add_paths(&mut self, all: impl Iterator<Item = (&'a Facts, &'a [rpm::db::FileState])>) {
        for (facts, states) in all {
            let basenames = facts.header.strs(Tag::BASENAMES);
            for ((row, path), name) in facts.header.file_paths().enumerate().zip(basenames) {
                let is_there = matches!(states.get(row), None | Some(rpm::db::FileState::Normal));
                if is_there && self.wanted_names.contains(name) {
                    self.paths.insert(path);
                }
            }
        }
    }

    fn check(&self, facts: &Facts, gone: Option<&[(&str, Vec<Relation>)]>, problems: &mut Vec<Problem>) {
        for dependency in facts.header.dependencies(DependencyKind::Requires) {
            if is_own_affair(&dependency) || self.holds(&dependency.relation, false) {
                continue;
            }
            let by = |provides: &Vec<Relation>| {
                let mut wanted = Rich::of(&dependency.relation).into_iter();
                wanted.any(|rich| {
                    rich.relations().iter().any(|one| provides.iter().any(|provided| one.satisfied_by(provided)))
                })
            };
            let taken_by = gone.into_iter().flatten().find(|(_, provides)| by(provides));
            problems.push(Problem::Requires {
                package: facts.nevra.clone(),
                requirement: dependency.relation.to_string(),
                erased: taken_by.map(|(nevra, _)| (*nevra).to_owned()),
            });
        }
        for dependency in facts.header.dependencies(DependencyKind::Conflicts) {
            if let Some(other) = self.conflicting(&dependency.relation, facts) {
                problems.push(Problem::Conflicts {
                    package: facts.nevra.clone(),
                    other,
                    relation: dependency.relation.to_string(),
                });
            }
        }
    }

    /// Which other package a conflict is with.
    fn conflicting(&self, relation: &Relation, facts: &Facts) -> Option<String> {
        if relation.is_rich() {
            return self.holds(relation, false).then(|| "what is installed".to_owned());
        }
        let named = self.provides.get(relation.name.as_str()).into_iter().flatten();
        let mut others = named.filter(|(nevra, provided)| *nevra != facts.nevra && relation.satisfied_by(provided));
        others.next().map(|(nevra, _)| (*nevra).to_owned())
    }

    /// Whether a dependency is fulfilled; `missing` is what a relation that cannot be read counts as.
    fn holds(&self, relation: &Relation, missing: bool) -> bool {
        Rich::of(relation).map_or(missing, |rich| self.is_true(&rich))
    }

    fn is_true(&self, rich: &Rich) -> bool {
        match rich {
            Rich::Plain(relation) => {
                self.paths.contains(&relation.name)
                    || self
                        .provides
                        .get(relation.name.as_str())
                        .is_some_and(|all| all.iter().any(|(_, provided)| relation.satisfied_by(provided)))
            }
            Rich::And(parts) => parts.iter().all(|part| self.is_true(part)),
            Rich::Or(parts) => parts.iter().any(|part| self.is_true(part)),
            Rich::If(parts, other) => match (self.is_true(&parts[1]), other) {
                (true, _) => self.is_true(&parts[0]),
                (false, Some(other)) => self.is_true(other),
                (false, None) => true,
            },
            Rich::Unless(parts, other) => match (self.is_true(&parts[1]), other) {
                (false, _) => self.is_true(&parts[0]),
                (true, Some(other)) => self.is_true(other),
                (true, None) => false,
            },
            Rich::With(_) | Rich::Without(_) => !self.packages(rich).is_empty(),
        }
    }

    /// The packages that fulfil a part alone.
    fn packages(&self, rich: &Rich) -> HashSet<&'a str> {
        match rich {
            Rich::Plain(relation) => {
                let named = self.provides.get(relation.name.as_str()).into_iter().flatten();
                named.filter(|(_, provided)| relation.satisfied_by(provided)).map(|(nevra, _)| *nevra).collect()
            }
            Rich::Or(parts) => parts.iter().flat_map(|part| self.packages(part)).collect(),
            Rich::And(parts) | Rich::With(parts) => {
                let mut all = parts.iter().map(|part| self.packages(part));
                let first = all.next().unwrap_or_default();
                all.fold(first, |left, right| left.intersection(&right).copied().collect())
            }
            Rich::Without(parts) => self.packages(&parts[0]).difference(&self.packages(&parts[1])).copied().collect(),
            Rich::If(parts, _) | Rich::Unless(parts, _) => self.packages(&parts[0]),
        }
    }
}

/// Requirements that no package fulfils: features of the package manager, and the package's own configuration.
fn is_own_affair(dependency: &Dependency) -> bool {
    dependency.is_rpmlib() || dependency.sense.has(Sense::MISSINGOK)
}
