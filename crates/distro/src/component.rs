use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Position};
use crate::group::PackagePublish;
use crate::lock::Lock;
use crate::overlay::Overlay;
use crate::reader::Table;
use crate::reference;
use crate::settings::{Settings, Value};

/// A component: a source package and how it is built, all inherited settings applied.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Component {
    /// Its name, which is also that of its spec and its folder.
    pub name: String,
    /// Where its spec comes from.
    pub spec: SpecSource,
    /// The folder in which its spec is, or would be, with all overlays applied. Nothing where it is built from where its spec lies: the
    /// definition's own specs are, other than in trees of the original.
    pub rendered: Option<PathBuf>,
    /// How its release is made.
    pub release: ReleaseCalculation,
    /// The definition's own commits neither count in its release nor stand in its changelog.
    pub ignores_own_commits: bool,
    /// Files that the spec does not name stay in the rendered folder.
    pub keep_all_files: bool,
    /// The groups that it is in, by name.
    pub groups: Vec<String>,
    /// Where its packages are published, unless their own settings say otherwise.
    pub publish: Publish,
    /// Where single packages of it are published, by their name.
    pub packages: BTreeMap<String, PackagePublish>,
    /// What it is built from.
    pub origin: ComponentOrigin,
    /// Source files that are not kept beside the spec.
    pub source_files: Vec<SourceFile>,
    /// What is changed in its spec and the files beside it, in order.
    pub overlays: Vec<Overlay>,
    /// How it is built, all inherited settings applied.
    pub build: BuildOptions,
    /// Its lock file, there or not.
    #[serde(skip)]
    pub lock_file: PathBuf,
    /// What is locked; empty where locks are ignored.
    #[serde(skip)]
    pub lock: Lock,
    /// Where it is defined.
    pub at: Position,
    /// What all layers together say, each value with its place.
    #[serde(skip)]
    pub settings: Settings,
}

impl Component {
    /// The spec that says what the component is: the rendered one where there is one, else the definition's own.
    pub fn effective_spec(&self) -> Option<PathBuf> {
        let rendered = self.rendered.as_ref().map(|folder| folder.join(format!("{}.spec", self.name)));
        rendered
            .filter(|path| path.is_file())
            .or_else(|| matches!(self.spec, SpecSource::Local { .. }).then(|| self.spec.path().to_owned()))
    }
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
    /// The dist-git of another distribution.
    Upstream(Upstream),
}

/// A spec in the dist-git of another distribution.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Upstream {
    /// The distribution, as `[distros.NAME]` names it.
    pub distro: String,
    /// Its version; the distribution's default version if not said.
    pub version: Option<String>,
    /// The last moment whose commits count, as written.
    pub snapshot: Option<String>,
    /// What the component is called there.
    pub name: String,
    /// The commit, where it is pinned.
    pub commit: Option<String>,
    /// The rendered spec, where it is or would be.
    #[serde(skip)]
    pub spec: PathBuf,
}

/// How the release of a component is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseCalculation {
    /// As the spec says it: `%autorelease`, or a number that is counted up.
    #[default]
    Auto,
    /// By `%autorelease`.
    Autorelease,
    /// A number that is counted up.
    Static,
    /// By hand: it is left alone.
    Manual,
}

impl ReleaseCalculation {
    /// The word for it in the definition.
    pub fn as_str(self) -> &'static str {
        match self {
            ReleaseCalculation::Auto => "auto",
            ReleaseCalculation::Autorelease => "autorelease",
            ReleaseCalculation::Static => "static",
            ReleaseCalculation::Manual => "manual",
        }
    }
}

/// The channels of a component's packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Publish {
    /// Of binary packages.
    pub rpm: Option<String>,
    /// Of the source package.
    pub srpm: Option<String>,
    /// Of debuginfo packages.
    pub debuginfo: Option<String>,
}

impl SpecSource {
    /// The spec file: the definition's own, or where the rendered one of another distribution is or would be.
    pub fn path(&self) -> &Path {
        match self {
            SpecSource::Local { path } => path,
            SpecSource::Upstream(upstream) => &upstream.spec,
        }
    }

