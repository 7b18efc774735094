//! One repository, ready for solving: texts, versions and relations once each, packages as columns of their numbers.
//!
//! ```text
//! strings    every text once                      Text      -> characters
//! versions   epoch, version, release once         VersionId -> (u32, Text, Text)
//! relations  name, condition, version once        RelationId-> (Text, condition, VersionId)
//! columns    per package: name, version, arch, vendor, key, checksum, sizes; relations of eight kinds; paths
//! ```

use std::cmp::Ordering;

use pkg::{Arch, Condition, Evr, Nevra, Relation, vercmp};

use crate::Package;
use crate::strings::{Numbers, Strings, Text};

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
pub struct Table {
    pub(crate) strings: Strings,
    pub(crate) versions: Numbers<StoredVersion>,
    pub(crate) relations: Numbers<StoredRelation>,
    pub(crate) name: Vec<u32>,
    pub(crate) version: Vec<u32>,
    pub(crate) arch: Vec<u32>,
    pub(crate) vendor: Vec<u32>,
    pub(crate) size: Vec<u64>,
    pub(crate) installed_size: Vec<u64>,
    /// Keys and checksums one after the other, and where each ends: they are never looked up.
    pub(crate) details: String,
    /// The text that holds them instead, when the table is from a cache.
    pub(crate) details_in: Option<Text>,
    pub(crate) key_ends: Vec<u32>,
    pub(crate) checksum_ends: Vec<u32>,
    /// Where each package's list of each kind ends in `lists`, eight a package.
    pub(crate) list_ends: Vec<u32>,
    pub(crate) lists: Vec<u32>,
    /// Where each package's paths end in `paths`.
    pub(crate) path_ends: Vec<u32>,
    pub(crate) paths: Vec<u32>,
}

/// A repository that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repository has more text or relations than 32 bits can count")]
pub struct TableError;

fn between(ends: &[u32], index: usize) -> std::ops::Range<usize> {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    start..ends[index] as usize
}

impl Table {
    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.name.len()
    }

    /// Whether there is no package.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty()
    }

    pub(crate) fn name(&self, package: usize) -> Text {
        Text(self.name[package])
    }

    pub(crate) fn list(&self, package: usize, kind: Kind) -> impl ExactSizeIterator<Item = RelationId> + Clone + '_ {
        self.lists[between(&self.list_ends, package * 8 + kind.index())].iter().map(|number| RelationId(*number))
    }

    pub(crate) fn paths(&self, package: usize) -> impl Iterator<Item = Text> + '_ {
        self.paths[between(&self.path_ends, package)].iter().map(|number| Text(*number))
    }

    /// Keys and checksums.
    pub(crate) fn details(&self) -> &str {
        self.details_in.map_or(self.details.as_str(), |text| self.strings.get(text))
    }

    pub(crate) fn key(&self, package: usize) -> &str {
        let start = if package == 0 { 0 } else { self.checksum_ends[package - 1] as usize };
        &self.details()[start..self.key_ends[package] as usize]
    }

    pub(crate) fn checksum(&self, package: usize) -> &str {
        &self.details()[self.key_ends[package] as usize..self.checksum_ends[package] as usize]
    }

    pub(crate) fn relation(&self, id: RelationId) -> StoredRelation {
        self.relations.values[id.0 as usize]
    }

    pub(crate) fn version_of(&self, id: VersionId) -> Version<'_> {
        let stored = self.versions.values[id.0 as usize];
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
            evr: evr(self.version_of(VersionId(self.version[package]))),
            arch: Arch::new(self.strings.get(Text(self.arch[package]))),
        }
    }

    /// Compares whole versions of two packages.
    pub(crate) fn compare_versions(&self, left: usize, right: usize) -> Ordering {
        let (left, right) = (self.version[left], self.version[right]);
        if left == right {
            return Ordering::Equal;
        }
        compare(self.version_of(VersionId(left)), self.version_of(VersionId(right)))
    }

    /// The order of packages of one source: name, architecture, oldest first, then what makes it certain.
    pub(crate) fn order(&self, left: usize, right: usize) -> Ordering {
        let text = |number: u32| self.strings.get(Text(number));
        self.name_order(left, right)
            .then_with(|| text(self.arch[left]).cmp(text(self.arch[right])))
            .then_with(|| self.compare_versions(left, right))
    }

    fn name_order(&self, left: usize, right: usize) -> Ordering {
        let (left, right) = (self.name(left), self.name(right));
        if left == right { Ordering::Equal } else { self.strings.get(left).cmp(self.strings.get(right)) }
    }

    /// What decides between packages that are equal in [`Table::order`].
    pub(crate) fn detail_order(&self, left: usize, right: usize) -> Ordering {
        let version = |package: usize| {
            let version = self.version_of(VersionId(self.version[package]));
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
    table: Table,
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
            self.table.lists.append(list);
            self.table.list_ends.push(self.table.lists.len() as u32);
        }
        self.table.path_ends.push(self.table.paths.len() as u32);
    }

    /// The table, its packages as they came. It may be too large, which its caller finds.
    pub(crate) fn finish_in_given_order(mut self) -> Table {
        self.close();
        self.table
    }

    /// The table, its packages in order.
    ///
    /// # Errors
    /// [`TableError`] when it is too large.
    pub fn finish(mut self) -> Result<Table, TableError> {
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

impl Table {
    /// Appends a package of another table whose numbers are told in this one's.
    pub(crate) fn copy_columns(
        &mut self,
        from: &Table,
        package: usize,
        text: impl Fn(u32) -> u32,
        version: impl Fn(u32) -> u32,
        relation: impl Fn(u32) -> u32,
    ) {
        self.name.push(text(from.name[package]));
        self.version.push(version(from.version[package]));
        self.arch.push(text(from.arch[package]));
        self.vendor.push(text(from.vendor[package]));
        self.size.push(from.size[package]);
        self.installed_size.push(from.installed_size[package]);
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
    pub(crate) fn append(&mut self, other: &Table) {
        self.details = self.details().to_owned();
        self.details_in = None;
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
            other.versions.values.iter().map(|stored| self.versions.intern(version(stored))).collect();
        let relation = |stored: &StoredRelation| StoredRelation {
            name: Text(text(stored.name.0)),
            condition: stored.condition,
            version: VersionId(versions[stored.version.0 as usize]),
        };
        let relations: Vec<u32> =
            other.relations.values.iter().map(|stored| self.relations.intern(relation(stored))).collect();
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

    /// A package with everything that solving knows of it.
    pub(crate) fn package(&self, package: usize) -> Package {
        let list = |kind: Kind| self.list(package, kind).map(|id| self.relation_value(id)).collect();
        Package {
            key: self.key(package).to_owned(),
            checksum: self.checksum(package).to_owned(),
            vendor: self.strings.get(Text(self.vendor[package])).to_owned(),
            size: self.size[package],
            installed_size: self.installed_size[package],
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
