//! Writing packages from values: equal values give equal bytes.
//!
//! Made for packages that are computed (release keys, repository files) and for those of tests, which need every section that
//! a package can have; packages of software come from rpmbuild. A package is made in memory.

mod archive;
mod file;
mod header;

use pkg::{Condition, Evr, Nevra, Relation, SourceDateEpoch};

pub use file::{Content, NewFile};

use crate::{
    ChangelogEntry, Compression, Dependency, DependencyKind, FileFlags, FilesError, HeaderError, Scriptlet,
    ScriptletFlags, ScriptletKind, Sense, Tag, Trigger, Value,
};

/// A package to be.
///
/// ```
/// use rpm::write::{NewFile, PackageBuilder};
/// let nevra = pkg::Nevra::parse("hello-1.0-1.noarch").expect("a NEVRA");
/// let bytes = PackageBuilder::new(nevra, pkg::SourceDateEpoch(1_700_000_000))
///     .summary("says hello")
///     .requires("bash >= 5")
///     .file("/usr/bin/hello", NewFile::regular("#!/bin/sh\necho hello\n").mode(0o755))
///     .build()
///     .expect("a package");
/// let package = rpm::Package::read(&mut bytes.as_slice()).expect("what was written");
/// assert_eq!(package.header.summary(), "says hello");
/// ```
#[derive(Clone, Debug)]
pub struct PackageBuilder {
    pub(crate) nevra: Nevra,
    pub(crate) at: SourceDateEpoch,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) texts: Vec<(Tag, Value)>,
    pub(crate) source_rpm: String,
    pub(crate) files: Vec<(String, NewFile)>,
    pub(crate) dependencies: Vec<(DependencyKind, Dependency)>,
    pub(crate) scriptlets: Vec<Scriptlet>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) changelog: Vec<ChangelogEntry>,
    wrong: Option<WriteError>,
}

/// The version of the package format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What rpm 4 writes and every rpm reads.
    V4,
    /// What rpm 6 writes by default: no MD5 or SHA-1, 64-bit sizes.
    V6,
}

/// Why a package cannot be written.
#[derive(Debug, Clone, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WriteError {
    #[error(transparent)]
    Relation(#[from] pkg::RelationError),
    #[error("`{0}` is in the package twice")]
    Twice(String),
    #[error("`{path}` is a hard link to `{target}`, which is no regular file of the package")]
    HardLink { path: String, target: String },
    #[error("{0}")]
    Files(String),
    #[error("{0}")]
    Header(String),
    #[error("the payload cannot be compressed: {0}")]
    Compress(String),
}

impl From<FilesError> for WriteError {
    fn from(error: FilesError) -> WriteError {
        WriteError::Files(error.to_string())
    }
}

impl From<HeaderError> for WriteError {
    fn from(error: HeaderError) -> WriteError {
        WriteError::Header(error.to_string())
    }
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> WriteError {
        WriteError::Compress(error.to_string())
    }
}

impl PackageBuilder {
    /// A package without files, built at `at`. Architecture `src` makes a source package.
    pub fn new(nevra: Nevra, at: SourceDateEpoch) -> PackageBuilder {
        let source_rpm = format!("{}-{}-{}.src.rpm", nevra.name, nevra.evr.version, nevra.evr.release);
        PackageBuilder {
            nevra,
            at,
            format: Format::V4,
            compression: Compression::Zstd,
            texts: Vec::new(),
            source_rpm,
            files: Vec::new(),
            dependencies: Vec::new(),
            scriptlets: Vec::new(),
            triggers: Vec::new(),
            changelog: Vec::new(),
            wrong: None,
        }
    }

    /// One line; the package's name when not set.
    pub fn summary(self, text: &str) -> PackageBuilder {
        self.tag(Tag::SUMMARY, Value::Translated(vec![text.to_owned()]))
    }

    /// Paragraphs; the summary when not set.
    pub fn description(self, text: &str) -> PackageBuilder {
        self.tag(Tag::DESCRIPTION, Value::Translated(vec![text.to_owned()]))
    }

    /// The licence; `MIT` when not set.
    pub fn license(self, text: &str) -> PackageBuilder {
        self.tag(Tag::LICENSE, text)
    }

