//! One package on its way into a snapshot: signed and told of, each once for all snapshots.

use std::io::Read as _;

use pkg::{Digest, Hasher, Nevra, SourceDateEpoch};
use repodata::Entry;
use sign::Signer;
use store::Store;

use crate::{Package, PublishError, facts};

/// Records: digest of package and key -> digest of the signed package.
const SIGNED: &str = "publish-signed";
/// Records: digest of a signed package -> its part of the documents.
const TOLD: &str = "publish-entry";
/// Part of the records' keys: another number when what is recorded changes its form or rules.
const VERSION: &str = "1";

/// A package as it will be in the snapshot.
pub(crate) struct Prepared {
    pub(crate) nevra: Nevra,
    pub(crate) location: String,
    /// Of the package as it was given.
    pub(crate) unsigned: Digest,
    /// Of the signed package, which is in the store.
    pub(crate) digest: Digest,
    pub(crate) entry: Entry,
}

/// Signs one package and collects what is told of it, or takes both from the store.
///
/// The signature's time is the package's build time: so the signed bytes do not depend on when it is published.
pub(crate) fn prepare(package: &Package, signer: &dyn Signer, store: &Store) -> Result<Prepared, PublishError> {
    let mut key = Hasher::new();
    key.field("version", VERSION).field("package", package.digest.as_bytes()).field("key", signer.fingerprint());
    let signed_key = key.finish();
    let known = store.record(SIGNED, &signed_key).and_then(|bytes| Some(Digest::from_bytes(bytes.try_into().ok()?)));
    let digest = match known.filter(|digest| store.contains(digest)) {
        Some(digest) => digest,
        None => {
            let digest = sign_package(package, signer, store)?;
            store.set_record(SIGNED, &signed_key, digest.as_bytes())?;
            digest
        }
    };

    let mut key = Hasher::new();
    key.field("version", VERSION).field("signed", digest.as_bytes());
    let told_key = key.finish();
    if let Some(entry) = store.record(TOLD, &told_key).and_then(|bytes| Entry::from_bytes(&bytes))
        && let Ok(told) = entry.read_primary()
    {
        let location = location(&told.nevra)?;
        return Ok(Prepared { nevra: told.nevra, location, unsigned: package.digest, digest, entry });
    }
    let mut file = store.open_object(&digest)?;
    let size = file.metadata().map_err(|error| PublishError::from_io(error, store.root()))?.len();
    let read = rpm::Package::read(&mut file)
        .map_err(|cause| PublishError::Package { file_name: package.file_name.clone(), cause })?;
    let nevra = read.nevra();
    let location = location(&nevra)?;
    let facts = facts(&read, digest, size, &location)
        .map_err(|cause| PublishError::Files { file_name: package.file_name.clone(), cause })?;
    let entry = Entry::new(&facts);
    store.set_record(TOLD, &told_key, &entry.to_bytes())?;
    Ok(Prepared { nevra, location, unsigned: package.digest, digest, entry })
}

/// Checks a package against its own digests, signs it, and keeps the result.
fn sign_package(package: &Package, signer: &dyn Signer, store: &Store) -> Result<Digest, PublishError> {
    let file_name = || package.file_name.clone();
    let damaged = |cause| PublishError::Damaged { file_name: file_name(), cause };
    let open = || -> Result<_, PublishError> {
        let mut file = store.open_object(&package.digest)?;
        let read =
            rpm::Package::read(&mut file).map_err(|cause| PublishError::Package { file_name: file_name(), cause })?;
        Ok((read, file))
    };
    let (read, mut payload) = open()?;
    read.verify_header().map_err(damaged)?;
    read.verify_payload(&mut payload).map_err(damaged)?;
    let (read, payload) = open()?;
    let packet = signer.sign_binary(&read.signed_region(), SourceDateEpoch(read.header.build_time()))?;
    let signed =
        read.with_signature(&packet).map_err(|cause| PublishError::Resign { file_name: file_name(), cause })?;
    let mut start = Vec::new();
    signed.write_start(&mut start).map_err(|error| PublishError::from_io(error, store.root()))?;
    Ok(store.put_reader(start.as_slice().chain(payload))?)
}

/// Where a package lies in a snapshot: `Packages/b/bash-5.2.37-1.sk1.x86_64.rpm`.
fn location(nevra: &Nevra) -> Result<String, PublishError> {
    let file_name = nevra.file_name();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+~^".contains(c);
    let first = file_name.chars().next().filter(char::is_ascii_alphanumeric);
    match first {
        Some(first) if file_name.len() <= 255 && file_name.chars().all(plain) => {
            Ok(format!("Packages/{}/{file_name}", first.to_ascii_lowercase()))
        }
        _ => Err(PublishError::Name { nevra: nevra.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_stay_in_the_snapshot() {
        for (nevra, expected) in [
            ("bash-5.2-1.x86_64", Some("Packages/b/bash-5.2-1.x86_64.rpm")),
            ("GConf2-1:3-1~rc1^git.noarch", Some("Packages/g/GConf2-3-1~rc1^git.noarch.rpm")),
            ("../x-1-1.noarch", None),
            ("a/b-1-1.noarch", None),
            ("a b-1-1.noarch", None),
            (".a-1-1.noarch", None),
        ] {
            assert_eq!(location(&Nevra::parse(nevra).unwrap()).ok().as_deref(), expected, "{nevra}");
        }
    }
}
