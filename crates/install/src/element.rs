use std::path::PathBuf;
use std::sync::Arc;

use pkg::Evr;
use rpm::db::FileState;
use rpm::{DependencyKind, Header};

use crate::change::Allowances;
use crate::error::Problem;
use crate::facts::{Facts, Record};
use crate::installed::InstalledSet;

/// A package that comes or goes.
pub(crate) struct Element {
    pub(crate) facts: Arc<Facts>,
    pub(crate) side: Side,
    /// What is to become of each of its files.
    pub(crate) fates: Vec<Fate>,
}

pub(crate) enum Side {
    Comes {
        signature: Header,
        /// Where its files lie unpacked.
        unpacked: PathBuf,
        /// Files of packages that stay which this one takes the place of: package, row, and what they become.
        replaced: Vec<(u32, usize, FileState)>,
    },
    Goes {
        record: Record,
        /// The package that takes its place.
        successor: Option<String>,
    },
}

/// What is to become of a file. Source: rpm, `lib/rpmfs.h`, `rpmFileAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unknown,
    Create,
    /// What is there is kept as `.rpmorig`.
    Backup,
    /// What is there is kept as `.rpmsave`.
    Save,
    /// Comes as `.rpmnew`.
    Beside,
    /// What is there has the right bytes and gets the package's owner, mode and time.
    Touch,
    Erase,
    /// Left as it is.
    Skip,
    /// Left out by a filter.
    LeaveOut,
}

impl Fate {
    pub(crate) fn is_skipped(self) -> bool {
        matches!(self, Fate::Skip | Fate::LeaveOut)
    }
}

impl Element {
    pub(crate) fn comes(&self) -> bool {
        matches!(self.side, Side::Comes { .. })
    }

    /// The number in the database of one that goes.
    pub(crate) fn number(&self) -> Option<u32> {
        match &self.side {
            Side::Goes { record, .. } => Some(record.number),
            Side::Comes { .. } => None,
        }
    }
}

/// A package to be installed, read and unpacked.
pub(crate) struct Unpacked {
    pub(crate) facts: Arc<Facts>,
    pub(crate) signature: Header,
    pub(crate) directory: PathBuf,
}

/// How a package was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Beside what is there.
    Beside,
    /// In the place of older ones, and of what it obsoletes.
    Upgrade,
    /// In the place of the same one.
    Reinstall,
}

/// The elements of a transaction in the order of asking, and why it may not be.
pub(crate) struct Elements {
    pub(crate) all: Vec<Element>,
    pub(crate) problems: Vec<Problem>,
}

impl Elements {
    pub(crate) fn new() -> Elements {
        Elements { all: Vec::new(), problems: Vec::new() }
    }

    /// Adds a package, and the erasure of what it takes the place of.
    pub(crate) fn add(&mut self, unpacked: Unpacked, asked: Asked, installed: &InstalledSet, allow: &Allowances) {
        let facts = unpacked.facts.clone();
        let evr = facts.header.evr();
        if let Some(twin) = self.all.iter().position(|other| other.comes() && other.facts.name == facts.name) {
            let other = self.all[twin].facts.header.evr();
            if asked != Asked::Beside || other == evr {
                // Of several versions the newest is meant; it keeps the place of the first.
                if evr > other {
                    self.replace(twin, unpacked);
                }
                return;
            }
        }
        self.check_versions(&facts, &evr, asked, installed, allow);
        self.push(unpacked);
        if asked == Asked::Beside {
            return;
        }
        for record in installed.named(&facts.name) {
            if asked == Asked::Upgrade || record.facts.nevra == facts.nevra {
                self.erase(record.clone(), Some(&facts.nevra));
            }
        }
        if asked == Asked::Upgrade {
            for obsolete in facts.header.dependencies(DependencyKind::Obsoletes) {
                for record in installed.named(&obsolete.relation.name) {
                    let is_own = record.facts.name == facts.name;
                    if !is_own && record.facts.is_meant_by(&obsolete.relation) {
                        self.erase(record.clone(), Some(&facts.nevra));
                    }
                }
            }
        }
    }

    /// Drops packages that another one of those that come obsoletes, as rpm does.
    pub(crate) fn drop_obsoleted(&mut self) {
        let obsoletes: Vec<(String, Vec<rpm::Dependency>)> = self
            .all
            .iter()
            .filter(|element| element.comes() && element.facts.header.contains(rpm::Tag::OBSOLETENAME))
            .map(|element| (element.facts.name.clone(), element.facts.header.dependencies(DependencyKind::Obsoletes)))
            .collect();
        self.all.retain(|element| {
            let is_meant = |(name, all): &(String, Vec<rpm::Dependency>)| {
                *name != element.facts.name && all.iter().any(|one| element.facts.is_meant_by(&one.relation))
            };
            !element.comes() || !obsoletes.iter().any(is_meant)
        });
    }

    fn check_versions(&mut self, facts: &Facts, evr: &Evr, asked: Asked, installed: &InstalledSet, allow: &Allowances) {
        for record in installed.named(&facts.name) {
            let there = record.facts.header.evr();
            if there == *evr && asked != Asked::Reinstall && !allow.installed {
                self.problems.push(Problem::AlreadyInstalled { package: facts.nevra.clone() });
            } else if there > *evr && !allow.older {
                let installed = record.facts.nevra.clone();
                self.problems.push(Problem::NewerInstalled { package: facts.nevra.clone(), installed });
            }
        }
    }

    fn push(&mut self, unpacked: Unpacked) {
        let Unpacked { facts, signature, directory } = unpacked;
        let side = Side::Comes { signature, unpacked: directory, replaced: Vec::new() };
        self.all.push(Element { facts, side, fates: Vec::new() });
    }

    fn replace(&mut self, index: usize, unpacked: Unpacked) {
        self.push(unpacked);
        self.all.swap_remove(index);
    }

    /// Adds the erasure of a package, once.
    pub(crate) fn erase(&mut self, record: Record, successor: Option<&str>) {
        let same = self.all.iter_mut().find(|element| element.number() == Some(record.number));
        if let Some(Element { side: Side::Goes { successor: known, .. }, .. }) = same {
            *known = successor.map(str::to_owned).or(known.take());
            return;
        }
        self.all.push(Element {
            facts: record.facts.clone(),
            side: Side::Goes { record, successor: successor.map(str::to_owned) },
            fates: Vec::new(),
        });
    }
}
