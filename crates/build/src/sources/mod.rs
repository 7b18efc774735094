//! Sources: fetched once, compared with their pin before anybody reads them, kept in the store by digest.
//!
//! ```text
//! Source --known?--> object
//!        --Debian, addresses, git, file--> a file on the store's disk --digest, signature--> object, or quarantine
//! ```
//!
//! What servers have is fetched several at once, into the store's area `sources`: a part that an interrupted run left there is
//! gone on with. An address that lies, stalls or is gone costs its tries, and then the next one is asked.

mod archive;
mod checksum;
mod download;
mod git;
mod signature;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use host::Host;
use host::transfer::Manner;
use pkg::{Arch, Digest};
use store::Store;

use crate::debian::{Apt, Refresh, Remote};
use crate::{BuildError, Event, Progress};
use archive::{Superseded, locate};
pub use checksum::{Algorithm, Checksum, Measured, measure};
pub use signature::{Signature, Signed, SignedBy};

/// A source of which no size is known is not larger than this; the largest that distributions have is a tenth of it.
pub const SOURCE_MAX: u64 = 32 << 30;

/// So many sources that could not be reached, while none could, and the others are not tried: there is no network.
const UNREACHABLE_MAX: usize = 12;

/// Where a source comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of the Debian source package of this name, such as its `.orig.tar.xz`.
    DebianSource(String),
    /// The Debian binary package of this name; the source is the `.deb`.
    DebianBinary(String),
    /// A file on this machine.
    Local(PathBuf),
    /// Addresses, asked in this order.
    Remote(Vec<String>),
    /// An archive of a commit, made here.
    Git {
        /// The repository.
        uri: String,
        /// 40 hexadecimal digits.
        commit: String,
    },
}

impl Origin {
    fn is_debian(&self) -> bool {
        matches!(self, Origin::DebianSource(_) | Origin::DebianBinary(_))
    }
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
    /// The digest that it has to have; without one it can only be pinned.
    pub checksum: Option<Checksum>,
    /// Bytes, where they are known.
    pub size: Option<u64>,
    /// Upstream's signature that it has to have.
    pub signature: Option<Signature>,
    /// Where it is named, for messages.
    pub at: String,
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
    /// Version of the Debian package that it came with; empty for others.
    pub origin_version: String,
    /// Where it is in the store.
    pub digest: Digest,
}

/// How sources are reached.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The suite of Debian's archive, such as `trixie`.
    pub suite: &'a str,
    /// The architecture of Debian's binary packages.
    pub arch: &'a Arch,
    /// Files that are fetched at once.
    pub parallel: usize,
    /// How servers are asked.
    pub manner: &'a Manner,
}

/// Makes sure that every one of `sources` is in the store, and returns their objects in the same order.
///
/// # Errors
/// [`BuildError::SourceDiffers`]: the file is kept in quarantine and nothing else changed. [`BuildError::NotInArchive`],
/// [`BuildError::SourceUnreachable`], [`BuildError::SourceSignature`]; [`BuildError::Several`] of them.
pub fn fetch(
    sources: &[Source],
    access: &Access<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Vec<Digest>, BuildError> {
    let (mut digests, mut errors) = (Vec::new(), Vec::new());
    for fetched in fetch_each(sources, access, host, store, progress) {
        match fetched {
            Ok(digest) => digests.push(digest),
            Err(BuildError::Interrupted) => return Err(BuildError::Interrupted),
            Err(error) => errors.push(error),
        }
    }
    match errors.len() {
        0 => Ok(digests),
        1 => Err(errors.swap_remove(0)),
        _ => Err(BuildError::Several(errors)),
    }
}

/// As [`fetch`], where one source that cannot be had keeps nobody from the others.
pub fn fetch_each(
    sources: &[Source],
    access: &Access<'_>,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Vec<Result<Digest, BuildError>> {
    let round = Round { sources, access, host, store, progress };
    let mut results: Vec<Option<Result<Digest, BuildError>>> = sources
        .iter()
        .map(|source| match source.signature {
            None => source.checksum.as_ref().and_then(|checksum| checksum.find(store)).map(Ok),
            Some(_) => None,
        })
        .collect();
    // Signatures are sources too, and come first.
    for is_signed in [false, true] {
        let wave = |index: &usize| sources[*index].signature.is_some() == is_signed;
        let todo: Vec<usize> = (0..sources.len()).filter(|index| results[*index].is_none()).filter(wave).collect();
        let (debian, others): (Vec<_>, Vec<_>) = todo.into_iter().partition(|index| sources[*index].origin.is_debian());
        round.from_debian(&debian, &mut results);
        round.from_elsewhere(&others, &mut results);
    }
    let missed = |index: usize| BuildError::FileName(sources[index].file_name.clone());
    results
        .into_iter()
        .enumerate()
        .map(|(index, result)| result.unwrap_or_else(|| Err(missed(index))).map_err(|error| error.in_store(store)))
        .collect()
}

/// One call of [`fetch_each`].
struct Round<'a> {
    sources: &'a [Source],
    access: &'a Access<'a>,
    host: &'a Host,
    store: &'a Store,
    progress: &'a dyn Progress,
}

