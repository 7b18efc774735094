//! Archives that overlays change the inside of: from the sources as they were fetched to those that a build gets.

use std::collections::BTreeMap;
use std::io::Read;

use build::archive::{ArchiveError, Expected};
use distro::render::{Author, RenderError};
use distro::{Component, FileOrigin, Hash};
use pkg::{Digest, Hasher};
use store::Store;

use crate::explain::Failure;
use crate::rendering;

/// The kind under which the store records changed archives.
const RECORD: &str = "changed-archive";

/// Changes whenever packing writes other bytes for the same inputs.
const PACKING: &str = "1";

/// Puts the changed archives of a component in the place of those that were fetched. What was changed before is found in the store.
pub(crate) fn change(
    component: &Component,
    sources: &mut BTreeMap<String, Digest>,
    store: &Store,
) -> Result<(), Failure> {
    for (archive, indexes) in by_archive(component) {
        let at = &component.overlays[indexes[0]].at;
        // It was fetched, or lies beside the definition's own spec.
        let beside = component.spec.folder().join(archive);
        let original = match sources.get(archive) {
            Some(fetched) => Some(*fetched),
            None if beside.is_file() => Some(store.put_file(&beside)?),
            None => None,
        };
        let Some(original) = original else {
            let message = format!(
                "the archive `{archive}`, which overlays of `{}` change, is none of its sources",
                component.name
            );
            return Err(Failure::definition(format!("{message}\n  --> {at}")).hint("see `Source` tags for its name"));
        };
        let changed = changed(component, archive, &indexes, &original, store)?;
        sources.insert(archive.to_owned(), changed);
    }
    Ok(())
}

/// The overlays of each archive, by their indexes.
fn by_archive(component: &Component) -> BTreeMap<&str, Vec<usize>> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, overlay) in component.overlays.iter().enumerate() {
        if let Some(archive) = overlay.archive() {
            groups.entry(archive).or_default().push(index);
        }
    }
    groups
}

fn changed(
    component: &Component,
    archive: &str,
    indexes: &[usize],
    original: &Digest,
    store: &Store,
) -> Result<Digest, Failure> {
    let entry =
        component.source_files.iter().find(|file| file.file_name == archive && file.origin == FileOrigin::Overlay);
    let expected = match entry.and_then(|file| file.hash.as_ref()) {
        Some(Hash::Sha256(hex)) => Some(Expected::Sha256(hex.clone())),
        Some(Hash::Sha512(hex)) => Some(Expected::Sha512(hex.clone())),
        Some(Hash::Md5(_)) | None => None,
    };
    let mut hasher = Hasher::new();
    hasher.field("packing", PACKING).field("original", original.as_bytes()).field("expected", format!("{expected:?}"));
    let mut overlays = Vec::new();
    for index in indexes {
        let overlay = &component.overlays[*index];
        hasher.field("overlay", format!("{:?} {}", overlay.kind, overlay.optional));
        overlays.push(
            overlay
                .operation()
                .map_err(|error| rendering::explain(component, &RenderError::Operation { overlay: *index, error }))?,
        );
    }
    let key = hasher.finish();
    let known = store.record(RECORD, &key).and_then(|hex| Digest::parse(std::str::from_utf8(&hex).ok()?).ok());
    if let Some(digest) = known.filter(|digest| store.contains(digest)) {
        return Ok(digest);
    }
    let mut bytes = Vec::new();
    store.open_object(original)?.read_to_end(&mut bytes)?;
    let failed = |error| explain(component, indexes, error);
    let packed = build::archive::change(archive, &bytes, &overlays).map_err(failed)?;
    let Some(expected) = expected else {
        let at = entry.map_or(&component.overlays[indexes[0]].at, |file| &file.at);
        let received = Digest::of(&packed).hex();
        let message =
            format!("nothing says which digest `{archive}` of `{}` is to have after its overlays", component.name);
        return Err(Failure::definition(format!("{message}\n  --> {at}\n  received  SHA256 {received}"))
            .hint(format!("compare it, then write `hash-type = \"SHA256\"` and `hash = \"{received}\"`")));
    };
    build::archive::check(archive, &packed, &expected).map_err(failed)?;
    let digest = store.put_bytes(&packed)?;
    store.set_record(RECORD, &key, digest.hex().as_bytes())?;
    Ok(digest)
}

