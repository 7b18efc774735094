//! One repository, ready for solving: texts, versions and relations once each, packages as columns of their numbers.
//!
//! ```text
//! strings    every text once                      Text      -> characters
//! versions   epoch, version, release once         VersionId -> (u32, Text, Text)
//! relations  name, condition, version once        RelationId-> (Text, condition, VersionId)
//! columns    per package: name, version, arch, vendor, key, checksum, sizes; relations of eight kinds; paths
//! ```
//!
//! Of each, the first part may lie in a cache's bytes, and packages that are appended come after it.

use std::cmp::Ordering;

use pkg::{Arch, Condition, Evr, Nevra, Relation, vercmp};

use crate::column::{Characters, Column, record};
use crate::index::{BY_PATH, Entry, Index};
use crate::strings::{Numbers, Strings, Text};
use crate::{Package, PackageId};

/// What a relation of a package means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It offers this.
    Provides,
    /// This must be there.
    Requires,
    /// This must not be there.
    Conflicts,
    /// It replaces packages of this name.
    Obsoletes,
    /// This is installed too where it can be.
    Recommends,
    /// This is preferred where there is a choice.
    Suggests,
    /// It is installed too, where it can be, when this is.
    Supplements,
    /// It is preferred, where there is a choice, when this is there.
    Enhances,
}

impl Kind {
    /// All of them, in the order of the columns.
    pub const ALL: [Kind; 8] = [
        Kind::Provides,
        Kind::Requires,
        Kind::Conflicts,
        Kind::Obsoletes,
        Kind::Recommends,
        Kind::Suggests,
        Kind::Supplements,
        Kind::Enhances,
    ];

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// A version as it is written in metadata: nothing is copied until it is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version<'a> {
    /// 0 when not written.
    pub epoch: u32,
    /// Upstream's version.
    pub version: &'a str,
    /// Empty where a relation names none.
    pub release: &'a str,
}

impl<'a> From<&'a Evr> for Version<'a> {
    fn from(evr: &'a Evr) -> Version<'a> {
        Version { epoch: evr.epoch, version: &evr.version, release: &evr.release }
    }
}

