use std::collections::{HashMap, HashSet};

use pkg::{Condition, Evr, Relation};

use crate::{Package, PackageId, Rich};

/// Who provides a capability, and in which range.
type Provider = (PackageId, Option<(Condition, Evr)>);

/// All packages that are to be had or installed, and what each name and path is provided by.
#[derive(Debug)]
pub struct Universe {
    packages: Vec<Package>,
    /// Package names, each with its packages, oldest first.
    names: HashMap<String, Vec<PackageId>>,
    /// Capabilities, each with the packages that provide it and in which range.
    providers: HashMap<String, Vec<Provider>>,
    /// Those paths that some relation names, each with its packages.
    files: HashMap<String, Vec<PackageId>>,
    /// The packages with `Supplements` or `Enhances`.
    supplementing: Vec<PackageId>,
}

impl Universe {
    /// Puts packages in order and indexes what they provide.
    ///
    /// The order of `packages` does not matter. Rich dependencies that are none are told by [`crate::resolve`] when the
    /// package that has one is reached.
    pub fn new(mut packages: Vec<Package>) -> Universe {
        packages.sort_by(|left, right| {
            (&left.nevra.name, &left.nevra.arch)
                .cmp(&(&right.nevra.name, &right.nevra.arch))
                .then_with(|| left.nevra.evr.cmp(&right.nevra.evr))
                .then_with(|| right.priority.cmp(&left.priority))
                .then_with(|| left.installed.cmp(&right.installed))
                .then_with(|| left.nevra.to_string().cmp(&right.nevra.to_string()))
                .then_with(|| left.key.cmp(&right.key))
        });
        let mut universe = Universe {
            packages: Vec::new(),
            names: HashMap::new(),
            providers: HashMap::new(),
            files: HashMap::new(),
            supplementing: Vec::new(),
        };
        let wanted = wanted_paths(&packages);
        for (package, index) in packages.iter().zip(0..) {
            universe.index(package, PackageId(index), &wanted);
        }
        universe.packages = packages;
        universe
    }

    fn index(&mut self, package: &Package, id: PackageId, wanted: &HashSet<String>) {
        self.names.entry(package.nevra.name.clone()).or_default().push(id);
        let own = Relation::new(&package.nevra.name, Condition::Equal, package.nevra.evr.clone());
        let own = (!package.provides.contains(&own)).then_some(&own);
        for provided in package.provides.iter().chain(own) {
            let providers = self.providers.entry(provided.name.clone()).or_default();
            let provider = (id, provided.bound.clone());
            if providers.last() != Some(&provider) {
                providers.push(provider);
            }
        }
        for path in package.files.iter().filter(|path| wanted.contains(*path)) {
            self.files.entry(path.clone()).or_default().push(id);
        }
        if !package.supplements.is_empty() || !package.enhances.is_empty() {
            self.supplementing.push(id);
        }
    }

    /// The package with a number.
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    /// The numbers of all packages, by name, architecture, and oldest first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = PackageId> + use<> {
        (0..u32::try_from(self.packages.len()).unwrap_or(u32::MAX)).map(PackageId)
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// The packages of a name, by architecture and oldest first.
    pub fn named(&self, name: &str) -> &[PackageId] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The packages that satisfy one plain relation, in order: by what they provide, and by their files.
    pub fn providers(&self, relation: &Relation) -> Vec<PackageId> {
        let mut found = Vec::new();
        for (id, bound) in self.providers.get(&relation.name).map_or(&[][..], Vec::as_slice) {
            if found.last() != Some(id) && bounds_overlap(relation, bound.as_ref()) {
                found.push(*id);
            }
        }
        if relation.bound.is_none() && relation.name.starts_with('/') {
            match self.files.get(&relation.name) {
                Some(owners) => found.extend(owners),
                // A path that no package's relation names, so asked for by a request.
                None => found.extend(self.ids().filter(|id| self.package(*id).files.contains(&relation.name))),
            }
            found.sort();
            found.dedup();
        }
        found
    }

    /// The packages that a relation matches by name and version: how `Obsoletes` works.
    pub fn matching_name<'a>(&'a self, relation: &'a Relation) -> impl Iterator<Item = PackageId> + 'a {
        self.named(&relation.name).iter().copied().filter(move |id| {
            let bound = (Condition::Equal, self.package(*id).nevra.evr.clone());
            bounds_overlap(relation, Some(&bound))
        })
    }

    /// The packages with `Supplements` or `Enhances`.
    pub(crate) fn supplementing(&self) -> &[PackageId] {
        &self.supplementing
    }
}

/// Whether a provide of the same name and the range `bound` satisfies `relation`.
fn bounds_overlap(relation: &Relation, bound: Option<&(Condition, Evr)>) -> bool {
    match (&relation.bound, bound) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(bound)) => {
            relation.satisfied_by(&Relation { name: relation.name.clone(), bound: Some(bound.clone()) })
        }
    }
}

/// The paths that relations name: only these are worth an index.
fn wanted_paths(packages: &[Package]) -> HashSet<String> {
    let mut wanted = HashSet::new();
    for relation in packages.iter().flat_map(Package::relations) {
        if relation.is_rich() {
            let rich = Rich::of(relation);
            let paths = rich.iter().flat_map(Rich::relations).filter(|relation| relation.name.starts_with('/'));
            wanted.extend(paths.map(|relation| relation.name.clone()));
        } else if relation.name.starts_with('/') && !wanted.contains(&relation.name) {
            wanted.insert(relation.name.clone());
        }
    }
    wanted
}
