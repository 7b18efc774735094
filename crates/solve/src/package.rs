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
    /// Of the package's repository: the lower number is tried first, whatever the versions. The habit is 99.
    pub priority: u32,
    /// Whether the machine has it already.
    pub installed: bool,
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

impl Package {
    /// A package without relations, of priority 99.
    pub fn new(nevra: Nevra) -> Package {
        Package {
            key: nevra.to_string(),
            nevra,
            priority: 99,
            installed: false,
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

    /// All relations of all kinds.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &Relation> {
        let hard = self.requires.iter().chain(&self.conflicts).chain(&self.obsoletes);
        hard.chain(&self.recommends).chain(&self.suggests).chain(&self.supplements).chain(&self.enhances)
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
