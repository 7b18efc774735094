//! The initrd: a second root, made of packages like the first, that finds the first and hands over to it.

use install::Contents;
use tree::{Node, Tree, TreePath};

use crate::ImageError;
use crate::finish::Finish;
use crate::kernel::Kernel;

/// How strongly the archive is compressed: beyond this, zstd takes far longer for little.
const LEVEL: i32 = 9;

/// What an initrd takes from the root that it leads to.
pub(crate) struct Parts<'a, 'store> {
    pub(crate) kernel: &'a Kernel,
    /// The modules to take along, with those that they need.
    pub(crate) modules: &'a [String],
    /// The text of os-release.
    pub(crate) os_release: &'a str,
    pub(crate) root: &'a Tree,
    pub(crate) root_contents: &'a Contents<'store>,
}

/// Turns a root filled with packages into an initrd: takes the kernel's modules along, and makes it start systemd.
pub(crate) fn finish(finish: &mut Finish<'_, '_>, parts: &Parts<'_, '_>) -> Result<(), ImageError> {
    let mtime = finish.mtime();
    for path in parts.kernel.module_paths(finish.image, parts.modules, parts.root, parts.root_contents)? {
        let Some(node) = parts.root.get(&path) else { continue };
        let wrong =
            |error: tree::InsertError| ImageError::Setting { path: path.to_string(), problem: error.to_string() };
        if let Some(parent) = path.parent() {
            finish.tree.make_directories(&parent, mtime).map_err(wrong)?;
        }
        finish.tree.insert(path.clone(), node.clone()).map_err(wrong)?;
    }
    // systemd takes itself to be in an initrd where this file is, and then isolates initrd.target (bootup(7)).
    finish.write("etc/initrd-release", parts.os_release, 0o644)?;
    finish.write("etc/machine-id", "", 0o444)?;
    finish.link("init", "usr/lib/systemd/systemd")?;
    finish.link("etc/systemd/system/default.target", "/usr/lib/systemd/system/initrd.target")?;
    for directory in ["sysroot", "dev", "proc", "sys", "run", "tmp", "var"] {
        if let Ok(path) = TreePath::new(directory) {
            let wrong = |error: tree::InsertError| ImageError::Setting {
                path: format!("/{directory}"),
                problem: error.to_string(),
            };
            finish.tree.make_directories(&path, mtime).map_err(wrong)?;
        }
    }
    // The database of packages describes a system that is gone after the first seconds.
    if let Ok(database) = TreePath::new("usr/lib/sysimage") {
        finish.tree.remove(&database);
    }
    Ok(())
}

/// Writes the initrd as the kernel unpacks it: cpio, compressed.
pub(crate) fn write(tree: &Tree, contents: &Contents<'_>) -> Result<Vec<u8>, ImageError> {
    let mut tree = tree.clone();
    // The kernel unpacks as root over its own root; that directory's own metadata are what it makes of them.
    if let Some(root) = tree.get_mut(&TreePath::root()) {
        *root = Node::directory(0o755, root.meta.mtime);
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(false)?;
    tree::cpio::write(&tree, contents, &mut encoder)?;
    Ok(encoder.finish()?)
}
