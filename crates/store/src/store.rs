use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StoreError;
use crate::locks::{self, Guard};
use crate::session::{Session, TempDir};

/// What VERSION holds. A change of the layout changes the number, and the old folder is left alone.
const VERSION: &str = "slipway store 1";

/// Whether new objects and records are flushed to the disk before they get their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Flushed: they survive a power cut.
    Flushed,
    /// Not flushed: they survive the death of the process only.
    Cached,
}

/// An open store. Clones share one session; threads may use it freely.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) root: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) session: Session,
    /// Held shared while open, so that [`Store::collect`] of another process waits for nobody's object to vanish.
    pub(crate) in_use: fs_err::File,
}

impl Store {
    /// Opens the store in `folder`, making it where it is missing, and removes what dead processes left half-written.
    ///
    /// # Errors
    /// [`StoreError::Version`] when the folder holds something else; [`StoreError::Full`]; [`StoreError::Io`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Store, StoreError> {
        Store::open_with(folder, Durability::Cached)
    }

    /// As [`Store::open`], with a choice of [`Durability`].
    pub fn open_with(folder: impl AsRef<Path>, durability: Durability) -> Result<Store, StoreError> {
        let given = folder.as_ref();
        let open = || -> std::io::Result<Result<Store, StoreError>> {
            fs_err::create_dir_all(given)?;
            let root = fs_err::canonicalize(given)?;
            if let Err(error) = check_version(&root)? {
                return Ok(Err(error));
            }
            for part in ["objects", "records", "directories", "areas", "quarantine", "locks", "tmp"] {
                fs_err::create_dir_all(root.join(part))?;
            }
            let in_use = locks::file(&root.join("locks/in-use"))?;
            in_use.file().lock_shared()?;
            let session = Session::start(&root)?;
            Ok(Ok(Store { shared: Arc::new(Shared { root, durability, session, in_use }) }))
        };
        open().map_err(|error| StoreError::from_io(error, given))?
    }

    /// The store's folder, absolute.
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// A fresh empty folder on the store's disk; it goes when the value is dropped, or when the process died.
    pub fn temp_dir(&self) -> Result<TempDir, StoreError> {
        self.shared.session.temp_dir().map_err(|error| self.error(error))
    }

    /// Waits until nobody else holds the lock `name`, and holds it until the guard is dropped.
    /// Threads of one process exclude one another too.
    pub fn lock(&self, name: &str) -> Result<Guard, StoreError> {
        check_name(name)?;
        Guard::wait(&self.root().join("locks").join(name)).map_err(|error| self.error(error))
    }

    /// The folder of one stage for things that are not addressed by digest, such as `logs`. Made where it is missing.
    pub fn area(&self, name: &str) -> Result<PathBuf, StoreError> {
        check_name(name)?;
        let path = self.root().join("areas").join(name);
        fs_err::create_dir_all(&path).map_err(|error| self.error(error))?;
        Ok(path)
    }

    /// Moves `file` (on the store's disk) into the quarantine and returns its place there, `NAME` or `NAME.N`.
    pub fn quarantine(&self, file: &Path, name: &str) -> Result<PathBuf, StoreError> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
            return Err(StoreError::Name(name.to_owned()));
        }
        let _guard = self.lock("quarantine")?;
        let folder = self.root().join("quarantine");
        let place = std::iter::once(folder.join(name))
            .chain((1..u32::MAX).map(|number| folder.join(format!("{name}.{number}"))))
            .find(|path| path.symlink_metadata().is_err())
            .ok_or_else(|| StoreError::Name(name.to_owned()))?;
        fs_err::rename(file, &place).map_err(|error| self.error(error))?;
        Ok(place)
    }

    /// Turns an I/O error into one of the store; a full disk names the store's folder.
    pub fn error(&self, error: std::io::Error) -> StoreError {
        StoreError::from_io(error, self.root())
    }
}

/// Compares VERSION, or writes it into a folder that is still empty.
fn check_version(root: &Path) -> std::io::Result<Result<(), StoreError>> {
    let path = root.join("VERSION");
    if path.try_exists()? {
        let found = fs_err::read_to_string(&path)?.trim_end().to_owned();
        if found == VERSION {
            return Ok(Ok(()));
        }
        return Ok(Err(StoreError::Version { path: root.to_owned(), found, expected: VERSION }));
    }
    // Parts of a store may be there when its first process was killed, or runs just now; anything else is not ours.
    for entry in fs_err::read_dir(root)? {
        let name = entry?.file_name();
        if !name.to_string_lossy().starts_with("VERSION.") && name != "VERSION" {
            let found = format!("no such file, but `{}`", name.to_string_lossy());
            return Ok(Err(StoreError::Version { path: root.to_owned(), found, expected: VERSION }));
        }
    }
    let temporary = root.join(format!("VERSION.{}", std::process::id()));
    fs_err::write(&temporary, format!("{VERSION}\n"))?;
    fs_err::rename(&temporary, &path)?;
    Ok(Ok(()))
}

/// Refuses names that would leave their folder or clash with the store's own.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(StoreError::Name(name.to_owned()));
    }
    Ok(())
}
