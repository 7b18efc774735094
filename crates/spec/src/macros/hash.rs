use std::hash::{BuildHasherDefault, Hasher};

/// A map from names whose hash is quick and the same in every run.
pub(crate) type NameMap<V> = std::collections::HashMap<std::sync::Arc<str>, V, BuildHasherDefault<NameHasher>>;

/// FNV-1a by words of eight bytes: macro names are short, and tables are bounded, so speed counts more than resistance.
#[derive(Default)]
pub(crate) struct NameHasher(u64);

const PRIME: u64 = 0x0100_0000_01b3;

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut hash = self.0 ^ 0xcbf2_9ce4_8422_2325;
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(PRIME).rotate_left(23);
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            // The length keeps a text apart from the same one with zeros behind it.
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            word[7] = rest.len() as u8;
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
        }
        self.0 = hash ^ (hash >> 29);
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
