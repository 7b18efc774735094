use std::io::{self, Read};

/// The first 96 bytes of a package: a magic, version 3, the package's kind, and a name for file(1).
///
/// Source: rpm, `lib/rpmlead.cc`. Nothing but the magic and the kind is read by anybody.
#[derive(Clone, PartialEq, Eq)]
pub struct Lead([u8; Lead::BYTES]);

const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

impl Lead {
    /// Length of a lead.
    pub const BYTES: usize = 96;

    /// The lead of a package; `name` is name-version-release and is cut to 65 bytes.
    ///
    /// Written like rpm does: 3.0, architecture 1 and system 1 (Linux) whatever the truth, signatures of type 5 (a header).
    pub fn new(name: &str, source: bool) -> Lead {
        let mut bytes = [0; Lead::BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = 3;
        bytes[7] = u8::from(source);
        bytes[9] = 1;
        let length = name.len().min(65);
        bytes[10..10 + length].copy_from_slice(&name.as_bytes()[..length]);
        bytes[77] = 1;
        bytes[79] = 5;
        Lead(bytes)
    }

    /// Reads 96 bytes; `Ok(None)` when they are not a package's (also when there are fewer).
    pub(crate) fn read(reader: &mut impl Read) -> io::Result<Option<Lead>> {
        let mut bytes = [0; Lead::BYTES];
        let found = crate::header::read_up_to(reader, &mut bytes)?;
        let right = found == bytes.len() && bytes[..4] == MAGIC && matches!(bytes[4], 3 | 4) && bytes[78..80] == [0, 5];
        Ok(right.then_some(Lead(bytes)))
    }

    /// Whether it says that the package holds sources.
    pub fn is_source(&self) -> bool {
        self.0[6..8] == [0, 1]
    }

    /// The 96 bytes.
    pub fn as_bytes(&self) -> &[u8; Lead::BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lead({})", String::from_utf8_lossy(&self.0[10..76]).trim_end_matches('\0'))
    }
}
