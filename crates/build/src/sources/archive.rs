//! Debian's archive: where it has the files of its packages.

use std::collections::{BTreeMap, BTreeSet};

use super::{Access, Origin};
use crate::BuildError;
use crate::debian::{Apt, Remote};

/// Whether files may be asked for that the archive's index no longer names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Superseded {
    /// The pool keeps most files for a while after a newer version is out. Only for files whose digest is locked: without
    /// the index nothing else vouches for them.
    Allowed,
    Refused,
}

/// The URI of each file.
pub(super) fn locate(
    files: &[(&Origin, &str)],
    access: &Access<'_>,
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
        let (Origin::DebianSource(package) | Origin::DebianBinary(package)) = origin else { continue };
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
                    suite: access.suite.to_owned(),
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
