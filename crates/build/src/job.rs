use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pkg::{Digest, Hasher, SourceDateEpoch};

use crate::BuildError;
use crate::sources::check_file_name;
use crate::stage0::{Stage0, layer_key};

/// Changes when the same job would build other packages: how the root is put together, how rpmbuild is called.
pub const BUILDER_VERSION: &str = "1";

/// A small file, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Plain file name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Whether `%check` runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Check {
    /// It does not.
    #[default]
    Skip,
    /// It does, and its failure is the build's.
    Run,
}

/// How a spec is built, as far as the caller chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--with NAME`.
    pub with: BTreeSet<String>,
    /// `--without NAME`.
    pub without: BTreeSet<String>,
    /// `--define 'NAME VALUE'`.
    pub defines: BTreeMap<String, String>,
    /// Whether `%check` runs.
    pub check: Check,
}

/// Everything that goes into the packages of one component.
#[derive(Debug, Clone)]
pub struct Job {
    /// The component.
    pub name: String,
    /// The rendered spec, `NAME.spec`.
    pub spec: File,
    /// Small files that sit beside the spec: patches, units, configuration.
    pub files: Vec<File>,
    /// Fetched sources: file name and object in the store.
    pub sources: BTreeMap<String, Digest>,
    /// Macro files, put into `/etc/rpm` of the root under their names (`macros.NAME`).
    pub macros: Vec<File>,
    /// What the root is made of at the bottom.
    pub stage0: Arc<Stage0>,
    /// Debian packages that this root has in addition; what they need comes with them.
    pub packages: BTreeSet<String>,
    /// Our own binary packages that this root has, closed over what they need: objects in the store.
    pub rpms: BTreeSet<Digest>,
    /// Build options.
    pub options: Options,
    /// What stands for "now" in everything written.
    pub epoch: SourceDateEpoch,
    /// Build host written into the packages, and the sandbox's host name.
    pub build_host: String,
}

impl Job {
    /// The digest of everything that goes in: jobs with equal ids build equal packages.
    ///
    /// How fast it is built (cores, limits) is not part of it, and must not show in the packages.
    pub fn id(&self) -> Result<Digest, BuildError> {
        let mut hasher = Hasher::new();
        hasher.field("builder", BUILDER_VERSION).field("name", &self.name);
        hasher.field("arch", self.stage0.arch.as_str()).field("epoch", self.epoch.to_string());
        hasher.field("build-host", &self.build_host);
        hasher.field("stage0", self.stage0.id.as_bytes());
        for command in &self.stage0.commands {
            hasher.field("command", command.run.join("\0"));
        }
        hasher.field("debs", layer_key(&self.stage0.added(&self.packages)?).as_bytes());
        for digest in &self.rpms {
            hasher.field("rpm", digest.as_bytes());
        }
        hasher.field("spec", &self.spec.name).field("bytes", &self.spec.bytes);
        for (kind, files) in [("file", &self.files), ("macros", &self.macros)] {
            let mut files: Vec<&File> = files.iter().collect();
            files.sort_by(|one, other| one.name.cmp(&other.name));
            for file in files {
                hasher.field(kind, &file.name).field("bytes", &file.bytes);
            }
        }
        for (name, digest) in &self.sources {
            hasher.field("source", name).field("digest", digest.as_bytes());
        }
        for name in &self.options.with {
            hasher.field("with", name);
        }
        for name in &self.options.without {
            hasher.field("without", name);
        }
        for (name, value) in &self.options.defines {
            hasher.field("define", name).field("value", value);
        }
        hasher.field("check", if self.options.check == Check::Run { "run" } else { "skip" });
        Ok(hasher.finish())
    }

