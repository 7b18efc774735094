use std::path::Path;

use crate::component::{Hash, parse_hash};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::reader::{File, Table};
use crate::reference;

/// What was pinned for one component. Its sources are written by `slipway lock`, which keeps all else.
///
/// The layout and the words are those of azldev's lock files, with `render-digest` and the sources added: each tool reads
/// what the other wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Lock {
    /// The commit of upstream's dist-git that the component is rendered from.
    pub upstream_commit: Option<String>,
    /// The commit that it was first rendered from: what lies before it is upstream's own history. Never changed.
    pub import_commit: Option<String>,
    /// How often the component was built again for no other reason.
    pub manual_bump: u64,
    /// A digest of everything that can change what a build makes of the component.
    pub fingerprint: Option<String>,
    /// A word of azldev's, which is kept as it is.
    pub resolution: Option<String>,
    /// A digest of the rendered folder, before the definition's own commits are counted.
    pub render_digest: Option<String>,
    /// The source files, by name.
    pub sources: Vec<LockedSource>,
}

/// A pinned source file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LockedSource {
    /// Its name.
    pub file_name: String,
    /// SHA-512 of its bytes, in hexadecimal digits.
    pub sha512: String,
    /// Its length in bytes.
    pub size: u64,
    /// The version of the Debian package that it came from.
    pub origin_version: Option<String>,
}

impl Lock {
    /// The lock file's text.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = String::from("version = 1\n");
        let bump = (self.manual_bump > 0).then(|| self.manual_bump.to_string());
        for (key, value) in [
            ("import-commit", self.import_commit.as_deref().map(quoted)),
            ("upstream-commit", self.upstream_commit.as_deref().map(quoted)),
            ("manual-bump", bump),
            ("input-fingerprint", self.fingerprint.as_deref().map(quoted)),
            ("resolution-input-hash", self.resolution.as_deref().map(quoted)),
            ("render-digest", self.render_digest.as_deref().map(quoted)),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        for source in &self.sources {
            text.push_str(&format!(
                "\n[[source]]\nfilename = {}\nhash-type = \"SHA512\"\nhash = \"{}\"\nsize = {}\n",
                quoted(&source.file_name),
                source.sha512,
                source.size
            ));
            if let Some(version) = &source.origin_version {
                text.push_str(&format!("origin-version = {}\n", quoted(version)));
            }
        }
        text
    }

    /// Reads a lock file; one that is missing is an empty one.
    ///
    /// # Errors
    /// Everything in it that is no lock, with its line.
    pub fn read(path: &Path) -> Result<Lock, Diagnostics> {
        let mut problems = Vec::new();
        let lock = load(path, &mut problems);
        if problems.is_empty() { Ok(lock) } else { Err(Diagnostics(problems)) }
    }

    /// What a lock of an earlier commit says of fingerprint and commits; what does not read says nothing.
    pub fn facts(text: &str) -> LockFacts {
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        let word = |key: &str| table.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        LockFacts {
            fingerprint: word("input-fingerprint"),
            upstream_commit: word("upstream-commit"),
            import_commit: word("import-commit"),
        }
    }
}

/// What an earlier lock says of a component's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFacts {
    /// As [`Lock::fingerprint`].
    pub fingerprint: Option<String>,
    /// As [`Lock::upstream_commit`].
    pub upstream_commit: Option<String>,
    /// As [`Lock::import_commit`].
    pub import_commit: Option<String>,
}

/// Reads a lock file; one that is missing is an empty one.
pub(crate) fn load(path: &Path, problems: &mut Vec<Diagnostic>) -> Lock {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Lock::default(),
        Err(error) => {
            problems.push(Diagnostic::new(error.to_string()));
            return Lock::default();
        }
    };
    let file = File::new(SourceText { path: path.to_owned(), text: text.into() });
    let lock = {
        let parsed = file.parse();
        let mut table = Table::top(&file, &parsed, reference::LOCK);
        match table.integer("version") {
            Some(1) => {}
            Some(other) => table.report(0..0, Diagnostic::new(format!("lock files of version {other} are not known"))),
            None => table.require("version"),
        }
        let mut commit = |key: &'static str| {
            let found = table.text(key).filter(|text| !text.is_empty())?.to_ascii_lowercase();
            if !matches!(found.len(), 40 | 64) || !found.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let problem = Diagnostic::new(format!("`{found}` is not the id of a commit"));
                table.report(table.value_span(key), problem.hint("it has 40 hexadecimal digits"));
                return None;
            }
            Some(found)
        };
        Lock {
            import_commit: commit("import-commit"),
            upstream_commit: commit("upstream-commit"),
            manual_bump: table.integer("manual-bump").unwrap_or(0),
            fingerprint: table.text("input-fingerprint").filter(|text| !text.is_empty()),
            resolution: table.text("resolution-input-hash").filter(|text| !text.is_empty()),
            render_digest: table.text("render-digest").filter(|text| !text.is_empty()),
            sources: table.tables("source", reference::LOCKED_SOURCE).into_iter().filter_map(read_source).collect(),
        }
    };
    problems.extend(file.into_problems());
    lock
}

fn read_source(mut table: Table<'_>) -> Option<LockedSource> {
    let file_name = table.required("filename");
    let hash = table.required("hash");
    table.word("hash-type", &[("SHA512", ())]);
    let size = table.integer("size");
    let origin_version = table.text("origin-version");
    let Hash::Sha512(sha512) = parse_hash(&table, &hash?.value, true)? else { return None };
    Some(LockedSource { file_name: file_name?.value, sha512, size: size?, origin_version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_locks_round_trip() {
        let lock = Lock {
            upstream_commit: Some("a".repeat(40)),
            import_commit: Some("b".repeat(40)),
            manual_bump: 3,
            fingerprint: Some("sha256:1".to_owned()),
            resolution: Some("sha256:2".to_owned()),
            render_digest: Some("sha256:3".to_owned()),
            sources: vec![LockedSource {
                file_name: "a \"b\".tar.xz".to_owned(),
                sha512: "0".repeat(128),
                size: 7,
                origin_version: Some("1:2-3".to_owned()),
            }],
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), lock.to_toml()).unwrap();
        let mut problems = Vec::new();
        assert_eq!(load(file.path(), &mut problems), lock);
        assert_eq!(problems, []);
        let facts = LockFacts {
            fingerprint: lock.fingerprint.clone(),
            upstream_commit: lock.upstream_commit.clone(),
            import_commit: lock.import_commit.clone(),
        };
        assert_eq!(Lock::facts(&lock.to_toml()), facts);
    }

    #[test]
    fn files_a_lock_of_sources_alone_is_written_as_ever() {
        let source = |version| LockedSource {
            file_name: "a".to_owned(),
            sha512: "0".repeat(128),
            size: 7,
            origin_version: version,
        };
        let lock = Lock { sources: vec![source(None)], ..Lock::default() };
        let expected = format!(
            "version = 1\n\n[[source]]\nfilename = \"a\"\nhash-type = \"SHA512\"\nhash = \"{}\"\nsize = 7\n",
            "0".repeat(128)
        );
        assert_eq!(lock.to_toml(), expected);
    }

    #[test]
    fn files_a_commit_that_is_none_is_reported() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "version = 1\nupstream-commit = \"f43\"\n").unwrap();
        let problems = Lock::read(file.path()).unwrap_err().to_string();
        assert!(problems.contains(":2:19") && problems.contains("`f43` is not the id of a commit"), "{problems}");
    }
}
