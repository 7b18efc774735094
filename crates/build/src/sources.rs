//! Upstream sources: fetched once, compared with their pin before anybody reads them, kept in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use host::Host;
use pkg::{Arch, Digest};
use sha2::Digest as _;
use store::Store;

use crate::debian::{Apt, Refresh, Remote};
use crate::{BuildError, Progress};

/// Where a source comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of the Debian source package of this name, such as its `.orig.tar.xz`.
    DebianSource(String),
    /// The Debian binary package of this name; the source is the `.deb`.
    DebianBinary(String),
    /// A file on this machine.
    Local(PathBuf),
}

/// One source file of one component, as the definition and its lock say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The component that wants it.
    pub component: String,
    /// Its file name, which the spec's `Source` tag ends in.
    pub file_name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// SHA-512 in lower-case hexadecimal, from the lock.
    pub sha512: String,
    /// Bytes, from the lock.
    pub size: u64,
}

/// A source as it was found, to be written into a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The source's file name.
    pub file_name: String,
    /// SHA-512 in lower-case hexadecimal.
    pub sha512: String,
    /// Bytes.
    pub size: u64,
    /// Version of the Debian package that it came with; empty for local files.
    pub origin_version: String,
    /// Where it is in the store.
    pub digest: Digest,
}

/// Debian's archive, as far as sources come from there.
#[derive(Debug, Clone, Copy)]
pub struct Archive<'a> {
    /// The suite, such as `trixie`.
    pub suite: &'a str,
    /// The architecture of binary packages.
    pub arch: &'a Arch,
}