fn explain(component: &Component, indexes: &[usize], error: ArchiveError) -> Failure {
    let first = &component.overlays[indexes[0]];
    match error {
        ArchiveError::Overlay { archive, mut error } => {
            let author = Author::Overlay(indexes.get(error.overlay).copied().unwrap_or(indexes[0]));
            error.overlay = 0;
            let failure = rendering::explain(component, &RenderError::Overlay { author, error });
            failure.within(&format!("in the archive `{archive}`, "))
        }
        ArchiveError::Differs { archive, expected, received } => {
            let entry = component
                .source_files
                .iter()
                .find(|file| file.file_name == archive && file.origin == FileOrigin::Overlay);
            let at = entry.map_or(&first.at, |file| &file.at);
            let message = format!(
                "the archive `{archive}` of `{}` is another one after its overlays than was expected",
                component.name
            );
            Failure::definition(format!("{message}\n  expected  {expected}  ({at})\n  received  {received}")).hint(
                "compare both archives, then write the received digest; compressors of other tools give other bytes for the same files",
            )
        }
        error => {
            Failure::definition(format!("overlays of `{}` cannot be made: {error}\n  --> {}", component.name, first.at))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A tar archive of files in the folder `demo-1`.
    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, text) in files {
            let mut header = [0_u8; 512];
            let name = format!("demo-1/{name}");
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[100..108].copy_from_slice(b"0000644\0");
            header[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
            header[148..156].fill(b' ');
            header[156] = b'0';
            header[257..265].copy_from_slice(b"ustar\x0000");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            bytes.extend_from_slice(&header);
            bytes.extend_from_slice(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn component(folder: &Path, hash: &str, file: &str) -> Component {
        let definition = format!(
            "[project]\ndefault-distro = {{ name = \"t\", version = \"1\" }}\nsource-date-epoch = 1\n[distros.t.versions.\"1\"]\n\
             release-ver = \"1\"\n[stage0]\nsuite = \"trixie\"\npackages = [\"gcc\"]\n\
             [components.demo]\nspec = {{ type = \"local\", path = \"demo.spec\" }}\n\
             [[components.demo.overlays]]\ntype = \"spec-set-tag\"\ntag = \"Version\"\nvalue = \"1\"\n\
             [[components.demo.overlays]]\ntype = \"file-remove\"\narchive = \"demo-1.tar\"\nfile = \"{file}\"\n\
             [[components.demo.overlays]]\ntype = \"file-search-replace\"\narchive = \"demo-1.tar\"\nfile = \"a.c\"\nregex = \"old\"\nreplacement = \"new\"\n\
             [[components.demo.source-files]]\nfilename = \"demo-1.tar\"\n{hash}origin = {{ type = \"overlay\" }}\n\
             replace-upstream = true\nreplace-reason = \"nothing bundled\"\n"
        );
        fs_err::write(folder.join("distro.toml"), definition).unwrap();
        fs_err::write(folder.join("demo.spec"), "Name: demo\nVersion: 0\n").unwrap();
        let mut distro = distro::load(&folder.join("distro.toml"), distro::Locks::Required).unwrap();
        distro.components.remove("demo").unwrap()
    }

    #[test]
    fn files_archives_are_changed_once_and_known_by_their_digest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        fs_err::write(folder.path().join("demo-1.tar"), tar(&[("a.c", "old"), ("vendor/x", "x")])).unwrap();
        let run = |hash: &str, file: &str| {
            let mut sources = BTreeMap::new();
            change(&component(folder.path(), hash, file), &mut sources, &store).map(|()| sources["demo-1.tar"])
        };
        // Without a digest the message names it; with another one, both.
        let message = run("", "vendor/**").unwrap_err().to_string();
        let (_, received) = message.split_once("received  SHA256 ").unwrap();
        let received = &received[..64];
        let hash = |hex: &str| format!("hash-type = \"SHA256\"\nhash = \"{hex}\"\n");
        let other = "00".repeat(32);
        let message = run(&hash(&other), "vendor/**").unwrap_err().to_string();
        assert!(message.contains(&format!("expected  SHA256 {other}")), "{message}");
        assert!(
            message.contains(&format!("received  SHA256 {received}")) && message.contains("distro.toml:"),
            "{message}"
        );
        let digest = run(&hash(received), "vendor/**").unwrap();
        assert_eq!(digest.hex(), received);
        assert_eq!(run(&hash(received), "vendor/**").unwrap(), digest, "what is known is not made again");
        // One that finds nothing names its overlay, and nothing is put in the place of the source.
        let message = run(&hash(received), "vendr/x").unwrap_err().to_string();
        assert!(message.starts_with("in the archive `demo-1.tar`, an overlay of `demo` does not fit"), "{message}");
        assert!(message.contains("distro.toml:15") && message.contains("`vendor/x`"), "{message}");
        // Fetched or beside the spec, it has to be somewhere.
        fs_err::remove_file(folder.path().join("demo-1.tar")).unwrap();
        assert!(run(&hash(received), "vendor/**").unwrap_err().to_string().contains("is none of its sources"));
    }

    #[test]
    fn files_rendering_needs_no_archive() {
        let folder = tempfile::tempdir().unwrap();
        let found = rendering::overlaid(&component(folder.path(), "", "vendor/**")).unwrap();
        assert_eq!(found.spec, "Name: demo\nVersion: 1\n");
    }
}
