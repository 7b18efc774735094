//! All packages that are known: installed and available.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use pkg::{Condition, Relation};
use repodata::{Package, ReadError};

use crate::config::Key;
use crate::query::glob::Glob;
use crate::query::spec;
use crate::reasons::{Reason, Reasons};
use crate::{Installed, Machine, SyncError, Synced};

/// A package's place in its [`Sack`]. Places are in order of name, version, architecture, and installed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(usize);

/// A package, and where it is.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What is known of it.
    pub package: Package,
    /// Where it is.
    pub origin: Origin,
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the root.
    Installed {
        /// Seconds since 1970.
        time: u64,
        /// Why.
        reason: Reason,
        /// The repository that it came from; empty where nobody knows.
        from: String,
        /// Its number in the database.
        number: u32,
    },
    /// In a repository.
    Available {
        /// Its place in [`Sack::repositories`].
        repository: usize,
    },
    /// A file that was named.
    File {
        /// Where.
        path: std::path::PathBuf,
    },
}

/// All packages that are known.
#[derive(Debug, Default)]
pub struct Sack {
    candidates: Vec<Candidate>,
    repositories: Vec<Synced>,
    names: HashMap<String, Vec<Place>>,
    provides: OnceCell<HashMap<String, Vec<Place>>>,
}

/// Why packages are not known.
#[derive(Debug, thiserror::Error)]
pub enum SackError {
    /// A repository.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A document of a repository.
    #[error("`{kind}` of the repository `{id}`: {cause}")]
    Document {
        /// The repository.
        id: String,
        /// Which document.
        kind: &'static str,
        /// What is wrong with it.
        cause: ReadError,
    },
}

impl Sack {
    /// Reads repositories, with their files and changelogs as far as `kinds` names `filelists` and `other`, and joins them
    /// with what is installed. Packages that the configuration excludes are not in it, installed ones apart.
    pub fn load(
        installed: Vec<Installed>,
        repositories: Vec<Synced>,
        kinds: &[&str],
        reasons: &Reasons,
        machine: &Machine<'_>,
    ) -> Result<Sack, SackError> {
        let mut candidates = Vec::new();
        for one in installed {
            let known = reasons.of(&one.package.nevra);
            let origin = Origin::Installed {
                time: one.install_time,
                reason: known.map_or(Reason::External, |known| known.reason),
                from: known.map(|known| known.from.clone()).unwrap_or_default(),
                number: one.number,
            };
            candidates.push(Candidate { package: one.package, origin });
        }
        for (repository, synced) in repositories.iter().enumerate() {
            let packages = read(synced, kinds, machine)?;
            let visible = Visible::of(synced);
            let shown = packages.into_iter().filter(|package| visible.shows(package));
            candidates.extend(shown.map(|package| Candidate { package, origin: Origin::Available { repository } }));
        }
        Ok(Sack::new(candidates, repositories))
    }

    /// Puts packages in order.
    pub fn new(mut candidates: Vec<Candidate>, repositories: Vec<Synced>) -> Sack {
        candidates.sort_by(|left, right| {
            let (one, other) = (&left.package.nevra, &right.package.nevra);
            let place = |candidate: &Candidate| match &candidate.origin {
                Origin::Installed { number, .. } => (0, *number as usize),
                Origin::Available { repository } => (1, *repository),
                Origin::File { .. } => (2, 0),
            };
            (&one.name, &one.evr, &one.arch, place(left)).cmp(&(&other.name, &other.evr, &other.arch, place(right)))
        });
        let mut names: HashMap<String, Vec<Place>> = HashMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let name = &candidate.package.nevra.name;
            match names.get_mut(name) {
                Some(places) => places.push(Place(index)),
                None => drop(names.insert(name.clone(), vec![Place(index)])),
            }
        }
        Sack { candidates, repositories, names, provides: OnceCell::new() }
    }

    /// A package.
    pub fn get(&self, place: Place) -> &Candidate {
        &self.candidates[place.0]
    }

    /// What is known of a package.
    pub fn package(&self, place: Place) -> &Package {
        &self.candidates[place.0].package
    }

    /// The repositories, as they were given.
    pub fn repositories(&self) -> &[Synced] {
        &self.repositories
    }

    /// All packages.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = Place> + use<> {
        (0..self.candidates.len()).map(Place)
    }

    /// The packages in the root.
    pub fn installed(&self) -> impl Iterator<Item = Place> + '_ {
        self.all().filter(|place| self.is_installed(*place))
    }

    /// The packages that are not in the root.
    pub fn available(&self) -> impl Iterator<Item = Place> + '_ {
        self.all().filter(|place| !self.is_installed(*place))
    }

    /// Whether a package is in the root.
    pub fn is_installed(&self, place: Place) -> bool {
        matches!(self.get(place).origin, Origin::Installed { .. })
    }

    /// The packages of a name, oldest first.
    pub fn named(&self, name: &str) -> &[Place] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn all_names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Whether it is a source package.
    pub fn is_source(&self, place: Place) -> bool {
        matches!(self.package(place).nevra.arch.as_str(), "src" | "nosrc")
    }

    /// What a package's repository is called in tables: `@System` for what is in the root.
    pub fn repository_id(&self, place: Place) -> &str {
        match &self.get(place).origin {
            Origin::Installed { .. } => "@System",
            Origin::Available { repository } => &self.repositories[*repository].repository.id,
            Origin::File { .. } => "@commandline",
        }
    }

    /// The packages that provide a capability by name, whatever the version.
    pub(crate) fn providing(&self, name: &str) -> &[Place] {
        self.provides().get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn provided_names(&self) -> impl Iterator<Item = &str> {
        self.provides().keys().map(String::as_str)
    }

    fn provides(&self) -> &HashMap<String, Vec<Place>> {
        self.provides.get_or_init(|| {
            let mut index: HashMap<String, Vec<Place>> = HashMap::new();
            // What the header of a source package offers is not there when it is installed, as libsolv has it.
            for place in self.all().filter(|place| !self.is_source(*place)) {
                let package = self.package(place);
                let names = package.provides.iter().map(|one| &one.name).chain([&package.nevra.name]);
                let mut seen = HashSet::new();
                for name in names.filter(|name| seen.insert(*name)) {
                    match index.get_mut(name) {
                        Some(places) => places.push(place),
                        None => drop(index.insert(name.clone(), vec![place])),
                    }
                }
            }
            index
        })
    }

    /// The packages that satisfy one plain relation, by what they provide and by their files.
    pub fn providers(&self, relation: &Relation) -> BTreeSet<Place> {
        let by_name = self.providing(&relation.name).iter().copied();
        let mut found: BTreeSet<Place> = by_name.filter(|place| provides(self.package(*place), relation)).collect();
        if relation.bound.is_none() && relation.name.starts_with('/') {
            let has = |place: &Place| self.package(*place).files.iter().any(|file| file.path == relation.name);
            found.extend(self.all().filter(|place| !self.is_source(*place)).filter(has));
        }
        found
    }
}

