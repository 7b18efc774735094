use std::collections::BTreeSet;

use pkg::{Arch, Relation};

use crate::PackageId;

/// What is asked of the solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What has to be there in the end: package names, capabilities, paths, rich dependencies. A name that packages have
    /// stands for these packages (and those that both obsolete and provide it), any other for whoever provides it.
    pub install: Vec<Relation>,
    /// As `install`, but only where it can be: what cannot is left out without a word.
    pub optional: Vec<Relation>,
    /// What has to go: packages by name and version, or else by what they provide. What requires them goes too.
    pub erase: Vec<Relation>,
    /// Installed packages that are replaced by the newest older version; one with a bound says which.
    pub downgrade: Vec<Relation>,
    /// Installed packages that are replaced by the same version from a repository.
    pub reinstall: Vec<Relation>,
    /// The machine: packages of other architectures are not seen, `noarch` ones are.
    pub arch: Arch,
    /// Whether what is recommended is installed too, where it can be.
    pub weak: bool,
    /// Packages that are not seen, by name and version.
    pub exclude: Vec<Relation>,
    /// Packages that are not seen, by number: for whatever else the caller filters by.
    pub hidden: BTreeSet<PackageId>,
    /// Names whose version is settled: others of the name are not seen, and an installed one that matches stays.
    pub locked: Vec<Relation>,
    /// Installed packages that may not go. A relation with a bound names that very version, one without any of the name.
    pub protected: Vec<Relation>,
    /// What becomes of packages that are installed already.
    pub upgrade: Upgrade,
    /// Which installed packages become what the repositories have, newer or older.
    pub sync: Upgrade,
    /// Whether the best version will do only.
    pub best: Best,
    /// Whether installed packages may go to make room for what is asked for. Where something is erased, they may.
    pub erasing: Allowed,
    /// Whether a replacement may be of another vendor.
    pub vendor_change: Allowed,
    /// Whether a replacement may be for another architecture, from and to `noarch` apart.
    pub arch_change: Allowed,
    /// Names of which several versions may be there at once, such as a kernel.
    pub several: Vec<String>,
    /// How many of them at most; the oldest go first, protected ones never. 0 is as many as there are.
    pub several_limit: usize,
    /// What becomes of installed packages that nothing needs.
    pub autoremove: Autoremove,
}

/// Which installed packages are replaced by newer ones, where these can be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// Those that have to be replaced for the request, no other.
    #[default]
    AsNeeded,
    /// Those of these names.
    Named(Vec<String>),
    /// All.
    All,
}

/// Whether something less than the best version will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Best {
    /// The best that can be installed.
    #[default]
    Preferred,
    /// The best there is, or no solution.
    Required,
}

/// Whether something may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    /// It may not.
    #[default]
    No,
    /// It may.
    Yes,
}

/// What becomes of installed packages that came as dependencies and that nothing needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Autoremove {
    /// They stay.
    #[default]
    None,
    /// Those go that something needed before.
    Freed,
    /// All of them go.
    All,
}

impl Upgrade {
    pub(crate) fn includes(&self, name: &str) -> bool {
        match self {
            Upgrade::AsNeeded => false,
            Upgrade::Named(names) => names.iter().any(|named| named == name),
            Upgrade::All => true,
        }
    }
}

impl Request {
    /// A request for nothing yet, with weak dependencies.
    pub fn new(arch: Arch) -> Request {
        Request {
            install: Vec::new(),
            optional: Vec::new(),
            erase: Vec::new(),
            downgrade: Vec::new(),
            reinstall: Vec::new(),
            arch,
            weak: true,
            exclude: Vec::new(),
            hidden: BTreeSet::new(),
            locked: Vec::new(),
            protected: Vec::new(),
            upgrade: Upgrade::AsNeeded,
            sync: Upgrade::AsNeeded,
            best: Best::Preferred,
            erasing: Allowed::No,
            vendor_change: Allowed::No,
            arch_change: Allowed::No,
            several: Vec::new(),
            several_limit: 0,
            autoremove: Autoremove::None,
        }
    }

    /// The same request, with `relations` too.
    #[must_use]
    pub fn install(mut self, relations: impl IntoIterator<Item = Relation>) -> Request {
        self.install.extend(relations);
        self
    }

    /// The same request, with `relations` to erase too.
    #[must_use]
    pub fn erase(mut self, relations: impl IntoIterator<Item = Relation>) -> Request {
        self.erase.extend(relations);
        self
    }

    /// Whether installed packages may go.
    pub(crate) fn may_erase(&self) -> bool {
        self.erasing == Allowed::Yes || !self.erase.is_empty()
    }
}
