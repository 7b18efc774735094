//! Removing trees that a build left behind.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Removes `path` and all below it; no error when it is not there.
///
/// Unlike `remove_dir_all` it also removes directories that their owner may not read, write or search (builds leave
/// such, and overlay's work directory is one). Symlinks are removed, never followed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let meta = match fs_err::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !meta.is_dir() {
        return fs_err::remove_file(path);
    }
    match fs_err::remove_dir_all(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
    }
    open_up(path, 0)?;
    fs_err::remove_dir_all(path)
}

/// Makes every directory from `path` down ours to list and change.
fn open_up(path: &Path, depth: usize) -> io::Result<()> {
    // a path of PATH_MAX bytes has at most this many components
    if depth > 2048 {
        return Err(io::Error::other(format!("`{}` is nested too deeply", path.display())));
    }
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    for entry in fs_err::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path(), depth + 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_closed_directories_are_removed_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside"));
        fs_err::create_dir_all(tree.join("a/b")).unwrap();
        fs_err::create_dir_all(&outside).unwrap();
        fs_err::write(outside.join("kept"), "x").unwrap();
        fs_err::os::unix::fs::symlink(&outside, tree.join("a/link")).unwrap();
        fs_err::set_permissions(tree.join("a/b"), std::fs::Permissions::from_mode(0o000)).unwrap();
        fs_err::set_permissions(tree.join("a"), std::fs::Permissions::from_mode(0o500)).unwrap();
        remove_tree(&tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists() && outside.join("kept").exists());
    }
}
