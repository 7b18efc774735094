use std::fmt;
use std::str::FromStr;

use crate::{Arch, Evr};

/// Name, epoch, version, release and architecture: what tells one package from every other.
///
/// Written `name-[epoch:]version-release.arch`, as in `bash-5.2.37-1.sk1.x86_64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Nevra {
    /// The package's name.
    pub name: String,
    /// Epoch, version, release.
    pub evr: Evr,
    /// The machine that it is for.
    pub arch: Arch,
}

impl Nevra {
    /// The name of the package's file: without the epoch, with `.rpm`.
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.{}.rpm", self.name, self.evr.version, self.evr.release, self.arch)
    }

    /// Parses `name-[epoch:]version-release.arch`.
    pub fn parse(text: &str) -> Result<Nevra, NevraError> {
        let wrong = || NevraError(text.to_owned());
        let (rest, arch) = text.rsplit_once('.').ok_or_else(wrong)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(wrong)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(wrong)?;
        if name.is_empty() || release.is_empty() || arch.is_empty() {
            return Err(wrong());
        }
        let mut evr = Evr::parse(version).map_err(|_| wrong())?;
        evr.release = release.to_owned();
        Ok(Nevra { name: name.to_owned(), evr, arch: Arch::new(arch) })
    }
}

/// `text` does not name a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `name-[epoch:]version-release.arch`")]
pub struct NevraError(String);

impl FromStr for Nevra {
    type Err = NevraError;

    fn from_str(text: &str) -> Result<Nevra, NevraError> {
        Nevra::parse(text)
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in ["bash-5.2.37-1.sk1.x86_64", "openssl-libs-1:3.5.4-1.sk1.x86_64", "a-b-c-1-2.noarch"] {
            assert_eq!(Nevra::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Nevra::parse("openssl-1:3.5.4-1.sk1.x86_64").unwrap().file_name(), "openssl-3.5.4-1.sk1.x86_64.rpm");
        for text in ["", "bash", "bash-1", "bash-1.x86_64", "-1-2.x86_64"] {
            assert!(Nevra::parse(text).is_err(), "{text}");
        }
    }
}
