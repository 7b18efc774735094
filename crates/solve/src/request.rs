use pkg::{Arch, Relation};

/// What is asked of the solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What has to be there in the end: package names, capabilities, paths, rich dependencies. A name that packages have
    /// stands for these packages (and those that both obsolete and provide it), any other for whoever provides it.
    pub install: Vec<Relation>,
    /// The machine: packages of other architectures are not seen, `noarch` ones are.
    pub arch: Arch,
    /// Whether what is recommended is installed too, where it can be.
    pub weak: bool,
    /// Packages that are not seen, by name and version.
    pub exclude: Vec<Relation>,
    /// What becomes of packages that are installed already.
    pub upgrade: Upgrade,
    /// Names of which several versions may be there at once, such as a kernel.
    pub several: Vec<String>,
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
            arch,
            weak: true,
            exclude: Vec::new(),
            upgrade: Upgrade::AsNeeded,
            several: Vec::new(),
        }
    }

    /// The same request, with `relations` too.
    #[must_use]
    pub fn install(mut self, relations: impl IntoIterator<Item = Relation>) -> Request {
        self.install.extend(relations);
        self
    }
}