/// What tells one package from all others, and what the caller wants to know of it later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Epoch, version, release.
    pub version: Version<'a>,
    /// The machine that it is for.
    pub arch: &'a str,
    /// Whose package it is; may be empty.
    pub vendor: &'a str,
    /// What the caller finds it by, such as its location.
    pub key: &'a str,
    /// Of the package's file, as in `sha256:..`; may be empty.
    pub checksum: &'a str,
    /// Bytes of the package's file.
    pub size: u64,
    /// Bytes of what it installs.
    pub installed_size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionId(pub(crate) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RelationId(pub(crate) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredVersion {
    pub(crate) epoch: u32,
    pub(crate) version: Text,
    pub(crate) release: Text,
}

impl From<StoredVersion> for [u32; 3] {
    fn from(stored: StoredVersion) -> [u32; 3] {
        [stored.epoch, stored.version.0, stored.release.0]
    }
}

impl From<[u32; 3]> for StoredVersion {
    fn from([epoch, version, release]: [u32; 3]) -> StoredVersion {
        StoredVersion { epoch, version: Text(version), release: Text(release) }
    }
}

record!(StoredVersion, 3);

/// `condition` is 0 for none, or one of [`condition_number`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredRelation {
    pub(crate) name: Text,
    pub(crate) condition: u32,
    pub(crate) version: VersionId,
}

impl From<StoredRelation> for [u32; 3] {
    fn from(stored: StoredRelation) -> [u32; 3] {
        [stored.name.0, stored.condition, stored.version.0]
    }
}

impl From<[u32; 3]> for StoredRelation {
    fn from([name, condition, version]: [u32; 3]) -> StoredRelation {
        StoredRelation { name: Text(name), condition, version: VersionId(version) }
    }
}

record!(StoredRelation, 3);

/// Bits as rpm has them: less 1, greater 2, equal 4.
pub(crate) fn condition_number(condition: Option<Condition>) -> u32 {
    match condition {
        None => 0,
        Some(Condition::Less) => 1,
        Some(Condition::Greater) => 2,
        Some(Condition::Equal) => 4,
        Some(Condition::LessOrEqual) => 5,
        Some(Condition::GreaterOrEqual) => 6,
    }
}

fn condition_of(number: u32) -> Option<Condition> {
    match number {
        1 => Some(Condition::Less),
        2 => Some(Condition::Greater),
        4 => Some(Condition::Equal),
        5 => Some(Condition::LessOrEqual),
        6 => Some(Condition::GreaterOrEqual),
        _ => None,
    }
}

/// One repository's packages, or several repositories' after [`crate::Universe::of`] joined them.
///
/// Sorted by name, architecture, oldest first. Made by [`TableBuilder`] or read from [`Table::to_bytes`]'s bytes.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    pub(crate) strings: Strings<'a>,
    pub(crate) versions: Numbers<'a, StoredVersion>,
    pub(crate) relations: Numbers<'a, StoredRelation>,
    pub(crate) name: Column<'a, u32>,
    pub(crate) version: Column<'a, u32>,
    pub(crate) arch: Column<'a, u32>,
    pub(crate) vendor: Column<'a, u32>,
    pub(crate) size: Column<'a, u64>,
    pub(crate) installed_size: Column<'a, u64>,
    /// Keys and checksums one after the other, and where each ends: they are never looked up.
    pub(crate) details: Characters<'a>,
    pub(crate) key_ends: Column<'a, u32>,
    pub(crate) checksum_ends: Column<'a, u32>,
    /// Where each package's list of each kind ends in `lists`, eight a package.
    pub(crate) list_ends: Column<'a, u32>,
    pub(crate) lists: Column<'a, u32>,
    /// Where each package's paths end in `paths`.
    pub(crate) path_ends: Column<'a, u32>,
    pub(crate) paths: Column<'a, u32>,
    /// Who provides and obsoletes what, of the packages that are a cache's.
    pub(crate) providers: Index<'a>,
    pub(crate) obsoleters: Index<'a>,
}

/// A repository that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repository has more text or relations than 32 bits can count")]
pub struct TableError;

#[inline]
fn between(ends: &Column<'_, u32>, index: usize) -> std::ops::Range<usize> {
    let start = if index == 0 { 0 } else { ends.get(index - 1) as usize };
    start..ends.get(index) as usize
}

impl<'a> Table<'a> {
    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.name.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of the packages are a cache's: they come first, and are in [`Table::providers`].
    pub(crate) fn indexed(&self) -> usize {
        self.name.mapped()
    }

    #[inline]
    pub(crate) fn name(&self, package: usize) -> Text {
        Text(self.name.get(package))
    }

