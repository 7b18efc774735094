use std::path::{Path, PathBuf};

use crate::component::{Hash, parse_hash};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::load::Distro;
use crate::reader::File;
use crate::reference;

/// What all components share, as it was when it was locked: a change of it changes every build.
///
/// It is `distribution.lock`, beside the locks of components.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SharedLock {
    /// What decides the bytes that this program makes of equal inputs.
    pub format: String,
    /// The macro files, in their order.
    pub macros: Vec<LockedMacros>,
    /// The build root; nothing where the definition has none.
    pub stage0: Option<LockedStage0>,
}

/// A macro file, as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LockedMacros {
    /// Its name.
    pub file_name: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// The build root, as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LockedStage0 {
    /// The Debian suite.
    pub suite: String,
    /// Digest of the table `[stage0]`.
    pub definition: String,
    /// Digest of its packages with all that they need; nothing until a build found out.
    pub packages: Option<String>,
}

impl SharedLock {
    /// Where the lock of a definition is.
    pub fn path(distro: &Distro) -> PathBuf {
        distro.project.lock_dir.join("distribution.lock")
    }

    /// The lock file's text.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = format!("version = 1\nformat = {}\n", quoted(&self.format));
        for file in &self.macros {
            text.push_str(&format!(
                "\n[[macros]]\nfilename = {}\nhash-type = \"SHA256\"\nhash = \"{}\"\n",
                quoted(&file.file_name),
                file.sha256
            ));
        }
        if let Some(stage0) = &self.stage0 {
            let (suite, definition) = (quoted(&stage0.suite), quoted(&stage0.definition));
            text.push_str(&format!("\n[stage0]\nsuite = {suite}\ndefinition = {definition}\n"));
            if let Some(packages) = &stage0.packages {
                text.push_str(&format!("packages = {}\n", quoted(packages)));
            }
        }
        text
    }

    /// Reads the lock; nothing where there is none.
    ///
    /// # Errors
    /// Everything in it that is no lock, with its line.
    pub fn read(path: &Path) -> Result<Option<SharedLock>, Diagnostics> {
        let text = match fs_err::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Diagnostics(vec![Diagnostic::new(error.to_string())])),
        };
        let file = File::new(SourceText { path: path.to_owned(), text: text.into() });
        let lock = {
            let parsed = file.parse();
            let mut table = crate::reader::Table::top(&file, &parsed, reference::SHARED_LOCK);
            match table.integer("version") {
                Some(1) => {}
                Some(other) => {
                    table.report(0..0, Diagnostic::new(format!("lock files of version {other} are not known")));
                }
                None => table.require("version"),
            }
            let macros = table.tables("macros", reference::LOCKED_MACROS).into_iter().filter_map(|mut table| {
                let file_name = table.required("filename")?.value;
                let hash = table.required("hash")?;
                table.word("hash-type", &[("SHA256", ())]);
                let Hash::Sha256(sha256) = parse_hash(&table, &hash.value, false)? else { return None };
                Some(LockedMacros { file_name, sha256 })
            });
            let macros = macros.collect();
            let stage0 = table.table("stage0", reference::LOCKED_STAGE0).and_then(|mut table| {
                let (suite, definition) = (table.required("suite"), table.required("definition"));
                let packages = table.text("packages");
                Some(LockedStage0 { suite: suite?.value, definition: definition?.value, packages })
            });
            SharedLock { format: table.required("format").map(|found| found.value).unwrap_or_default(), macros, stage0 }
        };
        let problems = file.into_problems();
        if problems.is_empty() { Ok(Some(lock)) } else { Err(Diagnostics(problems)) }
    }

    /// What is not as it was locked, each with what it was and what it is.
    pub fn differences(&self, now: &SharedLock) -> Vec<(String, Option<String>, Option<String>)> {
        let facts = |lock: &SharedLock| {
            let mut facts = vec![("format".to_owned(), lock.format.clone())];
            let file =
                |file: &LockedMacros| (format!("macro file {}", file.file_name), format!("sha256:{}", file.sha256));
            facts.extend(lock.macros.iter().map(file));
            if let Some(stage0) = &lock.stage0 {
                facts.push(("stage0 suite".to_owned(), stage0.suite.clone()));
                facts.push(("stage0 definition".to_owned(), stage0.definition.clone()));
                facts.extend(stage0.packages.clone().map(|packages| ("stage0 packages".to_owned(), packages)));
            }
            facts
        };
        let (before, after) = (facts(self), facts(now));
        let find = |facts: &[(String, String)], name: &str| {
            facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let pairs = names.into_iter().map(|name| (name.clone(), find(&before, name), find(&after, name)));
        pairs.filter(|(_, before, after)| before != after).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_the_shared_lock_round_trips_and_tells_differences() {
        let lock = SharedLock {
            format: "rendering 1".to_owned(),
            macros: vec![LockedMacros { file_name: "macros.\"a\"".to_owned(), sha256: "0".repeat(64) }],
            stage0: Some(LockedStage0 { suite: "s".to_owned(), definition: "sha256:1".to_owned(), packages: None }),
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), lock.to_toml()).unwrap();
        assert_eq!(SharedLock::read(file.path()).unwrap(), Some(lock.clone()));
        assert_eq!(lock.differences(&lock), []);
        let mut other = lock.clone();
        other.macros.clear();
        other.format = "rendering 2".to_owned();
        let names: Vec<String> = lock.differences(&other).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["format", "macro file macros.\"a\""]);
        assert_eq!(SharedLock::read(&file.path().with_extension("none")).unwrap(), None);
        fs_err::write(file.path(), "version = 2\nformat = \"\"\n").unwrap();
        assert!(SharedLock::read(file.path()).unwrap_err().to_string().contains("version 2 are not known"));
    }
}
