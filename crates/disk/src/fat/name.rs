use std::collections::BTreeSet;

use super::FatError;

/// The eleven bytes of a short name, padded with spaces, without the dot.
pub(super) type Short = [u8; 11];

/// A name's entries: the short name and, where that does not say it, the long one in UTF-16.
pub(super) struct Name {
    pub(super) short: Short,
    pub(super) long: Option<Vec<u16>>,
}

/// Refuses what FAT cannot hold or programs could not open.
pub(super) fn check(name: &str) -> Result<(), FatError> {
    let forbidden = |letter: char| letter < ' ' || letter == '\x7f' || "\"*/:<>?\\|".contains(letter);
    let length = name.encode_utf16().count();
    if length == 0 || length > 255 || name.contains(forbidden) || name.ends_with(['.', ' ']) {
        return Err(FatError::Name(name.to_owned()));
    }
    Ok(())
}

/// How FAT compares names.
pub(super) fn folded(name: &str) -> String {
    name.to_uppercase()
}

/// Whether a byte may stand in a short name.
fn is_short(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'()-@^_`{}~".contains(&byte)
}

/// The name as it is, if it is a short one: up to eight and three upper-case letters, digits and some signs.
fn as_short(name: &str) -> Option<Short> {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let fits = (1..=8).contains(&base.len()) && extension.len() <= 3 && (name.contains('.') != extension.is_empty());
    if !fits || !base.bytes().chain(extension.bytes()).all(is_short) {
        return None;
    }
    Some(padded(base.as_bytes(), extension.as_bytes()))
}

fn padded(base: &[u8], extension: &[u8]) -> Short {
    let mut short = [b' '; 11];
    short[..base.len()].copy_from_slice(base);
    short[8..8 + extension.len()].copy_from_slice(extension);
    short
}

/// The letters of `text` that a short name can have, at most `most`; others become `_`, dots and spaces nothing.
fn shortened(text: &str, most: usize) -> Vec<u8> {
    let letters = text.chars().filter(|letter| !matches!(letter, '.' | ' ')).map(|letter| {
        let upper = letter.to_ascii_uppercase();
        u8::try_from(upper).ok().filter(|byte| is_short(*byte)).unwrap_or(b'_')
    });
    letters.take(most).collect()
}

/// Gives `name` a short name that is not in `taken`: itself, or the beginning of it and a number behind `~`.
pub(super) fn assign(name: &str, taken: &mut BTreeSet<Short>) -> Result<Name, FatError> {
    if let Some(short) = as_short(name)
        && taken.insert(short)
    {
        return Ok(Name { short, long: None });
    }
    let (base, extension) = name.trim_start_matches('.').rsplit_once('.').unwrap_or((name, ""));
    let extension = shortened(extension, 3);
    for number in 1..1_000_000 {
        let tail = format!("~{number}");
        let mut short = shortened(base, 8 - tail.len());
        short.extend_from_slice(tail.as_bytes());
        let short = padded(&short, &extension);
        if taken.insert(short) {
            return Ok(Name { short, long: Some(name.encode_utf16().collect()) });
        }
    }
    Err(FatError::Alias(name.to_owned()))
}

/// Binds a long name to its short one. The specification, section 7.2.
pub(super) fn checksum(short: &Short) -> u8 {
    short.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_kept_and_others_numbered() {
        let mut taken = BTreeSet::new();
        for (name, short, is_long) in [
            ("BOOTX64.EFI", b"BOOTX64 EFI", false),
            ("EFI", b"EFI        ", false),
            ("skiff-1.0.efi", b"SKIFF-~1EFI", true),
            ("skiff-1.1.efi", b"SKIFF-~2EFI", true),
            (".profile", b"PROFIL~1   ", true),
            ("a b.c.d", b"ABC~1   D  ", true),
            ("größe.text", b"GR__E~1 TEX", true),
            ("Loader", b"LOADER~1   ", true),
        ] {
            let assigned = assign(name, &mut taken).unwrap();
            let text = String::from_utf8_lossy(&assigned.short).into_owned();
            assert_eq!((text.as_bytes(), assigned.long.is_some()), (&short[..], is_long), "{name}");
        }
    }

    #[test]
    fn names_that_fat_does_not_allow_are_refused() {
        for name in ["", "a.", "a ", "..", "a/b", "a:b", "a\0", &"x".repeat(256)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
