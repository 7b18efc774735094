use std::path::PathBuf;

use pkg::{Digest, Nevra, Relation};
use repodata::{Checksum, Package};

use crate::groups;
use crate::reasons::Reason;

/// What is to be done. Nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Words: packages to be there.
    pub install: Vec<String>,
    /// Capabilities that have to be there, whoever provides them.
    pub capabilities: Vec<Relation>,
    /// Words: packages to go.
    pub remove: Vec<String>,
    /// Words: packages to become newer; `upgrade_all` for all.
    pub upgrade: Vec<String>,
    /// All packages become newer.
    pub upgrade_all: bool,
    /// Words: packages to become older.
    pub downgrade: Vec<String>,
    /// Words: packages to be installed again.
    pub reinstall: Vec<String>,
    /// Words: packages to become what the repositories have; `sync_all` for all.
    pub sync: Vec<String>,
    /// All packages become what the repositories have.
    pub sync_all: bool,
    /// What nothing needs goes.
    pub autoremove: bool,
    /// Package files: installed, and seen beside the repositories.
    pub files: Vec<(PathBuf, Package)>,
    /// Very packages that have to be there, with the reason, or that must not, as undoing wants it.
    pub exact: Vec<(Nevra, Option<Reason>)>,
    /// Nothing else than these very packages comes or goes.
    pub exactly: bool,
    /// Installed packages may go to make room.
    pub allow_erasing: bool,
    /// What was needed before and is not any more goes, too.
    pub freed: bool,
    /// Leave out what cannot be installed.
    pub skip_broken: bool,
    /// Leave out what there is not.
    pub skip_unavailable: bool,
    /// Names and versions that stay as they are.
    pub locked: Vec<Relation>,
    /// What happens to groups, and to packages for them.
    pub groups: groups::Plan,
}

/// What a job comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What happens, in order of name.
    pub steps: Vec<Step>,
    /// What people should know: words that mean what is there already, and the like.
    pub notes: Vec<String>,
    /// Installed packages that are there for another reason from now on.
    pub reasons: Vec<(Nevra, Reason)>,
    /// Groups and environments that come, go, or become others.
    pub groups: Vec<groups::Change>,
}

impl Outcome {
    /// Whether nothing happens.
    pub fn is_nothing(&self) -> bool {
        self.steps.is_empty() && self.reasons.is_empty() && self.groups.is_empty()
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How.
    pub action: crate::history::Action,
    /// What comes; none where something goes.
    pub new: Option<Incoming>,
    /// What goes: the package itself, or what it takes the place of.
    pub old: Vec<Outgoing>,
    /// Why it is, or was, there.
    pub reason: Reason,
    /// Nothing needs it any more, rather than that somebody wants it gone.
    pub unneeded: bool,
    /// It comes beside another version, which stays.
    pub beside: bool,
}

/// A package that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What.
    pub nevra: Nevra,
    /// The repository's id; `@commandline` for files.
    pub repository: String,
    /// The repository's place among those that were given; none for files.
    pub from: Option<usize>,
    /// The file below the repository's base, or the file itself.
    pub location: String,
    /// Of the file.
    pub checksum: String,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of what it installs.
    pub installed_size: u64,
}

/// A package that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What.
    pub nevra: Nevra,
    /// The id of the repository that it came from.
    pub repository: String,
    /// Bytes that it installed.
    pub installed_size: u64,
}

impl Incoming {
    /// As a package that can be downloaded.
    pub fn package(&self) -> Option<Package> {
        let (algorithm, hex) = self.checksum.split_once(':')?;
        let checksum = Checksum::new(repodata::Algorithm::parse(algorithm)?, hex)?;
        let mut package = Package::new(self.nevra.clone(), checksum);
        package.location = self.location.clone();
        package.sizes.package = self.size;
        package.sizes.installed = self.installed_size;
        Some(package)
    }

    /// SHA-256 of the file, where the repository says that.
    pub fn digest(&self) -> Option<Digest> {
        self.package()?.checksum.sha256()
    }
}
