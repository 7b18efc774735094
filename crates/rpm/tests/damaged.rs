//! Whatever the bytes are, reading ends, with an answer or an error.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;

use pkg::{Nevra, Relation, SourceDateEpoch};
use proptest::prelude::*;
use rpm::write::{Format, NewFile, PackageBuilder};
use rpm::{Compression, DependencyKind, Header, Package, ScriptletFlags, ScriptletKind, Tag};
use rpm::{Trigger, TriggerScope, TriggerWhen};

/// The fuzz target: reads all that there is to read in a package.
///
/// Bytes of files are counted but not kept; the limit stands for the disk.
fn read_everything(bytes: &[u8]) {
    let mut reader = bytes;
    let Ok(package) = Package::read(&mut reader) else { return };
    let header = &package.header;
    for tag in header.tags().collect::<Vec<Tag>>() {
        let _ = header.value(tag);
    }
    let _ = (header.files(), header.file_paths().count(), header.changelog(), header.scriptlets(), header.triggers());
    for kind in DependencyKind::ALL {
        let _ = header.dependencies(kind);
    }
    let _ =
        (package.verify_header(), package.signatures(), header.nevra(), package.with_signature(&[0x88, 3, 4, 0, 1]));
    assert_eq!(Header::parse(header.blob().to_vec()).unwrap(), *header);
    let Ok(mut payload) = package.payload(reader) else { return };
    let mut left = 16u64 << 20;
    while let Ok(Some(mut item)) = payload.next() {
        match std::io::copy(&mut (&mut item).take(left), &mut std::io::sink()) {
            Ok(count) if count < left => left -= count,
            _ => return,
        }
    }
    let _ = payload.finish();
}

fn sample(compression: Compression, format: Format) -> Vec<u8> {
    PackageBuilder::new(Nevra::parse("alpha-2:1.0-1.sk1.x86_64").unwrap(), SourceDateEpoch(1_750_000_000))
        .compression(compression)
        .format(format)
        .requires("((x or y) if z)")
        .file("/usr/bin/alpha", NewFile::regular("one\n").mode(0o755))
        .file("/usr/bin/beta", NewFile::hard_link("/usr/bin/alpha"))
        .file("/usr/bin/a", NewFile::symlink("alpha"))
        .file("/var/lib/alpha", NewFile::directory())
        .file("/var/log/alpha", NewFile::ghost())
        .scriptlet(ScriptletKind::Post, "/bin/sh", "true")
        .trigger(Trigger {
            scope: TriggerScope::File,
            when: TriggerWhen::In,
            conditions: vec![Relation::any("/usr")],
            body: "true".to_owned(),
            program: "/bin/sh".to_owned(),
            flags: ScriptletFlags::default(),
            priority: 1,
        })
        .build()
        .unwrap()
}

const COMPRESSIONS: [Compression; 6] =
    [Compression::None, Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Lzma, Compression::Zstd];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_packages_are_read_or_refused(
        compression in 0..COMPRESSIONS.len(),
        format in prop_oneof![Just(Format::V4), Just(Format::V6)],
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        numbers in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(0u32), Just(1), Just(u32::MAX), Just(0x7fff_ffff), Just(0x8000_0000), Just(0x0fff_ffff), any::<u32>(),
        ]), 0..3),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sample(COMPRESSIONS[compression], format);
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        for (place, number) in numbers {
            let at = place.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        read_everything(&bytes);
    }

    #[test]
    fn any_blob_is_a_header_or_refused(
        entries in prop::collection::vec((prop_oneof![60u32..70, 1000u32..1010, 1117u32..1119], 0u32..11, 0u32..80, 0u32..20), 0..5),
        data in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut blob = Vec::new();
        blob.extend((entries.len() as u32).to_be_bytes());
        blob.extend((data.len() as u32).to_be_bytes());
        for (tag, kind, offset, count) in &entries {
            for number in [tag, kind, offset, count] {
                blob.extend(number.to_be_bytes());
            }
        }
        blob.extend(&data);
        if let Ok(header) = Header::parse(blob) {
            for tag in header.tags().collect::<Vec<Tag>>() {
                prop_assert!(header.value(tag).is_some());
            }
            let _ = (header.files(), header.region_bytes());
        }
    }

    #[test]
    fn headers_come_back_as_they_were_built(
        numbers in prop::collection::btree_map(1000u32..5200, prop::collection::vec(any::<u32>(), 1..5), 0..10),
        texts in prop::collection::btree_map(5200u32..6000, "[^\0]{0,20}", 0..10),
        added in prop::collection::btree_map(1000u32..7000, any::<u32>(), 0..6),
    ) {
        let mut builder = rpm::HeaderBuilder::new();
        for (tag, values) in &numbers {
            builder.set(Tag(*tag), values.clone());
        }
        for (tag, text) in &texts {
            builder.set(Tag(*tag), text.as_str());
        }
        let header = builder.build(Tag::HEADERIMMUTABLE).unwrap();
        prop_assert_eq!(&rpm::HeaderBuilder::from_header(&header).build(Tag::HEADERIMMUTABLE).unwrap(), &header);
        let mut more = rpm::HeaderBuilder::new();
        for (tag, number) in &added {
            more.set(Tag(*tag), *number);
        }
        let installed = more.add_to(&header).unwrap();
        prop_assert_eq!(installed.region_bytes(), header.to_bytes());
        for (tag, values) in &numbers {
            let expected = added.get(tag).map_or_else(|| values.clone(), |number| vec![*number]);
            prop_assert_eq!(installed.u32s(Tag(*tag)), expected);
        }
        for (tag, text) in texts.iter().filter(|(tag, _)| !added.contains_key(tag)) {
            prop_assert_eq!(installed.str(Tag(*tag)), Some(text.as_str()));
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = sample(Compression::None, Format::V4);
    for length in 0..bytes.len() {
        let mut reader = &bytes[..length];
        let whole = Package::read(&mut reader)
            .is_ok_and(|package| package.payload(reader).is_ok_and(|payload| payload.finish().is_ok()));
        assert!(!whole, "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn a_changed_payload_is_seen() {
    let mut bytes = sample(Compression::None, Format::V6);
    let at = bytes.len() - 1;
    bytes[at] = 1;
    let mut reader = bytes.as_slice();
    let package = Package::read(&mut reader).unwrap();
    let payload = package.payload(reader).unwrap();
    assert!(matches!(payload.finish(), Err(rpm::PayloadError::Digest { .. })));
    assert!(matches!(package.verify_payload(&mut reader), Err(rpm::DigestError::Differs { .. })));
    package.verify_header().unwrap();
}