    /// The file name of the source package that it claims to be built from.
    pub fn source_rpm(mut self, file_name: &str) -> PackageBuilder {
        file_name.clone_into(&mut self.source_rpm);
        self
    }

    /// Any other tag; takes the place of what the builder would write.
    pub fn tag(mut self, tag: Tag, value: impl Into<Value>) -> PackageBuilder {
        self.texts.push((tag, value.into()));
        self
    }

    /// How the payload is compressed; zstd when not set.
    pub fn compression(mut self, compression: Compression) -> PackageBuilder {
        self.compression = compression;
        self
    }

    /// The format; v4 when not set.
    pub fn format(mut self, format: Format) -> PackageBuilder {
        self.format = format;
        self
    }

    /// A relation, as a spec writes it: `name`, `name op evr`, `(rich)`. What cannot be parsed makes [`PackageBuilder::build`]
    /// fail. The package's own name is provided without being asked for.
    pub fn depends(mut self, kind: DependencyKind, relation: &str) -> PackageBuilder {
        match Relation::parse(relation) {
            Ok(relation) => self.dependencies.push((kind, Dependency::new(relation))),
            Err(error) => self.wrong = self.wrong.or(Some(error.into())),
        }
        self
    }

    /// A relation with flags of its own, such as those of `Requires(pre)`.
    pub fn dependency(mut self, kind: DependencyKind, dependency: Dependency) -> PackageBuilder {
        self.dependencies.push((kind, dependency));
        self
    }

    /// Shorthand for [`PackageBuilder::depends`].
    pub fn requires(self, relation: &str) -> PackageBuilder {
        self.depends(DependencyKind::Requires, relation)
    }

    /// Shorthand for [`PackageBuilder::depends`].
    pub fn provides(self, relation: &str) -> PackageBuilder {
        self.depends(DependencyKind::Provides, relation)
    }

    /// A file at `path`.
    pub fn file(mut self, path: &str, file: NewFile) -> PackageBuilder {
        self.files.push((path.to_owned(), file));
        self
    }

    /// A scriptlet; its interpreter is required without being asked for.
    pub fn scriptlet(mut self, kind: ScriptletKind, program: &str, body: &str) -> PackageBuilder {
        let body = (!body.is_empty()).then(|| body.to_owned());
        let program = program.split(' ').map(str::to_owned).collect();
        self.scriptlets.push(Scriptlet { kind, body, program, flags: ScriptletFlags::default() });
        self
    }

    /// A trigger.
    pub fn trigger(mut self, trigger: Trigger) -> PackageBuilder {
        self.triggers.push(trigger);
        self
    }

    /// Adds an entry to the changelog; give the newest first.
    pub fn changelog(mut self, time: u64, name: &str, text: &str) -> PackageBuilder {
        self.changelog.push(ChangelogEntry { time, name: name.to_owned(), text: text.to_owned() });
        self
    }