type Results = [Option<Result<Digest, BuildError>>];

impl Round<'_> {
    /// Fetches what Debian's archive has, in one call of apt.
    fn from_debian(&self, indices: &[usize], results: &mut Results) {
        let mut waiting = Vec::new();
        let mut hexes = BTreeSet::new();
        for index in indices {
            let source = &self.sources[*index];
            if source.checksum.is_none() {
                results[*index] = Some(Err(unpinned(source)));
            } else if let Err(error) =
                check_file_name(&source.file_name).and_then(|()| self.settled(*index, results).map(drop))
            {
                results[*index] = Some(Err(error));
            } else if results[*index].is_none()
                && source.checksum.as_ref().is_none_or(|checksum| hexes.insert(checksum))
            {
                waiting.push(*index);
            }
        }
        if !waiting.is_empty()
            && let Err(error) = self.from_archive(&waiting, results)
        {
            results[waiting[0]] = Some(Err(error));
        }
        for index in indices {
            if results[*index].is_none() {
                let source = &self.sources[*index];
                let found = source.checksum.as_ref().and_then(|checksum| checksum.find(self.store));
                results[*index] = Some(found.ok_or_else(|| not_tried(source)));
            }
        }
    }

    fn from_archive(&self, waiting: &[usize], results: &mut Results) -> Result<(), BuildError> {
        let Round { access, host, store, progress, .. } = self;
        let folder = store.temp_dir()?;
        let apt = Apt::open(access.suite, access.arch, host, store)?;
        let files: Vec<_> = waiting
            .iter()
            .map(|index| (&self.sources[*index].origin, self.sources[*index].file_name.as_str()))
            .collect();
        let download = |refresh| {
            apt.update(refresh)?;
            apt.download(&locate(&files, access, &apt, Superseded::Allowed)?, folder.path(), "sources", *progress)
        };
        // The index may be older than the archive: what it names may be gone, and what is wanted not yet be in it.
        download(Refresh::IfMissing).or_else(|error| match error {
            BuildError::Apt { .. } | BuildError::NotInArchive { .. } => {
                apt.update(Refresh::Always).map_err(|_| error)?;
                download(Refresh::IfMissing)
            }
            error => Err(error),
        })?;
        for (number, index) in waiting.iter().enumerate() {
            let place = folder.path().join(number.to_string());
            let accepted = self.signed(*index, results).and_then(|signed| {
                accept(&self.sources[*index], signed.as_ref(), &place, store).map(|(digest, _)| digest)
            });
            results[*index] = Some(accepted);
        }
        Ok(())
    }

    /// Fetches what servers, repositories and this machine have, several at once.
    fn from_elsewhere(&self, indices: &[usize], results: &mut Results) {
        let mut work = Vec::new();
        for index in indices {
            match self.signed(*index, results) {
                Ok(signed) => work.push((*index, signed)),
                Err(error) => results[*index] = Some(Err(error)),
            }
        }
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (reached, unreachable) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let found = Mutex::new(Vec::new());
        let worker = || {
            while let Some((index, signed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                let source = &self.sources[*index];
                let is_remote = matches!(source.origin, Origin::Remote(_));
                let gone =
                    reached.load(Ordering::Relaxed) == 0 && unreachable.load(Ordering::Relaxed) >= UNREACHABLE_MAX;
                let result = if self.host.interrupted() {
                    Err(BuildError::Interrupted)
                } else if is_remote && gone {
                    source.checksum.as_ref().and_then(|sum| sum.find(self.store)).ok_or_else(|| not_tried(source))
                } else {
                    self.obtain(source, signed.as_ref())
                };
                match &result {
                    Ok(_) if is_remote => drop(reached.fetch_add(1, Ordering::Relaxed)),
                    Err(BuildError::SourceUnreachable { .. }) => drop(unreachable.fetch_add(1, Ordering::Relaxed)),
                    _ => {}
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.progress.event(Event::Preparing { what: "sources", done, total: work.len() });
                found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*index, result));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.access.parallel.clamp(1, work.len().max(1)) {
                scope.spawn(worker);
            }
        });
        for (index, result) in found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            results[index] = Some(result);
        }
    }

    /// One source that does not come from Debian.
    fn obtain(&self, source: &Source, signed: Option<&Signed>) -> Result<Digest, BuildError> {
        check_file_name(&source.file_name)?;
        let Some(checksum) = &source.checksum else {
            return Err(unpinned(source));
        };
        // Two processes that want the same source: the second finds it.
        let _guard = self.store.lock(&format!("source-{}", checksum.hex.get(..3).unwrap_or("any")))?;
        if let Some(object) = checksum.find(self.store) {
            return checked(source, signed, object, self.store);
        }
        let folder = self.store.temp_dir()?;
        let place = match &source.origin {
            Origin::Remote(_) => {
                self.store.area("sources")?.join(format!("{}-{}.part", checksum.algorithm, checksum.hex))
            }
            _ => folder.path().join("source"),
        };
        bring(source, &place, self.access, self.host, self.store)?;
        let (digest, _) = accept(source, signed, &place, self.store)?;
        Ok(digest)
    }

    /// The object of a source with a signature that is in the store already, its signature checked.
    fn settled(&self, index: usize, results: &mut Results) -> Result<Option<Digest>, BuildError> {
        let source = &self.sources[index];
        let Some(object) = source.checksum.as_ref().and_then(|checksum| checksum.find(self.store)) else {
            return Ok(None);
        };
        let signed = self.signed(index, results)?;
        results[index] = Some(checked(source, signed.as_ref(), object, self.store));
        Ok(Some(object))
    }

    /// The signature that a source has to have, which is at hand where it is a source of the same component.
    fn signed(&self, index: usize, results: &Results) -> Result<Option<Signed>, BuildError> {
        let source = &self.sources[index];
        let Some(signature) = &source.signature else { return Ok(None) };
        let object = match &signature.by {
            SignedBy::File(_) => None,
            SignedBy::Source(name) => {
                let is_it = |other: &Source| other.component == source.component && other.file_name == *name;
                let at = self.sources.iter().position(is_it);
                match at.and_then(|at| results[at].as_ref()) {
                    Some(Ok(object)) => Some(*object),
                    _ => return Err(not_tried(source)),
                }
            }
        };
        signature.load(object.as_ref(), self.store).map(Some)
    }
}

