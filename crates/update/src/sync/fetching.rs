use std::io::Read as _;
use std::path::Path;

use repodata::{Algorithm, Checksum};

use crate::Machine;
use crate::config::{Key, Repository, redacted};
use crate::sync::mirrors::{self, Expected};
use crate::sync::transfer::{self, Manner, TransferError};
use crate::sync::{INDEX_MAX, SyncError};

/// Failures that an error tells.
const FAILURES_TOLD: usize = 8;

/// Where the files of a repository come from.
pub(crate) struct Source {
    id: String,
    mirrors: Vec<String>,
    /// What the index may be; empty where only its signature, or nothing, says so.
    states: Vec<Expected>,
    manner: Manner,
}

impl Source {
    /// Asks for the mirrors, if the repository has a list of them.
    pub(crate) fn of(repository: &Repository, cache: &Path, machine: &Machine<'_>) -> Result<Source, SyncError> {
        let manner = transfer::manner_of(repository);
        let wrong = |cause: String| SyncError::Mirrors { id: repository.id.clone(), cause };
        let mut mirrors = repository.list(Key::BaseUrl);
        let mut states = Vec::new();
        for key in [Key::Metalink, Key::MirrorList] {
            let url = repository.text(key);
            if url.is_empty() {
                continue;
            }
            let text = text_of(&url, cache, &manner, machine).map_err(|error| match error.is_ours() {
                true => SyncError::Transfer(error),
                false => wrong(error.to_string()),
            })?;
            let text = String::from_utf8(text).map_err(|_| wrong(format!("{}: it is no text", redacted(&url))))?;
            // A mirror list's address may lead to a metalink.
            if key == Key::Metalink || text.trim_start().starts_with('<') {
                let metalink =
                    mirrors::metalink(&text).map_err(|cause| wrong(format!("{}: {cause}", redacted(&url))))?;
                mirrors.extend(metalink.mirrors);
                states = metalink.states;
            } else {
                mirrors.extend(mirrors::list(&text));
            }
            if mirrors.is_empty() {
                return Err(wrong(format!("{}: it names none", redacted(&url))));
            }
            break;
        }
        if mirrors.is_empty() {
            let (id, origin) = (repository.id.clone(), repository.origin.to_string());
            return Err(SyncError::NoAddress { id, origin });
        }
        Ok(Source { id: repository.id.clone(), mirrors, states, manner })
    }

    /// Fetches `repodata/repomd.xml`.
    pub(crate) fn index(&self, to: &Path, machine: &Machine<'_>) -> Result<(), SyncError> {
        let unknown = [Expected::default()];
        let states = if self.states.is_empty() { &unknown[..] } else { &self.states };
        self.fetch("repodata/repomd.xml", states, INDEX_MAX, to, machine)
    }

    /// Fetches a file that has to be one of `expected` from the first mirror that gives it.
    ///
    /// What `to` already holds is gone on with. On an error of every mirror `to` may hold a part of the file.
    pub(crate) fn fetch(
        &self,
        file: &str,
        expected: &[Expected],
        limit: u64,
        to: &Path,
        machine: &Machine<'_>,
    ) -> Result<(), SyncError> {
        let largest = expected.iter().map(|one| one.size.unwrap_or(limit)).max().unwrap_or(limit).min(limit);
        let mut mirrors: Vec<&String> = self.mirrors.iter().collect();
        let mut failures: Vec<String> = Vec::new();
        let (mut attempt, mut at) = (0, 0);
        while attempt < self.manner.retries && !mirrors.is_empty() {
            at %= mirrors.len();
            let url = address(mirrors[at], file);
            let resumed = fs_err::metadata(to).is_ok_and(|meta| meta.len() > 0);
            let fetched = transfer::fetch(&url, to, largest, &self.manner, machine.host);
            let again = match fetched {
                Ok(()) => match check(to, expected)? {
                    None => return Ok(()),
                    Some(problem) => {
                        fs_err::remove_file(to)?;
                        if !resumed {
                            failures.push(format!("{}: {problem}", redacted(&url)));
                        }
                        // What was resumed may have been another state's part: once more from the start.
                        resumed
                    }
                },
                Err(error) if error.is_ours() => return Err(error.into()),
                Err(error) => {
                    failures.push(error.to_string());
                    if matches!(error, TransferError::TooLarge { .. }) || !error.is_passing() || resumed {
                        let _ = fs_err::remove_file(to);
                    }
                    error.is_passing()
                }
            };
            attempt += 1;
            if !again {
                mirrors.remove(at);
            } else {
                at += 1;
                if attempt < self.manner.retries {
                    std::thread::sleep(transfer::pause(attempt / self.mirrors.len().max(1) as u64));
                }
            }
        }
        failures.dedup();
        let more = failures.len().saturating_sub(FAILURES_TOLD);
        failures.truncate(FAILURES_TOLD);
        if more > 0 {
            failures.push(format!("and {more} more failures"));
        }
        Err(SyncError::Unreachable { id: self.id.clone(), file: file.to_owned(), failures })
    }
}