    /// `local` or `upstream`.
    pub fn kind(&self) -> &'static str {
        match self {
            SpecSource::Local { .. } => "local",
            SpecSource::Upstream(_) => "upstream",
        }
    }

    /// The folder in which the spec's own sources and patches are.
    pub fn folder(&self) -> &Path {
        // A path of one name has an empty parent, which is no folder that can be opened.
        self.path().parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
    /// The running Slipway program, packaged.
    #[serde(rename = "self")]
    Program,
}

impl ComponentOrigin {
    /// The word for it in the definition.
    pub fn as_str(self) -> &'static str {
        match self {
            ComponentOrigin::Source => "source",
            ComponentOrigin::Stage0 => "stage0",
            ComponentOrigin::Program => "self",
        }
    }
}

/// A file that the spec names as a source and that comes from elsewhere.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SourceFile {
    /// Its name in the spec.
    pub file_name: String,
    /// Why it takes the place of upstream's file of the same name; `None`: it does not.
    pub replaces_upstream: Option<String>,
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
    /// Upstream's signature, without which the file is not taken.
    pub signature: Option<SourceSignature>,
}

/// Upstream's signature of a source file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SourceSignature {
    /// An OpenPGP signature: another source file of the component, or a file beside the spec.
    pub file: String,
    /// The file of public keys of which one has to have signed.
    pub key: PathBuf,
    /// It is over the archive before it was compressed.
    pub uncompressed: bool,
    /// Where it is defined.
    pub at: Position,
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
    /// A file at an address.
    Download {
        /// The address.
        uri: String,
    },
    /// An archive of a commit, made here.
    Git {
        /// The repository.
        uri: String,
        /// 40 hexadecimal digits.
        commit: String,
    },
    /// A file of this machine.
    Local {
        /// Where it is.
        path: PathBuf,
    },
    /// What a script of the component makes.
    Custom {
        /// The script, a file beside the spec.
        script: String,
        /// Packages that the script needs.
        packages: Vec<String>,
        /// Files beside the spec that it reads.
        inputs: Vec<String>,
    },
    /// An archive of upstream's that overlays change.
    Overlay,
    /// The Slipway program that builds. No lock can name its bytes: each compilation makes others.
    #[serde(rename = "self")]
    Program,
}

impl SourceFile {
    /// Whether two entries are about the same file. An archive as upstream has it and the one that overlays make of it are two.
    pub(crate) fn is_same(&self, other: &SourceFile) -> bool {
        let is_changed = |file: &SourceFile| file.origin == FileOrigin::Overlay;
        self.file_name == other.file_name && is_changed(self) == is_changed(other)
    }
}

impl FileOrigin {
    /// The suite that has the file, where that is not stage0's.
    pub fn suite(&self) -> Option<&str> {
        match self {
            FileOrigin::DebianSource { suite, .. } | FileOrigin::DebianBinary { suite, .. } => suite.as_deref(),
            _ => None,
        }
    }

    /// Whether it comes from Debian, whose files are known by the lock.
    pub fn is_debian(&self) -> bool {
        matches!(self, FileOrigin::DebianSource { .. } | FileOrigin::DebianBinary { .. })
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
    /// 32 hexadecimal digits, which tell an accident and no attack. Old `sources` files of dist-git have them.
    #[serde(rename = "MD5")]
    Md5(String),
}

impl Hash {
    /// The digits.
    pub fn hex(&self) -> &str {
        match self {
            Hash::Sha256(hex) | Hash::Sha512(hex) | Hash::Md5(hex) => hex,
        }
    }

    /// The algorithm as definitions write it, as in `SHA512`.
    pub fn kind(&self) -> &'static str {
        match self {
            Hash::Sha256(_) => "SHA256",
            Hash::Sha512(_) => "SHA512",
            Hash::Md5(_) => "MD5",
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
    /// Macros tell the version and release of upstream's spec.
    pub emit_upstream_provenance: bool,
    /// Why the build is expected to fail; `None`: it is not.
    pub expected_failure: Option<String>,
    /// It takes long.
    pub expensive: bool,
}

/// Whether `%check` runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// It does not run.
    pub skip: bool,
    /// Why it does not.
    pub skip_reason: Option<String>,
}

/// A component as written, before it inherits.
pub(crate) struct ComponentLayer {
    pub(crate) settings: Settings,
    /// The folder of its file, to which globs of overlay files are relative.
    pub(crate) folder: PathBuf,
    pub(crate) at: Position,
}

/// What a component gets from the whole definition.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) locks: &'a Path,
    pub(crate) rendered: Option<&'a Path>,
    /// Specs of the definition's own are rendered too, as in trees of the original.
    pub(crate) renders_local: bool,
    pub(crate) groups: &'a [String],
}

