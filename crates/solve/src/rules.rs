//! From packages to rules, as the search reaches them.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use pkg::Relation;

use crate::engine::{Engine, RuleId};
use crate::formula::{Clause, Formula, Sense};
use crate::literal::{Literal, Variable};
use crate::scope::{Protection, Scope};
use crate::table::RelationId;
use crate::{Best, Kind, PackageId, Rich, Upgrade};

/// Where a rule comes from. `index` counts within the request's list of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The request's relation of this index.
    Asked {
        index: usize,
    },
    /// What the request erases.
    Erased {
        index: usize,
        package: PackageId,
    },
    /// More versions of its name are there than may be.
    Limit {
        package: PackageId,
    },
    /// What the request replaces by an older version, or by the same again.
    Downgraded {
        package: PackageId,
    },
    Reinstalled {
        package: PackageId,
    },
    /// What a package requires.
    Requires {
        package: PackageId,
        relation: RelationId,
    },
    /// What a package conflicts with.
    Conflicts {
        package: PackageId,
        relation: RelationId,
    },
    /// What a package replaces, and the package that it does.
    Obsoletes {
        package: PackageId,
        old: PackageId,
    },
    /// Two packages of one name.
    OneVersion {
        left: PackageId,
        right: PackageId,
    },
    /// An installed package stays or is replaced.
    Stays {
        package: PackageId,
    },
    /// An installed package stays, whatever is asked for.
    Protected {
        package: PackageId,
    },
    /// The best version replaces an installed package.
    Upgraded {
        package: PackageId,
    },
}

/// An installed package and what may be in its place; it is first among these where it may stay.
pub(crate) struct Stay {
    pub(crate) package: PackageId,
    pub(crate) candidates: Vec<Variable>,
    /// Whether the newest is preferred to what is there.
    pub(crate) renew: Renew,
}

/// What becomes of an installed package, if possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renew {
    /// It stays.
    Stay,
    /// The newest replaces it.
    Upgrade,
    /// What the repositories have replaces it.
    Sync,
    /// The newest comes beside it.
    Beside,
}

/// Plain candidates, or the clauses of a rich dependency.
#[derive(Clone)]
pub(crate) enum Meaning {
    Plain(Rc<[PackageId]>),
    Rich(Rc<[Clause]>),
}

