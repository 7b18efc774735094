use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use host::Host;
use pkg::{Arch, Digest, Hasher};
use store::Store;

use super::{Deb, Lock, Stage0, Stage0Definition, layer_key};
use crate::debian::{self, Apt, MERGED, Refresh};
use crate::layer::link_into;
use crate::{BuildError, Event, Progress};

/// Folders of a package that no build reads; left out, they are neither unpacked nor linked.
const UNREAD: [&str; 6] =
    ["usr/share/doc", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/bug"];

/// Changes when the same packages would unpack to other files.
const UNPACK_VERSION: &str = "1";

/// What a stage0 is to have.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The `[stage0]` table.
    pub definition: &'a Stage0Definition,
    /// Debian packages that some roots will have in addition, as the mapping names them.
    pub extras: &'a BTreeSet<String>,
    /// The machine that builds.
    pub arch: &'a Arch,
    /// Versions and digests to use; what it lacks is an error. Without it, the store's own record is used, and apt where that lacks something.
    pub pinned: Option<&'a Lock>,
    /// Whether apt's index and the store's record are made anew.
    pub refresh: Refresh,
}

/// Prepares stage0: resolves, fetches, verifies and unpacks its packages, and puts the base together.
///
/// With the store's record or a lock, and everything unpacked, it takes milliseconds and no network.
pub fn prepare(
    request: &Request<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Stage0, BuildError> {
    prepare_in(request, host, store, progress).map_err(|error| error.in_store(store))
}

fn prepare_in(
    request: &Request<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Stage0, BuildError> {
    let lock = match fetched(request, request.refresh, host, store, progress) {
        // The index is older than the archive, which does not keep what it has replaced.
        Err(BuildError::Apt { .. }) if request.pinned.is_none() && request.refresh == Refresh::IfMissing => {
            fetched(request, Refresh::Always, host, store, progress)?
        }
        other => other?,
    };
    let id = base_id(request.definition, &lock);
    let base = store.make_directory("stage0", &id, |folder| {
        progress.event(Event::Preparing { what: "base", done: 0, total: 1 });
        make_base(request.definition, &lock.base, store, folder)?;
        progress.event(Event::Preparing { what: "base", done: 1, total: 1 });
        Ok::<(), BuildError>(())
    })?;
    Ok(Stage0 { arch: request.arch.clone(), id, base, lock, commands: request.definition.commands.clone() })
}

/// The lock, with all its packages unpacked.
fn fetched(
    request: &Request<'_>,
    refresh: Refresh,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Lock, BuildError> {
    let lock = resolve(request, refresh, host, store, progress)?;
    let absent = |deb: &&Deb| store.directory("deb", &unpacked_key(deb)).is_none();
    let missing: Vec<&Deb> = lock.debs().into_iter().filter(absent).collect();
    if !missing.is_empty() {
        let apt = Apt::open(&lock.suite, request.arch, host, store)?;
        let remotes: Vec<_> = missing.iter().map(|deb| (deb.path.clone(), deb.sha256)).collect();
        apt.fetch(&remotes, progress)?;
        unpack_all(&missing, host, store, progress)?;
    }
    Ok(lock)
}

/// The lock: the given one, or the store's record, completed by apt.
fn resolve(
    request: &Request<'_>,
    refresh: Refresh,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Lock, BuildError> {
    let definition = request.definition;
    let base_names: BTreeSet<&String> = definition.packages.iter().collect();
    if let Some(pinned) = request.pinned {
        let missing = request
            .extras
            .iter()
            .find(|name| !pinned.extras.contains_key(*name) && !pinned.base.iter().any(|deb| deb.name == **name));
        let missing = missing
            .or_else(|| base_names.iter().copied().find(|name| !pinned.base.iter().any(|deb| deb.name == **name)));
        return match missing {
            Some(name) => Err(BuildError::NotPrepared(name.clone())),
            None => Ok(pinned.clone()),
        };
    }
    let mut hasher = Hasher::new();
    hasher.field("suite", &definition.suite).field("arch", request.arch.as_str());
    for name in &base_names {
        hasher.field("package", name);
    }
    let key = hasher.finish();
    // One process resolves; others wait and find its record.
    let _guard = store.lock("stage0")?;
    let recorded = store.record("stage0", &key).filter(|_| refresh == Refresh::IfMissing);
    let recorded = recorded.and_then(|bytes| Lock::parse(&String::from_utf8_lossy(&bytes)).ok());
    let mut lock = recorded.unwrap_or_default();
    let wanted: Vec<&String> = request.extras.iter().filter(|name| !lock.extras.contains_key(*name)).collect();
    if !lock.base.is_empty() && wanted.is_empty() {
        return Ok(lock);
    }
    let apt = Apt::open(&definition.suite, request.arch, host, store)?;
    // A record that is completed stays consistent with itself: the same index is asked, however old it is.
    apt.update(refresh)?;
    let total = wanted.len() + 1;
    progress.event(Event::Preparing { what: "resolve", done: 0, total });
    if lock.base.is_empty() {
        lock = Lock {
            version: 1,
            suite: definition.suite.clone(),
            base: closure(&apt, &definition.packages)?,
            extras: BTreeMap::new(),
        };
    }
    let base: BTreeSet<Deb> = lock.base.iter().cloned().collect();
    for (done, name) in wanted.into_iter().enumerate() {
        progress.event(Event::Preparing { what: "resolve", done: done + 1, total });
        let mut packages = definition.packages.clone();
        packages.push(name.clone());
        let added = closure(&apt, &packages)?.into_iter().filter(|deb| !base.contains(deb)).collect();
        lock.extras.insert(name.clone(), added);
    }
    progress.event(Event::Preparing { what: "resolve", done: total, total });
    let text = lock.to_toml().map_err(|error| BuildError::Io(std::io::Error::other(error)))?;
    store.set_record("stage0", &key, text.as_bytes())?;
    Ok(lock)
}

/// `packages` with all that they need, sorted.
fn closure(apt: &Apt<'_>, packages: &[String]) -> Result<Vec<Deb>, BuildError> {
    let remotes = apt.closure(packages)?;
    let mut debs = Vec::with_capacity(remotes.len());
    for remote in &remotes {
        debs.push(Deb::from_remote(remote).ok_or_else(|| BuildError::Apt {
            action: format!("describe `{}`", remote.file_name),
            message: "it names no SHA-256 digest or no path in the pool".to_owned(),
        })?);
    }
    debs.sort();
    Ok(debs)
}

/// The key of the folder with one unpacked package.
pub(crate) fn unpacked_key(deb: &Deb) -> Digest {
    let mut hasher = Hasher::new();
    hasher.field("deb", deb.sha256.as_bytes()).field("unpack", UNPACK_VERSION);
    hasher.finish()
}

/// Unpacks on all cores, the largest first.
fn unpack_all(debs: &[&Deb], host: &Host, store: &Store, progress: &dyn Progress) -> Result<(), BuildError> {
    let mut debs = debs.to_vec();
    debs.sort_by_key(|deb| std::cmp::Reverse(deb.size));
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<BuildError>> = Mutex::new(None);
    let failed = |error| {
        let mut failure = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failure.get_or_insert(error);
        next.store(debs.len(), Ordering::SeqCst);
    };
    std::thread::scope(|scope| {
        for _ in 0..host.cores().clamp(1, 16) {
            scope.spawn(|| {
                while let Some(deb) = debs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    progress.event(Event::Preparing {
                        what: "unpack",
                        done: next.load(Ordering::SeqCst).min(debs.len()),
                        total: debs.len(),
                    });
                    let made = if host.interrupted() { Err(BuildError::Interrupted) } else { unpack(deb, store) };
                    if let Err(error) = made {
                        failed(error);
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

fn unpack(deb: &Deb, store: &Store) -> Result<(), BuildError> {
    store.make_directory("deb", &unpacked_key(deb), |folder| {
        let file = std::io::BufReader::new(store.open_object(&deb.sha256)?);
        let skip = |path: &Path| UNREAD.iter().any(|unread| path.starts_with(unread));
        debian::unpack(file, folder, &skip).map_err(|error| match error {
            debian::DebError::Io(error) => BuildError::from(error),
            error => BuildError::Deb { package: deb.name.clone(), error },
        })
    })?;
    Ok(())
}

/// The folder in which the packages `debs` are put together; made when it is not there yet.
pub(crate) fn layer(debs: &BTreeSet<Deb>, store: &Store) -> Result<std::path::PathBuf, BuildError> {
    store.make_directory("layer", &layer_key(debs), |folder| link_debs(debs, store, folder))
}

fn link_debs<'a>(debs: impl IntoIterator<Item = &'a Deb>, store: &Store, folder: &Path) -> Result<(), BuildError> {
    for deb in debs {
        let unpacked = match store.directory("deb", &unpacked_key(deb)) {
            Some(unpacked) => unpacked,
            None => return Err(BuildError::NotPrepared(deb.name.clone())),
        };
        link_into(&unpacked, folder)?;
    }
    Ok(())
}

fn base_id(definition: &Stage0Definition, lock: &Lock) -> Digest {
    let mut hasher = Hasher::new();
    hasher.field("unpack", UNPACK_VERSION).field("debs", layer_key(&lock.base).as_bytes());
    for (path, target) in &definition.links {
        hasher.field("link", path).field("target", target);
    }
    for (path, text) in &definition.files {
        hasher.field("file", path).field("text", text);
    }
    hasher.finish()
}

/// Everything that is the same in all roots.
fn make_base(definition: &Stage0Definition, debs: &[Deb], store: &Store, folder: &Path) -> Result<(), BuildError> {
    for name in MERGED {
        fs_err::create_dir_all(folder.join("usr").join(name))?;
        fs_err::os::unix::fs::symlink(format!("usr/{name}"), folder.join(name))?;
    }
    link_debs(debs, store, folder)?;
    for name in ["build", "dev", "etc/rpm", "proc", "root", "run", "sys", "tmp", "var/tmp"] {
        fs_err::create_dir_all(folder.join(name))?;
    }
    for (path, target) in &definition.links {
        let place = clear(folder, path)?;
        fs_err::os::unix::fs::symlink(target, place)?;
    }
    for (path, text) in &definition.files {
        let place = clear(folder, path)?;
        fs_err::write(place, text)?;
    }
    Ok(())
}

/// The place of `path` in the base, with its folder made and nothing at it. What is there is a name of a shared file: it must not be written to.
fn clear(folder: &Path, path: &str) -> Result<std::path::PathBuf, BuildError> {
    let relative = Path::new(path.trim_start_matches('/'));
    if relative.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
        return Err(BuildError::FileName(path.to_owned()));
    }
    let place = folder.join(debian::merged(relative));
    if let Some(parent) = place.parent() {
        fs_err::create_dir_all(parent)?;
    }
    match place.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Err(BuildError::Conflict { path: path.to_owned() }),
        Ok(_) => Ok(fs_err::remove_file(&place).map(|()| place)?),
        Err(_) => Ok(place),
    }
}
