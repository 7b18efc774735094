use std::collections::BTreeMap;
use std::path::Path;

use pkg::Digest;
use rpm::db::FileState;
use rpm::{Algorithm, FileEntry, FileKind};
use tree::{Kind, Meta, Node, Tree, TreePath};

use crate::accounts::Accounts;
use crate::{Contents, InstallError, capabilities};

/// Which package brought what to a path, so that a second one can be compared with it.
pub(crate) type Owners = BTreeMap<TreePath, String>;

/// Puts the files of one package into `tree`; returns what became of each and the paths that changed.
///
/// A path is followed through the symbolic links of directories, so that what a package calls `/lib64/libz.so.1` comes
/// to lie below `/usr/lib64`. Equal files of several packages are shared; unequal ones are a conflict.
pub(crate) fn merge(
    package: &str,
    files: &[FileEntry],
    unpacked: &Path,
    accounts: &Accounts,
    is_excluded: &dyn Fn(&str) -> bool,
    into: &mut Root<'_, '_>,
) -> Result<Vec<FileState>, InstallError> {
    let place =
        |cause: Box<dyn std::error::Error + Send + Sync>| InstallError::Place { package: package.to_owned(), cause };
    let mut states = Vec::with_capacity(files.len());
    let mut links: BTreeMap<usize, u32> = BTreeMap::new();
    for file in files {
        if is_excluded(&file.path) {
            states.push(FileState::NotInstalled);
            continue;
        }
        states.push(FileState::Normal);
        if file.is_ghost() || file.kind == FileKind::Socket {
            continue;
        }
        let written = TreePath::new(&file.path).map_err(|cause| place(cause.into()))?;
        let path = into.tree.resolve_parent(&written).map_err(|cause| place(cause.into()))?;
        let node = node(package, file, unpacked, accounts, &mut links, into)?;
        put(package, path, node, into).map_err(|error| match error {
            PutError::Insert(cause) => place(cause.into()),
            PutError::Conflict(conflict) => conflict,
        })?;
    }
    Ok(states)
}

/// The root that is being filled.
pub(crate) struct Root<'a, 'store> {
    pub(crate) tree: &'a mut Tree,
    pub(crate) owners: &'a mut Owners,
    pub(crate) contents: &'a mut Contents<'store>,
    /// Paths changed since scriptlets last saw the root.
    pub(crate) changed: &'a mut std::collections::BTreeSet<TreePath>,
}

enum PutError {
    Insert(tree::InsertError),
    Conflict(InstallError),
}

fn put(package: &str, path: TreePath, node: Node, into: &mut Root<'_, '_>) -> Result<(), PutError> {
    if let Some(there) = into.tree.get(&path) {
        let is_directory_link = matches!(there.kind, Kind::Symlink { .. })
            && node.is_directory()
            && into.tree.resolve(&path).is_ok_and(|target| into.tree.get(&target).is_some_and(Node::is_directory));
        if is_directory_link {
            // What a package takes for a directory may have become a link to one (`/bin` -> `usr/bin`): it stays one.
            return Ok(());
        }
        if let (Some(first), false) = (into.owners.get(&path), node.is_directory() && there.is_directory())
            && let Some(difference) = difference(there, &node)
        {
            let (first, second) = (first.clone(), package.to_owned());
            return Err(PutError::Conflict(InstallError::Conflict { path, first, second, difference }));
        }
    } else if let Some(parent) = path.parent() {
        // rpm makes missing parents for root with mode 0755 too.
        let mut missing = Some(parent.clone());
        while let Some(directory) = missing.filter(|directory| into.tree.get(directory).is_none()) {
            missing = directory.parent();
            into.changed.insert(directory);
        }
        into.tree.make_directories(&parent, node.meta.mtime).map_err(PutError::Insert)?;
    }
    into.tree.insert(path.clone(), node).map_err(PutError::Insert)?;
    into.owners.entry(path.clone()).or_insert_with(|| package.to_owned());
    into.changed.insert(path);
    Ok(())
}

/// In what two nodes differ that may not, for packages to share a path. Times may.
fn difference(first: &Node, second: &Node) -> Option<String> {
    match (&first.kind, &second.kind) {
        (Kind::File { digest: one, .. }, Kind::File { digest: other, .. }) if one != other => {
            return Some("the bytes differ".to_owned());
        }
        (Kind::Symlink { target: one }, Kind::Symlink { target: other }) if one != other => {
            return Some(format!("one leads to `{one}`, the other to `{other}`"));
        }
        (one, other) if std::mem::discriminant(one) != std::mem::discriminant(other) => {
            return Some("they are of different kinds".to_owned());
        }
        _ => {}
    }
    let (one, other) = (&first.meta, &second.meta);
    if (one.mode, one.uid, one.gid) != (other.mode, other.uid, other.gid) {
        let shown = |meta: &Meta| format!("{:04o} {}:{}", meta.mode, meta.uid, meta.gid);
        return Some(format!("mode and owner are {} and {}", shown(one), shown(other)));
    }
    None
}

fn node(
    package: &str,
    file: &FileEntry,
    unpacked: &Path,
    accounts: &Accounts,
    links: &mut BTreeMap<usize, u32>,
    into: &mut Root<'_, '_>,
) -> Result<Node, InstallError> {
    let no_account = |kind, name: &str| InstallError::NoAccount {
        package: package.to_owned(),
        kind,
        name: name.to_owned(),
        path: file.path.clone(),
    };
    let mut meta = Meta {
        mode: file.permissions(),
        uid: accounts.uid(&file.user).ok_or_else(|| no_account("user", &file.user))?,
        gid: accounts.gid(&file.group).ok_or_else(|| no_account("group", &file.group))?,
        mtime: i64::try_from(file.mtime).unwrap_or(i64::MAX),
        xattrs: BTreeMap::new(),
    };
    if !file.capabilities.is_empty() {
        let value = capabilities::attribute(&file.capabilities).ok_or_else(|| InstallError::Capabilities {
            package: package.to_owned(),
            path: file.path.clone(),
            text: file.capabilities.clone(),
        })?;
        meta.xattrs.insert("security.capability".to_owned(), value);
    }
    let (major, minor) = file.device_numbers();
    let kind = match file.kind {
        FileKind::Directory => Kind::Directory,
        FileKind::Symlink => {
            meta.mode = 0o777;
            Kind::Symlink { target: file.link_target.clone() }
        }
        FileKind::CharDevice => Kind::CharDevice { major, minor },
        FileKind::BlockDevice => Kind::BlockDevice { major, minor },
        FileKind::Fifo => Kind::Fifo,
        FileKind::Regular | FileKind::Socket => {
            let place = unpacked.join(file.path.trim_start_matches('/'));
            let digest = match &file.digest {
                // Compared with the bytes when the package was unpacked.
                Some(sum) if sum.algorithm == Algorithm::Sha256 => Digest::parse(&sum.hex).ok(),
                _ => None,
            };
            let digest = match digest {
                Some(digest) => digest,
                None => tree::directory::digest_only(&place)?,
            };
            into.contents.add(digest, place);
            let hard_link = file.hard_link.map(|set| {
                let free = into.tree.free_hard_link().max(links.values().max().map_or(0, |last| last + 1));
                *links.entry(set).or_insert(free)
            });
            Kind::File { digest, size: file.size, hard_link }
        }
    };
    Ok(Node { meta, kind })
}
