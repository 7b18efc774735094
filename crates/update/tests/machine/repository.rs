//! A repository of the test packages in a folder, and a configuration that uses it.

use std::path::{Path, PathBuf};

use host::Host;
use pkg::{Digest, SourceDateEpoch};
use repodata::{Compression, Documents, Entry};
use update::Machine;
use update::config::{Config, Overrides};
use update::keys::KeyOffer;

/// When everything was made.
pub(crate) const AT: SourceDateEpoch = testkit::packages::AT;

/// Writes packages and their index into `folder`.
pub(crate) fn write(folder: &Path, packages: &[(String, Vec<u8>)]) {
    write_with(folder, packages, &[]);
}

/// The same, with further documents: their kinds and texts.
pub(crate) fn write_with(folder: &Path, packages: &[(String, Vec<u8>)], others: &[(&str, String)]) {
    let same: Vec<_> =
        packages.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice(), bytes.as_slice())).collect();
    write_other(folder, &same, others);
}

/// The same, where the index tells of other packages than those that are there, but knows their sizes and digests: each is a
/// name, what is told, and what is there.
pub(crate) fn write_other(folder: &Path, packages: &[(&str, &[u8], &[u8])], others: &[(&str, String)]) {
    fs_err::create_dir_all(folder.join("repodata")).expect("a folder can be made");
    let mut entries = Vec::new();
    for (name, told, bytes) in packages {
        let file = folder.join(name);
        fs_err::write(&file, told).expect("a package can be written");
        let mut package = update::resolve::package_of_file(&file).expect("it is a package");
        fs_err::write(&file, bytes).expect("a package can be written");
        package.checksum = Digest::of(bytes).into();
        package.sizes.package = bytes.len() as u64;
        package.location = (*name).to_owned();
        entries.push(Entry::new(&package));
    }
    let mut documents = Documents::new(&entries, Compression::Gzip, AT).expect("documents can be made");
    for (kind, text) in others {
        documents
            .attach((kind, &format!("{kind}.xml")), text.as_bytes(), Compression::Gzip, AT)
            .expect("a document can be attached");
    }
    for (name, bytes) in &documents.files {
        fs_err::write(folder.join(name), bytes).expect("a document can be written");
    }
    fs_err::write(folder.join("repodata/repomd.xml"), documents.repomd.to_xml()).expect("the index can be written");
}

/// A folder with a root, a cache and a configuration in it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) host: Host,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Place { folder, host: Host::detect().expect("this is a machine") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A configuration with one repository, `base`, of these lines.
    pub(crate) fn config(&self, lines: &str) -> Config {
        let repos = self.path("repos.d");
        fs_err::create_dir_all(&repos).expect("a folder can be made");
        fs_err::write(repos.join("base.repo"), format!("[base]\n{lines}\n")).expect("a file can be written");
        let overrides = Overrides {
            config: Some(self.path("dnf.conf")),
            installroot: Some(self.path("root")),
            arch: Some("x86_64".to_owned()),
            ..Overrides::default()
        };
        let (cache, repos) = (self.path("cache"), repos.display());
        let main = format!("[main]\ncachedir={}\nreposdir={repos}\ntimeout=2\nretries=2\n", cache.display());
        fs_err::write(self.path("dnf.conf"), main).expect("a file can be written");
        Config::load(&overrides, &|_| Some("1".to_owned())).expect("the configuration is good")
    }

    /// Does something with a machine of that configuration, on which every key is accepted or none.
    pub(crate) fn with<T>(&self, config: &Config, consents: bool, work: impl FnOnce(&Machine<'_>) -> T) -> T {
        let consent = |_: &KeyOffer| consents;
        work(&Machine { host: &self.host, config, now: AT.0 + 1000, consent: &consent, note: &|_| {} })
    }
}