/// Whether a package provides what a plain relation asks for; files are not looked at.
pub(crate) fn provides(package: &Package, relation: &Relation) -> bool {
    let own = || Relation::new(&package.nevra.name, Condition::Equal, package.nevra.evr.clone());
    package.provides.iter().any(|one| relation.satisfied_by(one))
        || (package.nevra.name == relation.name && relation.satisfied_by(&own()))
}

fn read(synced: &Synced, kinds: &[&str], machine: &Machine<'_>) -> Result<Vec<Package>, SackError> {
    let wrong = |kind| move |cause| SackError::Document { id: synced.repository.id.clone(), kind, cause };
    let document = |kind: &'static str| -> Result<Option<Vec<u8>>, SackError> {
        if kind == "primary" || kinds.contains(&kind) { Ok(synced.document(kind, machine)?) } else { Ok(None) }
    };
    let primary = document("primary")?.unwrap_or_default();
    let mut packages =
        repodata::primary::Reader::new(primary.as_slice()).collect::<Result<Vec<_>, _>>().map_err(wrong("primary"))?;
    let places: HashMap<String, usize> =
        packages.iter().enumerate().map(|(index, package)| (package.checksum.hex.clone(), index)).collect();
    let find = |kind: &'static str, checksum: &String| {
        let stranger = || ReadError::Stranger { document: kind, checksum: checksum.clone() };
        places.get(checksum).copied().ok_or_else(|| wrong(kind)(stranger()))
    };
    if let Some(text) = document("filelists")? {
        for list in repodata::filelists::Reader::new(text.as_slice()).take(limit(&packages)) {
            let (id, files) = list.map_err(wrong("filelists"))?;
            packages[find("filelists", &id.checksum)?].files = files;
        }
    }
    if let Some(text) = document("other")? {
        for changes in repodata::other::Reader::new(text.as_slice()).take(limit(&packages)) {
            let (id, changes) = changes.map_err(wrong("other"))?;
            packages[find("other", &id.checksum)?].changelog = changes;
        }
    }
    Ok(packages)
}

/// A document tells no more packages than primary, and one more is enough to see that it does.
fn limit(packages: &[Package]) -> usize {
    packages.len() + 1
}

/// Which packages of a repository are seen.
pub(crate) struct Visible {
    excluded: Vec<String>,
    included: Vec<String>,
}

impl Visible {
    pub(crate) fn of(synced: &Synced) -> Visible {
        Visible {
            excluded: synced.repository.patterns(Key::Exclude),
            included: synced.repository.patterns(Key::IncludePackages),
        }
    }

    /// Whether everything is seen.
    pub(crate) fn is_all(&self) -> bool {
        self.excluded.is_empty() && self.included.is_empty()
    }

    pub(crate) fn shows(&self, package: &Package) -> bool {
        self.shows_nevra(&package.nevra)
    }

    pub(crate) fn shows_nevra(&self, nevra: &pkg::Nevra) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| spec::matches_nevra(pattern, nevra));
        (self.included.is_empty() || any(&self.included)) && !any(&self.excluded)
    }
}

/// A pattern for names of packages.
pub(crate) fn name_glob(pattern: &str, ignore_case: bool) -> Glob {
    let glob = Glob::new(pattern);
    if ignore_case { glob.ignoring_case() } else { glob }
}
