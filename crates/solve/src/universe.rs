use std::collections::{BTreeMap, BTreeSet};

use pkg::{Nevra, Relation};

use crate::index::{BY_PATH, Entry, Index};
use crate::strings::Text;
use crate::table::{RelationId, TableError, Version, condition_number, overlap};
use crate::{Identity, Kind, Package, PackageId, Reason, Table, TableBuilder};

/// All packages that are to be had or installed, and what each name and path is provided by.
#[derive(Debug)]
pub struct Universe<'a> {
    pub(crate) table: Table<'a>,
    /// For each package its place in the order of all: see [`Universe::rank`].
    ranks: Vec<u32>,
    state: Vec<State>,
    sources: Vec<Source>,
    /// The installed packages, in order.
    installed: Vec<PackageId>,
    /// For each text, the packages that provide it, in order; those of a cache are in the table's.
    providers: Index<'static>,
    /// For each text that some relation `Obsoletes` names: who; those of a cache are in the table's.
    obsoleters: Index<'static>,
    /// The packages with `Supplements`.
    supplementing: Vec<PackageId>,
    /// Paths that were looked up in filelists, each with its packages.
    looked_up: BTreeMap<String, Vec<PackageId>>,
    paths: Paths,
}

/// Where a table's packages come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The repository's id.
    pub name: String,
    /// The lower number is tried first, whatever the versions. The habit is 99.
    pub priority: u32,
    /// Of equal packages that of lower cost is taken. The habit is 1000.
    pub cost: u32,
}

/// Which paths the packages of a universe tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// All that matter.
    All,
    /// Those that primary lists; others are told by [`Universe::add_paths`] when [`crate::missing_paths`] asks for them.
    Primary,
}

#[derive(Clone, Copy, Debug)]
struct State {
    priority: u32,
    cost: u32,
    source: Option<u16>,
    installed: bool,
    reason: Reason,
}