    /// Refuses file names that would leave their folder, and names that are there twice.
    pub(crate) fn check_names(&self) -> Result<(), BuildError> {
        check_file_name(&self.spec.name)?;
        let mut seen = BTreeSet::new();
        for name in self.files.iter().map(|file| &file.name).chain(self.sources.keys()) {
            check_file_name(name)?;
            if !seen.insert(name) {
                return Err(BuildError::FileName(name.clone()));
            }
        }
        self.macros.iter().try_for_each(|file| check_file_name(&file.name))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::stage0::{Deb, Lock};

    fn deb(name: &str) -> Deb {
        Deb {
            name: name.to_owned(),
            version: "1".to_owned(),
            architecture: "amd64".to_owned(),
            sha256: Digest::of(name.as_bytes()),
            size: 1,
            path: format!("pool/{name}"),
        }
    }

    pub(crate) fn job(name: &str) -> Job {
        let extras = [("meson".to_owned(), vec![deb("libx"), deb("meson"), deb("python3")])].into();
        let lock = Lock { version: 1, suite: "x".to_owned(), base: vec![deb("gcc"), deb("libx")], extras };
        let stage0 = Stage0 {
            arch: pkg::Arch::new("x86_64"),
            id: Digest::of(b"stage0"),
            base: "/nowhere".into(),
            lock,
            commands: Vec::new(),
        };
        Job {
            name: name.to_owned(),
            spec: File { name: format!("{name}.spec"), bytes: b"Name: x".to_vec() },
            files: vec![
                File { name: "a.patch".to_owned(), bytes: b"a".to_vec() },
                File { name: "b.patch".to_owned(), bytes: b"b".to_vec() },
            ],
            sources: BTreeMap::new(),
            macros: Vec::new(),
            stage0: Arc::new(stage0),
            packages: BTreeSet::new(),
            rpms: BTreeSet::new(),
            options: Options::default(),
            epoch: SourceDateEpoch(1),
            build_host: "host".to_owned(),
        }
    }

    #[test]
    fn the_id_is_of_all_that_goes_in() {
        let first = job("zlib");
        let id = first.id().unwrap();
        let mut other = first.clone();
        other.files.reverse();
        assert_eq!(other.id().unwrap(), id, "order of files");
        type Change = fn(&mut Job);
        let changes: [(&str, Change); 12] = [
            ("name", |job| job.name.push('2')),
            ("spec", |job| job.spec.bytes.push(b' ')),
            ("file", |job| job.files[0].bytes.push(b' ')),
            ("file name", |job| job.files[0].name.push('2')),
            ("source", |job| job.sources = [("x.tar".to_owned(), Digest::of(b""))].into()),
            ("macros", |job| job.macros.push(File { name: "macros.x".to_owned(), bytes: Vec::new() })),
            ("stage0", |job| Arc::make_mut(&mut job.stage0).id = Digest::of(b"other")),
            ("packages", |job| job.packages = ["meson".to_owned()].into()),
            ("rpms", |job| job.rpms = [Digest::of(b"")].into()),
            ("options", |job| job.options.without = ["docs".to_owned()].into()),
            ("epoch", |job| job.epoch.0 += 1),
            ("check", |job| job.options.check = Check::Run),
        ];
        for (what, change) in changes {
            let mut other = first.clone();
            change(&mut other);
            assert_ne!(other.id().unwrap(), id, "{what}");
        }
    }

    #[test]
    fn what_a_package_adds_is_less_the_base() {
        let job = job("x");
        let added = |names: &[&str]| -> Result<Vec<String>, BuildError> {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Ok(job.stage0.added(&names)?.into_iter().map(|deb| deb.name).collect())
        };
        assert_eq!(added(&["meson", "gcc"]).unwrap(), ["meson", "python3"]);
        assert!(matches!(added(&["bison"]), Err(BuildError::NotPrepared(name)) if name == "bison"));
    }

    #[test]
    fn names_that_leave_their_folder_are_refused() {
        for change in [
            (|job| job.spec.name = "../x.spec".to_owned()) as fn(&mut Job),
            |job| job.files[0].name = "/etc/passwd".to_owned(),
            |job| job.files[1].name = job.files[0].name.clone(),
            |job| job.macros.push(File { name: "..".to_owned(), bytes: Vec::new() }),
        ] {
            let mut job = job("x");
            change(&mut job);
            assert!(matches!(job.check_names(), Err(BuildError::FileName(_))));
        }
    }
}
