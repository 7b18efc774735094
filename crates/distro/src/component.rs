use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Position};
use crate::overlay::{self, Overlay};
use crate::reader::Table;
use crate::reference;

/// A component: a source package and how it is built.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Component {
    /// Its name, which is also that of its spec and its folder.
    pub name: String,
    /// Where its spec comes from.
    pub spec: SpecSource,
    /// What it is built from.
    pub origin: ComponentOrigin,
    /// Source files that are not kept beside the spec.
    pub source_files: Vec<SourceFile>,
    /// What is changed in its spec and the files beside it, in order.
    pub overlays: Vec<Overlay>,
    /// How it is built, all inherited settings applied.
    pub build: BuildOptions,
    /// Where it is defined.
    pub at: Position,
}

/// Where a spec comes from.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum SpecSource {
    /// A file of the definition.
    Local {
        /// The spec file.
        path: PathBuf,
    },
}

impl SpecSource {
    /// The spec file.
    pub fn path(&self) -> &Path {
        match self {
            SpecSource::Local { path } => path,
        }
    }

    /// The folder in which the spec's own sources and patches are.
    pub fn folder(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new("."))
    }
}

/// What a component is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentOrigin {
    /// Upstream's source.
    Source,
    /// A Debian binary package, repackaged.
    Stage0,
}

impl ComponentOrigin {
    /// The word for it in the definition.
    pub fn as_str(self) -> &'static str {
        match self {
            ComponentOrigin::Source => "source",
            ComponentOrigin::Stage0 => "stage0",
        }
    }
}

/// A file that the spec names as a source and that comes from elsewhere.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SourceFile {
    /// Its name in the spec.
    pub file_name: String,
    /// Its digest, from the component's file or its lock; without one it cannot be fetched.
    pub hash: Option<Hash>,
    /// Its length in bytes, from its lock.
    pub size: Option<u64>,
    /// Where it comes from.
    pub origin: FileOrigin,
    /// The version of its origin that was locked.
    pub origin_version: Option<String>,
    /// Where it is defined.
    pub at: Position,
    /// The lock file that has the digest, or would have it.
    pub lock: PathBuf,
}

/// Who has a source file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum FileOrigin {
    /// A part of a Debian source package, such as upstream's tarball.
    DebianSource {
        /// The source package.
        source: String,
        /// The suite that has it, where that is not stage0's.
        suite: Option<String>,
    },
    /// A Debian binary package as it is.
    DebianBinary {
        /// The binary package.
        binary: String,
        /// The suite that has it, where that is not stage0's.
        suite: Option<String>,
    },
}

impl FileOrigin {
    /// The suite that has the file, where that is not stage0's.
    pub fn suite(&self) -> Option<&str> {
        match self {
            FileOrigin::DebianSource { suite, .. } | FileOrigin::DebianBinary { suite, .. } => suite.as_deref(),
        }
    }
}

/// The digest by which a source file is known.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "type", content = "hex")]
pub enum Hash {
    /// 64 hexadecimal digits.
    #[serde(rename = "SHA256")]
    Sha256(String),
    /// 128 hexadecimal digits.
    #[serde(rename = "SHA512")]
    Sha512(String),
}

impl Hash {
    /// The digits.
    pub fn hex(&self) -> &str {
        match self {
            Hash::Sha256(hex) | Hash::Sha512(hex) => hex,
        }
    }
}

/// How a component is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BuildOptions {
    /// Build conditionals turned on.
    pub with: Vec<String>,
    /// Build conditionals turned off.
    pub without: Vec<String>,
    /// Macros defined.
    pub defines: BTreeMap<String, String>,
    /// Whether `%check` runs.
    pub check: Check,
}

/// Whether `%check` runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// It does not run.
    pub skip: bool,
    /// Why it does not.
    pub skip_reason: Option<String>,
}

/// One layer of build settings, as written; later layers are applied over earlier ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildLayer {
    with: Vec<String>,
    without: Vec<String>,
    defines: BTreeMap<String, String>,
    undefines: Vec<String>,
    skip: Option<bool>,
    skip_reason: Option<String>,
}

impl BuildLayer {
    pub(crate) fn read(mut table: Table<'_>) -> BuildLayer {
        let mut layer = BuildLayer {
            with: table.texts("with"),
            without: table.texts("without"),
            defines: table.string_map("defines").into_iter().map(|(name, text)| (name, text.value)).collect(),
            undefines: table.texts("undefines"),
            ..BuildLayer::default()
        };
        if let Some(mut check) = table.table("check", reference::CHECK) {
            layer.skip = check.boolean("skip");
            layer.skip_reason = check.text("skip_reason");
            if layer.skip == Some(true) && layer.skip_reason.is_none() {
                check.missing("skip_reason");
            }
        }
        layer
    }

    pub(crate) fn from_config(table: Option<Table<'_>>) -> BuildLayer {
        table
            .and_then(|mut table| table.table("build", reference::BUILD))
            .map_or_else(BuildLayer::default, BuildLayer::read)
    }

