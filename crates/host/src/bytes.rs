//! A whole file's bytes, mapped where that is safe.

use std::io::{self, Read as _};
use std::ops::Deref;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::sys::Mapping;

/// Files below this size are read: that costs less than a mapping.
const MAPPED_FROM: u64 = 64 << 10;

/// The bytes of a file that is never changed: one that is written under another name and renamed, such as those of a cache.
///
/// A large one is mapped, so that opening it costs no copy. A mapped file must keep its bytes as long as this value lives; if
/// it were cut short meanwhile, looking at what is gone would end the process by SIGBUS. So only a file is mapped that nobody
/// but root and this user can write, and any other is read. What its owner wrote by `rename` or removed does no harm: the
/// old bytes stay.
#[derive(Debug)]
pub struct FileBytes(Bytes);

#[derive(Debug)]
enum Bytes {
    Mapped(Mapping),
    Read(Vec<u8>),
}

impl FileBytes {
    /// Opens a file.
    ///
    /// # Errors
    /// As opening and reading any file; the message names it.
    pub fn open(path: &Path) -> io::Result<FileBytes> {
        let mut file = fs_err::File::open(path)?;
        let meta = file.metadata()?;
        let trusted = [0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) && meta.mode() & 0o022 == 0;
        if trusted && meta.is_file() && meta.len() >= MAPPED_FROM {
            // Where a file system cannot map, reading does it.
            let length = usize::try_from(meta.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
            if let Ok(mapping) = Mapping::of(file.file().as_fd(), length) {
                return Ok(FileBytes(Bytes::Mapped(mapping)));
            }
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
        file.read_to_end(&mut bytes)?;
        Ok(FileBytes(Bytes::Read(bytes)))
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> FileBytes {
        FileBytes(Bytes::Read(bytes))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Mapped(mapping) => mapping.bytes(),
            Bytes::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_have_their_bytes_whether_mapped_or_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // Empty, small, the first that is mapped, one that ends within a page.
        for length in [0, 1, 65_536, 100_001] {
            let bytes: Vec<u8> = (0..length).map(|number: u32| number.to_le_bytes()[0] ^ 0x5a).collect();
            fs_err::write(&path, &bytes).unwrap();
            for (mode, maps) in [(0o644, length >= 65_536), (0o666, false)] {
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
                let open = FileBytes::open(&path).unwrap();
                assert_eq!(*open, *bytes, "{length} bytes, mode {mode:o}");
                assert_eq!(matches!(open.0, Bytes::Mapped(_)), maps, "{length} bytes, mode {mode:o}");
            }
        }
        assert_eq!(FileBytes::open(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn bytes_stay_when_the_file_is_replaced_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("file"), folder.path().join("new"));
        fs_err::write(&path, vec![1; 100_000]).unwrap();
        let open = FileBytes::open(&path).unwrap();
        fs_err::write(&new, vec![2; 10]).unwrap();
        fs_err::rename(&new, &path).unwrap();
        fs_err::remove_file(&path).unwrap();
        assert!(open.len() == 100_000 && open.iter().all(|byte| *byte == 1));
    }
}
