use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::locks::{self, Guard};

/// One process's folder for half-written things: `tmp/SESSION/`, with `tmp/SESSION.lock` held as long as it lives.
#[derive(Debug)]
pub(crate) struct Session {
    folder: PathBuf,
    lock_path: PathBuf,
    lock: fs_err::File,
    next: AtomicU64,
}

impl Session {
    /// Removes the folders of dead sessions, then starts one.
    pub(crate) fn start(root: &Path) -> io::Result<Session> {
        // Starting and sweeping exclude one another, so a session is never swept between its making and its locking.
        let _sessions = Guard::wait(&root.join("locks/sessions"))?;
        let tmp = root.join("tmp");
        sweep(&tmp)?;
        let process = std::process::id();
        for number in 0..u32::MAX {
            let folder = tmp.join(format!("{process}-{number}"));
            let lock_path = tmp.join(format!("{process}-{number}.lock"));
            match fs_err::OpenOptions::new().write(true).create_new(true).open(&lock_path) {
                Ok(lock) => {
                    lock.file().lock()?;
                    fs_err::create_dir_all(&folder)?;
                    return Ok(Session { folder, lock_path, lock, next: AtomicU64::new(0) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("no session name is free in `{}`", tmp.display())))
    }

    /// A name in the session that nothing has yet.
    pub(crate) fn temp_path(&self) -> PathBuf {
        self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    pub(crate) fn temp_dir(&self) -> io::Result<TempDir> {
        let path = self.temp_path();
        fs_err::create_dir(&path)?;
        Ok(TempDir { path })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = host::remove_tree(&self.folder);
        let _ = fs_err::remove_file(&self.lock_path);
        let _ = self.lock.file().unlock();
    }
}

/// Removes every session whose lock nobody holds.
fn sweep(tmp: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(tmp)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "lock") {
            let lock = locks::file(&path)?;
            if lock.file().try_lock().is_ok() {
                host::remove_tree(&path.with_extension(""))?;
                fs_err::remove_file(&path)?;
            }
        } else if !path.with_extension("lock").try_exists()? {
            // Its owner died between removing the lock and the folder.
            host::remove_tree(&path)?;
        }
    }
    Ok(())
}

/// A folder that is removed with the value.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// The folder, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the folder: the caller moves it elsewhere. Left where it is, it still goes with the session.
    pub fn keep(self) -> PathBuf {
        let path = self.path.clone();
        std::mem::forget(self);
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = host::remove_tree(&self.path);
    }
}
