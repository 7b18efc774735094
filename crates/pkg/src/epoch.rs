use std::fmt;

/// Seconds since 1970-01-01 UTC that stand for "now" in everything written.
///
/// Source: the SOURCE_DATE_EPOCH specification of reproducible-builds.org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SourceDateEpoch(pub u64);

impl SourceDateEpoch {
    /// The seconds as the 32-bit value that package headers and file systems hold; saturates in 2106.
    pub fn as_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for SourceDateEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
