use std::fmt;
use std::str::FromStr;

/// The machine that a package is for, as rpm names it: `x86_64`, `aarch64`, `noarch`, `src`.
///
/// Kept as text: a repository may hold architectures that this build of Slipway does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Arch(String);

impl Arch {
    /// An architecture by rpm's name for it.
    pub fn new(name: impl Into<String>) -> Arch {
        Arch(name.into())
    }

    /// Packages that run on any machine.
    pub fn noarch() -> Arch {
        Arch("noarch".to_owned())
    }

    /// Source packages.
    pub fn src() -> Arch {
        Arch("src".to_owned())
    }

    /// The name, as in a package file's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a package of this architecture can be installed on a machine of architecture `machine`.
    pub fn runs_on(&self, machine: &Arch) -> bool {
        self.0 == "noarch" || self == machine
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Arch {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Arch, Self::Err> {
        Ok(Arch(text.to_owned()))
    }
}
