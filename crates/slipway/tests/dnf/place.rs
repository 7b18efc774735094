//! A folder with repositories, a root and a configuration, and the program in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use pkg::{Digest, Nevra};
use repodata::{Compression, Documents, Entry};
use rpm::write::{NewFile, PackageBuilder};
use testkit::packages::AT;

pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Whether this machine can change roots; says why not.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn can_change() -> bool {
    let is_root = host::Host::detect().is_ok_and(|host| host.is_privileged());
    if !is_root {
        eprintln!("skipped: not root, to whom the files of packages belong");
    }
    is_root
}

/// A package that brings `/usr/share/NAME`, with its nevra in it.
pub(crate) fn package(nevra: &str) -> PackageBuilder {
    let nevra = Nevra::parse(nevra).expect("it names a package");
    let (path, text) = (format!("/usr/share/{}", nevra.name), format!("{nevra}\n"));
    PackageBuilder::new(nevra, AT).file(&path, NewFile::regular(text.as_str()))
}

pub(crate) fn packages(nevras: &[&str]) -> Vec<PackageBuilder> {
    nevras.iter().map(|nevra| package(nevra)).collect()
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder can be made") };
        fs_err::create_dir_all(place.path("repos")).expect("a folder can be made");
        let main =
            format!("[main]\ncachedir={}\nreposdir={}\n", place.path("cache").display(), place.path("repos").display());
        fs_err::write(place.path("dnf.conf"), main).expect("a file can be written");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Makes a repository of these packages, or makes it another.
    pub(crate) fn publish(&self, id: &str, packages: Vec<PackageBuilder>) {
        self.publish_with(id, packages, &[]);
    }

    /// The same with further documents: their kinds and texts.
    pub(crate) fn publish_with(&self, id: &str, packages: Vec<PackageBuilder>, others: &[(&str, String)]) {
        let folder = self.path(id);
        fs_err::create_dir_all(folder.join("repodata")).expect("a folder can be made");
        let mut entries = Vec::new();
        for builder in packages {
            let bytes = builder.build().expect("a package can be made");
            let name = rpm::Package::read(&mut &bytes[..]).expect("it is a package").nevra().file_name();
            let file = folder.join(&name);
            fs_err::write(&file, &bytes).expect("a package can be written");
            let mut package = update::resolve::package_of_file(&file).expect("it is a package");
            package.checksum = Digest::of(&bytes).into();
            package.location = name;
            entries.push(Entry::new(&package));
        }
        let mut documents = Documents::new(&entries, Compression::Gzip, AT).expect("documents can be made");
        for (kind, text) in others {
            let name = format!("{kind}.xml");
            documents.attach((kind, &name), text.as_bytes(), Compression::Gzip, AT).expect("it can be attached");
        }
        for (name, bytes) in &documents.files {
            fs_err::write(folder.join(name), bytes).expect("a document can be written");
        }
        fs_err::write(folder.join("repodata/repomd.xml"), documents.repomd.to_xml()).expect("it can be written");
        let text = format!("[{id}]\nname=The {id}\nbaseurl=file://{}\ngpgcheck=0\n", folder.display());
        fs_err::write(self.path("repos").join(format!("{id}.repo")), text).expect("a file can be written");
    }

    /// Calls `slipway dnf` for the root.
    pub(crate) fn call(&self, words: &[&str]) -> Said {
        #[expect(clippy::disallowed_methods, reason = "the program that the test runs, and no tool of Slipway's")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        let root = format!("--installroot={}", self.path("root").display());
        let done = command
            .args(["dnf", "-y", "--releasever=1", "--forcearch=x86_64", "--setopt=install_weak_deps=0", "--refresh"])
            .arg("-c")
            .arg(self.path("dnf.conf"))
            .arg(root)
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs([("HOME", self.folder.path()), ("PATH", Path::new("/usr/bin:/bin:/usr/sbin:/sbin"))])
            .output()
            .expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace(&*self.folder.path().to_string_lossy(), "");
        Said { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// The same, and it has to succeed.
    pub(crate) fn good(&self, words: &[&str]) -> Said {
        let said = self.call(words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        said
    }

    /// The same, and it has to end with `code` and say `text` on standard error.
    pub(crate) fn bad(&self, words: &[&str], code: i32, text: &str) -> Said {
        let said = self.call(words);
        assert!(said.code == Some(code) && said.err.contains(text), "{words:?} does not say `{text}`: {said:?}");
        said
    }

    /// What the database of the root has.
    pub(crate) fn installed(&self) -> Vec<String> {
        let database = update::DatabaseFile::read(&self.path("root")).expect("the database can be read");
        let mut names: Vec<String> =
            database.packages().expect("it is sound").iter().map(|one| one.package.nevra.to_string()).collect();
        names.sort();
        names
    }
}