impl Component {
    /// The component of these settings, all layers merged; what keeps it from being one is reported.
    pub(crate) fn of(
        name: &str,
        settings: Settings,
        at: &Position,
        around: &Surroundings<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Component> {
        let letter = name.chars().next()?.to_lowercase();
        let is_rendered = around.renders_local || settings.text("spec.type") != Some("local");
        let rendered = around.rendered.filter(|_| is_rendered).map(|folder| folder.join(letter.to_string()).join(name));
        let spec = match spec_source(name, &settings, rendered.as_deref()) {
            Ok(spec) => spec,
            Err(problem) => {
                problems.push(problem.at(settings.at("spec.type").unwrap_or(at)));
                return None;
            }
        };
        let lock_file = around.locks.join(format!("{name}.lock"));
        let mut source_files = settings.source_files.clone();
        for file in &mut source_files {
            file.lock.clone_from(&lock_file);
        }
        let mut packages: BTreeMap<String, PackagePublish> = BTreeMap::new();
        for (key, value) in settings.below("packages") {
            let (Some((package, key)), Value::Text(channel)) = (key.rsplit_once(".publish."), &value.value) else {
                continue;
            };
            packages.entry(package.to_owned()).or_default().set(key, channel);
        }
        let owned = |key: &str| settings.text(key).map(str::to_owned);
        Some(Component {
            name: name.to_owned(),
            spec,
            rendered,
            release: match settings.text("release.calculation") {
                Some("autorelease") => ReleaseCalculation::Autorelease,
                Some("static") => ReleaseCalculation::Static,
                Some("manual") => ReleaseCalculation::Manual,
                _ => ReleaseCalculation::Auto,
            },
            ignores_own_commits: settings.flag("release.ignore-own-commits"),
            keep_all_files: settings.flag("render.skip-file-filter"),
            groups: around.groups.to_vec(),
            publish: Publish {
                rpm: owned("publish.rpm-channel"),
                srpm: owned("publish.srpm-channel"),
                debuginfo: owned("publish.debuginfo-channel"),
            },
            packages,
            origin: match settings.text("origin") {
                Some("stage0") => ComponentOrigin::Stage0,
                Some("self") => ComponentOrigin::Program,
                _ => ComponentOrigin::Source,
            },
            source_files,
            overlays: settings.overlays.clone(),
            build: build_options(&settings),
            lock_file,
            lock: Lock::default(),
            at: at.clone(),
            settings,
        })
    }
}

fn spec_source(name: &str, settings: &Settings, rendered: Option<&Path>) -> Result<SpecSource, Diagnostic> {
    match settings.text("spec.type") {
        Some("local") => match settings.text("spec.path") {
            Some(path) if Path::new(path).is_file() => Ok(SpecSource::Local { path: PathBuf::from(path) }),
            Some(path) => Err(Diagnostic::new(format!("the spec `{path}` of `{name}` does not exist"))
                .hint("`path` is relative to the file that it is written in")),
            None => Err(Diagnostic::new(format!("`{name}` has a local spec and no `spec.path`"))
                .hint("say which: `spec = { type = \"local\", path = \"NAME.spec\" }`")),
        },
        Some(_) => match settings.text("spec.upstream-distro.name") {
            Some(distro) => {
                let owned = |key: &str| settings.text(key).map(str::to_owned);
                Ok(SpecSource::Upstream(Upstream {
                    distro: distro.to_owned(),
                    version: owned("spec.upstream-distro.version"),
                    snapshot: owned("spec.upstream-distro.snapshot"),
                    name: owned("spec.upstream-name").unwrap_or_else(|| name.to_owned()),
                    commit: owned("spec.upstream-commit").map(|commit| commit.to_ascii_lowercase()),
                    spec: rendered.unwrap_or(Path::new("")).join(format!("{name}.spec")),
                }))
            }
            None => Err(Diagnostic::new(format!("`{name}` has an upstream spec and no `spec.upstream-distro`"))
                .hint("name the distribution in `default-component-config`, or in the component")),
        },
        None => Err(Diagnostic::new(format!("nothing says where the spec of `{name}` comes from"))
            .hint("`spec = { type = \"local\", path = \"NAME.spec\" }`, in the component or in what it inherits")),
    }
}

fn build_options(settings: &Settings) -> BuildOptions {
    let undefines = settings.list("build.undefines");
    let defines = settings.below("build.defines").filter_map(|(name, body)| match &body.value {
        Value::Text(body) if !undefines.iter().any(|undefined| undefined == name) => {
            Some((name.to_owned(), body.clone()))
        }
        _ => None,
    });
    let reason = |flag: &str, reason: &str| {
        settings.flag(flag).then(|| settings.text(reason).unwrap_or("no reason was given").to_owned())
    };
    let skip_reason = reason("build.check.skip", "build.check.skip_reason");
    BuildOptions {
        with: settings.list("build.with"),
        without: settings.list("build.without"),
        defines: defines.collect(),
        check: Check { skip: skip_reason.is_some(), skip_reason },
        emit_upstream_provenance: settings.flag("build.emit-upstream-provenance"),
        expected_failure: reason("build.failure.expected", "build.failure.expected-reason"),
        expensive: settings.flag("build.hints.expensive"),
    }
}

pub(crate) fn read_source_file(mut table: Table<'_>, folder: &Path) -> Option<SourceFile> {
    let at = table.at();
    let file_name = table.required("filename");
    let hash = table.string("hash").filter(|hash| !hash.value.is_empty());
    let kind = table.word("hash-type", &[("SHA256", false), ("SHA512", true)]);
    let hash = match (hash, kind) {
        (Some(hash), Some(is_sha512)) => parse_hash(&table, &hash.value, is_sha512),
        (Some(_), None) => {
            if !table.has("hash-type") {
                table.missing("hash-type");
            }
            None
        }
        (None, _) => None,
    };
    let replaces = table.boolean("replace-upstream").unwrap_or(false);
    let reason = table.text("replace-reason").filter(|reason| !reason.trim().is_empty());
    if replaces && reason.is_none() {
        table.missing("replace-reason");
    }
    if reason.is_some() && !replaces {
        let problem = Diagnostic::new("`replace-reason` says why upstream's file is replaced, and it is not");
        table.report(table.value_span("replace-reason"), problem.hint("add `replace-upstream = true`"));
    }
    table.require("origin");
    let origin = table.table("origin", reference::FILE_ORIGIN).and_then(|table| read_file_origin(table, folder));
    let signature =
        table.table("signature", reference::SIGNATURE).and_then(|signature| read_signature(signature, folder));
    if origin == Some(FileOrigin::Overlay) && !replaces {
        let problem = Diagnostic::new("an archive that overlays change takes the place of upstream's");
        table.report(table.span.clone(), problem.hint("add `replace-upstream = true` and `replace-reason`"));
    }
    if hash.is_some() && origin == Some(FileOrigin::Program) {
        let problem = Diagnostic::new("the digest of the running program is known when a build starts, not before");
        table.report(table.value_span("hash"), problem.hint("remove `hash` and `hash-type`"));
    }
    let file_name = file_name?;
    if !is_plain_name(&file_name.value) {
        let problem = Diagnostic::new(format!("`{}` is not the plain name of a file", file_name.value));
        table.report(table.value_span("filename"), problem);
        return None;
    }
    Some(SourceFile {
        file_name: file_name.value,
        replaces_upstream: reason.filter(|_| replaces),
        hash,
        size: None,
        origin: origin?,
        origin_version: None,
        at,
        lock: PathBuf::new(),
        signature,
    })
}

fn read_signature(mut table: Table<'_>, folder: &Path) -> Option<SourceSignature> {
    let at = table.at();
    let (file, key) = (table.required("file"), table.required("key"));
    let uncompressed = table.boolean("uncompressed").unwrap_or(false);
    let (file, key) = (file?, key?);
    if !is_plain_name(&file.value) {
        let problem = Diagnostic::new(format!("`{}` is not the plain name of a file", file.value));
        table.report_at(&file.at, problem);
        return None;
    }
    let path = folder.join(&key.value);
    if !path.is_file() {
        let problem = Diagnostic::new(format!("the file of keys `{}` does not exist", path.display()));
        table.report_at(&key.at, problem.hint("`key` is relative to the file that it is written in"));
    }
    Some(SourceSignature { file: file.value, key: path, uncompressed, at })
}

/// Whether a name can stand for a file in a folder of others: no path, no blank, ASCII only.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\'))
}

