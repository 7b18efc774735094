//! Repositories brought to this machine, checked, and kept in a folder that processes share.
//!
//! ```text
//! CACHEDIR/ID-HASH/lock            held while something is fetched
//!                  current         name of the newest state; its time is when it was last asked for
//!                  STATE/repomd.xml, primary.xml.gz ..   one verified index and documents of it; never changed
//!                  packages/       package files
//! ```
//!
//! A state is named after the digest of its index and appears in one step. Everything fails closed: an index whose signature
//! or digest is not as it must be, or a document that is not the index's, is no repository.

mod fetching;
pub(crate) mod mirrors;
mod packages;
pub(crate) mod transfer;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::Lock;
use pkg::Digest;
use repodata::{Algorithm, Data, Repomd};

use crate::Machine;
use crate::config::{Key, Repository};
use crate::keys::{Keys, KeysError};
use fetching::Source;
use mirrors::Expected;

pub use packages::{Download, DownloadError, digest_of, download};
pub use transfer::TransferError;

/// An index is not larger than this.
const INDEX_MAX: u64 = 16 << 20;

/// A file of repositories, or a key, is not larger than this.
const TEXT_MAX: u64 = 4 << 20;

/// Fetches a small file that belongs to no repository, with the transfer options of `[main]`.
///
/// # Errors
/// As any transfer.
pub fn fetch_text(url: &str, machine: &Machine<'_>) -> Result<Vec<u8>, TransferError> {
    let config = machine.config;
    let settings = crate::config::Settings::default();
    let origin = crate::config::Origin::CommandLine;
    let manner = transfer::manner_of(&Repository::new("main", origin, settings, &config.main, &config.variables));
    let folder = config.folder(Key::CacheDir);
    fs_err::create_dir_all(&folder)?;
    let file = folder.join(format!("fetched-{}", std::process::id()));
    let bytes = transfer::fetch(url, &file, TEXT_MAX, &manner, machine.host).and_then(|()| Ok(fs_err::read(&file)?));
    let _ = fs_err::remove_file(&file);
    bytes
}

/// A document is not larger than this, compressed or not.
const DOCUMENT_MAX: u64 = 4 << 30;

/// States that are kept: the newest, and the one that another process may just be reading.
const STATES_KEPT: usize = 2;