    pub(crate) fn list(&self, package: usize, kind: Kind) -> impl ExactSizeIterator<Item = RelationId> + Clone + '_ {
        between(&self.list_ends, package * 8 + kind.index()).map(|place| RelationId(self.lists.get(place)))
    }

    pub(crate) fn paths(&self, package: usize) -> impl Iterator<Item = Text> + '_ {
        between(&self.path_ends, package).map(|place| Text(self.paths.get(place)))
    }

    pub(crate) fn key(&self, package: usize) -> &str {
        let start = if package == 0 { 0 } else { self.checksum_ends.get(package - 1) as usize };
        self.details.get(start..self.key_ends.get(package) as usize)
    }

    pub(crate) fn checksum(&self, package: usize) -> &str {
        self.details.get(self.key_ends.get(package) as usize..self.checksum_ends.get(package) as usize)
    }

    #[inline]
    pub(crate) fn relation(&self, id: RelationId) -> StoredRelation {
        self.relations.values.get(id.0 as usize)
    }

    #[inline]
    pub(crate) fn version_of(&self, id: VersionId) -> Version<'_> {
        let stored = self.versions.values.get(id.0 as usize);
        Version {
            epoch: stored.epoch,
            version: self.strings.get(stored.version),
            release: self.strings.get(stored.release),
        }
    }

    /// Whether the relation is one of rpm's boolean ones.
    pub(crate) fn is_rich(&self, id: RelationId) -> bool {
        self.strings.get(self.relation(id).name).starts_with('(')
    }

    pub(crate) fn relation_value(&self, id: RelationId) -> Relation {
        let stored = self.relation(id);
        let name = self.strings.get(stored.name);
        match condition_of(stored.condition) {
            None => Relation::any(name),
            Some(condition) => Relation::new(name, condition, evr(self.version_of(stored.version))),
        }
    }

    pub(crate) fn nevra(&self, package: usize) -> Nevra {
        Nevra {
            name: self.strings.get(self.name(package)).to_owned(),
            evr: evr(self.version_of(VersionId(self.version.get(package)))),
            arch: Arch::new(self.strings.get(Text(self.arch.get(package)))),
        }
    }

    /// Compares whole versions of two packages.
    pub(crate) fn compare_versions(&self, left: usize, right: usize) -> Ordering {
        let (left, right) = (self.version.get(left), self.version.get(right));
        if left == right {
            return Ordering::Equal;
        }
        compare(self.version_of(VersionId(left)), self.version_of(VersionId(right)))
    }

    /// The order of packages of one source: name, architecture, oldest first, then what makes it certain.
    pub(crate) fn order(&self, left: usize, right: usize) -> Ordering {
        let text = |number: u32| self.strings.get(Text(number));
        self.name_order(left, right)
            .then_with(|| text(self.arch.get(left)).cmp(text(self.arch.get(right))))
            .then_with(|| self.compare_versions(left, right))
    }

    fn name_order(&self, left: usize, right: usize) -> Ordering {
        let (left, right) = (self.name(left), self.name(right));
        if left == right { Ordering::Equal } else { self.strings.get(left).cmp(self.strings.get(right)) }
    }

    /// What decides between packages that are equal in [`Table::order`].
    pub(crate) fn detail_order(&self, left: usize, right: usize) -> Ordering {
        let version = |package: usize| {
            let version = self.version_of(VersionId(self.version.get(package)));
            (version.epoch, version.version, version.release)
        };
        version(left)
            .cmp(&version(right))
            .then_with(|| self.key(left).cmp(self.key(right)))
            .then_with(|| self.checksum(left).cmp(self.checksum(right)))
    }
}

pub(crate) fn evr(version: Version<'_>) -> Evr {
    Evr::new(version.epoch, version.version, version.release)
}

/// As [`Evr`]'s order, without making one.
pub(crate) fn compare(left: Version<'_>, right: Version<'_>) -> Ordering {
    let order = left.epoch.cmp(&right.epoch).then_with(|| vercmp(left.version, right.version));
    order.then_with(|| vercmp(left.release, right.release))
}

/// Whether two ranges overlap; source: rpm, `lib/rpmds.cc`, `rpmdsCompareIndex`.
pub(crate) fn overlap(wanted: (u32, Version<'_>), has: (u32, Version<'_>)) -> bool {
    let (wanted, bound) = wanted;
    let (has, version) = has;
    let mut order = version.epoch.cmp(&bound.epoch).then_with(|| vercmp(version.version, bound.version));
    if !version.release.is_empty() && !bound.release.is_empty() {
        order = order.then_with(|| vercmp(version.release, bound.release));
    }
    match order {
        Ordering::Less => has & 2 != 0 || wanted & 1 != 0,
        Ordering::Greater => has & 1 != 0 || wanted & 2 != 0,
        Ordering::Equal => has & wanted != 0,
    }
}

/// Makes a [`Table`], package by package.
#[derive(Debug, Default)]
pub struct TableBuilder {
    table: Table<'static>,
    open: [Vec<u32>; 8],
    is_open: bool,
    own: Option<u32>,
}

