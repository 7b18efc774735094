//! The `.deb` file, read natively and unpacked without root.
//!
//! ```text
//! "!<arch>\n"                                    ar(5)
//! debian-binary     "2.0\n"
//! control.tar.*     skipped: maintainer scripts are never run
//! data.tar[.gz|.xz|.zst|.bz2]    the files
//! ```
//!
//! Source: deb(5). Each member has a header of 60 bytes: name 16, time 12, uid 6, gid 6, mode 8, size 10, `` `\n ``;
//! data is padded to an even length.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

/// A package of more entries than this is refused: Debian's largest have some ten thousands.
const MAX_ENTRIES: usize = 1_000_000;
/// A package that unpacks to more bytes than this is refused.
const MAX_BYTES: u64 = 8 << 30;

/// Folders that are symbolic links into `usr` on a merged system; a package that ships files there has them moved.
pub(crate) const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// Why a `.deb` could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The bytes are not those of a Debian package.
    #[error("not a Debian package: {0}")]
    Format(String),
    /// An entry's path leaves the folder, or goes through a symbolic link of the package.
    #[error("entry `{0}` leaves the folder that it is unpacked to")]
    Escape(String),
    /// More entries or bytes than any real package has.
    #[error("the package unpacks to more than {0}")]
    TooLarge(String),
    /// Reading or writing went wrong; the message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Unpacks the files of the package that `deb` reads into the empty folder `to`.
///
/// Owners are not kept, set-user-id and set-group-id bits and device nodes are left out, times are. `skip` tells which
/// paths (relative, as in the package, after the move of `/bin` to `/usr/bin` and its like) are left out.
pub fn unpack(deb: impl Read, to: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<(), DebError> {
    let mut deb = deb;
    let mut magic = [0; 8];
    deb.read_exact(&mut magic)?;
    if &magic != b"!<arch>\n" {
        return Err(DebError::Format("it does not start with `!<arch>`".to_owned()));
    }
    loop {
        let mut header = [0; 60];
        deb.read_exact(&mut header).map_err(|_| DebError::Format("no member `data.tar`".to_owned()))?;
        let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim().to_owned();
        let name = text(0..16).trim_end_matches('/').to_owned();
        let size: u64 = text(48..58).parse().map_err(|_| DebError::Format(format!("member `{name}` has no size")))?;
        if let Some(compression) = name.strip_prefix("data.tar") {
            let data = deb.take(size);
            return match compression {
                "" => entries(data, to, skip),
                ".gz" => entries(flate2::read::MultiGzDecoder::new(data), to, skip),
                ".xz" => entries(liblzma::read::XzDecoder::new_multi_decoder(data), to, skip),
                ".zst" => entries(zstd::Decoder::new(data)?, to, skip),
                ".bz2" => entries(bzip2::read::MultiBzDecoder::new(data), to, skip),
                other => Err(DebError::Format(format!("`data.tar{other}` is compressed in a way that is not known"))),
            };
        }
        let padded = size.saturating_add(size % 2);
        if io::copy(&mut deb.by_ref().take(padded), &mut io::sink())? != padded {
            return Err(DebError::Format(format!("member `{name}` is cut short")));
        }
    }
}

fn entries(data: impl Read, to: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<(), DebError> {
    let mut archive = tar::Archive::new(data);
    let mut folders = Folders { root: to, known: BTreeSet::new() };
    let mut bytes = 0_u64;
    for (count, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        bytes = bytes.saturating_add(entry.header().size().unwrap_or(0));
        if count > MAX_ENTRIES || bytes > MAX_BYTES {
            return Err(DebError::TooLarge(format!("{MAX_ENTRIES} entries or {MAX_BYTES} bytes")));
        }
        let kind = entry.header().entry_type();
        let given = entry.path()?.into_owned();
        let path = merged(&plain(&given)?);
        let top_link = path.components().count() == 2 && given.components().filter(is_name).count() == 1;
        if path.as_os_str().is_empty() || (top_link && !kind.is_file()) || skip(&path) {
            continue;
        }
        let place = folders.place(&path)?;
        let mode = entry.header().mode()? & 0o777;
        if kind.is_dir() {
            folders.make(&path)?;
            // Always enterable for the owner: what lies below must be linked and removed later without root.
            fs_err::set_permissions(&place, std::fs::Permissions::from_mode(mode | 0o700))?;
        } else if kind.is_file() {
            let mut file = fs_err::OpenOptions::new().write(true).create(true).truncate(true).open(&place)?;
            io::copy(&mut entry, &mut file)?;
            file.set_permissions(std::fs::Permissions::from_mode(mode | 0o400))?;
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(entry.header().mtime()?);
            file.file().set_modified(time)?;
        } else if kind.is_symlink() {
            let target = entry.link_name()?.ok_or_else(|| DebError::Format("a link without a target".to_owned()))?;
            fs_err::os::unix::fs::symlink(target, &place)?;
        } else if kind.is_hard_link() {
            let target = entry.link_name()?.ok_or_else(|| DebError::Format("a link without a target".to_owned()))?;
            let target = merged(&plain(&target)?);
            if skip(&target) {
                continue;
            }
            fs_err::hard_link(folders.place(&target)?, &place)?;
        }
    }
    Ok(())
}

fn is_name(component: &Component<'_>) -> bool {
    matches!(component, Component::Normal(_))
}

/// The path without `./`, with nothing that leaves the root.
fn plain(path: &Path) -> Result<PathBuf, DebError> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) if !name.as_bytes().contains(&0) => plain.push(name),
            Component::CurDir | Component::RootDir => {}
            _ => return Err(DebError::Escape(path.display().to_string())),
        }
    }
    Ok(plain)
}

