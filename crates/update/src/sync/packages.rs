use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pkg::Digest;
use repodata::{Algorithm, Package};

use crate::Machine;
use crate::config::Key;
use crate::sync::fetching::{self, Source};
use crate::sync::mirrors::Expected;
use crate::sync::{Freshness, SyncError, Synced, wait};

/// Where a package is, and SHA-256 of its bytes.
type Found = (PathBuf, Digest);

/// A package larger than this is none.
const PACKAGE_MAX: u64 = 16 << 30;

/// A package to fetch.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    /// Where from.
    pub from: &'a Synced,
    /// What.
    pub package: &'a Package,
}

/// Why packages are not there.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// A repository.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The repository's digest of it proves nothing.
    #[error("`{nevra}` has only a {algorithm} digest in its repository, which is not safe any more")]
    Weak {
        /// The package.
        nevra: String,
        /// The algorithm.
        algorithm: &'static str,
    },
    /// Its file name leads somewhere else.
    #[error("the file name of `{nevra}` cannot be used: `{location}`")]
    Name {
        /// The package.
        nevra: String,
        /// As the repository says it.
        location: String,
    },
}

/// Fetches packages, several at once, into their repositories' caches; gives where each is and SHA-256 of its bytes.
///
/// Each is compared with its repository's checksum and size before it gets its name. `progress` is told each that is there: how many are, and its bytes.
pub fn download(
    downloads: &[Download<'_>],
    machine: &Machine<'_>,
    progress: &(dyn Fn(usize, u64) + Sync),
) -> Result<Vec<(PathBuf, Digest)>, DownloadError> {
    let mut sources: Vec<(String, Source)> = Vec::new();
    let mut locks = Vec::new();
    for download in downloads {
        let synced = download.from;
        if sources.iter().any(|(id, _)| *id == synced.repository.id) {
            continue;
        }
        fs_err::create_dir_all(synced.packages_folder()).map_err(SyncError::from)?;
        locks.push(wait(&synced.cache.join("packages.lock"), machine)?);
        if synced.freshness != Freshness::CacheOnly {
            let source = Source::of(&synced.repository, &synced.cache, machine)?;
            sources.push((synced.repository.id.clone(), source));
        }
    }
    let workers = machine.config.main.number(Key::MaxDownloads).clamp(1, 20) as usize;
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (host, config, now) = (machine.host, machine.config, machine.now);
    let work = || -> Result<Vec<(usize, Found)>, DownloadError> {
        // Nobody is asked while packages are fetched: their keys come later.
        let machine = Machine { host, config, now, consent: &|_| false, note: &|_| {} };
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(download) = downloads.get(index) else { return Ok(results) };
            let source = sources.iter().find(|(id, _)| *id == download.from.repository.id).map(|(_, source)| source);
            let found = one(download, source, &machine);
            if found.is_err() {
                // The others stop after what they are at.
                next.store(downloads.len(), Ordering::Relaxed);
            }
            results.push((index, found?));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, download.package.sizes.package);
        }
    };
    let mut all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.min(downloads.len())).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        let mut failure: Option<DownloadError> = None;
        for thread in threads {
            match thread.join() {
                Ok(Ok(results)) => all.extend(results),
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failure.map_or(Ok(all), Err)
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, found)| found).collect())
}

fn one(
    download: &Download<'_>,
    source: Option<&Source>,
    machine: &Machine<'_>,
) -> Result<(PathBuf, Digest), DownloadError> {
    let package = download.package;
    let nevra = || package.nevra.to_string();
    let checksum = &package.checksum;
    if matches!(checksum.algorithm, Algorithm::Md5 | Algorithm::Sha1) {
        return Err(DownloadError::Weak { nevra: nevra(), algorithm: checksum.algorithm.as_str() });
    }
    let is_escape = package.location.split('/').any(|part| part == "..") || package.location.starts_with('/');
    let name = package.location.rsplit('/').next().filter(|name| !name.is_empty() && !is_escape);
    let name = name.ok_or_else(|| DownloadError::Name { nevra: nevra(), location: package.location.clone() })?;
    let file = download.from.packages_folder().join(format!("{}-{name}", checksum.hex.get(..16).unwrap_or_default()));
    let io = |error: std::io::Error| DownloadError::Sync(error.into());
    if !(file.is_file() && fetching::is(&file, checksum).map_err(io)?) {
        let Some(source) = source else {
            return Err(SyncError::NotCached { id: download.from.repository.id.clone() }.into());
        };
        let expected =
            Expected { size: Some(package.sizes.package).filter(|size| *size > 0), checksums: vec![checksum.clone()] };
        let part = file.with_extension("part");
        source.fetch(&package.location, &[expected], PACKAGE_MAX, &part, machine)?;
        fs_err::rename(&part, &file).map_err(io)?;
    }
    let digest = match checksum.sha256() {
        Some(digest) => digest,
        None => digest_of(&file).map_err(io)?,
    };
    Ok((file, digest))
}

/// SHA-256 of a file.
///
/// # Errors
/// The message names the file.
pub fn digest_of(file: &Path) -> std::io::Result<Digest> {
    tree::directory::digest_only(file)
}