impl TableBuilder {
    /// A table without packages.
    pub fn new() -> TableBuilder {
        TableBuilder::default()
    }

    /// Begins a package; relations and paths that follow are its own.
    pub fn package(&mut self, identity: &Identity<'_>) {
        self.close();
        self.is_open = true;
        let name = self.table.strings.intern(identity.name);
        let version = self.version(identity.version);
        let table = &mut self.table;
        table.name.push(name.0);
        table.version.push(version.0);
        table.arch.push(table.strings.intern(identity.arch).0);
        table.vendor.push(table.strings.intern(identity.vendor).0);
        table.size.push(identity.size);
        table.installed_size.push(identity.installed_size);
        table.details.push_str(identity.key);
        table.key_ends.push(table.details.len() as u32);
        table.details.push_str(identity.checksum);
        table.checksum_ends.push(table.details.len() as u32);
        self.own = Some(table.relations.intern(StoredRelation { name, condition: 4, version }));
    }

    /// Adds a relation to the package that was begun last.
    pub fn relation(&mut self, kind: Kind, name: &str, bound: Option<(Condition, Version<'_>)>) {
        let name = self.table.strings.intern(name);
        let version = self.version(bound.map(|(_, version)| version).unwrap_or_default());
        let condition = condition_number(bound.map(|(condition, _)| condition));
        let relation = self.table.relations.intern(StoredRelation { name, condition, version });
        self.open[kind.index()].push(relation);
    }

    /// Adds a path to the package that was begun last.
    pub fn path(&mut self, path: &str) {
        let path = self.table.strings.intern(path);
        self.table.paths.push(path.0);
    }

    fn version(&mut self, version: Version<'_>) -> VersionId {
        let strings = &mut self.table.strings;
        let stored = StoredVersion {
            epoch: version.epoch,
            version: strings.intern(version.version),
            release: strings.intern(version.release),
        };
        VersionId(self.table.versions.intern(stored))
    }

    fn close(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let provides = &mut self.open[Kind::Provides.index()];
        provides.extend(self.own.filter(|own| !provides.contains(own)));
        for list in &mut self.open {
            self.table.lists.extend(list.drain(..));
            self.table.list_ends.push(self.table.lists.len() as u32);
        }
        self.table.path_ends.push(self.table.paths.len() as u32);
    }

    /// The table, its packages as they came. It may be too large, which its caller finds.
    pub(crate) fn finish_in_given_order(mut self) -> Table<'static> {
        self.close();
        self.table
    }

    /// The table, its packages in order.
    ///
    /// # Errors
    /// [`TableError`] when it is too large.
    pub fn finish(mut self) -> Result<Table<'static>, TableError> {
        self.close();
        let table = self.table;
        let limit = u32::MAX as usize;
        if !table.strings.is_whole()
            || table.details.len() > limit
            || table.lists.len() > limit
            || table.paths.len() > limit
            || table.list_ends.len() > limit
        {
            return Err(TableError);
        }
        let mut order: Vec<usize> = (0..table.len()).collect();
        order.sort_by(|left, right| table.order(*left, *right).then_with(|| table.detail_order(*left, *right)));
        if order.windows(2).all(|pair| pair[0] < pair[1]) {
            return Ok(table);
        }
        let mut sorted = Table { strings: table.strings.clone(), ..Table::default() };
        sorted.versions = table.versions.clone();
        sorted.relations = table.relations.clone();
        for package in order {
            sorted.copy_columns(&table, package, |text| text, |version| version, |relation| relation);
        }
        Ok(sorted)
    }
}

