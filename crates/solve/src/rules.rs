//! From packages to rules. Only packages that the request can reach get some.

use std::collections::BTreeMap;

use pkg::Relation;

use crate::formula::{Clause, Formula, Sense};
use crate::literal::{Literal, Variable};
use crate::scope::Scope;
use crate::{PackageId, Rich};

/// Where a rule comes from. `index` counts within the package's list of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The request's relation of this index.
    Asked { index: usize },
    /// What a package requires.
    Requires { package: PackageId, index: usize },
    /// What a package conflicts with.
    Conflicts { package: PackageId, index: usize },
    /// What a package replaces, and the package that it does.
    Obsoletes { package: PackageId, index: usize, old: PackageId },
    /// Two packages of one name.
    OneVersion { left: PackageId, right: PackageId },
    /// An installed package stays or is replaced.
    Stays { package: PackageId },
}

/// At least one literal is true.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) literals: Box<[Literal]>,
    pub(crate) reason: Reason,
}

impl Rule {
    /// The variables of which at least one has to be true when all of [`Rule::when`] are.
    pub(crate) fn present(&self) -> impl Iterator<Item = Variable> + '_ {
        self.literals.iter().filter(|literal| literal.is_positive()).map(|literal| literal.variable())
    }

    /// The variables on whose truth the rule depends.
    pub(crate) fn when(&self) -> impl Iterator<Item = Variable> + '_ {
        self.literals.iter().filter(|literal| !literal.is_positive()).map(|literal| literal.variable())
    }
}