fn unpinned(source: &Source) -> BuildError {
    BuildError::Unpinned { component: source.component.clone(), file: source.file_name.clone(), at: source.at.clone() }
}

fn not_tried(source: &Source) -> BuildError {
    BuildError::NotTried { component: source.component.clone(), file: source.file_name.clone(), at: source.at.clone() }
}

/// Brings a source that is not Debian's to `place`, as it comes.
fn bring(source: &Source, place: &Path, access: &Access<'_>, host: &Host, store: &Store) -> Result<(), BuildError> {
    match &source.origin {
        Origin::Local(path) => fs_err::copy(path, place).map(drop).map_err(|error| BuildError::SourceUnreachable {
            component: source.component.clone(),
            file: source.file_name.clone(),
            at: source.at.clone(),
            failures: vec![error.to_string()],
        }),
        Origin::Remote(addresses) => download::download(source, addresses, place, access, host, store),
        Origin::Git { uri, commit } => git::archive(uri, commit, &source.file_name, place, host, store),
        Origin::DebianSource(_) | Origin::DebianBinary(_) => Err(BuildError::FileName(source.file_name.clone())),
    }
}

/// Fetches a source for a new lock: whatever its digest, unless the definition says one.
pub fn pin(
    source: &Source,
    signed: Option<&Signed>,
    access: &Access<'_>,
    host: &Host,
    store: &Store,
) -> Result<Pin, BuildError> {
    let file_name = &source.file_name;
    check_file_name(file_name)?;
    let folder = store.temp_dir()?;
    let place = folder.path().join("0");
    let mut origin_version = String::new();
    if source.origin.is_debian() {
        let apt = Apt::open(access.suite, access.arch, host, store)?;
        apt.update(Refresh::IfMissing)?;
        let uris = locate(&[(&source.origin, file_name)], access, &apt, Superseded::Refused)?;
        apt.download(&uris, folder.path(), "sources", &crate::Silent)?;
        origin_version = match &source.origin {
            Origin::DebianSource(name) => apt.source_version(name, file_name)?,
            Origin::DebianBinary(name) => {
                let remotes = apt.binary(std::slice::from_ref(name))?;
                remotes.iter().find_map(Remote::package).map(|(_, version, _)| version).unwrap_or_default()
            }
            _ => String::new(),
        };
    } else {
        bring(source, &place, access, host, store).map_err(|error| error.in_store(store))?;
    }
    let (digest, measured) = accept(source, signed, &place, store)?;
    let (sha512, size) = (measured.sha512.hex, measured.size);
    Ok(Pin { file_name: file_name.clone(), sha512, size, origin_version, digest })
}

