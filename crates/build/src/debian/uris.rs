/// A file of the archive, as `apt-get --print-uris` names it.
///
/// Shape: `'http://mirror/debian/pool/main/b/bash/bash_5.2.37-2+b5_amd64.deb' bash_5.2.37-2+b5_amd64.deb 1491548 SHA256:..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where it is, percent-encoded.
    pub uri: String,
    /// Its file name as apt would save it: `NAME_VERSION_ARCH.deb`, where a `:` of the version is `%3a`.
    pub file_name: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal, where apt says it.
    pub sha256: Option<String>,
}

impl Remote {
    /// Parses the output of `apt-get --print-uris`; lines of other form are messages for people and are left out.
    pub(super) fn parse_all(text: &str) -> Vec<Remote> {
        text.lines().filter_map(Remote::parse).collect()
    }

    fn parse(line: &str) -> Option<Remote> {
        let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        let mut words = rest.split_whitespace();
        let (file_name, size) = (words.next()?, words.next()?.parse().ok()?);
        let sha256 = words.find_map(|word| word.strip_prefix("SHA256:")).map(str::to_owned);
        if file_name.contains('/') || file_name.starts_with('.') {
            return None;
        }
        Some(Remote { uri: uri.to_owned(), file_name: file_name.to_owned(), size, sha256 })
    }

    /// Name, version and architecture of a binary package, out of the file name.
    pub(crate) fn package(&self) -> Option<(String, String, String)> {
        let (name, rest) = self.file_name.strip_suffix(".deb")?.split_once('_')?;
        let (version, architecture) = rest.rsplit_once('_')?;
        Some((name.to_owned(), version.replace("%3a", ":"), architecture.to_owned()))
    }

    /// Whether `name` is its name in the pool, where versions have no epoch.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let last = self.uri.rsplit('/').next().unwrap_or_default();
        last.replace("%2b", "+").replace("%7e", "~") == name
    }

    /// The path below the archive's root: `pool/main/b/bash/..`.
    pub(crate) fn pool_path(&self) -> Option<String> {
        let start = self.uri.find("/pool/")?;
        Some(self.uri[start + 1..].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_files_are_told_from_messages() {
        let text = "Reading package lists...\n\
            'http://m.example/debian/pool/main/o/openssl/openssl_1%3a3.5%2b1-1_amd64.deb' openssl_1%3a3.5+1-1_amd64.deb 11024 SHA256:9c2a\n\
            'http://m.example/x' ../../etc/passwd 1 \n";
        let remotes = Remote::parse_all(text);
        assert_eq!(remotes.len(), 1);
        assert_eq!(remotes[0].package(), Some(("openssl".into(), "1:3.5+1-1".into(), "amd64".into())));
        assert_eq!(remotes[0].pool_path().unwrap(), "pool/main/o/openssl/openssl_1%3a3.5%2b1-1_amd64.deb");
        assert_eq!((remotes[0].size, remotes[0].sha256.as_deref()), (11024, Some("9c2a")));
    }
}
