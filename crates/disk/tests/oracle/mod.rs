//! Programs of others whose word is the truth, and images for them to look at.
#![allow(dead_code, reason = "each test file uses some of these")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests run oracles and say what they skip")]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// An installed program.
pub(crate) struct Oracle(String);

/// The program `name`; without it a line says so, and which package to install.
pub(crate) fn tool(name: &str, package: &str) -> Option<Oracle> {
    for folder in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] {
        let path = format!("{folder}/{name}");
        if Path::new(&path).exists() {
            return Some(Oracle(path));
        }
    }
    match package {
        "" => skip(&format!("this Debian has no {name}")),
        package => skip(&format!("{name} not installed (package {package})")),
    }
    None
}

/// Says why a test does not run.
pub(crate) fn skip(why: &str) {
    println!("skipped: {why}");
}

impl Oracle {
    /// Runs it; a status other than 0 is a failure of the test. Both streams come back as text.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let text = text(&output);
        assert!(output.status.success(), "{} {arguments:?}: {}\n{text}", self.0, output.status);
        text
    }

    /// Runs it, whatever it says.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.0);
        command.args(arguments).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("MTOOLS_SKIP_CHECK", "1");
        command.output().expect("an installed program starts")
    }
}

/// Both streams of a program.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A temporary folder with a file that `fill` writes, and the file's path.
pub(crate) fn image(name: &str, fill: impl FnOnce(&mut std::fs::File)) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    let file = fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(&path).expect("a new file");
    let (mut file, _) = file.into_parts();
    fill(&mut file);
    (folder, path.to_str().expect("a path in UTF-8").to_owned())
}