impl<'a> Universe<'a> {
    /// Puts packages in order and indexes what they provide.
    ///
    /// The order of `packages` does not matter. Rich dependencies that are none are told by [`crate::resolve`] when the
    /// package that has one is reached.
    pub fn new(mut packages: Vec<Package>) -> Universe<'static> {
        packages.sort_by(|left, right| {
            (&left.nevra.name, &left.nevra.arch)
                .cmp(&(&right.nevra.name, &right.nevra.arch))
                .then_with(|| left.nevra.evr.cmp(&right.nevra.evr))
                .then_with(|| right.priority.cmp(&left.priority))
                .then_with(|| left.installed.cmp(&right.installed))
                .then_with(|| left.nevra.to_string().cmp(&right.nevra.to_string()))
                .then_with(|| (&left.key, right.cost, &left.checksum).cmp(&(&right.key, left.cost, &right.checksum)))
        });
        let state = packages.iter().map(State::of).collect();
        Universe::index(table_of(&packages), state, Vec::new(), Paths::All)
    }

    /// Joins repositories, and packages that are in none: what is installed, or was named as a file.
    ///
    /// Takes over the largest table as it is, so that one large repository costs no more than its index.
    ///
    /// # Errors
    /// [`TableError`] when all together are too large.
    pub fn of(
        mut tables: Vec<(Source, Table<'a>)>,
        mut packages: Vec<Package>,
        paths: Paths,
    ) -> Result<Universe<'a>, TableError> {
        tables.sort_by(|(left, left_table), (right, right_table)| {
            (right_table.len(), &left.name).cmp(&(left_table.len(), &right.name))
        });
        let mut joined = Table::default();
        let (mut state, mut sources) = (Vec::new(), Vec::new());
        for (source, table) in tables {
            let number = u16::try_from(sources.len()).map_err(|_| TableError)?;
            let (priority, cost) = (source.priority, source.cost);
            let one = State { priority, cost, source: Some(number), installed: false, reason: Reason::User };
            state.extend(std::iter::repeat_n(one, table.len()));
            if joined.is_empty() {
                joined = table;
            } else {
                joined.append(&table);
            }
            sources.push(source);
        }
        if !packages.is_empty() {
            packages.sort_by(|left, right| (&left.nevra, &left.key).cmp(&(&right.nevra, &right.key)));
            state.extend(packages.iter().map(State::of));
            joined.append(&table_of(&packages));
        }
        let limit = u32::MAX as usize;
        if !joined.strings.is_whole() || joined.lists.len() > limit || joined.details.len() > limit {
            return Err(TableError);
        }
        Ok(Universe::index(joined, state, sources, paths))
    }

    fn index(table: Table<'a>, state: Vec<State>, sources: Vec<Source>, paths: Paths) -> Universe<'a> {
        let order = in_order(&table, &state);
        let mut ranks = vec![0; table.len()];
        order.iter().zip(0..).for_each(|(id, rank)| ranks[id.index()] = rank);
        // Those of the cache have their index there.
        let later: Vec<PackageId> = order.iter().copied().filter(|id| id.index() >= table.indexed()).collect();
        let providers = table.index_providers(&later);
        let obsoleters = table.index_obsoleters(&later);
        let has = |id: &PackageId, kind: Kind| table.list(id.index(), kind).len() > 0;
        let supplementing = order.iter().copied().filter(|id| has(id, Kind::Supplements)).collect();
        let installed = order.iter().copied().filter(|id| state[id.index()].installed).collect();
        let looked_up = BTreeMap::new();
        Universe { table, ranks, state, sources, installed, providers, obsoleters, supplementing, looked_up, paths }
    }

    /// The entries of two indexes for a text, in order of packages.
    fn entries<'u>(&'u self, [one, other]: [&'u Index<'u>; 2], text: Text) -> impl Iterator<Item = Entry> + 'u {
        let (mut one, mut other) = (one.of(text).peekable(), other.of(text).peekable());
        std::iter::from_fn(move || match (one.peek(), other.peek()) {
            (Some(left), Some(right)) if self.rank(right.package) < self.rank(left.package) => other.next(),
            (Some(_), _) => one.next(),
            (None, _) => other.next(),
        })
    }

    fn providers_of(&self, name: Text) -> impl Iterator<Item = Entry> + '_ {
        self.entries([&self.table.providers, &self.providers], name)
    }

    /// The package with a number, with all its relations. For one fact of it the others here are cheaper.
    pub fn package(&self, id: PackageId) -> Package {
        let State { priority, cost, installed, reason, .. } = self.state[id.index()];
        Package { priority, cost, installed, reason, ..self.table.package(id.index()) }
    }

    /// Name, epoch, version, release, architecture.
    pub fn nevra(&self, id: PackageId) -> Nevra {
        self.table.nevra(id.index())
    }

    /// The package's name.
    pub fn name(&self, id: PackageId) -> &str {
        self.table.strings.get(self.table.name(id.index()))
    }

    /// The architecture's name.
    pub fn arch(&self, id: PackageId) -> &str {
        self.table.strings.get(Text(self.table.arch.get(id.index())))
    }

    /// What the caller finds the package by.
    pub fn key(&self, id: PackageId) -> &str {
        self.table.key(id.index())
    }

    /// The digest of the package's file, as the caller gave it.
    pub fn checksum(&self, id: PackageId) -> &str {
        self.table.checksum(id.index())
    }

    /// Bytes of the package's file, and of what it installs.
    pub fn sizes(&self, id: PackageId) -> (u64, u64) {
        (self.table.size.get(id.index()), self.table.installed_size.get(id.index()))
    }

    /// Whether the machine has the package already.
    pub fn is_installed(&self, id: PackageId) -> bool {
        self.state[id.index()].installed
    }

    /// Why the machine has the package.
    pub fn reason(&self, id: PackageId) -> Reason {
        self.state[id.index()].reason
    }

    /// The repository that the package is from; none for packages that were given alone.
    pub fn source(&self, id: PackageId) -> Option<&Source> {
        self.state[id.index()].source.map(|number| &self.sources[usize::from(number)])
    }

    pub(crate) fn priority(&self, id: PackageId) -> u32 {
        self.state[id.index()].priority
    }

    /// The package's place among all: by name, architecture, oldest first; of equal ones the better comes later.
    pub(crate) fn rank(&self, id: PackageId) -> u32 {
        self.ranks[id.index()]
    }

    pub(crate) fn vendor(&self, id: PackageId) -> Text {
        Text(self.table.vendor.get(id.index()))
    }

    pub(crate) fn compare_versions(&self, left: PackageId, right: PackageId) -> std::cmp::Ordering {
        self.table.compare_versions(left.index(), right.index())
    }

    /// The numbers of all packages.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = PackageId> + use<> {
        (0..u32::try_from(self.table.len()).unwrap_or(u32::MAX)).map(PackageId)
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The installed packages, in order.
    pub fn installed(&self) -> &[PackageId] {
        &self.installed
    }

    /// The packages of a name, by architecture and oldest first.
    pub fn named(&self, name: &str) -> Vec<PackageId> {
        self.table.strings.find(name).map_or(Vec::new(), |text| self.of_name(text).collect())
    }

    /// The packages of a name, in order. Each provides its name, so they are among those who do.
    pub(crate) fn of_name(&self, name: Text) -> impl Iterator<Item = PackageId> + '_ {
        let mut last = None;
        let ids = self.providers_of(name).map(|entry| entry.package);
        ids.filter(move |id| self.table.name(id.index()) == name && last.replace(*id) != Some(*id))
    }

    pub(crate) fn list(&self, id: PackageId, kind: Kind) -> impl ExactSizeIterator<Item = RelationId> + Clone + '_ {
        self.table.list(id.index(), kind)
    }

    /// The packages that satisfy one plain relation, in order: by what they provide, and by their files.
    pub fn providers(&self, relation: &Relation) -> Vec<PackageId> {
        let bound = relation.bound.as_ref().map(|(condition, evr)| (condition_number(Some(*condition)), evr.into()));
        let mut found = match self.table.strings.find(&relation.name) {
            Some(name) => self.providing(name, bound),
            None => Vec::new(),
        };
        if let (None, Some(owners)) = (bound, self.looked_up.get(&relation.name)) {
            found.extend(owners);
            self.sort(&mut found);
        }
        found
    }

    /// The packages that satisfy a relation of a package, in order.
    pub(crate) fn satisfying(&self, id: RelationId) -> Vec<PackageId> {
        let stored = self.table.relation(id);
        let bound = (stored.condition != 0).then(|| (stored.condition, self.table.version_of(stored.version)));
        let mut found = self.providing(stored.name, bound);
        if !self.looked_up.is_empty() && bound.is_none() {
            let owners = self.looked_up.get(self.table.strings.get(stored.name));
            found.extend(owners.into_iter().flatten());
            self.sort(&mut found);
        }
        found
    }

    fn sort(&self, packages: &mut Vec<PackageId>) {
        packages.sort_by_key(|id| self.rank(*id));
        packages.dedup();
    }

    fn providing(&self, name: Text, bound: Option<(u32, Version<'_>)>) -> Vec<PackageId> {
        let mut found = Vec::new();
        for Entry { package, by } in self.providers_of(name) {
            let satisfies = || match bound {
                None => true,
                Some(_) if by == BY_PATH => false,
                Some(wanted) => {
                    let provided = self.table.relation(RelationId(by));
                    // Of two ranges one of which is none, rpm says that they overlap.
                    provided.condition == 0
                        || overlap(wanted, (provided.condition, self.table.version_of(provided.version)))
                }
            };
            if found.last() != Some(&package) && satisfies() {
                found.push(package);
            }
        }
        found
    }

    /// The packages that a relation matches by name and version: how `Obsoletes` works.
    pub fn matching_name(&self, relation: &Relation) -> Vec<PackageId> {
        let Some(name) = self.table.strings.find(&relation.name) else { return Vec::new() };
        let bound = relation.bound.as_ref().map(|(condition, evr)| (condition_number(Some(*condition)), evr.into()));
        self.of_name(name).filter(|id| self.is_version(*id, bound)).collect()
    }

    /// The packages that one of a package's `Obsoletes` matches.
    pub(crate) fn obsoleted(&self, id: RelationId) -> impl Iterator<Item = PackageId> + '_ {
        let stored = self.table.relation(id);
        let bound = (stored.condition != 0).then(|| (stored.condition, self.table.version_of(stored.version)));
        self.of_name(stored.name).filter(move |id| self.is_version(*id, bound))
    }

    fn is_version(&self, id: PackageId, bound: Option<(u32, Version<'_>)>) -> bool {
        let version = || self.table.version_of(crate::table::VersionId(self.table.version.get(id.index())));
        bound.is_none_or(|bound| overlap(bound, (4, version())))
    }

    /// The packages that say that they replace `old`.
    pub(crate) fn replacing(&self, old: PackageId) -> Vec<PackageId> {
        let mut found = Vec::new();
        for Entry { package, by } in
            self.entries([&self.table.obsoleters, &self.obsoleters], self.table.name(old.index()))
        {
            let replaces = || self.obsoleted(RelationId(by)).any(|other| other == old);
            if package != old && found.last() != Some(&package) && replaces() {
                found.push(package);
            }
        }
        found
    }

    /// The packages with `Supplements`.
    pub(crate) fn supplementing(&self) -> &[PackageId] {
        &self.supplementing
    }

    /// Whether `path` has to be looked up in filelists before it can be said who has it.
    pub(crate) fn is_unknown_path(&self, path: &str) -> bool {
        self.paths == Paths::Primary
            && path.starts_with('/')
            && !is_primary_path(path)
            && !self.looked_up.contains_key(path)
    }

    /// The paths that plain relations of any package name and that would have to be looked up, in order.
    pub fn unknown_paths(&self) -> BTreeSet<String> {
        let relations = &self.table.relations.values;
        let names = (0..relations.len()).map(|number| relations.get(number).name);
        let paths = names.map(|name| self.table.strings.get(name)).filter(|name| self.is_unknown_path(name));
        paths.map(str::to_owned).collect()
    }

    /// Tells who has paths that primary does not list: for each of `paths`, all of its packages.
    pub fn add_paths(&mut self, paths: &[String], owners: impl IntoIterator<Item = (PackageId, String)>) {
        paths.iter().for_each(|path| {
            self.looked_up.entry(path.clone()).or_default();
        });
        let mut fresh: BTreeSet<String> = BTreeSet::new();
        for (id, path) in owners {
            if let Some(list) = self.looked_up.get_mut(&path) {
                list.push(id);
                fresh.insert(path);
            }
        }
        for path in fresh {
            let mut list = self.looked_up.remove(&path).unwrap_or_default();
            self.sort(&mut list);
            self.looked_up.insert(path, list);
        }
    }
}

