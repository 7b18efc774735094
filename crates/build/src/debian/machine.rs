//! Where this machine gets Debian from: the entries of sources.list(5), both forms.

use std::path::{Path, PathBuf};

/// One archive that the machine is configured for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Roots of the archive, first choice first: `http://mirror/debian`, without a slash at the end.
    pub uris: Vec<String>,
    /// `Signed-By`: key files, as far as they are given as paths.
    pub keyrings: Vec<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    keyrings: Vec<PathBuf>,
}

/// The Debian archive among the machine's sources: what provides `main` of the suite that it runs, `codename`.
///
/// `etc` is `/etc` of the machine, read only. Other vendors' archives may use the same suite name; Debian's own is told
/// by its keyring or by a path that ends in `/debian`.
pub fn archive(etc: &Path, codename: &str) -> std::io::Result<Option<Archive>> {
    let mut files = vec![etc.join("apt/sources.list")];
    let parts = etc.join("apt/sources.list.d");
    if parts.is_dir() {
        for entry in fs_err::read_dir(parts)? {
            files.push(entry?.path());
        }
    }
    files.sort();
    let mut entries = Vec::new();
    for path in files.iter().filter(|path| path.is_file()) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => entries.extend(one_line(&fs_err::read_to_string(path)?)),
            Some("sources") => entries.extend(deb822(&fs_err::read_to_string(path)?)),
            _ => {}
        }
    }
    Ok(choose(entries, codename))
}

fn choose(entries: Vec<Entry>, codename: &str) -> Option<Archive> {
    let rank = |entry: &Entry| {
        let keyring = entry.keyrings.iter().any(|path| path.to_string_lossy().contains("debian-archive"));
        let path = entry.uris.iter().any(|uri| uri.ends_with("/debian"));
        (keyring, path)
    };
    let mut best: Option<Entry> = None;
    for entry in entries {
        let serves = entry.suites.iter().any(|suite| suite == codename || suite == "stable")
            && entry.components.iter().any(|component| component == "main")
            && !entry.uris.is_empty();
        if serves && rank(&entry) > (false, false) && best.as_ref().is_none_or(|best| rank(&entry) > rank(best)) {
            best = Some(entry);
        }
    }
    best.map(|entry| Archive { uris: entry.uris, keyrings: entry.keyrings })
}

/// `deb [signed-by=.. arch=..] URI SUITE COMPONENT..` lines.
fn one_line(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t'])) else { continue };
        let (options, rest) = match rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((options, rest)) => (options, rest),
            None => ("", rest),
        };
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        let mut words = rest.split_whitespace().map(str::to_owned);
        let (Some(uri), Some(suite)) = (words.next(), words.next()) else { continue };
        entries.push(Entry {
            uris: vec![trim(&uri)],
            suites: vec![suite],
            components: words.collect(),
            keyrings: signed_by.unwrap_or_default().split(',').filter_map(key_file).collect(),
        });
    }
    entries
}

/// Stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`, `Signed-By:`, as deb822(5) has them.
fn deb822(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            entries.extend(stanza(&fields));
            fields.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    entries
}

fn stanza(fields: &[(String, String)]) -> Option<Entry> {
    let words = |name: &str| -> Vec<String> {
        let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        value.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    if !words("types").iter().any(|kind| kind == "deb") || words("enabled").first().is_some_and(|value| value == "no") {
        return None;
    }
    Some(Entry {
        uris: words("uris").iter().map(|uri| trim(uri)).collect(),
        suites: words("suites"),
        components: words("components"),
        keyrings: words("signed-by").iter().filter_map(|word| key_file(word)).collect(),
    })
}

fn trim(uri: &str) -> String {
    uri.trim_end_matches('/').to_owned()
}

/// A key file's path; a fingerprint, or a key written out in place, is none.
fn key_file(word: &str) -> Option<PathBuf> {
    word.starts_with('/').then(|| PathBuf::from(word))
}

/// A value of os-release(5), without its quotes.
pub(super) fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let line = "# comment\ndeb-src http://m.example/debian x main\ndeb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://m.example/debian/ bookworm main contrib # more";
        let stanzas = "Types: deb deb-src\n# comment\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n /k/debian-archive-keyring.gpg\n\nTypes: deb-src\nURIs: x\n";
        for entries in [one_line(line), deb822(stanzas)] {
            assert_eq!(entries.len(), 1);
            let archive = choose(entries, "bookworm").unwrap();
            assert_eq!(archive.uris, ["http://m.example/debian"]);
            assert_eq!(archive.keyrings, [Path::new("/k/debian-archive-keyring.gpg")]);
        }
    }

    #[test]
    fn debians_own_archive_is_told_from_others() {
        let text = "deb http://other.example/repo bookworm main\n\
            deb http://security.example/debian-security bookworm-security main\n\
            deb http://tools.example/linux/debian bookworm tools\n\
            deb http://plain.example/debian bookworm main\n\
            deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://signed.example/debian bookworm main\n";
        assert_eq!(choose(one_line(text), "bookworm").unwrap().uris, ["http://signed.example/debian"]);
        assert_eq!(choose(one_line("deb http://other.example/repo bookworm main"), "bookworm"), None);
        assert_eq!(choose(one_line(text), "trixie"), None);
    }

    #[test]
    fn values_of_os_release_lose_their_quotes() {
        let text = "ID=debian\nVERSION_CODENAME=\"bookworm\"\n";
        assert_eq!(os_release(text, "VERSION_CODENAME").as_deref(), Some("bookworm"));
        assert_eq!(os_release(text, "VERSION"), None);
    }
}