/// Makes sure that every one of `sources` is in the store, and returns their objects in the same order.
///
/// # Errors
/// [`BuildError::SourceDiffers`]: the file is kept in quarantine and nothing else changed. [`BuildError::NotInArchive`].
pub fn fetch(
    sources: &[Source],
    archive: Archive<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Vec<Digest>, BuildError> {
    fetch_in(sources, archive, host, store, progress).map_err(|error| error.in_store(store))
}

fn fetch_in(
    sources: &[Source],
    archive: Archive<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Vec<Digest>, BuildError> {
    let missing: Vec<&Source> = sources.iter().filter(|source| known(&source.sha512, store).is_none()).collect();
    let folder = store.temp_dir()?;
    let mut remote = Vec::new();
    for source in missing {
        check_file_name(&source.file_name)?;
        match &source.origin {
            Origin::Local(path) => {
                let copy = folder.path().join("local");
                fs_err::copy(path, &copy)?;
                keep(source, &copy, store)?;
            }
            _ if remote.iter().any(|other: &&Source| other.sha512 == source.sha512) => {}
            _ => remote.push(source),
        }
    }
    if !remote.is_empty() {
        let apt = Apt::open(archive.suite, archive.arch, host, store)?;
        let files: Vec<_> = remote.iter().map(|source| (&source.origin, source.file_name.as_str())).collect();
        let download = |refresh| {
            apt.update(refresh)?;
            apt.download(&locate(&files, archive, &apt, Superseded::Allowed)?, folder.path(), "sources", progress)
        };
        // The index may be older than the archive: what it names may be gone, and what is wanted not yet be in it.
        download(Refresh::IfMissing).or_else(|error| match error {
            BuildError::Apt { .. } | BuildError::NotInArchive { .. } => {
                apt.update(Refresh::Always).map_err(|_| error)?;
                download(Refresh::IfMissing)
            }
            error => Err(error),
        })?;
        for (number, source) in remote.iter().enumerate() {
            keep(source, &folder.path().join(number.to_string()), store)?;
        }
    }
    sources
        .iter()
        .map(|source| known(&source.sha512, store).ok_or_else(|| BuildError::FileName(source.file_name.clone())))
        .collect()
}

/// Fetches a source whatever its digest, for a new lock.
pub fn pin(
    file_name: &str,
    origin: &Origin,
    archive: Archive<'_>,
    host: &Host,
    store: &Store,
) -> Result<Pin, BuildError> {
    check_file_name(file_name)?;
    let folder = store.temp_dir()?;
    let place = folder.path().join("0");
    let origin_version = match origin {
        Origin::Local(path) => fs_err::copy(path, &place).map(|_| String::new())?,
        _ => {
            let apt = Apt::open(archive.suite, archive.arch, host, store)?;
            apt.update(Refresh::IfMissing)?;
            let uris = locate(&[(origin, file_name)], archive, &apt, Superseded::Refused)?;
            apt.download(&uris, folder.path(), "sources", &crate::Silent)?;
            match origin {
                Origin::DebianSource(name) => apt.source_version(name, file_name)?,
                Origin::DebianBinary(name) => {
                    let remotes = apt.binary(std::slice::from_ref(name))?;
                    remotes.iter().find_map(Remote::package).map(|(_, version, _)| version).unwrap_or_default()
                }
                Origin::Local(_) => String::new(),
            }
        }
    };
    let (sha512, size) = measure(&place)?;
    let digest = store.adopt_file(&place)?;
    store.set_record("source", &record_key(&sha512), digest.hex().as_bytes())?;
    Ok(Pin { file_name: file_name.to_owned(), sha512, size, origin_version, digest })
}

/// Whether files may be asked for that the archive's index no longer names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Superseded {
    /// The pool keeps most files for a while after a newer version is out. Only for files whose digest is locked: without
    /// the index nothing else vouches for them.
    Allowed,
    Refused,
}

/// The URI of each file.
fn locate(
    files: &[(&Origin, &str)],
    archive: Archive<'_>,
    apt: &Apt<'_>,
    superseded: Superseded,
) -> Result<Vec<String>, BuildError> {
    let names = |pick: fn(&Origin) -> Option<&String>| -> Vec<String> {
        files.iter().filter_map(|(origin, _)| pick(origin)).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let sources = names(|origin| if let Origin::DebianSource(name) = origin { Some(name) } else { None });
    let binaries = names(|origin| if let Origin::DebianBinary(name) = origin { Some(name) } else { None });
    let mut remotes: BTreeMap<String, Remote> = BTreeMap::new();
    if !sources.is_empty() {
        remotes.extend(apt.source(&sources)?.into_iter().map(|remote| (remote.file_name.clone(), remote)));
    }
    if !binaries.is_empty() {
        remotes.extend(apt.binary(&binaries)?.into_iter().map(|remote| (remote.file_name.clone(), remote)));
    }
    let mut uris = Vec::with_capacity(files.len());
    for (origin, file) in files {
        let package = match origin {
            Origin::DebianSource(name) | Origin::DebianBinary(name) => name,
            Origin::Local(_) => continue,
        };
        let uri = remotes.get(*file).or_else(|| remotes.values().find(|remote| remote.is_named(file)));
        match uri {
            Some(remote) => uris.push(remote.uri.clone()),
            None => {
                let prefix = format!("{package}_");
                let pool = remotes
                    .values()
                    .find(|remote| remote.file_name.starts_with(&prefix))
                    .filter(|_| superseded == Superseded::Allowed);
                if let Some((folder, _)) = pool.and_then(|remote| remote.uri.rsplit_once('/')) {
                    uris.push(format!("{folder}/{}", escaped(file)));
                    continue;
                }
                let has = remotes.keys().filter(|name| name.starts_with(&prefix)).cloned().collect();
                return Err(BuildError::NotInArchive {
                    suite: archive.suite.to_owned(),
                    package: package.clone(),
                    file: (*file).to_owned(),
                    has,
                });
            }
        }
    }
    Ok(uris)
}

/// A file name as part of an address: what apt's own addresses escape is escaped.
fn escaped(file: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    file.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

/// Compares the file at `place` with the pin and takes it into the store.
fn keep(source: &Source, place: &Path, store: &Store) -> Result<(), BuildError> {
    let (received, received_size) = measure(place)?;
    if !received.eq_ignore_ascii_case(&source.sha512) {
        return Err(BuildError::SourceDiffers {
            component: source.component.clone(),
            file: source.file_name.clone(),
            locked: source.sha512.clone(),
            locked_size: source.size,
            received,
            received_size,
            quarantine: store.quarantine(place, &source.file_name)?,
        });
    }
    let digest = store.adopt_file(place)?;
    Ok(store.set_record("source", &record_key(&received), digest.hex().as_bytes())?)
}

/// The object whose bytes have this SHA-512, if the store has seen it.
fn known(sha512: &str, store: &Store) -> Option<Digest> {
    let recorded = store.record("source", &record_key(&sha512.to_ascii_lowercase()))?;
    Digest::parse(std::str::from_utf8(&recorded).ok()?).ok().filter(|digest| store.contains(digest))
}

fn record_key(sha512: &str) -> Digest {
    Digest::of(format!("sha512:{sha512}").as_bytes())
}

/// SHA-512 and length of a file.
fn measure(path: &Path) -> io::Result<(String, u64)> {
    let mut file = fs_err::File::open(path)?;
    let (mut hasher, mut size) = (sha2::Sha512::new(), 0);
    let mut chunk = vec![0; 1 << 17];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((hex::encode(hasher.finalize()), size)),
            count => {
                hasher.update(&chunk[..count]);
                size += count as u64;
            }
        }
    }
}

/// Refuses names that are no plain file name.
pub(crate) fn check_file_name(name: &str) -> Result<(), BuildError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0', '\n']) || name.len() > 255 {
        return Err(BuildError::FileName(name.to_owned()));
    }
    Ok(())
}
