//! Writes a directory of this machine as an ext4 file system and prints how many seconds that took: for `bench/ext4`.
//!
//! usage: ext4 DIRECTORY IMAGE
//!
//! The clock runs while the image is written; that the directory is read as a tree first is what a store has done already.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use disk::Uuid;
use disk::ext4::{self, Journal, Options, Size};
use pkg::{Blobs, Digest, SourceDateEpoch};

/// Files where they are, found by their digest.
struct Files(BTreeMap<Digest, PathBuf>);

impl Blobs for Files {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn io::Read + Send + '_>> {
        let path = self.0.get(digest).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(fs_err::File::open(path)?))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, image] = arguments.as_slice() else {
        return Err("usage: ext4 DIRECTORY IMAGE".into());
    };
    let mut files = Files(BTreeMap::new());
    let mut keep = |path: &Path| -> io::Result<Digest> {
        let digest = tree::directory::digest_only(path)?;
        files.0.insert(digest, path.to_owned());
        Ok(digest)
    };
    let tree = tree::directory::read(Path::new(directory), &mut keep)?;
    let options = Options {
        size: Size::Minimal { free: 0 },
        uuid: Uuid::derive(b"bench", "root"),
        hash_seed: Uuid::derive(b"bench", "hash"),
        label: String::new(),
        at: SourceDateEpoch(0),
        journal: Journal::Usual,
        reserved_percent: 5,
    };
    let mut file = fs_err::File::create(image)?;
    let start = Instant::now();
    ext4::write(&tree, &files, &options, file.file_mut())?;
    writeln!(io::stdout(), "{:.3}", start.elapsed().as_secs_f64())?;
    Ok(())
}
