//! Digests of what is written: another one is another format, and the image that people have is no longer the same.

mod sample;

use std::io::Cursor;

use disk::ext4::{self, Journal, Size};
use disk::gpt::{self, Layout, PartitionType, Request};
use disk::qcow2::{self, Compression};
use disk::{Uuid, fat};
use pkg::{Digest, SourceDateEpoch};

const AT: SourceDateEpoch = SourceDateEpoch(1_700_000_000);

const GOLDEN: [(&str, &str); 5] = [
    ("gpt", "4cfc3e171af8"),
    ("fat16", "56a3187e8bc5"),
    ("fat32", "3dec36b5421b"),
    ("ext4", "51ddf5f019db"),
    ("qcow2", "09727e85f518"),
];

fn digest(fill: impl FnOnce(&mut Cursor<Vec<u8>>)) -> String {
    let mut image = Cursor::new(Vec::new());
    fill(&mut image);
    Digest::of(image.get_ref()).short()
}

#[test]
fn formats_stay_as_they_are() {
    let sample = sample::all_kinds();
    let ext4_options = ext4::Options {
        size: Size::Minimal { free: 0 },
        uuid: Uuid::derive(b"golden", "root"),
        hash_seed: Uuid::derive(b"golden", "hash"),
        label: "golden".to_owned(),
        at: AT,
        journal: Journal::Usual,
        reserved_percent: 5,
    };
    let mut esp = fat::Directory::new();
    esp.add_file("EFI/BOOT/BOOTX64.EFI", sample::noise(100_000)).unwrap();
    esp.add_file("loader/a longer name.conf", &b"timeout 3\n"[..]).unwrap();
    let fat_options = |size| fat::Options { size, kind: None, label: Some("ESP".to_owned()), serial: 1, at: AT };
    let request = |kind, name: &str| Request {
        kind,
        id: Uuid::derive(b"golden", name),
        name: name.to_owned(),
        attributes: 0,
        size: 5 << 20,
    };
    let requests = vec![request(PartitionType::ESP, "esp"), request(PartitionType::ROOT_X86_64, "root")];
    let layout = Layout::arrange(Uuid::derive(b"golden", "disk"), None, requests).unwrap();
    let raw = [sample::noise(300_000), vec![0; 748_576]].concat();
    let qcow2_options = qcow2::Options { size: raw.len() as u64, compression: Compression::None, threads: 1 };

    let found = [
        ("gpt", digest(|out| gpt::write(&layout, out).unwrap())),
        ("fat16", digest(|out| fat::write(&esp, &fat_options(8 << 20), out).unwrap())),
        ("fat32", digest(|out| fat::write(&esp, &fat_options(64 << 20), out).unwrap())),
        ("ext4", digest(|out| drop(ext4::write(&sample.tree, &sample.blobs, &ext4_options, out)))),
        ("qcow2", digest(|out| drop(qcow2::write(&mut raw.as_slice(), &qcow2_options, out)))),
    ];
    let golden = GOLDEN.map(|(what, digest)| (what, digest.to_owned()));
    assert_eq!(found, golden);
}
