use pkg::{Nevra, Relation};

/// A package as the solver sees it: its name and its relations.
///
/// Rich dependencies keep their whole text in a relation's name: see [`Relation::is_rich`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name, epoch, version, release, architecture.
    pub nevra: Nevra,
    /// What the caller finds it by: a digest or a location. Tells packages of one nevra apart, and orders them.
    pub key: String,
    /// Of the package's file, as in `sha256:..`; empty when not known.
    pub checksum: String,
    /// Whose package it is; empty when not known.
    pub vendor: String,
    /// Bytes of the package's file.
    pub size: u64,
    /// Bytes of what it installs.
    pub installed_size: u64,
    /// Of the package's repository: the lower number is tried first, whatever the versions. The habit is 99.
    pub priority: u32,
    /// Of the package's repository: of equal packages the one of lower cost is taken. The habit is 1000.
    pub cost: u32,
    /// Whether the machine has it already.
    pub installed: bool,
    /// Why the machine has it; of no meaning for packages that are not installed.
    pub reason: Reason,
    /// What it offers; its own name and version are added where missing.
    pub provides: Vec<Relation>,
    /// What must be there.
    pub requires: Vec<Relation>,
    /// What must not be there.
    pub conflicts: Vec<Relation>,
    /// Packages, by name, that it replaces.
    pub obsoletes: Vec<Relation>,
    /// What is installed too where it can be.
    pub recommends: Vec<Relation>,
    /// What is preferred where there is a choice.
    pub suggests: Vec<Relation>,
    /// It is installed too, where it can be, when this is.
    pub supplements: Vec<Relation>,
    /// It is preferred, where there is a choice, when this is there.
    pub enhances: Vec<Relation>,
    /// Its paths; at least those that others may require.
    pub files: Vec<String>,
}

/// Why an installed package is there: what [`crate::Autoremove`] goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody asked for it by name.
    #[default]
    User,
    /// Something required it.
    Dependency,
    /// Something recommended it.
    Weak,
    /// It belongs to a group that was asked for.
    Group,
    /// It came by other means than this program, which does not remove what it did not bring.
    External,
}

impl Reason {
    /// Whether the package goes when nothing needs it any more.
    pub fn is_removable(self) -> bool {
        matches!(self, Reason::Dependency | Reason::Weak)
    }
}

impl Package {
    /// A package without relations, of priority 99 and cost 1000.
    pub fn new(nevra: Nevra) -> Package {
        Package {
            key: nevra.to_string(),
            nevra,
            checksum: String::new(),
            vendor: String::new(),
            size: 0,
            installed_size: 0,
            priority: 99,
            cost: 1000,
            installed: false,
            reason: Reason::User,
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            files: Vec::new(),
        }
    }

    /// All relations of one kind.
    pub(crate) fn relations(&self, kind: crate::Kind) -> &[Relation] {
        use crate::Kind;
        match kind {
            Kind::Provides => &self.provides,
            Kind::Requires => &self.requires,
            Kind::Conflicts => &self.conflicts,
            Kind::Obsoletes => &self.obsoletes,
            Kind::Recommends => &self.recommends,
            Kind::Suggests => &self.suggests,
            Kind::Supplements => &self.supplements,
            Kind::Enhances => &self.enhances,
        }
    }
}

/// A package's number in its [`crate::Universe`]. Equal sets of packages give equal numbers, whatever their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub(crate) u32);

impl PackageId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
