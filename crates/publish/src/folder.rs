//! The metadata of a folder of packages, as createrepo_c(8) makes it, without reading a package twice in its life.
//!
//! What was told of each package is kept in the store, a record a folder and one a group of packages, and taken from there while the file's size,
//! times and number are the same. So are the compressed groups of packages: a document is a row of gzip members, cut where
//! the packages' digests say, so that one package more changes one of them. The bytes depend on the packages and `at`
//! alone, not on what was known.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pkg::{Digest, Hasher, Nevra, SourceDateEpoch};
use repodata::{Compression, Documents, Entry, Group};
use store::Store;

use crate::known::{Known, Listed, Stamp, Told, folder_bytes, group_bytes};
use crate::parallel::on_all_cores;
use crate::{PublishError, facts};

/// Records: digest of a folder's path -> what is known of its packages.
const FOLDER: &str = "publish-folder";
/// Records: digest of a folder's path and of some of its packages -> what is told of these, as text and compressed.
const GROUPS: &str = "publish-group";

/// A package ends its group with a chance of one in this many.
const GROUP: u8 = 4;

/// What came of [`index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// Packages in the folder.
    pub packages: usize,
    /// Those of them that had to be read.
    pub read: usize,
}

/// Writes `repodata` of the packages below `folder`; readers see the old index or the new one, each with its documents.
///
/// Nothing is signed and no package is changed. `at` is the time and the revision in the index.
///
/// # Errors
/// [`PublishError`]; the index that was there still is.
pub fn index(folder: &Path, at: SourceDateEpoch, store: &Store) -> Result<Indexed, PublishError> {
    let failed = |error| PublishError::from_io(error, folder);
    let _guard = store.lock("publish-folder")?;
    let folder = fs_err::canonicalize(folder).map_err(failed)?;
    let mut found = Vec::new();
    find(&folder, "", &mut found).map_err(failed)?;
    found.sort();

    let mut key = Hasher::new();
    key.field("folder", folder.as_os_str().as_encoded_bytes());
    let key = key.finish();
    let record = store.record(FOLDER, &key).unwrap_or_default();
    let listed = Listed::read(&record).unwrap_or_default();
    let records: Vec<Vec<u8>> =
        listed.groups.iter().map(|(key, _)| store.record(GROUPS, key).unwrap_or_default()).collect();
    let known = Known::new(&listed, &records);
    let fresh = read_fresh(&folder, &found, &known)?;

    // All packages, in the documents' order.
    let mut told: Vec<Told<'_>> = Vec::with_capacity(found.len());
    let mut fresh_ones = fresh.iter();
    for (location, stamp) in &found {
        match known.package(location, stamp) {
            Some(package) => told.push(package),
            None => told.extend(fresh_ones.next().map(|fresh| fresh.told(location, *stamp))),
        }
    }
    let mut nevras: Vec<(Nevra, Told<'_>)> = Vec::with_capacity(told.len());
    for package in told {
        let nevra = Nevra::parse(package.nevra).map_err(|_| PublishError::Name { nevra: package.nevra.to_owned() })?;
        nevras.push((nevra, package));
    }
    nevras.sort_by(|(left, a), (right, b)| {
        let names = (&left.name, &left.arch).cmp(&(&right.name, &right.arch)).then_with(|| left.evr.cmp(&right.evr));
        names.then_with(|| (a.nevra, a.digest, a.location).cmp(&(b.nevra, b.digest, b.location)))
    });
    let told: Vec<Told<'_>> = nevras.into_iter().map(|(_, told)| told).collect();

    let cuts: Vec<&[Told<'_>]> = told.split_inclusive(|package| package.digest.as_bytes()[0] < GROUP).collect();
    let keys: Vec<Digest> = cuts.iter().map(|cut| group_key(&key, cut)).collect();
    let groups: Vec<Group<'_>> = cuts
        .iter()
        .zip(&keys)
        .map(|(cut, key)| Group {
            entries: cut.iter().map(|package| package.texts).collect(),
            packed: known.groups.get(key).copied(),
        })
        .collect();
    let (documents, made) = Documents::of_groups(&groups, Compression::Gzip, at).map_err(failed)?;
    write(&folder, &documents).map_err(failed)?;

    if !fresh.is_empty() || told.len() != known.len() {
        for ((cut, key), made) in cuts.iter().zip(&keys).zip(&made) {
            if let Some(parts) = made {
                let parts = parts.each_ref().map(Vec::as_slice);
                store.set_record(GROUPS, key, &group_bytes(parts, cut))?;
            }
        }
        let groups: Vec<(Digest, usize)> = keys.iter().copied().zip(cuts.iter().map(|cut| cut.len())).collect();
        store.set_record(FOLDER, &key, &folder_bytes(&told, &groups))?;
        for (old, _) in listed.groups.iter().filter(|(old, _)| !keys.contains(old)) {
            store.remove_record(GROUPS, old)?;
        }
    }
    Ok(Indexed { packages: told.len(), read: fresh.len() })
}

fn group_key(folder: &Digest, group: &[Told<'_>]) -> Digest {
    let mut key = Hasher::new();
    key.field("folder", folder.as_bytes());
    for package in group {
        key.field("package", package.digest.as_bytes()).field("location", package.location);
    }
    key.finish()
}

/// Collects the packages below a folder: paths from `base` on, with what tells whether they changed.
fn find(base: &Path, below: &str, found: &mut Vec<(String, Stamp)>) -> std::io::Result<()> {
    for entry in fs_err::read_dir(base.join(below))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let location = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') && name != "repodata" {
            find(base, &location, found)?;
        } else if kind.is_file() && name.ends_with(".rpm") {
            let facts = entry.metadata()?;
            let stamp = Stamp {
                size: facts.size(),
                modified: (facts.mtime(), facts.mtime_nsec()),
                changed: (facts.ctime(), facts.ctime_nsec()),
                inode: facts.ino(),
            };
            found.push((location, stamp));
        }
    }
    Ok(())
}

/// A package that was not known, with what is told of it.
struct Fresh {
    nevra: String,
    digest: Digest,
    entry: Entry,
}

impl Fresh {
    fn told<'a>(&'a self, location: &'a str, stamp: Stamp) -> Told<'a> {
        let texts = [self.entry.primary.as_str(), &self.entry.filelists, &self.entry.other];
        Told { location, stamp, digest: self.digest, nevra: &self.nevra, texts }
    }
}

/// Reads the packages that are not known, on all cores, in order; the first error in the packages' order wins.
fn read_fresh(folder: &Path, found: &[(String, Stamp)], known: &Known<'_>) -> Result<Vec<Fresh>, PublishError> {
    let open: Vec<&str> = found
        .iter()
        .filter(|(location, stamp)| known.package(location, stamp).is_none())
        .map(|(location, _)| location.as_str())
        .collect();
    let failed = |error| PublishError::from_io(error, folder);
    on_all_cores(open.len(), |queue, done| {
        // Two files at a time are digested on each core; what cannot be opened is done at once.
        let done = std::cell::RefCell::new(done);
        let next = || loop {
            let number = queue.take()?;
            match fs_err::File::open(folder.join(open[number])) {
                Ok(file) => return Some((number, file)),
                Err(error) => done.borrow_mut().push(number, Err(failed(error))),
            }
        };
        host::sha256::all(next, |number, file, digested| {
            let result = digested.map_err(failed);
            let result =
                result.and_then(|(digest, size)| read(folder, open[number], file, (Digest::from_bytes(digest), size)));
            done.borrow_mut().push(number, result);
        });
    })
}

/// What is told of a file whose digest and size are known.
fn read(
    folder: &Path,
    location: &str,
    mut file: fs_err::File,
    (digest, size): (Digest, u64),
) -> Result<Fresh, PublishError> {
    std::io::Seek::rewind(&mut file).map_err(|error| PublishError::from_io(error, folder))?;
    let mut start = std::io::BufReader::new(file);
    let read = rpm::Package::read(&mut start)
        .map_err(|cause| PublishError::Package { file_name: location.to_owned(), cause })?;
    let facts = facts(&read, digest, size, location)
        .map_err(|cause| PublishError::Files { file_name: location.to_owned(), cause })?;
    Ok(Fresh { nevra: facts.nevra.to_string(), digest, entry: Entry::new(&facts) })
}

/// Writes documents, then the index that names them in one step, then removes documents that nothing names.
fn write(folder: &Path, documents: &Documents) -> std::io::Result<()> {
    let repodata = folder.join("repodata");
    fs_err::create_dir_all(&repodata)?;
    let before: Vec<std::path::PathBuf> =
        fs_err::read_dir(&repodata)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    for (path, bytes) in &documents.files {
        fs_err::write(folder.join(path), bytes)?;
    }
    let (index, new) = (repodata.join("repomd.xml"), repodata.join(".repomd.xml.new"));
    fs_err::write(&new, documents.repomd.to_xml())?;
    fs_err::rename(&new, &index)?;
    let named: Vec<std::path::PathBuf> = documents.files.iter().map(|(path, _)| folder.join(path)).collect();
    let is_document = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".xml"));
    for old in before.iter().filter(|path| is_document(path) && **path != index && !named.contains(path)) {
        match fs_err::remove_file(old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
