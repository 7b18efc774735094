//! Lookaside caches, which keep the sources of dist-git: the file `sources` that names them, and their addresses.
//!
//! ```text
//! SHA512 (zlib-1.3.1.tar.xz) = 1e8e70b362d64a233591906a1f50b59001db04ca14aaffad522198b04680be501736e7d536b4191e2f99767e7001ca486cd802362cca2be05d5d409b83ea732d
//! d990ee66bf7ab0c785589776f35ba6ad  qt-everywhere-opensource-src-4.8.7.tar.gz
//! ```
//!
//! The second form is that of old files, whose digest is an MD5.

use std::collections::BTreeMap;
use std::path::Path;

use crate::component::{Hash, is_plain_name};
use crate::diagnostic::{Diagnostic, Position};

/// The name of the file beside a spec.
pub const FILE: &str = "sources";

/// One line of a file `sources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The source's name.
    pub file_name: String,
    /// Its digest.
    pub hash: Hash,
    /// The line.
    pub at: Position,
}

/// Reads the text of a file `sources`; lines that cannot be understood are problems, and the others are entries.
pub fn parse(text: &str, path: &Path) -> (Vec<Entry>, Vec<Diagnostic>) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = Position { file: path.to_owned(), line: number + 1, column: 1 };
        match parse_line(line.trim()) {
            Ok((file_name, hash)) => match seen.get(file_name) {
                Some(earlier) if entries[*earlier].hash == hash => {}
                Some(earlier) => {
                    let problem = Diagnostic::new(format!("`{file_name}` has two digests")).at(&at);
                    problems.push(problem.note(format!("the other is at {}", entries[*earlier].at)));
                }
                None => {
                    seen.insert(file_name, entries.len());
                    entries.push(Entry { file_name: file_name.to_owned(), hash, at });
                }
            },
            Err(why) => problems.push(
                Diagnostic::new(why)
                    .at(&at)
                    .hint("a line is `SHA512 (FILE) = DIGITS`, or 32 digits, blanks and the file"),
            ),
        }
    }
    (entries, problems)
}

fn parse_line(line: &str) -> Result<(&str, Hash), String> {
    let parsed = match line.split_once(" (") {
        Some((kind, rest)) if kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            rest.rsplit_once(") = ").map(|(name, hex)| (kind, name, hex))
        }
        _ => line.split_once([' ', '\t']).map(|(hex, name)| ("MD5", name.trim_start().trim_start_matches('*'), hex)),
    };
    let Some((kind, name, hex)) = parsed else { return Err("this line names no source".to_owned()) };
    let hex = hex.trim().to_ascii_lowercase();
    let (digits, hash): (usize, fn(String) -> Hash) = match kind {
        "SHA512" => (128, Hash::Sha512),
        "SHA256" => (64, Hash::Sha256),
        "MD5" => (32, Hash::Md5),
        other => return Err(format!("`{other}` is none of SHA512, SHA256 and MD5")),
    };
    if hex.len() != digits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("the digest of `{name}` is no {kind} of {digits} hexadecimal digits"));
    }
    if !is_plain_name(name) {
        return Err(format!("`{name}` is not the plain name of a file"));
    }
    Ok((name, hash(hex)))
}

/// The address of a source in a lookaside cache or on a mirror.
///
/// `$pkg`, `$filename`, `$hashtype` (as in `sha512`) and `$hash` of the template stand for what the source is.
pub fn address(template: &str, package: &str, file_name: &str, hash: &Hash) -> String {
    let mut address = String::with_capacity(template.len() + 200);
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        address.push_str(&rest[..at]);
        rest = &rest[at..];
        let kind = hash.kind().to_ascii_lowercase();
        // `$hashtype` before `$hash`, which it starts with.
        let words = [
            ("$pkg", escaped(package)),
            ("$filename", escaped(file_name)),
            ("$hashtype", kind),
            ("$hash", hash.hex().to_owned()),
        ];
        match words.into_iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, value)) => {
                address.push_str(&value);
                rest = &rest[word.len()..];
            }
            None => {
                address.push('$');
                rest = &rest[1..];
            }
        }
    }
    address.push_str(rest);
    address
}

/// A part of a path as an address has it.
fn escaped(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'%' | b'#' | b'?' | b'+' | b'^' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' => {
                out.push_str(&format!("%{byte:02X}"));
            }
            byte => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_kinds_are_read_and_others_are_told_with_their_place() {
        let (sha512, sha256, md5) = ("0a".repeat(64), "1B".repeat(32), "2c".repeat(16));
        let text = format!(
            "SHA512 (a (b)-1.tar.xz) = {sha512}\nSHA512 (a.tar) = {sha512}\n\nSHA256 (b.zip) = {sha256}\n{md5}  c.tgz\n{md5} *d.tgz\nSHA1 (e) = 00\nSHA512 (f) = 12\nwords\n{md5}  ../g\nSHA512 (a.tar) = {sha512}\n{md5}  a.tar\n"
        );
        let (entries, problems) = parse(&text, Path::new("p/sources"));
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.at.as_ref().map_or(0, |at| at.line), problem.message))
            .collect();
        assert_eq!(
            told,
            [
                "1: `a (b)-1.tar.xz` is not the plain name of a file",
                "7: `SHA1` is none of SHA512, SHA256 and MD5",
                "8: the digest of `f` is no SHA512 of 128 hexadecimal digits",
                "9: this line names no source",
                "10: `../g` is not the plain name of a file",
                "12: `a.tar` has two digests",
            ]
        );
        let read: Vec<(&str, &str, usize)> =
            entries.iter().map(|entry| (entry.file_name.as_str(), entry.hash.kind(), entry.at.line)).collect();
        assert_eq!(read, [("a.tar", "SHA512", 2), ("b.zip", "SHA256", 4), ("c.tgz", "MD5", 5), ("d.tgz", "MD5", 6)]);
        assert_eq!(entries[1].hash.hex(), "1b".repeat(32));
    }

    #[test]
    fn addresses_say_what_the_source_is() {
        let hash = Hash::Sha512("ab".to_owned());
        let template = "https://h/$pkg/$filename/$hashtype/$hash/$filename?$x";
        assert_eq!(
            address(template, "gtk+", "a+b#.tar", &hash),
            "https://h/gtk%2B/a%2Bb%23.tar/sha512/ab/a%2Bb%23.tar?$x"
        );
    }
}