fn text_of(url: &str, cache: &Path, manner: &Manner, machine: &Machine<'_>) -> Result<Vec<u8>, TransferError> {
    let to = cache.join("mirrors.part");
    let mut attempt = 0;
    loop {
        let _ = fs_err::remove_file(&to);
        match transfer::fetch(url, &to, mirrors::BYTES_MAX, manner, machine.host) {
            Ok(()) => break,
            Err(error) if error.is_passing() && attempt + 1 < manner.retries.min(3) => {
                attempt += 1;
                std::thread::sleep(transfer::pause(attempt));
            }
            Err(error) => return Err(error),
        }
    }
    let bytes = fs_err::read(&to)?;
    fs_err::remove_file(&to)?;
    Ok(bytes)
}

/// A file below a base address.
pub(crate) fn address(base: &str, file: &str) -> String {
    let file = file.replace('%', "%25").replace('#', "%23").replace('?', "%3F").replace(' ', "%20");
    let file = file.replace('^', "%5E").replace('+', "%2B");
    match base.strip_suffix('/') {
        Some(base) => format!("{base}/{file}"),
        None => format!("{base}/{file}"),
    }
}

/// What is wrong with a file, if it is none of `expected`.
fn check(file: &Path, expected: &[Expected]) -> std::io::Result<Option<String>> {
    let size = fs_err::metadata(file)?.len();
    let mut problem = None;
    for one in expected {
        if let Some(wanted) = one.size.filter(|wanted| *wanted != size) {
            problem = problem.or(Some(format!("it has {size} bytes, {wanted} are expected")));
            continue;
        }
        let mut differs = None;
        for checksum in one.strong() {
            let found = checksum_of_file(file, checksum.algorithm)?;
            if found != checksum.hex {
                differs = Some(format!("its {} is {found}, {} is expected", checksum.algorithm.as_str(), checksum.hex));
                break;
            }
        }
        match differs {
            None => return Ok(None),
            Some(differs) => problem = problem.or(Some(differs)),
        }
    }
    Ok(problem)
}

/// rpm's name for an algorithm of rpm-md.
fn algorithm(algorithm: Algorithm) -> rpm::Algorithm {
    match algorithm {
        Algorithm::Md5 => rpm::Algorithm::Md5,
        Algorithm::Sha1 => rpm::Algorithm::Sha1,
        Algorithm::Sha224 => rpm::Algorithm::Sha224,
        Algorithm::Sha256 => rpm::Algorithm::Sha256,
        Algorithm::Sha384 => rpm::Algorithm::Sha384,
        Algorithm::Sha512 => rpm::Algorithm::Sha512,
    }
}

pub(crate) fn checksum_of_file(file: &Path, kind: Algorithm) -> std::io::Result<String> {
    let mut checksummer = rpm::Checksummer::new(algorithm(kind));
    let mut file = fs_err::File::open(file)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(checksummer.finish().hex);
        }
        checksummer.update(&buffer[..count]);
    }
}

/// Whether a file is what a checksum says.
pub(crate) fn is(file: &Path, checksum: &Checksum) -> std::io::Result<bool> {
    Ok(checksum_of_file(file, checksum.algorithm)? == checksum.hex)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn names_of_files_are_escaped_in_addresses() {
        for (base, file, url) in [
            ("http://h/a/", "Packages/c/c++-1.0^git-1.rpm", "http://h/a/Packages/c/c%2B%2B-1.0%5Egit-1.rpm"),
            ("file:///a", "b c", "file:///a/b%20c"),
            ("/a", "b", "/a/b"),
        ] {
            assert_eq!(address(base, file), url);
        }
    }
}
