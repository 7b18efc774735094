use std::fmt;
use std::str::FromStr;

/// A UUID: the name of a disk, a partition or a file system.
///
/// Written as 32 lower-case hexadecimal digits in groups of 8-4-4-4-12. The sixteen bytes are in the order in which they
/// are written. Source: RFC 9562.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID with these bytes, in the order in which they are written.
    pub const fn from_bytes(bytes: [u8; 16]) -> Uuid {
        Uuid(bytes)
    }

    /// The UUID whose digits are those of `value` as a number: `0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b`.
    pub const fn from_number(value: u128) -> Uuid {
        Uuid(value.to_be_bytes())
    }

    /// A UUID made from a seed and the role it plays: same seed and role, same UUID.
    ///
    /// It is of version 8 (RFC 9562, section 5.8): the digest of both, so that images need no randomness.
    pub fn derive(seed: &[u8], role: &str) -> Uuid {
        let mut hasher = pkg::Hasher::new();
        hasher.field("seed", seed).field("role", role);
        let digest = hasher.finish();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid(bytes)
    }

    /// The sixteen bytes in the order in which they are written.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The sixteen bytes as GPT holds them: the first three groups are little-endian.
    /// Source: UEFI 2.10, appendix A.
    pub const fn to_guid(self) -> [u8; 16] {
        let b = self.0;
        [b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]
    }

    /// The UUID that GPT holds as `guid`.
    pub const fn from_guid(guid: [u8; 16]) -> Uuid {
        Uuid(Uuid(guid).to_guid())
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UUID: hexadecimal digits in groups of 8-4-4-4-12")]
pub struct UuidError(String);

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Uuid, UuidError> {
        let wrong = || UuidError(text.to_owned());
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
            return Err(wrong());
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(groups.concat(), &mut bytes).map_err(|_| wrong())?;
        Ok(Uuid(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        let (a, b, c) = (&digits[..8], &digits[8..12], &digits[12..16]);
        write!(f, "{a}-{b}-{c}-{}-{}", &digits[16..20], &digits[20..])
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_guid_go_both_ways() {
        let esp: Uuid = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b".parse().unwrap();
        assert_eq!(esp, Uuid::from_number(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b));
        assert_eq!(esp.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_eq!(esp.to_guid()[..8], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11]);
        assert_eq!(Uuid::from_guid(esp.to_guid()), esp);
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "c12a7328f81f11d2ba4b00a0c93ec93b",
            "c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
            "ä12a7328-f81f-11d2-ba4b-00a0c93ec93",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    #[test]
    fn derived_uuids_differ_by_seed_and_role_only() {
        let a = Uuid::derive(b"image", "root");
        assert_eq!(a, Uuid::derive(b"image", "root"));
        assert_ne!(a, Uuid::derive(b"image", "esp"));
        assert_ne!(a, Uuid::derive(b"other", "root"));
        assert_eq!(a.to_string().as_bytes()[14], b'8');
    }
}