impl Table<'_> {
    /// Appends a package of another table whose numbers are told in this one's.
    pub(crate) fn copy_columns(
        &mut self,
        from: &Table<'_>,
        package: usize,
        text: impl Fn(u32) -> u32,
        version: impl Fn(u32) -> u32,
        relation: impl Fn(u32) -> u32,
    ) {
        self.name.push(text(from.name.get(package)));
        self.version.push(version(from.version.get(package)));
        self.arch.push(text(from.arch.get(package)));
        self.vendor.push(text(from.vendor.get(package)));
        self.size.push(from.size.get(package));
        self.installed_size.push(from.installed_size.get(package));
        self.details.push_str(from.key(package));
        self.key_ends.push(self.details.len() as u32);
        self.details.push_str(from.checksum(package));
        self.checksum_ends.push(self.details.len() as u32);
        for kind in Kind::ALL {
            self.lists.extend(from.list(package, kind).map(|id| relation(id.0)));
            self.list_ends.push(self.lists.len() as u32);
        }
        self.paths.extend(from.paths(package).map(|path| text(path.0)));
        self.path_ends.push(self.paths.len() as u32);
    }

    /// Appends all packages of another table.
    pub(crate) fn append(&mut self, other: &Table<'_>) {
        let texts: Vec<u32> = (0..other.strings.len())
            .map(|number| self.strings.intern(other.strings.get(Text(number as u32))).0)
            .collect();
        let text = |number: u32| texts[number as usize];
        let version = |stored: &StoredVersion| StoredVersion {
            epoch: stored.epoch,
            version: Text(text(stored.version.0)),
            release: Text(text(stored.release.0)),
        };
        let versions: Vec<u32> =
            other.versions.values.iter().map(|stored| self.versions.intern(version(&stored))).collect();
        let relation = |stored: &StoredRelation| StoredRelation {
            name: Text(text(stored.name.0)),
            condition: stored.condition,
            version: VersionId(versions[stored.version.0 as usize]),
        };
        let relations: Vec<u32> =
            other.relations.values.iter().map(|stored| self.relations.intern(relation(&stored))).collect();
        for package in 0..other.len() {
            self.copy_columns(
                other,
                package,
                text,
                |number| versions[number as usize],
                |number| relations[number as usize],
            );
        }
    }

    /// Who provides what, and has which paths, of packages in order.
    pub(crate) fn index_providers(&self, packages: &[PackageId]) -> Index<'static> {
        let texts = if packages.is_empty() { 0 } else { self.strings.len() };
        Index::new(texts, || {
            packages.iter().flat_map(|id| {
                let provides = self.list(id.index(), Kind::Provides);
                let provides =
                    provides.map(|relation| (self.relation(relation).name, Entry { package: *id, by: relation.0 }));
                let paths = self.paths(id.index());
                provides.chain(paths.map(|path| (path, Entry { package: *id, by: BY_PATH })))
            })
        })
    }

    /// Who obsoletes what, of packages in order.
    pub(crate) fn index_obsoleters(&self, packages: &[PackageId]) -> Index<'static> {
        let texts = if packages.is_empty() { 0 } else { self.strings.len() };
        Index::new(texts, || {
            packages.iter().flat_map(|id| {
                let obsoletes = self.list(id.index(), Kind::Obsoletes);
                obsoletes.map(|relation| (self.relation(relation).name, Entry { package: *id, by: relation.0 }))
            })
        })
    }

    /// A package with everything that solving knows of it.
    pub(crate) fn package(&self, package: usize) -> Package {
        let list = |kind: Kind| self.list(package, kind).map(|id| self.relation_value(id)).collect();
        Package {
            key: self.key(package).to_owned(),
            checksum: self.checksum(package).to_owned(),
            vendor: self.strings.get(Text(self.vendor.get(package))).to_owned(),
            size: self.size.get(package),
            installed_size: self.installed_size.get(package),
            provides: list(Kind::Provides),
            requires: list(Kind::Requires),
            conflicts: list(Kind::Conflicts),
            obsoletes: list(Kind::Obsoletes),
            recommends: list(Kind::Recommends),
            suggests: list(Kind::Suggests),
            supplements: list(Kind::Supplements),
            enhances: list(Kind::Enhances),
            files: self.paths(package).map(|path| self.strings.get(path).to_owned()).collect(),
            ..Package::new(self.nevra(package))
        }
    }
}