    pub(crate) fn apply(&self, options: &mut BuildOptions) {
        // A later word on a conditional replaces an earlier one, so that a component can undo what its group says.
        options.without.retain(|name| !self.with.contains(name));
        options.with.retain(|name| !self.without.contains(name));
        options.with.extend(self.with.iter().cloned());
        options.without.extend(self.without.iter().cloned());
        options.defines.retain(|name, _| !self.undefines.contains(name));
        options.defines.extend(self.defines.clone());
        if let Some(skip) = self.skip {
            options.check = Check { skip, skip_reason: self.skip_reason.clone() };
        }
    }
}

/// A component as written, before it inherits.
pub(crate) struct ComponentLayer {
    pub(crate) component: Component,
    pub(crate) build: BuildLayer,
}

pub(crate) fn read(name: &str, mut table: Table<'_>, folder: &Path, locks: &Path) -> Option<ComponentLayer> {
    let at = table.at();
    table.require("spec");
    let spec = table.table("spec", reference::SPEC).and_then(|spec| read_spec(spec, folder));
    let origins = [("source", ComponentOrigin::Source), ("stage0", ComponentOrigin::Stage0)];
    let origin = table.word("origin", &origins).unwrap_or(ComponentOrigin::Source);
    let lock = locks.join(format!("{name}.lock"));
    let source_files = table
        .tables("source-files", reference::SOURCE_FILE)
        .into_iter()
        .filter_map(|table| read_source_file(table, &lock))
        .collect();
    let overlays = table.tables("overlays", reference::OVERLAY);
    let overlays = overlays.into_iter().filter_map(|table| overlay::read(table, folder, None)).collect();
    let build = table.table("build", reference::BUILD).map_or_else(BuildLayer::default, BuildLayer::read);
    let name = name.to_owned();
    let component = Component { name, spec: spec?, origin, source_files, overlays, build: BuildOptions::default(), at };
    Some(ComponentLayer { component, build })
}

fn read_spec(mut table: Table<'_>, folder: &Path) -> Option<SpecSource> {
    let kind = table.required("type");
    let path = table.required("path");
    let (kind, path) = (kind?, path?);
    if kind.value != "local" {
        let problem = Diagnostic::new(format!("specs of type `{}` cannot be built", kind.value));
        table.report(table.span.clone(), problem.hint("`local` is the type that can: a spec file of this definition"));
        return None;
    }
    let path = folder.join(path.value);
    if !path.is_file() {
        let problem = Diagnostic::new(format!("the spec `{}` does not exist", path.display()));
        table.report(table.span.clone(), problem.hint("`path` is relative to the file that it is written in"));
        return None;
    }
    Some(SpecSource::Local { path })
}

fn read_source_file(mut table: Table<'_>, lock: &Path) -> Option<SourceFile> {
    let at = table.at();
    let file_name = table.required("filename");
    let hash = table.string("hash");
    let kind = table.word("hash-type", &[("SHA256", false), ("SHA512", true)]);
    let hash = match (hash, kind) {
        (None, None) => None,
        (Some(hash), Some(is_sha512)) => parse_hash(&table, &hash.value, is_sha512),
        (Some(_), None) => {
            table.missing("hash-type");
            None
        }
        (None, Some(_)) => {
            table.missing("hash");
            None
        }
    };
    table.require("origin");
    let origin = table.table("origin", reference::FILE_ORIGIN).and_then(read_file_origin);
    let file_name = file_name?;
    if file_name.value.contains('/') || file_name.value.starts_with('.') {
        let problem = Diagnostic::new(format!("`{}` is not the plain name of a file", file_name.value));
        table.report(table.span.clone(), problem);
        return None;
    }
    Some(SourceFile {
        file_name: file_name.value,
        hash,
        size: None,
        origin: origin?,
        origin_version: None,
        at,
        lock: lock.to_owned(),
    })
}

pub(crate) fn parse_hash(table: &Table<'_>, hex: &str, is_sha512: bool) -> Option<Hash> {
    let (name, digits) = if is_sha512 { ("SHA512", 128) } else { ("SHA256", 64) };
    if hex.len() != digits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let problem = Diagnostic::new(format!("`{hex}` is not a {name} digest"));
        table.report(table.span.clone(), problem.hint(format!("it has {digits} hexadecimal digits")));
        return None;
    }
    let hex = hex.to_ascii_lowercase();
    Some(if is_sha512 { Hash::Sha512(hex) } else { Hash::Sha256(hex) })
}

fn read_file_origin(mut table: Table<'_>) -> Option<FileOrigin> {
    table.required("type")?;
    table.word("type", &[("debian", ())])?;
    let suite = table.text("suite");
    match (table.text("source"), table.text("binary")) {
        (Some(source), None) => Some(FileOrigin::DebianSource { source, suite }),
        (None, Some(binary)) => Some(FileOrigin::DebianBinary { binary, suite }),
        _ => {
            let problem = Diagnostic::new("an origin of type `debian` names either a `source` or a `binary` package");
            table.report(table.span.clone(), problem);
            None
        }
    }
}
