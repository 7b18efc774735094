use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::vercmp;

/// Epoch, version and release: how two builds of one package are ordered.
///
/// Written `[epoch:]version[-release]`, as in `1:3.0.7-2.sk1`; a missing epoch is 0. In a dependency the release may be
/// missing (then empty), and such a bound compares epoch and version only: see [`Evr::compare_bound`].
/// Order is rpm's (`rpmio/rpmvercmp.cc`): `~` sorts before the end, `^` after it, `1.0` equals `1.00`.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Evr {
    /// 0 when not written.
    pub epoch: u32,
    /// Upstream's version; never empty in a package.
    pub version: String,
    /// The distribution's count and tag, as in `2.sk1`; empty where a dependency names none.
    pub release: String,
}

impl Evr {
    /// Epoch, version and release of a package.
    pub fn new(epoch: u32, version: impl Into<String>, release: impl Into<String>) -> Evr {
        Evr { epoch, version: version.into(), release: release.into() }
    }

    /// Parses `[epoch:]version[-release]`.
    pub fn parse(text: &str) -> Result<Evr, EvrError> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().map_err(|_| EvrError::Epoch(text.to_owned()))?, rest),
            None => (0, text),
        };
        // rpm splits at the last dash.
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if version.is_empty() {
            return Err(EvrError::NoVersion(text.to_owned()));
        }
        Ok(Evr::new(epoch, version, release))
    }

    /// Compares as a dependency's bound does: where either side has no release, releases do not count.
    pub fn compare_bound(&self, bound: &Evr) -> Ordering {
        let order = self.epoch.cmp(&bound.epoch).then_with(|| vercmp(&self.version, &bound.version));
        if self.release.is_empty() || bound.release.is_empty() {
            return order;
        }
        order.then_with(|| vercmp(&self.release, &bound.release))
    }
}

/// `text` is not `[epoch:]version[-release]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvrError {
    /// What stands before the colon is no number that fits 32 bits.
    #[error("the epoch of `{0}` is not a whole number")]
    Epoch(String),
    /// Nothing where the version should be.
    #[error("`{0}` has no version")]
    NoVersion(String),
}

impl FromStr for Evr {
    type Err = EvrError;

    fn from_str(text: &str) -> Result<Evr, EvrError> {
        Evr::parse(text)
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its epoch, what has a colon would be read as another.
        if self.epoch != 0 || self.version.contains(':') || self.release.contains(':') {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Evr) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| vercmp(&self.version, &other.version))
            .then_with(|| vercmp(&self.release, &other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Evr) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// Equal as rpm says, so that `Eq` agrees with `Ord`: `1.0` is `1.00`.
impl PartialEq for Evr {
    fn eq(&self, other: &Evr) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Evr {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for (text, epoch, version, release) in [
            ("1:3.0.7-2.sk1", 1, "3.0.7", "2.sk1"),
            ("2.41", 0, "2.41", ""),
            ("1.2-3-4", 0, "1.2-3", "4"),
            ("1.0~rc1^git5-1", 0, "1.0~rc1^git5", "1"),
            ("0:1:2-3", 0, "1:2", "3"),
            ("0:1-2:3", 0, "1", "2:3"),
        ] {
            let evr = Evr::parse(text).unwrap();
            assert_eq!((evr.epoch, evr.version.as_str(), evr.release.as_str()), (epoch, version, release), "{text}");
            assert_eq!(evr.to_string(), text);
        }
        assert_eq!(Evr::parse("x:1"), Err(EvrError::Epoch("x:1".to_owned())));
        assert_eq!(Evr::parse("-1"), Err(EvrError::NoVersion("-1".to_owned())));
    }

    #[test]
    fn a_bound_without_release_compares_versions_only() {
        let package = Evr::new(0, "1.2", "3.sk1");
        assert_eq!(package.compare_bound(&Evr::parse("1.2").unwrap()), Ordering::Equal);
        assert_eq!(package.compare_bound(&Evr::parse("1.2-4").unwrap()), Ordering::Less);
        assert_eq!(package.compare_bound(&Evr::parse("1:1.0").unwrap()), Ordering::Less);
    }
}
