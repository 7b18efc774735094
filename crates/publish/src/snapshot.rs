//! The folder of one snapshot, and the link that makes it visible.

use std::io;
use std::path::{Path, PathBuf};

use pkg::{Digest, Hasher, Nevra};
use store::Store;

use crate::PublishError;

/// The link to the snapshot that is served.
pub const CURRENT: &str = "current";
/// The folder of all snapshots.
pub const SNAPSHOTS: &str = "snapshots";
/// The public key's file in a snapshot.
pub const KEY_FILE: &str = "RPM-GPG-KEY";
/// What folders are called while they are written.
const PARTIAL: &str = ".partial-";

/// A repository as it was published once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The digest of all paths and bytes in it: its name.
    pub id: Digest,
    /// Its folder, `OUT/snapshots/DIGEST`.
    pub folder: PathBuf,
    /// The link that now leads to it, `OUT/current`.
    pub current: PathBuf,
    /// Its packages, by name, architecture, and oldest first.
    pub packages: Vec<Published>,
    /// Whether it is a new one: false when it was there already.
    pub is_new: bool,
}

/// A package in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Name, epoch, version, release, architecture.
    pub nevra: Nevra,
    /// The path in the snapshot.
    pub location: String,
    /// The digest of the package as it was built.
    pub unsigned: Digest,
    /// The digest of the signed package; its bytes are in the store too.
    pub digest: Digest,
}

/// What goes into one file of a snapshot.
pub(crate) enum Content {
    /// The bytes of an object of the store.
    Object(Digest),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// The id of a snapshot with these files, which are sorted by path.
pub(crate) fn id(files: &[(String, Content)]) -> Digest {
    let mut hasher = Hasher::new();
    for (path, content) in files {
        let digest = match content {
            Content::Object(digest) => *digest,
            Content::Bytes(bytes) => Digest::of(bytes),
        };
        hasher.field("path", path).field("digest", digest.as_bytes());
    }
    hasher.finish()
}

/// Writes the folder of a snapshot where it is missing; says whether it was.
///
/// The folder gets its name when all in it is on the disk, so a folder of that name is complete.
pub(crate) fn write(out: &Path, id: &Digest, files: &[(String, Content)], store: &Store) -> Result<bool, PublishError> {
    let failed = |error| PublishError::from_io(error, out);
    let snapshots = out.join(SNAPSHOTS);
    fs_err::create_dir_all(&snapshots).map_err(failed)?;
    sweep(&snapshots).map_err(failed)?;
    let folder = snapshots.join(id.hex());
    if folder.is_dir() {
        return Ok(false);
    }
    let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(&snapshots).map_err(failed)?;
    let mut folders = vec![partial.path().to_owned()];
    for (path, content) in files {
        let path = partial.path().join(path);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            fs_err::create_dir_all(parent).map_err(failed)?;
            folders.extend(parent.ancestors().take_while(|above| *above != partial.path()).map(Path::to_owned));
        }
        match content {
            Content::Object(digest) => place(store, digest, &path)?,
            Content::Bytes(bytes) => fs_err::write(&path, bytes).map_err(failed)?,
        }
        fs_err::File::open(&path).and_then(|file| file.sync_all()).map_err(failed)?;
    }
    folders.sort();
    folders.dedup();
    for folder in folders.iter().rev() {
        fs_err::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(failed)?;
        sync_folder(folder).map_err(failed)?;
    }
    fs_err::rename(partial.path(), &folder).map_err(failed)?;
    // It has another name now: there is nothing left to remove.
    let _ = partial.keep();
    sync_folder(&snapshots).map_err(failed)?;
    Ok(true)
}

/// Puts an object's bytes at `path`: as another name of the store's read-only file, or as a copy on another disk.
fn place(store: &Store, digest: &Digest, path: &Path) -> Result<(), PublishError> {
    let object = store.object_path(digest);
    match fs_err::hard_link(&object, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(store::StoreError::Missing(*digest).into()),
        Err(_) => Ok(store.copy_object(digest, path)?),
    }
}

/// Removes what killed processes left half-written. The caller holds the lock, so nobody writes now.
fn sweep(snapshots: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(snapshots)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            match entry.file_type()?.is_dir() {
                true => fs_err::remove_dir_all(entry.path())?,
                false => fs_err::remove_file(entry.path())?,
            }
        }
    }
    Ok(())
}

/// Makes `current` lead to a snapshot, in one step.
pub(crate) fn show(out: &Path, id: &Digest) -> io::Result<PathBuf> {
    let current = out.join(CURRENT);
    let target = Path::new(SNAPSHOTS).join(id.hex());
    if fs_err::read_link(&current).is_ok_and(|shown| shown == target) {
        return Ok(current);
    }
    // In the folder that is swept, so a process killed between both steps leaves nothing for good.
    let link = out.join(SNAPSHOTS).join(format!("{PARTIAL}current"));
    match fs_err::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs_err::os::unix::fs::symlink(&target, &link)?;
    fs_err::rename(&link, &current)?;
    sync_folder(out)?;
    Ok(current)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}