/// Whether what was fetched before is good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As old as the configuration allows.
    #[default]
    AsConfigured,
    /// Ask again.
    Refresh,
    /// Whatever its age; nothing is fetched.
    CacheOnly,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Nothing says where it is.
    #[error("the repository `{id}` has none of `baseurl`, `mirrorlist` and `metalink` ({origin})")]
    NoAddress {
        /// Its id.
        id: String,
        /// Where it is described.
        origin: String,
    },
    /// An address has a variable without a value.
    #[error("an address of the repository `{id}` has the variable `{variable}`, which has no value")]
    Variable {
        /// Its id.
        id: String,
        /// Without `$`.
        variable: String,
    },
    /// No mirror gave a file that is right.
    #[error("the repository `{id}` cannot be used: no mirror gives `{file}`{}", lines(failures))]
    Unreachable {
        /// Its id.
        id: String,
        /// Relative to the base.
        file: String,
        /// What each said.
        failures: Vec<String>,
    },
    /// The list of mirrors.
    #[error("the mirrors of `{id}` cannot be told: {cause}")]
    Mirrors {
        /// Its id.
        id: String,
        /// What is wrong.
        cause: String,
    },
    /// The index is not signed as it must be.
    #[error("the index of `{id}` is not signed as `repo_gpgcheck` wants: {cause}")]
    Signature {
        /// Its id.
        id: String,
        /// What is wrong.
        cause: KeysError,
    },
    /// A document cannot be read.
    #[error("`{}` of the repository `{id}` cannot be read: {cause}", file.display())]
    Document {
        /// Its id.
        id: String,
        /// The file.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Only what is in the cache may be used, and this is not.
    #[error("nothing of the repository `{id}` is in the cache")]
    NotCached {
        /// Its id.
        id: String,
    },
    /// The user wants to stop, or a program is missing.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The cache is locked and cannot be waited for.
    #[error(transparent)]
    Lock(#[from] host::LockError),
    /// A file of the cache; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl SyncError {
    /// Whether a disk was full.
    pub fn is_full(&self) -> bool {
        match self {
            SyncError::Io(error) | SyncError::Transfer(TransferError::Write(error)) => host::is_full(error),
            SyncError::Lock(error) => host::is_full(&error.source),
            _ => false,
        }
    }
}

fn lines(failures: &[String]) -> String {
    failures.iter().map(|failure| format!("\n  {failure}")).collect()
}

/// A repository whose index is on this machine.
#[derive(Clone, Debug)]
pub struct Synced {
    /// The repository as configured.
    pub repository: Repository,
    /// Its index.
    pub repomd: Repomd,
    /// The digest of the index: another one is another state.
    pub state: Digest,
    folder: PathBuf,
    cache: PathBuf,
    freshness: Freshness,
}

/// Brings the index of `repository` and its documents of `kinds`, as far as it has such, to this machine.
pub fn sync(
    repository: &Repository,
    kinds: &[&str],
    freshness: Freshness,
    machine: &Machine<'_>,
) -> Result<Synced, SyncError> {
    let cache = machine.config.folder(Key::CacheDir).join(repository.cache_name());
    let mut open = current(&cache).map(|folder| (folder, age(&cache, machine.now)));
    if freshness == Freshness::AsConfigured && open.as_ref().is_some_and(|(_, age)| *age >= expiry(repository)) {
        open = None;
    }
    if let (Some((folder, _)), true) = (&open, freshness != Freshness::Refresh) {
        // A state that was tampered with or cut off is fetched again.
        if let Ok(synced) = Synced::open(repository, folder, &cache, freshness)
            && (freshness == Freshness::CacheOnly || synced.is_complete(kinds))
        {
            return Ok(synced);
        }
    }
    if freshness == Freshness::CacheOnly {
        return Err(SyncError::NotCached { id: repository.id.clone() });
    }
    if let Some(variable) = repository.unknown_variable() {
        return Err(SyncError::Variable { id: repository.id.clone(), variable: variable.to_owned() });
    }
    fs_err::create_dir_all(&cache)?;
    let _lock = wait(&cache.join("lock"), machine)?;
    // Another process may have done it while we waited.
    if let (Some(folder), true) = (current(&cache), freshness == Freshness::AsConfigured)
        && age(&cache, machine.now) < expiry(repository)
        && let Ok(synced) = Synced::open(repository, &folder, &cache, freshness)
    {
        synced.complete(kinds, &Source::of(repository, &cache, machine)?, machine)?;
        return Ok(synced);
    }
    refresh(repository, kinds, &cache, machine)
}

fn expiry(repository: &Repository) -> u64 {
    repository.seconds(Key::MetadataExpire)
}

/// Fetches the index anew; the caller holds the lock.
fn refresh(repository: &Repository, kinds: &[&str], cache: &Path, machine: &Machine<'_>) -> Result<Synced, SyncError> {
    let source = Source::of(repository, cache, machine)?;
    let new = cache.join("new");
    if new.exists() {
        host::remove_tree(&new)?;
    }
    fs_err::create_dir_all(&new)?;
    let index = new.join("repomd.xml");
    source.index(&index, machine)?;
    let bytes = fs_err::read(&index)?;
    if repository.flag(Key::RepoGpgCheck) {
        let signature = new.join("repomd.xml.asc");
        source.fetch("repodata/repomd.xml.asc", &[Expected::default()], 1 << 20, &signature, machine)?;
        let wrong = |cause| SyncError::Signature { id: repository.id.clone(), cause };
        let mut keys = Keys::load(repository, machine).map_err(wrong)?;
        keys.verify(&fs_err::read(&signature)?, &bytes, repository, machine).map_err(wrong)?;
    }
    let state = Digest::of(&bytes);
    let folder = cache.join(state.hex());
    let synced = Synced::open(repository, &new, cache, Freshness::Refresh)?;
    if let Some(old) = current(cache) {
        synced.reuse(&old)?;
    }
    synced.complete(kinds, &source, machine)?;
    if folder.exists() {
        // The same index: what the old state has beyond `kinds` is good.
        synced.reuse(&folder)?;
        host::remove_tree(&folder)?;
    }
    fs_err::rename(&new, &folder)?;
    let pointer = cache.join("current.new");
    fs_err::write(&pointer, state.hex())?;
    fs_err::rename(&pointer, cache.join("current"))?;
    touch(&cache.join("current"), machine.now)?;
    sweep(cache, &folder)?;
    Synced::open(repository, &folder, cache, Freshness::Refresh)
}

/// The folder of the newest state.
fn current(cache: &Path) -> Option<PathBuf> {
    let name = fs_err::read_to_string(cache.join("current")).ok()?;
    let digest = Digest::parse(name.trim()).ok()?;
    Some(cache.join(digest.hex())).filter(|folder| folder.is_dir())
}

/// Seconds since the newest state was asked for. A time in the future is as old as can be.
fn age(cache: &Path, now: u64) -> u64 {
    let modified = fs_err::metadata(cache.join("current")).and_then(|meta| meta.modified()).ok();
    let seconds = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map(|time| time.as_secs());
    seconds.and_then(|time| now.checked_sub(time)).unwrap_or(u64::MAX - 1)
}

fn touch(path: &Path, now: u64) -> std::io::Result<()> {
    tree::directory::set_time(path, i64::try_from(now).unwrap_or(i64::MAX))
}

/// Removes all but the newest states.
fn sweep(cache: &Path, newest: &Path) -> std::io::Result<()> {
    let mut states = Vec::new();
    for entry in fs_err::read_dir(cache)? {
        let path = entry?.path();
        let is_state = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| Digest::parse(name).is_ok());
        if is_state && path != newest {
            states.push((fs_err::metadata(&path)?.modified()?, path));
        }
    }
    states.sort();
    let surplus = states.len().saturating_sub(STATES_KEPT - 1);
    states.iter().take(surplus).try_for_each(|(_, path)| host::remove_tree(path))
}

