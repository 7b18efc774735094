use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A held lock; dropping it releases it. The kernel releases it too when the process dies. Source: flock(2).
#[derive(Debug)]
pub struct Guard {
    path: PathBuf,
    file: fs_err::File,
}

/// Opens a lock file, making it where it is missing.
pub(crate) fn file(path: &Path) -> io::Result<fs_err::File> {
    fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

impl Guard {
    /// Waits for the lock at `path`. The file goes with the last guard, so locks of many keys leave no files behind;
    /// therefore what was locked must still be what `path` names, or else somebody removed it meanwhile.
    pub(crate) fn wait(path: &Path) -> io::Result<Guard> {
        loop {
            let file = file(path)?;
            file.file().lock()?;
            let ours = file.metadata()?;
            match path.symlink_metadata() {
                Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {
                    return Ok(Guard { path: path.to_owned(), file });
                }
                _ => continue,
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Removed while still held: whoever waits on this file finds that the path names another one and starts again.
        let _ = fs_err::remove_file(&self.path);
        let _ = self.file.file().unlock();
    }
}
