use std::path::{Path, PathBuf};

use pkg::SourceDateEpoch;

use crate::diagnostic::{Diagnostic, Located};
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
    /// Where specs are written with all overlays applied.
    pub rendered_specs_dir: Option<PathBuf>,
    /// Macro files that every build reads, in order.
    pub macros: Vec<PathBuf>,
    /// What stands for "now" in everything written.
    pub epoch: SourceDateEpoch,
    /// Who writes changelogs where nobody else is known.
    pub author_email: Option<String>,
    /// Addresses that are asked for every source before any other; see [`crate::lookaside::address`].
    pub source_mirrors: Vec<Located<String>>,
    /// Sources, as `COMPONENT/FILE`, that are taken though nothing but an MD5 of them is known.
    pub md5_waived: Vec<Located<String>>,
}

/// What files say of the project, later ones over earlier ones.
#[derive(Default)]
pub(crate) struct ProjectLayer {
    pub(crate) description: Option<String>,
    pub(crate) distro: Option<Located<String>>,
    pub(crate) version: Option<Located<String>>,
    pub(crate) snapshot: Option<Located<String>>,
    pub(crate) lock_dir: Option<PathBuf>,
    pub(crate) rendered_specs_dir: Option<PathBuf>,
    pub(crate) macros: Vec<PathBuf>,
    pub(crate) epoch: Option<u64>,
    pub(crate) author_email: Option<String>,
    pub(crate) source_mirrors: Vec<Located<String>>,
    pub(crate) md5_waived: Vec<Located<String>>,
}

impl ProjectLayer {
    pub(crate) fn read(&mut self, mut table: Table<'_>, folder: &Path) {
        let path = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| clean(&folder.join(text)));
        let (description, email) = (table.text("description"), table.text("default-author-email"));
        self.description = description.or(self.description.take());
        self.author_email = email.or(self.author_email.take());
        self.lock_dir = path(table.text("lock-dir")).or(self.lock_dir.take());
        self.rendered_specs_dir = path(table.text("rendered-specs-dir")).or(self.rendered_specs_dir.take());
        // Folders of the original's tool: Slipway keeps what it makes in its store.
        for key in ["log-dir", "work-dir", "output-dir"] {
            table.text(key);
        }
        for path in table.strings("macros") {
            let file = folder.join(&path.value);
            if file.is_file() {
                self.macros.push(file);
            } else {
                let problem = Diagnostic::new(format!("the macro file `{}` does not exist", file.display()));
                table.report_at(&path.at, problem);
            }
        }
        self.source_mirrors.extend(table.strings("source-mirrors"));
        self.md5_waived.extend(table.strings("md5-waived"));
        self.epoch = table.integer("source-date-epoch").or(self.epoch);
        if let Some(mut reference) = table.table("default-distro", reference::DISTRO_REFERENCE) {
            self.distro = reference.required("name").or(self.distro.take());
            self.version = reference.string("version").or(self.version.take());
            self.snapshot = reference.string("snapshot").or(self.snapshot.take());
        }
    }
}

/// The same path without `.` and without `name/..`.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if cleaned.file_name().is_some() => {
                cleaned.pop();
            }
            _ => cleaned.push(part),
        }
    }
    cleaned
}
