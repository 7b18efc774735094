use std::path::Path;

use pkg::{Digest, SourceDateEpoch};
use repodata::{Compression, Documents};
use sign::Signer;
use store::Store;

use crate::entry::{self, Prepared};
use crate::parallel::on_all_cores;
use crate::snapshot::{self, Content, KEY_FILE, Published, Snapshot};
use crate::{PublishError, snapshot::SNAPSHOTS};

/// A package that is to be published, as it was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// For messages; the name in the snapshot follows from the package itself.
    pub file_name: String,
    /// Its bytes in the store.
    pub digest: Digest,
}

/// Writes a signed snapshot of `packages` below `out` and makes it the current one.
///
/// Packages are checked against their own digests before they are signed. What was signed and described before is taken
/// from the store. `at` is the time in the index and of its signature. One process publishes at a time; others wait.
///
/// # Errors
/// [`PublishError`]; what was visible before still is, and the store only gained unnamed objects.
pub fn compose(
    packages: &[Package],
    signer: &dyn Signer,
    at: SourceDateEpoch,
    store: &Store,
    out: &Path,
) -> Result<Snapshot, PublishError> {
    let _guard = store.lock("publish")?;
    let mut prepared = prepare_all(packages, signer, store)?;
    prepared.sort_by(|left, right| Documents::order((&left.nevra, &left.digest), (&right.nevra, &right.digest)));
    prepared.dedup_by(|left, right| left.unsigned == right.unsigned);
    let mut locations: Vec<&Prepared> = prepared.iter().collect();
    locations.sort_by(|left, right| left.location.cmp(&right.location));
    if let Some(pair) = locations.windows(2).find(|pair| pair[0].location == pair[1].location) {
        let [left, right] = [pair[0].unsigned, pair[1].unsigned];
        return Err(PublishError::SameName { nevra: pair[0].nevra.clone(), left, right });
    }

    let mut entries = Vec::with_capacity(prepared.len());
    let mut published = Vec::with_capacity(prepared.len());
    let mut files = Vec::with_capacity(prepared.len() + 6);
    for Prepared { nevra, location, unsigned, digest, entry } in prepared {
        files.push((location.clone(), Content::Object(digest)));
        entries.push(entry);
        published.push(Published { nevra, location, unsigned, digest });
    }
    let documents =
        Documents::new(&entries, Compression::Gzip, at).map_err(|error| PublishError::from_io(error, out))?;
    let repomd = documents.repomd.to_xml().into_bytes();
    let signature = signer.sign_detached_armored(&repomd, at)?;
    files.extend(documents.files.into_iter().map(|(path, bytes)| (path, Content::Bytes(bytes))));
    files.push(("repodata/repomd.xml".to_owned(), Content::Bytes(repomd)));
    files.push(("repodata/repomd.xml.asc".to_owned(), Content::Bytes(signature.into_bytes())));
    files.push((KEY_FILE.to_owned(), Content::Bytes(signer.public_key_armored()?.into_bytes())));
    files.sort_by(|(left, _), (right, _)| left.cmp(right));

    let id = snapshot::id(&files);
    fs_err::create_dir_all(out).map_err(|error| PublishError::from_io(error, out))?;
    let is_new = snapshot::write(out, &id, &files, store)?;
    let current = snapshot::show(out, &id).map_err(|error| PublishError::from_io(error, out))?;
    let folder = out.join(SNAPSHOTS).join(id.hex());
    Ok(Snapshot { id, folder, current, packages: published, is_new })
}

/// Prepares all packages on all cores; the first error in the packages' order wins.
fn prepare_all(packages: &[Package], signer: &dyn Signer, store: &Store) -> Result<Vec<Prepared>, PublishError> {
    on_all_cores(packages.len(), |queue, done| {
        while let Some(number) = queue.take() {
            done.push(number, entry::prepare(&packages[number], signer, store));
        }
    })
}