/// All rules so far of one request.
pub(crate) struct Rules<'a> {
    pub(crate) scope: Scope<'a>,
    /// The package of each variable.
    packages: Vec<PackageId>,
    variables: Vec<u32>,
    /// For each of the engine's rules, whence it is; none for learnt rules.
    reasons: Vec<Option<Reason>>,
    /// Rules that demand something whatever is there.
    pub(crate) roots: Vec<RuleId>,
    /// What is installed where it can be.
    pub(crate) optional: Vec<(usize, Clause)>,
    pub(crate) stays: Vec<Stay>,
    /// For each variable, the rules that demand something when it is true.
    demands: Vec<Vec<RuleId>>,
    /// For each variable, what its package recommends.
    recommends: Vec<Vec<(RelationId, Clause)>>,
    /// For each variable, who recommends or suggests its package.
    suggested_by: HashMap<PackageId, Vec<PackageId>>,
    closed: Vec<bool>,
    /// What relations mean, once looked up; by the relation's number, in two senses.
    known: HashMap<(RelationId, Sense), Meaning>,
    /// For each package, whether it has a requirement that nothing satisfies.
    hopeless: HashMap<PackageId, bool>,
    /// Paths that only filelists could tell.
    pub(crate) unknown_paths: BTreeSet<String>,
    /// Installed packages that go because there are too many of their name.
    pub(crate) surplus: Vec<PackageId>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(scope: Scope<'a>) -> Rules<'a> {
        let count = scope.universe.len();
        Rules {
            scope,
            packages: Vec::new(),
            variables: vec![0; count],
            reasons: Vec::new(),
            roots: Vec::new(),
            optional: Vec::new(),
            stays: Vec::new(),
            demands: Vec::new(),
            recommends: Vec::new(),
            suggested_by: HashMap::new(),
            closed: Vec::new(),
            known: HashMap::new(),
            hopeless: HashMap::new(),
            unknown_paths: BTreeSet::new(),
            surplus: Vec::new(),
        }
    }

    /// The variable of a package, if any rule names it.
    pub(crate) fn variable_of(&self, id: PackageId) -> Option<Variable> {
        self.variables[id.index()].checked_sub(1).map(Variable)
    }

    pub(crate) fn package_of(&self, variable: Variable) -> PackageId {
        self.packages[variable.index()]
    }

    pub(crate) fn reason(&self, rule: RuleId) -> Option<Reason> {
        self.reasons.get(rule.index()).copied().flatten()
    }

    pub(crate) fn demands(&self, variable: Variable) -> &[RuleId] {
        &self.demands[variable.index()]
    }

    pub(crate) fn recommends(&self, variable: Variable) -> &[(RelationId, Clause)] {
        &self.recommends[variable.index()]
    }

    /// Who of what was reached recommends or suggests a package.
    pub(crate) fn suggested_by(&self, id: PackageId) -> &[PackageId] {
        self.suggested_by.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn variable(&mut self, engine: &mut Engine, id: PackageId) -> Variable {
        if let Some(variable) = self.variable_of(id) {
            return variable;
        }
        let variable = engine.variable();
        self.packages.push(id);
        self.demands.push(Vec::new());
        self.recommends.push(Vec::new());
        self.closed.push(false);
        self.variables[id.index()] = variable.0 + 1;
        variable
    }

    /// Makes a rule: one of `present` is there, or one of `absent` is not. A rule that is broken stays in `state`.
    fn add(
        &mut self,
        engine: &mut Engine,
        (present, absent): (&[PackageId], &[PackageId]),
        reason: Reason,
        state: &mut Result<(), RuleId>,
    ) {
        let mut literals: Vec<Literal> = Vec::with_capacity(present.len() + absent.len());
        for id in absent {
            let literal = self.variable(engine, *id).is_false();
            if !literals.contains(&literal) {
                literals.push(literal);
            }
        }
        let conditions = literals.len();
        for id in present {
            let variable = self.variable(engine, *id);
            if literals[..conditions].contains(&variable.is_false()) {
                return;
            }
            literals.push(variable.is_true());
        }
        let added = engine.add(&literals);
        let (Ok(rule) | Err(rule)) = added;
        self.reasons.resize(rule.index(), None);
        self.reasons.push(Some(reason));
        if !present.is_empty() {
            for literal in &literals[..conditions] {
                self.demands[literal.variable().index()].push(rule);
            }
            if conditions == 0 {
                self.roots.push(rule);
            }
        }
        // A rule of one literal is not watched: what is learnt from it is all that is left of it.
        if state.is_ok() || (added.is_err() && literals.len() == 1) {
            *state = added.map(|_| ());
        }
    }

    /// What a package's relation means: who satisfies it, or the clauses that say that it holds, or fails.
    pub(crate) fn meaning(&mut self, relation: RelationId, sense: Sense) -> Meaning {
        if let Some(known) = self.known.get(&(relation, sense)) {
            return known.clone();
        }
        let table = &self.scope.universe.table;
        let meaning = if table.is_rich(relation) {
            let clauses = self.clauses(&table.relation_value(relation), sense, Asked::ByPackage);
            Meaning::Rich(clauses.into())
        } else {
            let name = table.strings.get(table.relation(relation).name);
            if self.scope.universe.is_unknown_path(name) {
                self.unknown_paths.insert(name.to_owned());
            }
            Meaning::Plain(self.scope.satisfying(relation).into())
        };
        self.known.insert((relation, sense), meaning.clone());
        meaning
    }

    /// The clauses of a relation; one that cannot be understood cannot be satisfied.
    pub(crate) fn clauses(&mut self, relation: &Relation, sense: Sense, asked: Asked) -> Vec<Clause> {
        let Ok(rich) = Rich::of(relation) else { return vec![Clause::default()] };
        for relation in rich.relations() {
            if self.scope.universe.is_unknown_path(&relation.name) {
                self.unknown_paths.insert(relation.name.clone());
            }
        }
        let providers = |relation: &Relation| {
            let mut packages = match asked {
                Asked::ByRequest => self.scope.asked(relation),
                Asked::ByPackage => self.scope.providers(relation),
            };
            // By number, as formulas need them.
            packages.sort();
            packages
        };
        Formula::new(&rich, sense, &providers).clauses().unwrap_or_else(|| vec![Clause::default()])
    }

    /// The rules that hold before anything is decided.
    pub(crate) fn begin(&mut self, engine: &mut Engine) -> Result<(), RuleId> {
        let mut state = Ok(());
        let request = self.scope.request;
        for (index, relation) in request.install.iter().enumerate() {
            for mut clause in self.clauses(relation, Sense::Holds, Asked::ByRequest) {
                if request.best == Best::Required {
                    self.keep_best(&mut clause.present);
                }
                let absent: Vec<PackageId> = clause.absent.iter().copied().collect();
                self.add(engine, (&clause.present, &absent), Reason::Asked { index }, &mut state);
            }
        }
        for (index, relation) in request.optional.iter().enumerate() {
            for clause in self.clauses(relation, Sense::Holds, Asked::ByRequest) {
                clause.present.iter().chain(&clause.absent).for_each(|id| {
                    self.variable(engine, *id);
                });
                self.optional.push((index, clause));
            }
        }
        let mut going: BTreeSet<PackageId> = self.surplus.iter().copied().collect();
        for package in self.surplus.clone() {
            self.add(engine, (&[], &[package]), Reason::Limit { package }, &mut state);
        }
        for (index, relation) in request.erase.iter().enumerate() {
            for package in self.scope.asked(relation) {
                self.add(engine, (&[], &[package]), Reason::Erased { index, package }, &mut state);
                going.insert(package);
            }
        }
        self.keep_installed(engine, &going, &mut state);
        state
    }

    /// Leaves the best version of each name, unless an installed one will do.
    fn keep_best(&self, candidates: &mut Vec<PackageId>) {
        let universe = self.scope.universe;
        if candidates.iter().any(|id| universe.is_installed(*id)) {
            return;
        }
        let better = |left: PackageId, right: PackageId| {
            universe.name(left) == universe.name(right)
                && (universe.priority(left) < universe.priority(right)
                    || universe.priority(left) == universe.priority(right)
                        && universe.compare_versions(left, right).is_gt())
        };
        let all = candidates.clone();
        candidates.retain(|id| !all.iter().any(|other| better(*other, *id)));
    }

    fn keep_installed(&mut self, engine: &mut Engine, going: &BTreeSet<PackageId>, state: &mut Result<(), RuleId>) {
        let (universe, request) = (self.scope.universe, self.scope.request);
        let named = |relations: &[Relation]| -> BTreeSet<PackageId> {
            relations.iter().flat_map(|relation| universe.named(&relation.name)).collect()
        };
        let (downgraded, reinstalled) = (named(&request.downgrade), named(&request.reinstall));
        for package in universe.installed().iter().copied() {
            let name = universe.name(package);
            let locked = request.locked.iter().any(|locked| universe.matching_name(locked).contains(&package));
            let replacements = self.scope.replacements(package);
            let newer = |id: &PackageId| universe.name(*id) != name || universe.compare_versions(*id, package).is_gt();
            let (mut candidates, mut renew) = (vec![package], Renew::Stay);
            if downgraded.contains(&package) {
                let wanted = request.downgrade.iter().filter(|relation| relation.name == name);
                let matching: Vec<PackageId> = wanted.flat_map(|relation| universe.matching_name(relation)).collect();
                let older = |id: &&PackageId| {
                    universe.name(**id) == name
                        && universe.compare_versions(**id, package).is_lt()
                        && matching.contains(*id)
                };
                candidates = replacements.iter().filter(older).copied().collect();
                self.add(engine, (&candidates, &[]), Reason::Downgraded { package }, state);
            } else if reinstalled.contains(&package) {
                let nevra = universe.nevra(package);
                candidates = replacements.iter().copied().filter(|id| universe.nevra(*id) == nevra).collect();
                self.add(engine, (&candidates, &[]), Reason::Reinstalled { package }, state);
            } else if !locked && request.sync.includes(name) {
                renew = Renew::Sync;
                candidates.extend(&replacements);
                if request.best == Best::Required {
                    let mut best: Vec<PackageId> =
                        replacements.iter().copied().filter(|id| universe.name(*id) == name).collect();
                    self.keep_best(&mut best);
                    let same = best.iter().any(|id| universe.compare_versions(*id, package).is_eq());
                    best.extend(replacements.iter().filter(|id| universe.name(**id) != name));
                    best.extend(same.then_some(package));
                    if !best.is_empty() {
                        self.add(engine, (&best, &[]), Reason::Upgraded { package }, state);
                    }
                }
            } else if self.scope.is_several(package) && !locked {
                self.beside(engine, package);
            } else if !locked {
                candidates.extend(replacements.iter().filter(|id| newer(id)));
                if request.upgrade.includes(name) {
                    renew = Renew::Upgrade;
                    if request.best == Best::Required && candidates.len() > 1 {
                        let mut best = candidates[1..].to_vec();
                        self.keep_best(&mut best);
                        self.add(engine, (&best, &[]), Reason::Upgraded { package }, state);
                    }
                }
            }
            let (goes, protection) = (going.contains(&package), self.scope.protection(package));
            if !goes && !request.may_erase() {
                // It has its own place among the demands.
                let roots = self.roots.len();
                self.add(engine, (&candidates, &[]), Reason::Stays { package }, state);
                self.roots.truncate(roots);
            }
            if let Some(protection) = protection {
                let mut kept = candidates.clone();
                kept.retain(|id| universe.name(*id) == name && (*id == package || protection == Protection::Name));
                self.add(engine, (&kept, &[]), Reason::Protected { package }, state);
            }
            if !goes {
                let candidates = candidates.into_iter().map(|id| self.variable(engine, id)).collect();
                self.stays.push(Stay { package, candidates, renew });
            }
        }
    }

    /// The newest of a name comes beside the installed ones, where they are upgraded.
    fn beside(&mut self, engine: &mut Engine, package: PackageId) {
        let (universe, request) = (self.scope.universe, self.scope.request);
        let name = universe.name(package);
        let all = universe.named(name);
        let newest_installed = all.iter().rev().find(|id| universe.is_installed(**id));
        if newest_installed != Some(&package) || !(request.upgrade.includes(name) || request.sync.includes(name)) {
            return;
        }
        let newer = all.iter().copied().filter(|id| {
            universe.compare_versions(*id, package).is_gt()
                && self.scope.hidden(*id).is_none()
                && universe.arch(*id) == universe.arch(package)
        });
        let newer: Vec<PackageId> = newer.collect();
        let candidates = newer.into_iter().map(|id| self.variable(engine, id)).collect();
        self.stays.push(Stay { package, candidates, renew: Renew::Beside });
    }

    /// Makes the rules of a package that is there.
    pub(crate) fn expand(&mut self, engine: &mut Engine, variable: Variable) -> Result<(), RuleId> {
        if std::mem::replace(&mut self.closed[variable.index()], true) {
            return Ok(());
        }
        let mut state = Ok(());
        let id = self.package_of(variable);
        let universe = self.scope.universe;
        for relation in universe.list(id, Kind::Requires) {
            if self.is_rpms_own(relation) {
                continue;
            }
            let reason = Reason::Requires { package: id, relation };
            match self.meaning(relation, Sense::Holds) {
                Meaning::Plain(list) if list.contains(&id) => {}
                Meaning::Plain(list) => self.add(engine, (&list, &[id]), reason, &mut state),
                Meaning::Rich(clauses) => {
                    for clause in clauses.iter() {
                        let absent: Vec<PackageId> = std::iter::once(id).chain(clause.absent.iter().copied()).collect();
                        self.add(engine, (&clause.present, &absent), reason, &mut state);
                    }
                }
            }
        }
        for relation in universe.list(id, Kind::Conflicts) {
            let reason = Reason::Conflicts { package: id, relation };
            if universe.table.is_rich(relation) {
                self.conflict_richly(engine, id, reason, &mut state);
                continue;
            }
            if let Meaning::Plain(list) = self.meaning(relation, Sense::Holds) {
                for other in list.iter().filter(|other| **other != id) {
                    self.add(engine, (&[], &[id, *other]), reason, &mut state);
                }
            }
        }
        for relation in universe.list(id, Kind::Obsoletes) {
            for old in universe.obsoleted(relation).filter(|old| *old != id) {
                if self.scope.hidden(old).is_none() {
                    self.add(engine, (&[], &[id, old]), Reason::Obsoletes { package: id, old }, &mut state);
                }
            }
        }
        for other in universe.of_name(universe.table.name(id.index())) {
            let visible = other != id && self.scope.hidden(other).is_none();
            if visible && self.scope.excludes_other_version(id, other) {
                let older = universe.rank(id) < universe.rank(other);
                let (left, right) = if older { (id, other) } else { (other, id) };
                self.add(engine, (&[], &[id, other]), Reason::OneVersion { left, right }, &mut state);
            }
        }
        self.recommend(engine, id, variable);
        state
    }

    fn conflict_richly(&mut self, engine: &mut Engine, id: PackageId, reason: Reason, state: &mut Result<(), RuleId>) {
        let Reason::Conflicts { relation, .. } = reason else { return };
        let Ok(rich) = Rich::of(&self.scope.universe.table.relation_value(relation)) else {
            return self.add(engine, (&[], &[id]), reason, state);
        };
        // What the package itself provides does not count.
        let providers = |relation: &Relation| {
            let mut packages = self.scope.providers(relation);
            packages.retain(|other| *other != id);
            packages.sort();
            packages
        };
        let clauses = Formula::new(&rich, Sense::Fails, &providers).clauses();
        for clause in clauses.unwrap_or_else(|| vec![Clause::default()]) {
            let absent: Vec<PackageId> = std::iter::once(id).chain(clause.absent.iter().copied()).collect();
            self.add(engine, (&clause.present, &absent), reason, state);
        }
    }

    /// What rpm itself can do, not a package.
    fn is_rpms_own(&self, relation: RelationId) -> bool {
        let table = &self.scope.universe.table;
        table.strings.get(table.relation(relation).name).starts_with("rpmlib(")
    }

    fn recommend(&mut self, engine: &mut Engine, id: PackageId, variable: Variable) {
        let universe = self.scope.universe;
        let follow = self.scope.request.weak && !universe.is_installed(id);
        for (kind, relation) in [Kind::Recommends, Kind::Suggests]
            .into_iter()
            .flat_map(|kind| universe.list(id, kind).map(move |relation| (kind, relation)))
        {
            let clauses: Rc<[Clause]> = match self.meaning(relation, Sense::Holds) {
                Meaning::Plain(list) => [Clause { present: list.to_vec(), absent: BTreeSet::new() }].into(),
                Meaning::Rich(clauses) => clauses,
            };
            for clause in clauses.iter() {
                for other in &clause.present {
                    self.suggested_by.entry(*other).or_default().push(id);
                }
                if kind == Kind::Suggests || !follow || clause.present.is_empty() || clause.present.contains(&id) {
                    continue;
                }
                clause.present.iter().chain(&clause.absent).for_each(|other| {
                    self.variable(engine, *other);
                });
                self.recommends[variable.index()].push((relation, clause.clone()));
            }
        }
    }

    /// Whether a package has a requirement that nothing satisfies, so that it is no use to try it.
    pub(crate) fn is_hopeless(&mut self, id: PackageId) -> bool {
        if let Some(known) = self.hopeless.get(&id) {
            return *known;
        }
        let universe = self.scope.universe;
        let hopeless = universe.list(id, Kind::Requires).any(|relation| {
            !self.is_rpms_own(relation)
                && match self.meaning(relation, Sense::Holds) {
                    Meaning::Plain(list) => list.is_empty(),
                    Meaning::Rich(clauses) => {
                        clauses.iter().any(|clause| clause.present.is_empty() && clause.absent.is_empty())
                    }
                }
        });
        self.hopeless.insert(id, hopeless);
        hopeless
    }

    /// Whether an installed package is to be replaced where it can be.
    pub(crate) fn is_renewed(&self, id: PackageId) -> bool {
        let request = self.scope.request;
        let includes = |upgrade: &Upgrade| upgrade.includes(self.scope.universe.name(id));
        (includes(&request.upgrade) || includes(&request.sync)) && !self.scope.is_several(id)
    }
}

/// Who names a relation: names mean more in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    ByRequest,
    ByPackage,
}