    /// The package's bytes, unsigned.
    pub fn build(mut self) -> Result<Vec<u8>, WriteError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        self.files.sort_by(|left, right| left.0.cmp(&right.0));
        if let Some(pair) = self.files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(WriteError::Twice(pair[0].0.clone()));
        }
        self.add_own_dependencies();
        let payload = archive::write(&self)?;
        header::write(&self, &payload)
    }

    /// What rpmbuild adds by itself: the own name, configuration, interpreters, and the features of rpm that are used.
    fn add_own_dependencies(&mut self) {
        let own = |name: String, evr: &Evr| Relation::new(name, Condition::Equal, evr.clone());
        let (name, evr) = (self.nevra.name.clone(), self.nevra.evr.clone());
        let features = self.features();
        let mut add = |kind, relation: Relation, more: Sense| {
            let plain = Dependency::new(relation);
            let dependency = Dependency { sense: plain.sense.and(more), ..plain };
            if !self.dependencies.contains(&(kind, dependency.clone())) {
                self.dependencies.push((kind, dependency));
            }
        };
        if self.nevra.arch.as_str() != "src" {
            add(DependencyKind::Provides, own(name.clone(), &evr), Sense::default());
        }
        if self.files.iter().any(|(_, file)| file.flags.has(FileFlags::CONFIG)) {
            let config = own(format!("config({name})"), &evr);
            add(DependencyKind::Provides, config.clone(), Sense::CONFIG);
            add(DependencyKind::Requires, config, Sense::CONFIG);
        }
        for scriptlet in &self.scriptlets {
            if !scriptlet.program[0].starts_with('<') {
                let sense = scriptlet_sense(scriptlet.kind).and(Sense::INTERP);
                add(DependencyKind::Requires, Relation::any(&scriptlet.program[0]), sense);
            }
        }
        for trigger in self.triggers.iter().filter(|trigger| !trigger.program.starts_with('<')) {
            add(DependencyKind::Requires, Relation::any(&trigger.program), Sense::INTERP);
        }
        for (feature, since) in features {
            let since = Evr::new(0, since, "1");
            let relation = Relation::new(format!("rpmlib({feature})"), Condition::LessOrEqual, since);
            add(DependencyKind::Requires, relation, Sense::RPMLIB);
        }
    }

    /// Features of rpm that a reader must have, and the version that brought them. Source: rpm, `lib/rpmds.cc`.
    fn features(&self) -> Vec<(&'static str, &'static str)> {
        let lua = self.scriptlets.iter().any(|scriptlet| scriptlet.program[0] == "<lua>")
            || self.triggers.iter().any(|trigger| trigger.program == "<lua>");
        let relations = || self.dependencies.iter().map(|(_, dependency)| &dependency.relation);
        let in_versions = |character| {
            let own = [&self.nevra.evr].into_iter();
            own.chain(relations().filter_map(|relation| relation.bound.as_ref().map(|(_, evr)| evr)))
                .any(|evr| evr.version.contains(character) || evr.release.contains(character))
        };
        let files = !self.files.is_empty();
        let source = self.nevra.arch.as_str() == "src";
        [
            (lua, "BuiltinLuaScripts", "4.2.2"),
            (in_versions('^'), "CaretInVersions", "4.15.0"),
            (files, "CompressedFileNames", "3.0.4"),
            (self.files.iter().any(|(_, file)| !file.capabilities.is_empty()), "FileCaps", "4.6.1"),
            (files, "FileDigests", "4.6.0"),
            (self.wide(), "LargeFiles", "4.12.0"),
            (files && !source, "PayloadFilesHavePrefix", "4.0"),
            (self.compression == Compression::Bzip2, "PayloadIsBzip2", "3.0.5"),
            (self.compression == Compression::Lzma, "PayloadIsLzma", "4.4.2"),
            (self.compression == Compression::Xz, "PayloadIsXz", "5.2"),
            (self.compression == Compression::Zstd, "PayloadIsZstd", "5.4.18"),
            (relations().any(Relation::is_rich), "RichDependencies", "4.12.0"),
            (in_versions('~'), "TildeInVersions", "4.10.0"),
        ]
        .into_iter()
        .filter(|(used, ..)| *used)
        .map(|(_, feature, since)| (feature, since))
        .collect()
    }

    /// Whether sizes take 64 bits, and the payload's members are row numbers.
    pub(crate) fn wide(&self) -> bool {
        self.format == Format::V6 || self.files.iter().map(|(_, file)| file.size()).sum::<u64>() > u64::from(u32::MAX)
    }
}

fn scriptlet_sense(kind: ScriptletKind) -> Sense {
    match kind {
        ScriptletKind::Pretrans => Sense::PRETRANS,
        ScriptletKind::Pre => Sense::SCRIPT_PRE,
        ScriptletKind::Post => Sense::SCRIPT_POST,
        ScriptletKind::Posttrans => Sense::POSTTRANS,
        ScriptletKind::Preuntrans => Sense::PREUNTRANS,
        ScriptletKind::Preun => Sense::SCRIPT_PREUN,
        ScriptletKind::Postun => Sense::SCRIPT_POSTUN,
        ScriptletKind::Postuntrans => Sense::POSTUNTRANS,
        ScriptletKind::Verify => Sense::SCRIPT_VERIFY,
    }
}
