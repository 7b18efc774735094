//! Test suites of images, as the definition names them.

use std::path::{Path, PathBuf};

use crate::component::is_plain_name;
use crate::diagnostic::{Diagnostic, Located, Position};
use crate::reader::Table;
use crate::reference;

/// Tests that images are put to.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TestSuite {
    /// The suite in a sentence.
    pub description: String,
    /// What runs it.
    pub runner: Runner,
    /// Where it is defined.
    pub at: Position,
}

/// What runs a suite.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Runner {
    /// pytest.
    Pytest {
        /// Where it is run.
        folder: Option<PathBuf>,
        /// Test files and folders.
        paths: Vec<String>,
        /// Further arguments.
        arguments: Vec<String>,
        /// How what it needs is installed: `pyproject`, `requirements` or `none`.
        install: &'static str,
    },
    /// LISA.
    Lisa {
        /// The repository of git with the framework, and the commit.
        framework: Option<(String, String)>,
        /// The names of the tests.
        cases: Vec<String>,
        /// Further arguments.
        arguments: Vec<String>,
    },
}

pub(crate) fn read(mut table: Table<'_>, name: &Located<String>, folder: &Path) -> Option<TestSuite> {
    if !is_plain_name(&name.value) {
        let problem = Diagnostic::new(format!("`{}` is no name of a test suite", name.value));
        table.report(table.span.clone(), problem.hint("it is also that of a folder: no blanks, no path"));
    }
    let description = table.text("description").unwrap_or_default();
    table.required("type")?;
    let kind = table.word("type", &[("pytest", "pytest"), ("lisa", "lisa")])?;
    let (pytest, lisa) = (table.table("pytest", reference::PYTEST), table.table("lisa", reference::LISA));
    let (is_pytest, other) = (kind == "pytest", if kind == "pytest" { lisa.is_some() } else { pytest.is_some() });
    if other {
        let problem = Diagnostic::new(format!("a test suite of type `{kind}` has only a table `{kind}`"));
        table.report(table.span.clone(), problem);
    }
    let runner = if is_pytest {
        match pytest {
            Some(pytest) => read_pytest(pytest, folder),
            None => {
                table.missing("pytest");
                return None;
            }
        }
    } else {
        lisa.map_or_else(|| Runner::Lisa { framework: None, cases: vec![], arguments: vec![] }, read_lisa)
    };
    Some(TestSuite { description, runner, at: name.at.clone() })
}

fn read_pytest(mut table: Table<'_>, folder: &Path) -> Runner {
    let modes = [("pyproject", "pyproject"), ("requirements", "requirements"), ("none", "none"), ("", "none")];
    let install = table.word("install", &modes).unwrap_or("none");
    let working = table.text("working-dir").filter(|path| !path.is_empty());
    if install != "none" && working.is_none() {
        table.missing("working-dir");
    }
    Runner::Pytest {
        folder: working.map(|path| folder.join(path)),
        paths: table.texts("test-paths"),
        arguments: table.texts("extra-args"),
        install,
    }
}

fn read_lisa(mut table: Table<'_>) -> Runner {
    table.require("framework");
    let framework = table.table("framework", reference::GIT_SOURCE).and_then(|mut source| {
        let (address, commit) = (source.required("git-url"), source.required("ref"));
        let (address, commit) = (address?, commit?);
        if commit.value.len() != 40 || !commit.value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let problem = Diagnostic::new(format!("`{}` is no whole commit of git", commit.value));
            source.report(source.value_span("ref"), problem.hint("40 hexadecimal digits"));
        }
        Some((address.value, commit.value))
    });
    table.require("test-cases");
    table.texts("pip-pre-install");
    table.texts("pip-extras");
    Runner::Lisa { framework, cases: table.texts("test-cases"), arguments: table.texts("extra-args") }
}
