use std::collections::{BTreeMap, BTreeSet};

use distro::{Position, Stage0};
use pkg::Relation;

use crate::cycle::find_cycle;
use crate::{Need, Plan, PlanError, Provider, Step};

/// What a component's spec says of building it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The component.
    pub component: String,
    /// The binary packages that it makes.
    pub packages: Vec<CandidatePackage>,
    /// What it needs to build.
    pub build_requires: Vec<Requirement>,
}

/// A binary package as the spec announces it; what the build finds out by itself is not known yet.
#[derive(Clone, Debug)]
pub struct CandidatePackage {
    /// Its name.
    pub name: String,
    /// What it provides, its own name and version included.
    pub provides: Vec<Relation>,
    /// What it requires to be installed.
    pub requires: Vec<Relation>,
}

/// Something that is needed, and where the spec says so.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// What is needed.
    pub relation: Relation,
    /// Where the spec says so.
    pub at: Position,
}

/// A package among the candidates, by component.
type Maker<'a> = (&'a str, &'a CandidatePackage);

struct Index<'a> {
    by_capability: BTreeMap<&'a str, Vec<(Maker<'a>, &'a Relation)>>,
}

impl<'a> Index<'a> {
    fn of(candidates: &'a [Candidate]) -> Result<Index<'a>, PlanError> {
        let mut by_capability: BTreeMap<&str, Vec<(Maker<'_>, &Relation)>> = BTreeMap::new();
        let mut makers: BTreeMap<&str, &str> = BTreeMap::new();
        for candidate in candidates {
            for package in &candidate.packages {
                if let Some(first) = makers.insert(&package.name, &candidate.component) {
                    return Err(PlanError::TwoMakers {
                        package: package.name.clone(),
                        first: first.to_owned(),
                        second: candidate.component.clone(),
                    });
                }
                for provided in &package.provides {
                    let entry = ((candidate.component.as_str(), package), provided);
                    by_capability.entry(&provided.name).or_default().push(entry);
                }
            }
        }
        Ok(Index { by_capability })
    }

    /// The package that satisfies `wanted`: one of that very name before others, then by name.
    fn provider(&self, wanted: &Relation) -> Option<Maker<'a>> {
        self.by_capability
            .get(wanted.name.as_str())?
            .iter()
            .filter(|(_, provided)| wanted.satisfied_by(provided))
            .map(|(maker, _)| *maker)
            .min_by_key(|(_, package)| (package.name != wanted.name, package.name.as_str()))
    }
}

/// Orders `candidates` so that each comes after all whose packages it needs.
///
/// Stage0 comes first: for what it stands in, nothing else is taken. Then come the components' own packages, then the
/// mapping. A package of a component brings along what it requires itself, as far as the specs announce it.
pub fn make(candidates: &[Candidate], stage0: &Stage0) -> Result<Plan, PlanError> {
    let index = Index::of(candidates)?;
    let mut steps: BTreeMap<&str, Step> = BTreeMap::new();
    for candidate in candidates {
        let mut needs = Vec::new();
        let mut after = BTreeSet::new();
        for wanted in &candidate.build_requires {
            let provider = find_provider(candidate, wanted, &index, stage0)?;
            if matches!(provider, Provider::Component { .. }) {
                collect_makers(&wanted.relation, &index, stage0, &mut after);
            }
            needs.push(Need { relation: wanted.relation.clone(), at: wanted.at.clone(), provider });
        }
        let component = candidate.component.clone();
        steps.insert(&candidate.component, Step { component, needs, after });
    }
    order(steps)
}

fn find_provider(
    candidate: &Candidate,
    wanted: &Requirement,
    index: &Index<'_>,
    stage0: &Stage0,
) -> Result<Provider, PlanError> {
    let name = wanted.relation.name.as_str();
    if stage0.stands_in_for(name) {
        return Ok(Provider::Stage0);
    }
    if let Some((component, package)) = index.provider(&wanted.relation) {
        return Ok(Provider::Component { component: component.to_owned(), package: package.name.clone() });
    }
    let other_version = index
        .by_capability
        .get(name)
        .and_then(|found| found.first())
        .map(|((component, _), provided)| format!("{provided}, of `{component}`"));
    if let (None, Some(packages)) = (&other_version, stage0.mapping.get(name)) {
        return Ok(Provider::Debian { packages: packages.clone() });
    }
    let known = index.by_capability.keys().copied().chain(stage0.mapping.keys().map(String::as_str));
    Err(PlanError::NoProvider {
        component: candidate.component.clone(),
        needs: wanted.relation.clone(),
        at: wanted.at.clone(),
        nearest: distro::nearest(name, known).map(str::to_owned),
        other_version,
    })
}

/// Adds the makers of `wanted` and of all that comes along with it.
fn collect_makers(wanted: &Relation, index: &Index<'_>, stage0: &Stage0, makers: &mut BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![wanted];
    while let Some(wanted) = waiting.pop() {
        if stage0.stands_in_for(&wanted.name) {
            continue;
        }
        if let Some((component, package)) = index.provider(wanted)
            && seen.insert(package.name.as_str())
        {
            makers.insert(component.to_owned());
            waiting.extend(&package.requires);
        }
    }
}

/// Kahn's order, ties by name, so that the same components always come in the same order.
fn order(mut steps: BTreeMap<&str, Step>) -> Result<Plan, PlanError> {
    let mut ordered: Vec<Step> = Vec::new();
    let mut done: BTreeSet<String> = BTreeSet::new();
    while !steps.is_empty() {
        let ready: Vec<&str> = steps
            .iter()
            .filter(|(_, step)| step.after.iter().all(|name| done.contains(name)))
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            return Err(PlanError::Cycle { links: find_cycle(&steps) });
        }
        for name in ready {
            ordered.extend(steps.remove(name));
            done.insert(name.to_owned());
        }
    }
    Ok(Plan { steps: ordered })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize) -> Position {
        Position { file: "a.spec".into(), line, column: 1 }
    }

    fn stage0() -> Stage0 {
        Stage0 {
            suite: "trixie".to_owned(),
            packages: vec!["gcc".to_owned()],
            provides: vec!["gcc".to_owned(), "libc.so.6*".to_owned()],
            mapping: BTreeMap::from([("bison".to_owned(), vec!["bison".to_owned()])]),
            links: BTreeMap::new(),
            files: BTreeMap::new(),
            commands: Vec::new(),
            at: at(1),
        }
    }

    /// `name` makes `name` and `name-devel`; the latter requires the former and what `brings` says.
    fn candidate(name: &str, needs: &[&str], brings: &[&str]) -> Candidate {
        let package = |name: String, requires: Vec<Relation>| CandidatePackage {
            provides: vec![Relation::parse(&format!("{name} = 1.0-1")).unwrap()],
            name,
            requires,
        };
        let mut requires = vec![Relation::any(name)];
        requires.extend(brings.iter().copied().map(Relation::any));
        let build_requires = needs
            .iter()
            .enumerate()
            .map(|(line, text)| Requirement { relation: Relation::parse(text).unwrap(), at: at(line + 1) })
            .collect();
        Candidate {
            component: name.to_owned(),
            packages: vec![package(name.to_owned(), vec![]), package(format!("{name}-devel"), requires)],
            build_requires,
        }
    }

    fn names(plan: &Plan) -> Vec<&str> {
        plan.steps.iter().map(|step| step.component.as_str()).collect()
    }

    #[test]
    fn components_come_after_what_they_need() {
        let candidates = [
            candidate("a", &["gcc", "c-devel", "bison"], &[]),
            candidate("b", &[], &[]),
            candidate("c", &["d-devel >= 1.0"], &["b-devel"]),
            candidate("d", &[], &[]),
        ];
        let plan = make(&candidates, &stage0()).unwrap();
        assert_eq!(names(&plan), ["b", "d", "c", "a"]);
        let step = plan.step("a").unwrap();
        assert_eq!(step.after.iter().collect::<Vec<_>>(), ["b", "c"], "c-devel brings b-devel along");
        assert_eq!(step.needs[0].provider, Provider::Stage0);
        assert_eq!(step.needs[2].provider, Provider::Debian { packages: vec!["bison".to_owned()] });
        assert_eq!(names(&plan.only(&["c".to_owned()]).unwrap()), ["d", "c"]);
        assert_eq!(plan.dependents("d"), ["c", "a"]);
        let chain = plan.why("a", "d").unwrap().unwrap();
        assert_eq!(chain.iter().map(|step| step.component.as_str()).collect::<Vec<_>>(), ["a", "c", "d"]);
        assert_eq!(plan.why("d", "a").unwrap(), None);
        let swapped: Vec<Candidate> = candidates.iter().rev().cloned().collect();
        assert_eq!(make(&swapped, &stage0()).unwrap(), plan, "the order of the input does not count");
    }

    #[test]
    fn a_circle_is_shown_link_by_link() {
        let candidates = [
            candidate("x", &["a-devel"], &[]),
            candidate("a", &["gcc", "b-devel"], &[]),
            candidate("b", &["c-devel"], &[]),
            candidate("c", &["a-devel"], &[]),
        ];
        let error = make(&candidates, &stage0()).unwrap_err();
        assert_eq!(error.to_string(), "components need each other to build: a -> b -> c -> a");
        let PlanError::Cycle { links } = error else { panic!("{error}") };
        assert_eq!((links[0].needs.as_str(), links[0].at.line), ("b-devel", 2));
        let own = make(&[candidate("a", &["a-devel"], &[])], &stage0()).unwrap_err();
        assert_eq!(own.to_string(), "components need each other to build: a -> a");
    }

    #[test]
    fn what_nobody_provides_is_named_with_its_nearest() {
        let candidates = [candidate("a", &["b-devle"], &[]), candidate("b", &[], &[])];
        let PlanError::NoProvider { needs, nearest, at, .. } = make(&candidates, &stage0()).unwrap_err() else {
            panic!()
        };
        assert_eq!((needs.name.as_str(), nearest.as_deref(), at.line), ("b-devle", Some("b-devel"), 1));
        let candidates = [candidate("a", &["b-devel >= 2"], &[]), candidate("b", &[], &[])];
        let PlanError::NoProvider { other_version, .. } = make(&candidates, &stage0()).unwrap_err() else { panic!() };
        assert_eq!(other_version.as_deref(), Some("b-devel = 1.0-1, of `b`"));
        let twice = [candidate("a", &[], &[]), Candidate { component: "z".to_owned(), ..candidate("a", &[], &[]) }];
        assert!(matches!(make(&twice, &stage0()), Err(PlanError::TwoMakers { .. })));
    }
}