/// The path on a merged system: `bin/sh` is `usr/bin/sh`.
pub(crate) fn merged(path: &Path) -> PathBuf {
    match path.components().next() {
        Some(Component::Normal(first)) if MERGED.iter().any(|name| first == *name) => Path::new("usr").join(path),
        _ => path.to_owned(),
    }
}

/// Makes folders below `root` and refuses to go through anything that is not one.
pub(crate) struct Folders<'a> {
    pub(crate) root: &'a Path,
    pub(crate) known: BTreeSet<PathBuf>,
}

impl Folders<'_> {
    /// Where `path` belongs on the disk; its parents are made.
    pub(crate) fn place(&mut self, path: &Path) -> Result<PathBuf, DebError> {
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        Ok(self.root.join(path))
    }

    pub(crate) fn make(&mut self, path: &Path) -> Result<(), DebError> {
        if path.as_os_str().is_empty() || self.known.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        let place = self.root.join(path);
        match place.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(DebError::Escape(path.display().to_string())),
            Err(_) => {
                fs_err::create_dir(&place)?;
                fs_err::set_permissions(&place, std::fs::Permissions::from_mode(0o755))?;
            }
        }
        self.known.insert(path.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut data = tar::Builder::new(Vec::new());
        for (path, kind, body) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o4755);
            header.set_mtime(1_000_000_000);
            // Written by hand: the builder refuses the hostile paths that are wanted here.
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            if kind.is_file() {
                header.set_size(body.len() as u64);
            } else {
                header.set_size(0);
                header.as_gnu_mut().unwrap().linkname[..body.len()].copy_from_slice(body.as_bytes());
            }
            header.set_cksum();
            data.append(&header, if kind.is_file() { body.as_bytes() } else { b"" }).unwrap();
        }
        let data = data.into_inner().unwrap();
        let mut deb = b"!<arch>\n".to_vec();
        for (name, bytes) in [("debian-binary", &b"2.0\n"[..]), ("control.tar.xz", b"odd"), ("data.tar", &data)] {
            deb.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len()).bytes());
            deb.extend(bytes);
            deb.extend(std::iter::repeat_n(b'\n', bytes.len() % 2));
        }
        deb
    }

    use tar::EntryType::{Directory, Link, Regular, Symlink};

    #[test]
    fn files_an_old_layout_is_merged_and_bits_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let deb = deb(&[
            ("./", Directory, ""),
            ("./bin", Symlink, "usr/bin"),
            ("./lib/x/a", Regular, "abc"),
            ("./lib/x/b", Link, "./lib/x/a"),
            ("./usr/bin/c", Symlink, "/lib/x/a"),
            ("./usr/share/doc/d", Regular, "d"),
        ]);
        unpack(&deb[..], folder.path(), &|path| path.starts_with("usr/share/doc")).unwrap();
        let at = |path: &str| folder.path().join(path);
        assert!(!at("bin").exists() && !at("lib").exists() && !at("usr/share/doc").exists());
        let metadata = at("usr/lib/x/b").metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o755);
        assert_eq!(std::os::unix::fs::MetadataExt::mtime(&metadata), 1_000_000_000);
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&metadata), 2);
        assert_eq!(fs_err::read_link(at("usr/bin/c")).unwrap(), Path::new("/lib/x/a"));
    }

    #[test]
    fn files_hostile_packages_are_refused() {
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().to_str().unwrap();
        for entries in [
            &[("../x", Regular, "x")][..],
            &[("./usr/../../x", Regular, "x")],
            &[("./etc", Symlink, target), ("./etc/x", Regular, "x")],
            &[("./a", Link, "../../etc/passwd")],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let error = unpack(&deb(entries)[..], folder.path(), &|_| false).unwrap_err();
            assert!(matches!(error, DebError::Escape(_)), "{entries:?}: {error}");
        }
        assert_eq!(fs_err::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_what_is_no_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let whole = deb(&[("./a", Regular, "abc")]);
        for bytes in [&b"PK\x03\x04----------"[..], &whole[..70], &whole[..200], b"!<arch>\n"] {
            assert!(unpack(bytes, folder.path(), &|_| false).is_err());
        }
    }
}
