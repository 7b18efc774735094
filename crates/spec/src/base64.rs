//! Base 64 as rpm's Lua writes and reads it (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Letters a line when a script names no width.
const WIDTH: usize = 64;

/// Encodes with a line end every `width` letters; 0 means one line, below 0 the usual width.
pub(crate) fn encode(bytes: &[u8], width: i64) -> String {
    let mut letters = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0_u8; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for index in 0..4 {
            if index <= chunk.len() {
                letters.push(char::from(ALPHABET[(bits >> (18 - 6 * index)) as usize & 63]));
            } else {
                letters.push('=');
            }
        }
    }
    if width == 0 {
        return letters;
    }
    // rpm rounds the width down to whole groups of four.
    let width = usize::try_from(width).map_or(WIDTH, |width| (width / 4 * 4).max(4));
    let mut lines = String::new();
    for line in letters.as_bytes().chunks(width) {
        lines.push_str(std::str::from_utf8(line).unwrap_or(""));
        lines.push('\n');
    }
    lines
}

/// Decodes, blanks and line ends aside; nothing where the text is not base 64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count, mut padding) = (0_u32, 0, 0);
    for letter in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if letter == b'=' {
            padding += 1;
            continue;
        }
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 1;
        if count == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match (count, padding) {
        (0, 0) => {}
        (2, 2) => bytes.push((bits >> 4).to_be_bytes()[3]),
        (3, 1) => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(bytes.as_bytes(), 0), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(b"foobar", 4), "Zm9v\nYmFy\n");
        assert_eq!(decode("Zg"), None);
        assert_eq!(decode("Z?=="), None);
    }
}