pub(crate) fn parse_hash(table: &Table<'_>, hex: &str, is_sha512: bool) -> Option<Hash> {
    let (name, digits) = if is_sha512 { ("SHA512", 128) } else { ("SHA256", 64) };
    if hex.len() != digits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let problem = Diagnostic::new(format!("`{hex}` is not a {name} digest"));
        table.report(table.value_span("hash"), problem.hint(format!("it has {digits} hexadecimal digits")));
        return None;
    }
    let hex = hex.to_ascii_lowercase();
    Some(if is_sha512 { Hash::Sha512(hex) } else { Hash::Sha256(hex) })
}

fn read_file_origin(mut table: Table<'_>, folder: &Path) -> Option<FileOrigin> {
    table.required("type")?;
    let kind = table.word(
        "type",
        &[
            ("debian", "debian"),
            ("download", "download"),
            ("git", "git"),
            ("local", "local"),
            ("custom", "custom"),
            ("overlay", "overlay"),
            ("self", "self"),
        ],
    )?;
    let origin = match kind {
        "debian" => {
            let suite = table.text("suite");
            match (table.text("source"), table.text("binary")) {
                (Some(source), None) => Some(FileOrigin::DebianSource { source, suite }),
                (None, Some(binary)) => Some(FileOrigin::DebianBinary { binary, suite }),
                _ => {
                    let problem =
                        Diagnostic::new("an origin of type `debian` names either a `source` or a `binary` package");
                    table.report(table.span.clone(), problem);
                    None
                }
            }
        }
        "download" => {
            let uri = table.required("uri")?.value;
            let is_address = uri.split_once(':').is_some_and(|(scheme, _)| {
                scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                    && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            });
            if !is_address {
                let problem = Diagnostic::new(format!("`{uri}` is no address"));
                table.report(table.value_span("uri"), problem.hint("it starts with a scheme, as in `https://`"));
            }
            Some(FileOrigin::Download { uri })
        }
        "git" => read_git_origin(&mut table),
        "local" => table.required("path").map(|path| FileOrigin::Local { path: folder.join(path.value) }),
        "custom" => read_custom_origin(&mut table),
        "self" => Some(FileOrigin::Program),
        _ => Some(FileOrigin::Overlay),
    };
    for (key, span) in table.untaken() {
        let problem = Diagnostic::new(format!("`{key}` means nothing to an origin of type `{kind}`"));
        table.report(span, problem.hint("remove it"));
    }
    origin
}

