//! Layers of a root: folders put together from unpacked packages by hard links, so that each costs names but no bytes.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::BuildError;
use crate::debian::Folders;

/// The errno of a file system that allows a file no more names. Source: link(2).
const EMLINK: i32 = 31;

/// Adds all that is below `from` to the folder `to`. Of two files with one path, the later stays; folders merge.
pub(crate) fn link_into(from: &Path, to: &Path) -> Result<(), BuildError> {
    let mut folders = Folders { root: to, known: BTreeSet::new() };
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(io::Error::from)?;
        let path = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let place = to.join(path);
        let conflict = || BuildError::Conflict { path: Path::new("/").join(path).display().to_string() };
        let there = place.symlink_metadata().ok();
        if entry.file_type().is_dir() {
            folders.make(path).map_err(|_| conflict())?;
            if there.is_none() {
                let mode = entry.metadata().map_err(io::Error::from)?.permissions().mode() & 0o777;
                fs_err::set_permissions(&place, std::fs::Permissions::from_mode(mode | 0o700))?;
            }
            continue;
        }
        match there {
            Some(there) if there.is_dir() => return Err(conflict()),
            Some(_) => fs_err::remove_file(&place)?,
            None => {}
        }
        if entry.file_type().is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(entry.path())?, &place)?;
        } else if entry.file_type().is_file() {
            link(entry.path(), &place)?;
        }
    }
    Ok(())
}

/// A second name for a file, or a copy where the file system allows no more names (ext4: 65000).
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs_err::hard_link(from, to) {
        Err(error) if source_errno(&error) == Some(EMLINK) => {
            let modified = fs_err::metadata(from)?.modified()?;
            fs_err::copy(from, to)?;
            fs_err::OpenOptions::new().write(true).open(to)?.file().set_modified(modified)
        }
        other => other,
    }
}

/// The errno below a message of fs_err.
fn source_errno(error: &io::Error) -> Option<i32> {
    let inner = error.get_ref().and_then(|inner| inner.source());
    error.raw_os_error().or_else(|| inner?.downcast_ref::<io::Error>()?.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            fs_err::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
            fs_err::write(folder.path().join(path), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn files_folders_merge_and_the_later_file_stays() {
        let (one, two, to) = (tree(&[("a/x", "1"), ("a/y", "1")]), tree(&[("a/y", "2"), ("b/z", "2")]), tree(&[]));
        fs_err::os::unix::fs::symlink("x", two.path().join("a/link")).unwrap();
        for from in [&one, &two] {
            link_into(from.path(), to.path()).unwrap();
        }
        let read = |path: &str| fs_err::read_to_string(to.path().join(path)).unwrap();
        assert_eq!([read("a/x"), read("a/y"), read("b/z"), read("a/link")], ["1", "2", "2", "1"]);
        assert_eq!(fs_err::read_to_string(one.path().join("a/y")).unwrap(), "1");
    }

    #[test]
    fn files_a_folder_and_a_link_of_one_path_disagree() {
        let (one, two) = (tree(&[("a/x", "1")]), tree(&[]));
        fs_err::os::unix::fs::symlink("/etc", two.path().join("a")).unwrap();
        for (first, second) in [(&one, &two), (&two, &one)] {
            let to = tree(&[]);
            link_into(first.path(), to.path()).unwrap();
            let error = link_into(second.path(), to.path()).unwrap_err();
            assert!(matches!(&error, BuildError::Conflict { path } if path == "/a"), "{error}");
        }
    }
}
