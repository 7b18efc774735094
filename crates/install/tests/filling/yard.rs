//! A place to fill roots in: packages, a store, this machine.

use std::collections::BTreeMap;

use host::Host;
use install::{InstallError, Installed, Options, PackageFile, fill};
use pkg::{Blobs, Digest};
use rpm::write::PackageBuilder;
use store::Store;
use tempfile::TempDir;
use testkit::packages::AT;
use tree::{Kind, Node, Tree, TreePath};

/// Dropped last, the folder goes with everything in it.
pub(crate) struct Yard {
    pub(crate) store: Store,
    pub(crate) host: Host,
    pub(crate) folder: TempDir,
}

impl Yard {
    pub(crate) fn new() -> Yard {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("packages")).unwrap();
        Yard { store: Store::open(folder.path().join("store")).unwrap(), host: Host::detect().unwrap(), folder }
    }

    /// Writes packages as files; two of one name and version must not be in one root anyway.
    pub(crate) fn files(&self, packages: Vec<PackageBuilder>) -> Vec<PackageFile> {
        let mut files = Vec::new();
        for package in packages {
            let bytes = package.build().unwrap();
            let nevra = rpm::Package::read(&mut bytes.as_slice()).unwrap().header.nevra();
            let path = self.folder.path().join(format!("packages/{nevra}.rpm"));
            fs_err::write(&path, &bytes).unwrap();
            files.push(PackageFile { path, digest: Digest::of(&bytes) });
        }
        files
    }

    pub(crate) fn fill(&self, packages: Vec<PackageBuilder>) -> Result<Installed<'_>, InstallError> {
        self.fill_without(packages, &|_| false)
    }

    pub(crate) fn fill_without(
        &self,
        packages: Vec<PackageBuilder>,
        is_excluded: &dyn Fn(&str) -> bool,
    ) -> Result<Installed<'_>, InstallError> {
        let options = Options { at: AT, is_excluded, progress: &|_, _, _| {} };
        fill(&self.files(packages), &options, &self.host, &self.store)
    }

    /// The error of packages that do not go together.
    pub(crate) fn refusal(&self, packages: Vec<PackageBuilder>) -> InstallError {
        match self.fill(packages) {
            Ok(_) => panic!("they were installed"),
            Err(error) => error,
        }
    }
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

pub(crate) fn node<'a>(tree: &'a Tree, at: &str) -> &'a Node {
    tree.get(&path(at)).unwrap_or_else(|| panic!("`{at}` is not there"))
}

/// The text of a file of the root.
pub(crate) fn text(installed: &Installed<'_>, at: &str) -> String {
    match &node(&installed.tree, at).kind {
        Kind::File { digest, .. } => String::from_utf8(installed.contents.read(digest).unwrap()).unwrap(),
        other => panic!("`{at}` is no file but {other:?}"),
    }
}

/// A line for each path: kind, mode, owner and group, then what it holds. Hard links name the first path of their set.
pub(crate) fn listing(tree: &Tree) -> BTreeMap<String, String> {
    let mut first: BTreeMap<u32, String> = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for (at, node) in tree.iter() {
        let meta = &node.meta;
        let holds = match &node.kind {
            Kind::Directory => "directory".to_owned(),
            Kind::Fifo => "pipe".to_owned(),
            Kind::Symlink { target } => format!("-> {target}"),
            Kind::File { digest, size, hard_link } => {
                let same = hard_link.map(|number| first.entry(number).or_insert_with(|| at.to_string()).clone());
                let same = same.filter(|first| *first != at.to_string()).map(|first| format!(" = {first}"));
                format!("{size} {}{}", digest.short(), same.unwrap_or_default())
            }
            other => format!("{other:?}"),
        };
        let more: String = meta.xattrs.iter().map(|(name, value)| format!(" {name}={}", hex(value))).collect();
        lines.insert(at.to_string(), format!("{:04o} {}:{} {holds}{more}", meta.mode, meta.uid, meta.gid));
    }
    lines
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
