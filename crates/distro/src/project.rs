use std::path::{Path, PathBuf};

use pkg::SourceDateEpoch;

use crate::diagnostic::Diagnostic;
use crate::reader::Table;
use crate::reference;

/// What is true of the whole definition.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Project {
    /// What this is a definition of.
    pub description: String,
    /// The distribution that is built.
    pub distro: String,
    /// The version that is built.
    pub version: String,
    /// Where lock files are.
    pub lock_dir: PathBuf,
    /// Macro files that every build reads, in order.
    pub macros: Vec<PathBuf>,
    /// What stands for "now" in everything written.
    pub epoch: SourceDateEpoch,
}

pub(crate) fn read(mut table: Table<'_>, folder: &Path) -> Option<Project> {
    let description = table.text("description").unwrap_or_default();
    let lock_dir = folder.join(table.text("lock-dir").unwrap_or_else(|| "locks".to_owned()));
    let mut macros = Vec::new();
    for path in table.strings("macros") {
        let file = folder.join(&path.value);
        if file.is_file() {
            macros.push(file);
        } else {
            table.report(
                table.span.clone(),
                Diagnostic::new(format!("the macro file `{}` does not exist", file.display())),
            );
        }
    }
    table.require("source-date-epoch");
    let epoch = table.integer("source-date-epoch");
    table.require("default-distro");
    let mut reference = table.table("default-distro", reference::DISTRO_REFERENCE)?;
    let (distro, version) = (reference.required("name"), reference.required("version"));
    Some(Project {
        description,
        distro: distro?.value,
        version: version?.value,
        lock_dir,
        macros,
        epoch: SourceDateEpoch(epoch?),
    })
}
