use std::path::Path;

use crate::component::{Hash, parse_hash};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::reader::{File, Table};
use crate::reference;

/// What was pinned for one component. Written by `slipway lock`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Lock {
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
        Lock { sources: table.tables("source", reference::LOCKED_SOURCE).into_iter().filter_map(read_source).collect() }
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
    }
}