/// Compares the file at `place` with the pin and the signature, and takes it into the store.
fn accept(
    source: &Source,
    signed: Option<&Signed>,
    place: &Path,
    store: &Store,
) -> Result<(Digest, Measured), BuildError> {
    let measured = measure(place, download::algorithm(source))?;
    let is_right = source.checksum.as_ref().is_none_or(|pinned| *pinned == measured.asked)
        && source.size.is_none_or(|size| size == measured.size);
    if !is_right {
        return Err(BuildError::SourceDiffers {
            component: source.component.clone(),
            file: source.file_name.clone(),
            at: source.at.clone(),
            locked: source.checksum.as_ref().map(Checksum::to_string).unwrap_or_default(),
            locked_size: source.size,
            received: measured.asked.to_string(),
            received_size: measured.size,
            from: None,
            quarantine: store.quarantine(place, quarantined(&source.file_name))?,
        });
    }
    if let Some(signed) = signed
        && let Err(cause) = signed.check(place)
    {
        let quarantine = store.quarantine(place, quarantined(&source.file_name))?;
        return Err(signed.refused(&source.component, &source.file_name, cause, Some(quarantine)));
    }
    let digest = store.adopt_file(place)?;
    measured.sha512.note(&digest, store)?;
    measured.asked.note(&digest, store)?;
    if let Some(signed) = signed {
        signed.note(&digest, store)?;
    }
    Ok((digest, measured))
}

/// An object that was there already, once its signature was checked; the definition may want one now that did not before.
fn checked(source: &Source, signed: Option<&Signed>, object: Digest, store: &Store) -> Result<Digest, BuildError> {
    if let Some(signed) = signed.filter(|signed| !signed.is_noted(&object, store)) {
        let wrong = |cause| signed.refused(&source.component, &source.file_name, cause, None);
        signed.check(&store.object_path(&object)).map_err(wrong)?;
        signed.note(&object, store)?;
    }
    Ok(object)
}

/// A source's name in the quarantine, where no name starts with a dot.
fn quarantined(name: &str) -> &str {
    match name.trim_start_matches('.') {
        "" => "source",
        name => name,
    }
}

/// Refuses names that are no plain file name.
pub(crate) fn check_file_name(name: &str) -> Result<(), BuildError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0', '\n']) || name.len() > 255 {
        return Err(BuildError::FileName(name.to_owned()));
    }
    Ok(())
}