fn read_git_origin(table: &mut Table<'_>) -> Option<FileOrigin> {
    let (uri, commit) = (table.required("uri"), table.required("commit"));
    let (uri, commit) = (uri?.value, commit?.value);
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let problem = Diagnostic::new(format!("`{commit}` is not the whole id of a commit"));
        table.report(table.value_span("commit"), problem.hint("it has 40 hexadecimal digits; branches and tags move"));
        return None;
    }
    let is_address = uri.starts_with('/')
        || uri.split_once("://").is_some_and(|(scheme, _)| matches!(scheme, "https" | "http" | "ssh" | "git" | "file"));
    if !is_address {
        let problem = Diagnostic::new("this is no address of a repository");
        let hint = "it starts with `https://`, `http://`, `ssh://`, `git://` or `file://`, or is an absolute path";
        table.report(table.value_span("uri"), problem.hint(hint));
        return None;
    }
    Some(FileOrigin::Git { uri, commit: commit.to_ascii_lowercase() })
}

fn read_custom_origin(table: &mut Table<'_>) -> Option<FileOrigin> {
    let script = table.required("script");
    let inputs = table.strings("inputs");
    let packages = table.texts("mock-packages");
    let script = script?;
    let mut seen = std::collections::BTreeSet::new();
    for file in inputs.iter().chain([&script]) {
        if !is_plain_name(&file.value) {
            let problem = Diagnostic::new(format!("`{}` is not the plain name of a file", file.value));
            table.report_at(&file.at, problem);
        } else if !seen.insert(&file.value) {
            table.report_at(&file.at, Diagnostic::new(format!("`{}` is named twice", file.value)));
        }
    }
    let inputs = inputs.iter().map(|input| input.value.clone()).collect();
    Some(FileOrigin::Custom { script: script.value, packages, inputs })
}
