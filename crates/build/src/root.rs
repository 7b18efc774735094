//! A build's root: read-only layers below, a throw-away folder above.
//!
//! ```text
//! upper    /build/rpmbuild/{SPECS,SOURCES}, /etc/rpm/macros.*; everything that the build writes
//! rpms     our own packages that the build needs
//! debs     Debian packages beyond the base
//! base     stage0
//! ```

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use pkg::{Digest, Hasher, SourceDateEpoch};
use store::Store;

use crate::debian::{MERGED, merged};
use crate::layer::link_into;
use crate::stage0::layer;
use crate::{BuildError, Job};

/// Changes when the same packages would unpack to other files.
const UNPACK_VERSION: &str = "1";
/// The top folder of rpmbuild in the root.
pub(crate) const TOP: &str = "build/rpmbuild";

/// Where the parts of a root are on this machine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Root {
    /// The component that is built in it.
    pub component: String,
    /// The job's id.
    pub id: Digest,
    /// Read-only layers, the topmost first.
    pub lowers: Vec<PathBuf>,
    /// Folder with `upper` (what the build wrote), `work` (of overlayfs) and `root.json` (this value).
    pub folder: PathBuf,
    /// Path of the spec inside.
    pub spec: String,
    /// Host name inside.
    pub build_host: String,
    /// What stands for "now".
    pub epoch: SourceDateEpoch,
}

impl Root {
    /// What the build writes.
    pub fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// Overlayfs' own.
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }
}

/// The folder of a component's root in the store.
pub(crate) fn folder(component: &str, store: &Store) -> Result<PathBuf, BuildError> {
    crate::sources::check_file_name(component)?;
    Ok(store.area("roots")?.join(component))
}

/// Puts the root of `job` together, in place of the one that was kept of this component. The caller holds its lock.
pub(crate) fn compose(job: &Job, store: &Store) -> Result<Root, BuildError> {
    job.check_names()?;
    let mut lowers = Vec::new();
    if !job.rpms.is_empty() {
        lowers.push(rpm_layer(&job.rpms, store)?);
    }
    let debs = job.stage0.added(&job.packages)?;
    if !debs.is_empty() {
        lowers.push(layer(&debs, store)?);
    }
    lowers.push(job.stage0.base.clone());
    let root = Root {
        component: job.name.clone(),
        id: job.id()?,
        lowers,
        folder: folder(&job.name, store)?,
        spec: format!("/{TOP}/SPECS/{}", job.spec.name),
        build_host: job.build_host.clone(),
        epoch: job.epoch,
    };
    host::remove_tree(&root.folder)?;
    fs_err::create_dir_all(root.work())?;
    let top = root.upper().join(TOP);
    for name in ["BUILD", "RPMS", "SOURCES", "SPECS", "SRPMS"] {
        fs_err::create_dir_all(top.join(name))?;
    }
    let macros = root.upper().join("etc/rpm");
    fs_err::create_dir_all(&macros)?;
    for file in &job.macros {
        fs_err::write(macros.join(&file.name), &file.bytes)?;
    }
    // The source package keeps these times.
    let time = UNIX_EPOCH + Duration::from_secs(job.epoch.0);
    let write = |path: PathBuf, bytes: &[u8]| -> io::Result<()> {
        fs_err::write(&path, bytes)?;
        set_time(&path, time)
    };
    write(top.join("SPECS").join(&job.spec.name), &job.spec.bytes)?;
    for file in &job.files {
        write(top.join("SOURCES").join(&file.name), &file.bytes)?;
    }
    for (name, digest) in &job.sources {
        let path = top.join("SOURCES").join(name);
        store.copy_object(digest, &path)?;
        set_time(&path, time)?;
    }
    let text = serde_json::to_vec_pretty(&root).map_err(io::Error::from)?;
    fs_err::write(root.folder.join("root.json"), text)?;
    Ok(root)
}

/// The root that was kept of a component.
pub(crate) fn kept(component: &str, store: &Store) -> Result<Root, BuildError> {
    let none = || BuildError::NoRoot(component.to_owned());
    let folder = folder(component, store)?;
    let text = fs_err::read(folder.join("root.json")).map_err(|_| none())?;
    let root: Root = serde_json::from_slice(&text).map_err(|_| none())?;
    // A store may have moved, and its layers may be gone.
    if root.folder != folder || root.lowers.iter().any(|lower| !lower.is_dir()) {
        return Err(none());
    }
    Ok(root)
}

fn set_time(path: &Path, time: std::time::SystemTime) -> io::Result<()> {
    fs_err::OpenOptions::new().append(true).open(path)?.file().set_modified(time)
}

/// The key of the folder with one unpacked package of ours.
pub(crate) fn rpm_key(digest: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.field("rpm", digest.as_bytes()).field("unpack", UNPACK_VERSION);
    hasher.finish()
}

/// The key of the folder with several.
pub(crate) fn rpms_key(digests: &BTreeSet<Digest>) -> Digest {
    let mut hasher = Hasher::new();
    hasher.field("unpack", UNPACK_VERSION);
    for digest in digests {
        hasher.field("rpm", digest.as_bytes());
    }
    hasher.finish()
}

/// The folder in which our packages `digests` are put together; made when it is not there yet.
fn rpm_layer(digests: &BTreeSet<Digest>, store: &Store) -> Result<PathBuf, BuildError> {
    store.make_directory("rpms", &rpms_key(digests), |folder| {
        for digest in digests {
            link_into(&unpacked(digest, store)?, folder)?;
        }
        Ok(())
    })
}

/// The folder with the files of one package of ours.
fn unpacked(digest: &Digest, store: &Store) -> Result<PathBuf, BuildError> {
    store.make_directory("rpm", &rpm_key(digest), |folder| {
        let mut reader = io::BufReader::new(store.open_object(digest)?);
        let unpacked = rpm::unpack_at(&mut reader, folder, &mut |file| place(&file.path, file.kind));
        unpacked.map(drop).map_err(|error| match error {
            rpm::UnpackError::Write(error) => BuildError::from(error),
            error => BuildError::Rpm { package: digest.short(), message: error.to_string() },
        })
    })
}

/// Where a file of a package goes in a merged root; the links that make it merged are the base's.
fn place(path: &str, kind: rpm::FileKind) -> Option<String> {
    let relative = path.trim_start_matches('/');
    let link = kind == rpm::FileKind::Symlink && relative == "usr/sbin";
    if link || (kind != rpm::FileKind::Regular && MERGED.contains(&relative)) {
        return None;
    }
    Some(merged(Path::new(relative)).to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_go_into_a_merged_root() {
        use rpm::FileKind::{Directory, Regular, Symlink};
        for (path, kind, expected) in [
            ("/usr/bin/sh", Regular, Some("usr/bin/sh")),
            ("/bin/sh", Symlink, Some("usr/bin/sh")),
            ("/bin", Symlink, None),
            ("/lib64", Directory, None),
            ("/usr/sbin", Symlink, None),
            ("/usr/lib64/libz.so.1", Symlink, Some("usr/lib64/libz.so.1")),
        ] {
            assert_eq!(place(path, kind).as_deref(), expected, "{path}");
        }
    }
}
