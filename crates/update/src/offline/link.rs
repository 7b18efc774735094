//! `/system-update`: the link by which systemd knows, very early, that this start is for an update.

use std::io;
use std::path::{Path, PathBuf};

use super::{Folder, state};

/// Its name in a root. Source: systemd.offline-updates(7).
const LINK: &str = "system-update";

/// Where the link of `root` leads, as it says; none where there is no link.
///
/// # Errors
/// The message names the file. What is there and no link is an error, too.
pub fn target(root: &Path) -> io::Result<Option<PathBuf>> {
    match fs_err::read_link(root.join(LINK)) {
        Ok(target) => Ok(Some(target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folder to which the link of `root` leads, where that has a transaction of ours, whole or damaged.
///
/// # Errors
/// As [`target`].
pub fn ours(root: &Path) -> io::Result<Option<Folder>> {
    let Some(target) = target(root)? else { return Ok(None) };
    let folder = Folder(root.join(target.strip_prefix("/").unwrap_or(&target)));
    Ok(Some(folder).filter(|folder| folder.0.join(state::FILE).is_file()))
}

/// Makes the link of `root` lead to a folder in it.
///
/// # Errors
/// Another link is there, or the message names the file.
pub fn make(root: &Path, folder: &Folder) -> io::Result<()> {
    let inside = folder.0.strip_prefix(root).map_or_else(|_| folder.0.clone(), |path| Path::new("/").join(path));
    match target(root)? {
        Some(known) if known == inside => return Ok(()),
        Some(other) => {
            let text = format!("`{}` leads to `{}` already", root.join(LINK).display(), other.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        None => fs_err::os::unix::fs::symlink(&inside, root.join(LINK))?,
    }
    super::sync(root)
}

/// Removes the link of `root`.
///
/// # Errors
/// The message names the file.
pub fn remove(root: &Path) -> io::Result<()> {
    fs_err::remove_file(root.join(LINK))?;
    super::sync(root)
}