/// Takes a lock, and says that it waits when it has to.
pub(crate) fn wait(path: &Path, machine: &Machine<'_>) -> Result<Lock, SyncError> {
    let mut said = false;
    loop {
        if let Some(lock) = Lock::try_exclusive(path)? {
            return Ok(lock);
        }
        if machine.host.interrupted() {
            return Err(TransferError::Interrupted.into());
        }
        if !said {
            (machine.note)(&format!("waiting for another process that holds `{}`", path.display()));
            said = true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Synced {
    fn open(repository: &Repository, folder: &Path, cache: &Path, freshness: Freshness) -> Result<Synced, SyncError> {
        let file = folder.join("repomd.xml");
        let mut bytes = Vec::new();
        fs_err::File::open(&file)?.take(INDEX_MAX).read_to_end(&mut bytes)?;
        let wrong = |cause: String| SyncError::Document { id: repository.id.clone(), file: file.clone(), cause };
        let state = Digest::of(&bytes);
        let is_state = folder.file_name().is_some_and(|name| name == state.hex().as_str() || name == "new");
        if !is_state {
            return Err(wrong("it is not the index that was verified".to_owned()));
        }
        let repomd = Repomd::read(bytes.as_slice()).map_err(|error| wrong(error.to_string()))?;
        if repomd.document("primary").is_none() {
            return Err(wrong("it names no `primary`".to_owned()));
        }
        let (repository, folder, cache) = (repository.clone(), folder.to_owned(), cache.to_owned());
        Ok(Synced { repository, repomd, state, folder, cache, freshness })
    }

    /// The file of a document; it is there when the document was one of those that were asked for.
    pub fn document_file(&self, data: &Data) -> PathBuf {
        self.file(data)
    }

    fn file(&self, data: &Data) -> PathBuf {
        let name = data.location.rsplit('/').next().unwrap_or_default();
        // The digest tells documents apart that end in the same name.
        self.folder.join(format!("{}-{name}", data.checksum.hex.get(..8).unwrap_or_default()))
    }

    fn wanted<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Data> {
        kinds.iter().filter_map(|kind| self.repomd.document(kind))
    }

    fn is_complete(&self, kinds: &[&str]) -> bool {
        self.wanted(kinds).all(|data| self.file(data).is_file())
    }

    /// Takes over documents of an older state that are the same.
    fn reuse(&self, old: &Path) -> std::io::Result<()> {
        for data in &self.repomd.data {
            let to = self.file(data);
            let from = to.file_name().map(|name| old.join(name));
            if let Some(from) = from.filter(|from| from.is_file() && !to.exists()) {
                fs_err::hard_link(from, to)?;
            }
        }
        Ok(())
    }

    fn complete(&self, kinds: &[&str], source: &Source, machine: &Machine<'_>) -> Result<(), SyncError> {
        for data in self.wanted(kinds) {
            let to = self.file(data);
            if to.is_file() {
                continue;
            }
            let weak = matches!(data.checksum.algorithm, Algorithm::Md5 | Algorithm::Sha1);
            if weak {
                let cause = format!("its index has only a {} digest of it", data.checksum.algorithm.as_str());
                return Err(SyncError::Document {
                    id: self.repository.id.clone(),
                    file: data.location.clone().into(),
                    cause,
                });
            }
            let expected = Expected { size: data.size, checksums: vec![data.checksum.clone()] };
            let part = to.with_extension("part");
            source.fetch(&data.location, &[expected], DOCUMENT_MAX, &part, machine)?;
            fs_err::rename(&part, &to)?;
        }
        Ok(())
    }

    /// The decompressed bytes of a document, checked against the index; none where the index names no such document.
    ///
    /// One that was not fetched yet is fetched.
    pub fn document(&self, kind: &str, machine: &Machine<'_>) -> Result<Option<Vec<u8>>, SyncError> {
        self.read(kind, machine, |reader| {
            let mut text = Vec::new();
            reader.read_to_end(&mut text).map_err(repodata::ReadError::Compression)?;
            Ok(text)
        })
    }

    /// As [`Synced::document`], for who reads the text as it comes: it is decompressed by another thread meanwhile.
    pub fn read<T>(
        &self,
        kind: &str,
        machine: &Machine<'_>,
        read: impl FnOnce(&mut dyn Read) -> Result<T, repodata::ReadError>,
    ) -> Result<Option<T>, SyncError> {
        let Some(data) = self.repomd.document(kind) else { return Ok(None) };
        let file = self.file(data);
        if !file.is_file() {
            if self.freshness == Freshness::CacheOnly {
                return Err(SyncError::NotCached { id: self.repository.id.clone() });
            }
            let _lock = wait(&self.cache.join("lock"), machine)?;
            self.complete(&[kind], &Source::of(&self.repository, &self.cache, machine)?, machine)?;
        }
        let wrong = |cause: String| SyncError::Document { id: self.repository.id.clone(), file: file.clone(), cause };
        if !fetching::is(&file, &data.checksum)? {
            // The next run fetches it again.
            fs_err::remove_file(&file)?;
            return Err(wrong(
                "it was changed or damaged after it was fetched; it is fetched again next time".to_owned(),
            ));
        }
        let limit = data.open_size.unwrap_or(DOCUMENT_MAX).min(DOCUMENT_MAX);
        let expected = data.open_checksum.as_ref().filter(|expected| expected.algorithm == Algorithm::Sha256);
        let expected = expected.map(|expected| Digest::parse(&expected.hex)).transpose();
        let expected = expected.map_err(|error| wrong(error.to_string()))?;
        let bytes = fs_err::File::open(&file)?;
        let mut open = repodata::decompress_ahead(bytes, limit, expected).map_err(|error| wrong(error.to_string()))?;
        let result = read(&mut open).map_err(|error| wrong(error.to_string()))?;
        // What the reader did not want has to be right all the same.
        std::io::copy(&mut open, &mut std::io::sink()).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(result))
    }

    /// When its index was last asked for, in seconds since 1970.
    pub fn asked_at(&self) -> Option<u64> {
        let modified = fs_err::metadata(self.cache.join("current")).and_then(|meta| meta.modified()).ok()?;
        modified.duration_since(std::time::UNIX_EPOCH).ok().map(|time| time.as_secs())
    }

    /// Folder of the package files that were fetched.
    pub(crate) fn packages_folder(&self) -> PathBuf {
        self.cache.join("packages")
    }

    /// Where derived data of this very state may be kept.
    pub fn state_folder(&self) -> &Path {
        &self.folder
    }
}

/// What to remove from the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clean {
    /// Everything.
    All,
    /// Indexes and documents.
    Metadata,
    /// Package files.
    Packages,
    /// Nothing: what there is counts as too old.
    Expire,
}

/// Cleans the caches of all repositories, also of those that are configured no more; gives how many files went.
pub fn clean(what: Clean, machine: &Machine<'_>) -> Result<usize, SyncError> {
    let root = machine.config.folder(Key::CacheDir);
    let mut count = 0;
    let entries = match fs_err::read_dir(&root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let cache = entry?.path();
        // Only what has our layout: a cache folder may be set to a folder with other things in it.
        if !cache.join("lock").is_file() {
            continue;
        }
        let _lock = wait(&cache.join("lock"), machine)?;
        for inner in fs_err::read_dir(&cache)? {
            let path = inner?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let goes = match (what, name) {
                (_, "lock" | "packages.lock") | (Clean::Expire, _) => false,
                (Clean::All, _) => true,
                (Clean::Packages, name) => name == "packages",
                (Clean::Metadata, name) => name != "packages",
            };
            if goes {
                count += files(&path)?;
                if path.is_dir() { host::remove_tree(&path)? } else { fs_err::remove_file(&path)? }
            }
        }
        if what == Clean::Expire && cache.join("current").exists() {
            touch(&cache.join("current"), 0)?;
            count += 1;
        }
    }
    Ok(count)
}

fn files(path: &Path) -> std::io::Result<usize> {
    if !path.is_dir() {
        return Ok(1);
    }
    let mut count = 0;
    for entry in fs_err::read_dir(path)? {
        count += files(&entry?.path())?;
    }
    Ok(count)
}
