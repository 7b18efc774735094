//! The kernel of a root and the modules that an initrd takes along.

use std::collections::{BTreeMap, BTreeSet};

use pkg::Blobs;
use tree::{Kind, Tree, TreePath};

use crate::ImageError;

/// Where kernels lie, each in a folder named by its version.
const MODULES: &str = "usr/lib/modules";

/// Index files that kmod and udev read; they may name modules that are not there.
const INDEXES: [&str; 11] = [
    "modules.alias",
    "modules.alias.bin",
    "modules.builtin",
    "modules.builtin.bin",
    "modules.builtin.alias.bin",
    "modules.builtin.modinfo",
    "modules.dep",
    "modules.dep.bin",
    "modules.order",
    "modules.softdep",
    "modules.symbols.bin",
];

/// A kernel in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// As in `uname -r`.
    pub(crate) version: String,
    /// The folder of its modules.
    folder: TreePath,
    /// The kernel itself.
    pub(crate) image: TreePath,
}

/// The one kernel of `tree`.
pub(crate) fn find(image: &str, tree: &Tree) -> Result<Kernel, ImageError> {
    let missing =
        || ImageError::Missing { image: image.to_owned(), what: "kernel", path: format!("`/{MODULES}/*/vmlinuz`") };
    let modules = TreePath::new(MODULES).map_err(|_| missing())?;
    let mut kernels = Vec::new();
    for (folder, _) in tree.children(&modules) {
        let place = folder.join("vmlinuz").map_err(|_| missing())?;
        if matches!(tree.get(&place).map(|node| &node.kind), Some(Kind::File { .. })) {
            kernels.push(Kernel { version: folder.name().to_owned(), folder: folder.clone(), image: place });
        }
    }
    match kernels.len() {
        0 => Err(missing()),
        1 => Ok(kernels.remove(0)),
        _ => {
            let versions = kernels.into_iter().map(|kernel| kernel.version).collect();
            Err(ImageError::Kernels { image: image.to_owned(), versions })
        }
    }
}

impl Kernel {
    /// The paths that an initrd needs for `modules`: their files, those that they depend on, and the indexes.
    ///
    /// A module that is built into the kernel is there already.
    pub(crate) fn module_paths(
        &self,
        image: &str,
        modules: &[String],
        tree: &Tree,
        blobs: &dyn Blobs,
    ) -> Result<BTreeSet<TreePath>, ImageError> {
        let dependencies = parse_dependencies(&self.text("modules.dep", tree, blobs)?);
        let builtin: BTreeSet<String> = self.text("modules.builtin", tree, blobs)?.lines().map(module_name).collect();
        let by_name: BTreeMap<String, &str> =
            dependencies.keys().map(|path| (module_name(path), path.as_str())).collect();
        let mut wanted = BTreeSet::new();
        for module in modules {
            let name = module.replace('-', "_");
            match by_name.get(&name) {
                Some(path) => {
                    wanted.insert((*path).to_owned());
                    // modules.dep lists everything that is needed, however far away.
                    wanted.extend(dependencies[*path].iter().cloned());
                }
                None if builtin.contains(&name) => {}
                None => {
                    return Err(ImageError::Module {
                        image: image.to_owned(),
                        module: module.clone(),
                        kernel: self.version.clone(),
                    });
                }
            }
        }
        let names = wanted.iter().map(String::as_str).chain(INDEXES);
        let paths = names.filter_map(|name| self.folder.join(name).ok());
        Ok(paths.filter(|path| tree.get(path).is_some()).collect())
    }

    fn text(&self, name: &'static str, tree: &Tree, blobs: &dyn Blobs) -> Result<String, ImageError> {
        let path = self.folder.join(name).ok();
        match path.and_then(|path| tree.get(&path)).map(|node| &node.kind) {
            Some(Kind::File { digest, .. }) => Ok(String::from_utf8_lossy(&blobs.read(digest)?).into_owned()),
            _ => Ok(String::new()),
        }
    }
}

/// Reads modules.dep(5): `path: path path`, relative to the folder of the modules.
fn parse_dependencies(text: &str) -> BTreeMap<String, Vec<String>> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(path, needs)| (path.to_owned(), needs.split_whitespace().map(str::to_owned).collect())).collect()
}

/// The name that modprobe knows: no folder, no ending, `_` for `-`.
fn module_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkg::Digest;
    use tree::Node;

    #[test]
    fn modules_come_with_what_they_need() {
        let mut tree = Tree::new();
        let mut blobs: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
        let mut add = |path: &str, bytes: &str| {
            let digest = Digest::of(bytes.as_bytes());
            blobs.insert(digest, bytes.as_bytes().to_vec());
            let path = TreePath::new(path).unwrap();
            tree.make_directories(&path.parent().unwrap(), 0).unwrap();
            tree.insert(path, Node::file(0o644, 0, digest, bytes.len() as u64)).unwrap();
        };
        add("usr/lib/modules/6.12/vmlinuz", "k");
        add(
            "usr/lib/modules/6.12/modules.dep",
            "kernel/virtio-blk.ko.xz: kernel/virtio.ko.xz\nkernel/virtio.ko.xz:\nkernel/x.ko:\n",
        );
        add("usr/lib/modules/6.12/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
        for name in ["virtio-blk.ko.xz", "virtio.ko.xz", "x.ko"] {
            add(&format!("usr/lib/modules/6.12/kernel/{name}"), name);
        }
        let kernel = find("vm", &tree).unwrap();
        assert_eq!(kernel.version, "6.12");
        let modules = ["virtio_blk".to_owned(), "ext4".to_owned()];
        let paths = kernel.module_paths("vm", &modules, &tree, &blobs).unwrap();
        let names: Vec<&str> = paths.iter().map(TreePath::name).collect();
        assert_eq!(names, ["virtio-blk.ko.xz", "virtio.ko.xz", "modules.builtin", "modules.dep"]);
        let error = kernel.module_paths("vm", &["nvme".to_owned()], &tree, &blobs).unwrap_err();
        assert!(error.to_string().contains("`nvme`"), "{error}");
        assert!(matches!(find("vm", &Tree::new()), Err(ImageError::Missing { .. })));
    }
}
