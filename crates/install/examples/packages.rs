//! Makes packages of the files of this Debian machine, signed by a key made for them: what `bench/install` and
//! `bench/verify` take as their set.
//!
//! usage: packages TO COUNT
//!
//! Takes the installed packages in the order of their names, leaves out those without files or with more than 20 MB, and
//! writes COUNT of them below TO with the key as TO/KEY. Prints the number of files and bytes.
#![expect(clippy::disallowed_macros, reason = "a program for people at a terminal")]

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use pkg::{Nevra, SourceDateEpoch};
use rpm::write::{NewFile, PackageBuilder};
use sign::{Key, KeyAlgorithm, Signer};

const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);
const LARGEST: u64 = 20 << 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [to, count] = &arguments[..] else { return Err("usage: packages TO COUNT".into()) };
    let (to, count): (&Path, usize) = (Path::new(to), count.parse()?);
    fs_err::create_dir_all(to)?;
    let key = Key::generate("Bench <bench@example.org>", KeyAlgorithm::Rsa3072, AT)?;
    fs_err::write(to.join("KEY"), key.public_key_armored()?)?;
    let mut lists: Vec<_> = fs_err::read_dir("/var/lib/dpkg/info")?.collect::<Result<Vec<_>, _>>()?;
    lists.sort_by_key(fs_err::DirEntry::file_name);
    let (mut made, mut files, mut bytes) = (0, 0, 0);
    let mut taken = BTreeSet::new();
    for entry in lists {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".list") else { continue };
        if made == count {
            break;
        }
        let name = name.replace([':', '+'], "-");
        let Some((builder, its_files, its_bytes)) = package(&name, &entry.path(), &mut taken)? else { continue };
        let plain = builder.build()?;
        let mut file = fs_err::File::create(to.join(format!("{name}-1-1.noarch.rpm")))?;
        rpm::sign(&mut plain.as_slice(), &mut file, |covered| key.sign_binary(covered, AT))?;
        (made, files, bytes) = (made + 1, files + its_files, bytes + its_bytes);
    }
    println!("{made} packages, {files} files, {bytes} bytes");
    Ok(())
}

/// The package of a list of paths; `None` when it has no files, or too many bytes.
fn package(
    name: &str,
    list: &Path,
    taken: &mut BTreeSet<String>,
) -> Result<Option<(PackageBuilder, usize, u64)>, Failure> {
    let mut builder = PackageBuilder::new(Nevra::parse(&format!("{name}-1-1.noarch"))?, AT);
    let (mut files, mut bytes) = (0, 0);
    let mut own = Vec::new();
    for path in fs_err::read_to_string(list)?.lines() {
        let path = ["/bin/", "/sbin/", "/lib/", "/lib64/"]
            .iter()
            .find(|prefix| path.starts_with(*prefix))
            .map_or_else(|| path.to_owned(), |_| format!("/usr{path}"));
        let Ok(found) = fs_err::symlink_metadata(&path) else { continue };
        if found.is_dir() || path == "/." || !(found.is_file() || found.is_symlink()) || taken.contains(&path) {
            continue;
        }
        let file = if found.is_symlink() {
            let Some(target) = fs_err::read_link(&path)?.to_str().map(str::to_owned) else { continue };
            NewFile::symlink(&target)
        } else {
            bytes += found.len();
            if bytes > LARGEST {
                return Ok(None);
            }
            NewFile::regular(fs_err::read(&path)?).mode(found.permissions().mode() & 0o7777)
        };
        files += 1;
        own.push(path.clone());
        builder = builder.file(&path, file.mtime(found.mtime().unsigned_abs()));
    }
    taken.extend(own);
    Ok((files > 0).then_some((builder, files, bytes)))
}
