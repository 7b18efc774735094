//! A source that servers have: asked for in order, gone on with after an interruption, and never taken as it comes.

use std::path::Path;

use host::Host;
use host::transfer::{self, TransferError, redacted};
use store::Store;

use super::checksum::{Measured, measure};
use super::{Access, Algorithm, SOURCE_MAX, Source};
use crate::BuildError;

/// What came from an address and is not what was pinned, to be told if no address has the right one.
struct Differs {
    address: String,
    measured: Measured,
    quarantine: std::path::PathBuf,
}

/// Fetches `source` behind what `part` already holds, from the first of `addresses` that has it. A source without a pin is what
/// the first address gives.
///
/// On an error `part` may hold the start of the file, from which the next try goes on.
pub(super) fn download(
    source: &Source,
    addresses: &[String],
    part: &Path,
    access: &Access<'_>,
    host: &Host,
    store: &Store,
) -> Result<(), BuildError> {
    let limit = source.size.unwrap_or(SOURCE_MAX);
    let mut failures = Vec::new();
    let mut differs: Option<Differs> = None;
    if is_whole(source, part)? {
        return Ok(());
    }
    for address in addresses {
        let mut attempt = 0;
        // What is gone on with may be the start of something else: then once more from nothing, on the same address.
        let mut may_restart = true;
        loop {
            let resumed = length(part) > 0;
            let error = match transfer::fetch(address, part, limit, access.manner, host) {
                Ok(()) => match compare(source, part)? {
                    None => return Ok(()),
                    Some(_) if resumed && may_restart => {
                        fs_err::remove_file(part)?;
                        may_restart = false;
                        continue;
                    }
                    Some(measured) => {
                        failures.push(format!(
                            "{}: {} bytes of {}, which is another file",
                            redacted(address),
                            measured.size,
                            measured.asked
                        ));
                        let quarantine = store.quarantine(part, super::quarantined(&source.file_name))?;
                        differs = Some(Differs { address: redacted(address), measured, quarantine });
                        break;
                    }
                },
                Err(TransferError::Interrupted) => return Err(BuildError::Interrupted),
                Err(error) if error.is_ours() => return Err(BuildError::Transfer(error)),
                Err(error) => error,
            };
            let is_beyond = matches!(
                error,
                TransferError::TooLarge { .. }
                    | TransferError::NoRange { .. }
                    | TransferError::Status { status: 416, .. }
            );
            if is_beyond {
                let _ = fs_err::remove_file(part);
                if resumed && may_restart {
                    may_restart = false;
                    continue;
                }
            }
            attempt += 1;
            let again = error.is_passing() && attempt < access.manner.retries;
            if !again {
                failures.push(error.to_string());
                break;
            }
            std::thread::sleep(transfer::pause(attempt));
        }
    }
    failures.dedup();
    Err(match (differs, &source.checksum) {
        (Some(differs), Some(pinned)) => BuildError::SourceDiffers {
            component: source.component.clone(),
            file: source.file_name.clone(),
            at: source.at.clone(),
            locked: pinned.to_string(),
            locked_size: source.size,
            received: differs.measured.asked.to_string(),
            received_size: differs.measured.size,
            from: Some(differs.address),
            quarantine: differs.quarantine,
        },
        _ => BuildError::SourceUnreachable {
            component: source.component.clone(),
            file: source.file_name.clone(),
            at: source.at.clone(),
            failures,
        },
    })
}

fn length(path: &Path) -> u64 {
    fs_err::metadata(path).map_or(0, |meta| meta.len())
}

/// Whether an interrupted run left all of it, and was killed before it could take it.
fn is_whole(source: &Source, part: &Path) -> std::io::Result<bool> {
    let length = length(part);
    Ok(length > 0
        && source.checksum.is_some()
        && source.size.is_none_or(|size| size == length)
        && compare(source, part)?.is_none())
}

/// What a file is, where it is not what was pinned.
fn compare(source: &Source, path: &Path) -> std::io::Result<Option<Measured>> {
    let Some(pinned) = &source.checksum else { return Ok(None) };
    let measured = measure(path, pinned.algorithm)?;
    let is_right = measured.asked == *pinned && source.size.is_none_or(|size| size == measured.size);
    Ok((!is_right).then_some(measured))
}

/// The digest by which a source without a pin is measured.
pub(super) fn algorithm(source: &Source) -> Algorithm {
    source.checksum.as_ref().map_or(Algorithm::Sha512, |checksum| checksum.algorithm)
}