/// All rules of one request.
pub(crate) struct Rules<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) list: Vec<Rule>,
    /// The package of each variable.
    pub(crate) packages: Vec<PackageId>,
    /// Rules that demand something whatever is there.
    pub(crate) roots: Vec<usize>,
    /// For each variable, the rules that demand something when it is true.
    pub(crate) demands: Vec<Vec<usize>>,
    /// For each variable, the clauses of what its package recommends, and the index of each one's relation.
    pub(crate) recommends: Vec<Vec<(Clause, usize)>>,
    /// Packages with what they supplement.
    pub(crate) supplements: Vec<(PackageId, Vec<Formula>)>,
    variables: Vec<Option<Variable>>,
    reached: Vec<bool>,
    closed: Vec<bool>,
    open: Vec<PackageId>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(scope: Scope<'a>) -> Rules<'a> {
        let count = scope.universe.len();
        let mut rules = Rules {
            scope,
            list: Vec::new(),
            packages: Vec::new(),
            roots: Vec::new(),
            demands: Vec::new(),
            recommends: Vec::new(),
            supplements: Vec::new(),
            variables: vec![None; count],
            reached: vec![false; count],
            closed: vec![false; count],
            open: Vec::new(),
        };
        rules.ask();
        rules.keep_installed();
        loop {
            rules.close();
            if !rules.reach_supplementing() {
                break;
            }
        }
        rules.link();
        rules
    }

    /// The variable of a package, if any rule names it.
    pub(crate) fn variable_of(&self, id: PackageId) -> Option<Variable> {
        self.variables[id.index()]
    }

    pub(crate) fn package_of(&self, variable: Variable) -> PackageId {
        self.packages[variable.index()]
    }

    fn variable(&mut self, id: PackageId) -> Variable {
        let packages = &mut self.packages;
        *self.variables[id.index()].get_or_insert_with(|| {
            packages.push(id);
            Variable(u32::try_from(packages.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// Makes a rule of a clause; packages that it may bring in are reached.
    fn add(&mut self, clause: &Clause, when: Option<PackageId>, reason: Reason) {
        if clause.present.iter().any(|id| Some(*id) == when || clause.absent.contains(id)) {
            return;
        }
        let mut literals: Vec<Literal> = Vec::with_capacity(clause.present.len() + 1);
        let mut absent = clause.absent.clone();
        absent.extend(when);
        for id in absent {
            literals.push(self.variable(id).is_false());
        }
        for id in &clause.present {
            self.reach(*id);
            let literal = self.variable(*id).is_true();
            if !literals.contains(&literal) {
                literals.push(literal);
            }
        }
        self.list.push(Rule { literals: literals.into(), reason });
    }

    fn reach(&mut self, id: PackageId) {
        if !std::mem::replace(&mut self.reached[id.index()], true) {
            self.open.push(id);
        }
    }

    /// The clauses of a relation; one that cannot be understood cannot be satisfied.
    fn clauses(&self, relation: &Relation, sense: Sense, asked: Asked, without: Option<PackageId>) -> Vec<Clause> {
        let providers = |relation: &Relation| {
            let mut providers = match asked {
                Asked::ByRequest => self.scope.asked(relation),
                Asked::ByPackage => self.scope.providers(relation),
            };
            providers.retain(|id| Some(*id) != without);
            providers
        };
        let clauses = match Rich::of(relation) {
            Ok(rich) => Formula::new(&rich, sense, &providers).clauses(),
            Err(_) => None,
        };
        clauses.unwrap_or_else(|| vec![Clause::default()])
    }

    fn ask(&mut self) {
        for (index, relation) in self.scope.request.install.iter().enumerate() {
            for clause in self.clauses(relation, Sense::Holds, Asked::ByRequest, None) {
                self.add(&clause, None, Reason::Asked { index });
            }
        }
    }

    fn keep_installed(&mut self) {
        let universe = self.scope.universe;
        let mut replacing: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
        for new in universe.ids().filter(|id| self.scope.hidden(*id).is_none()) {
            let obsoleted =
                universe.package(new).obsoletes.iter().flat_map(|relation| universe.matching_name(relation));
            for old in obsoleted.filter(|old| *old != new && universe.package(*old).installed) {
                replacing.entry(old).or_default().push(new);
            }
        }
        for package in universe.ids().filter(|id| universe.package(*id).installed) {
            let old = &universe.package(package).nevra;
            let newer = universe.named(&old.name).iter().copied().filter(|id| {
                let new = &universe.package(*id).nevra;
                new.evr > old.evr && self.scope.hidden(*id).is_none() && self.scope.excludes_other_version(package, *id)
            });
            let mut present: Vec<PackageId> = std::iter::once(package).chain(newer).collect();
            present.extend(replacing.remove(&package).into_iter().flatten());
            let clause = Clause { present, ..Clause::default() };
            self.add(&clause, None, Reason::Stays { package });
        }
    }

    /// Makes the rules of all reached packages.
    fn close(&mut self) {
        while let Some(id) = self.open.pop() {
            self.closed[id.index()] = true;
            let package = self.scope.universe.package(id);
            for (index, relation) in package.requires.iter().enumerate() {
                // What rpm itself can do, not a package.
                if relation.name.starts_with("rpmlib(") {
                    continue;
                }
                for clause in self.clauses(relation, Sense::Holds, Asked::ByPackage, None) {
                    self.add(&clause, Some(id), Reason::Requires { package: id, index });
                }
            }
            for (index, relation) in package.conflicts.iter().enumerate() {
                for clause in self.clauses(relation, Sense::Fails, Asked::ByPackage, Some(id)) {
                    self.add(&clause, Some(id), Reason::Conflicts { package: id, index });
                }
            }
            self.replace(id);
            self.exclude_versions(id);
            if self.scope.request.weak && !package.installed {
                self.recommend(id);
            }
        }
    }

    fn replace(&mut self, id: PackageId) {
        let universe = self.scope.universe;
        for (index, relation) in universe.package(id).obsoletes.iter().enumerate() {
            for old in universe.matching_name(relation).filter(|old| *old != id) {
                let clause = Clause { present: Vec::new(), absent: [old].into() };
                self.add(&clause, Some(id), Reason::Obsoletes { package: id, index, old });
            }
        }
    }

    fn exclude_versions(&mut self, id: PackageId) {
        let universe = self.scope.universe;
        for other in universe.named(&universe.package(id).nevra.name) {
            // The later of both writes the rule.
            let both = *other != id && self.closed[other.index()];
            if both && self.scope.excludes_other_version(id, *other) {
                let clause = Clause { present: Vec::new(), absent: [*other].into() };
                let (left, right) = (id.min(*other), id.max(*other));
                self.add(&clause, Some(id), Reason::OneVersion { left, right });
            }
        }
    }

    fn recommend(&mut self, id: PackageId) {
        let variable = self.variable(id).index();
        let package = self.scope.universe.package(id);
        for (index, relation) in package.recommends.iter().enumerate() {
            for clause in self.clauses(relation, Sense::Holds, Asked::ByPackage, None) {
                if clause.present.is_empty() || clause.present.contains(&id) {
                    continue;
                }
                for other in &clause.present {
                    self.variable(*other);
                    self.reach(*other);
                }
                let wanting = variable + 1;
                self.recommends.resize_with(self.recommends.len().max(wanting), Vec::new);
                self.recommends[variable].push((clause, index));
            }
        }
    }

    /// Reaches packages that supplement a reached one; says whether there were new ones.
    fn reach_supplementing(&mut self) -> bool {
        if !self.scope.request.weak {
            return false;
        }
        let universe = self.scope.universe;
        for id in universe.supplementing() {
            if self.scope.hidden(*id).is_some() || self.supplements.iter().any(|(known, _)| known == id) {
                continue;
            }
            let package = universe.package(*id);
            let rich: Vec<Rich> = package.supplements.iter().filter_map(|relation| Rich::of(relation).ok()).collect();
            let providers = |relation: &Relation| self.scope.providers(relation);
            let touched = rich
                .iter()
                .flat_map(Rich::relations)
                .any(|relation| providers(relation).iter().any(|other| self.reached[other.index()]));
            if touched && !package.installed {
                let formulas = rich.iter().map(|rich| Formula::new(rich, Sense::Holds, &providers)).collect();
                self.supplements.push((*id, formulas));
                self.variable(*id);
                self.reach(*id);
            }
        }
        !self.open.is_empty()
    }

    /// Notes for each variable which rules it sets off.
    fn link(&mut self) {
        self.supplements.sort_by_key(|(id, _)| *id);
        self.demands = vec![Vec::new(); self.packages.len()];
        self.recommends.resize_with(self.packages.len(), Vec::new);
        for (number, rule) in self.list.iter().enumerate() {
            if rule.present().next().is_none() {
                continue;
            }
            let mut root = true;
            for variable in rule.when() {
                self.demands[variable.index()].push(number);
                root = false;
            }
            if root {
                self.roots.push(number);
            }
        }
    }
}

/// Who names a relation: names mean more in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByRequest,
    ByPackage,
}