/// All packages in order. A table of a cache is in order already, and the others find their places between its packages.
fn in_order(table: &Table<'_>, state: &[State]) -> Vec<PackageId> {
    let compare = |left: PackageId, right: PackageId| {
        let (left, right) = (left.index(), right.index());
        let (one, other) = (state[left], state[right]);
        table
            .order(left, right)
            .then_with(|| other.priority.cmp(&one.priority))
            .then_with(|| one.installed.cmp(&other.installed))
            .then_with(|| other.cost.cmp(&one.cost))
            .then_with(|| table.detail_order(left, right))
    };
    let number = |place: usize| PackageId(u32::try_from(place).unwrap_or(u32::MAX));
    let mut later: Vec<PackageId> = (table.indexed()..table.len()).map(number).collect();
    // Tables are sorted, so this finds few and long runs.
    later.sort_by(|left, right| compare(*left, *right));
    let mut order = Vec::with_capacity(table.len());
    let mut next = 0;
    for id in later {
        let (mut low, mut high) = (next, table.indexed());
        while low < high {
            let middle = low.midpoint(high);
            match compare(number(middle), id).is_le() {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        order.extend((next..low).map(number));
        order.push(id);
        next = low;
    }
    order.extend((next..table.indexed()).map(number));
    order
}

/// Whether primary lists a path; source: createrepo_c, `cr_is_primary`.
fn is_primary_path(path: &str) -> bool {
    path.starts_with("/etc/") || path == "/usr/lib/sendmail" || path.contains("bin/")
}

impl State {
    fn of(package: &Package) -> State {
        let Package { priority, cost, installed, reason, .. } = *package;
        State { priority, cost, source: None, installed, reason }
    }
}

/// A table of packages in the order in which they are given.
fn table_of(packages: &[Package]) -> Table<'static> {
    let mut builder = TableBuilder::new();
    for package in packages {
        builder.package(&Identity {
            name: &package.nevra.name,
            version: (&package.nevra.evr).into(),
            arch: package.nevra.arch.as_str(),
            vendor: &package.vendor,
            key: &package.key,
            checksum: &package.checksum,
            size: package.size,
            installed_size: package.installed_size,
        });
        for kind in Kind::ALL {
            for relation in package.relations(kind) {
                let bound = relation.bound.as_ref().map(|(condition, evr)| (*condition, evr.into()));
                builder.relation(kind, &relation.name, bound);
            }
        }
        package.files.iter().for_each(|path| builder.path(path));
    }
    builder.finish_in_given_order()
}
