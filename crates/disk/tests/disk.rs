//! A whole disk: a partition table, and file systems written into their partitions.

mod oracle;
mod sample;

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use disk::ext4::{self, Journal, Size};
use disk::gpt::{self, Layout, PartitionType, Request};
use disk::{Section, Uuid, fat};
use pkg::SourceDateEpoch;

const AT: SourceDateEpoch = SourceDateEpoch(1_700_000_000);

#[test]
fn files_a_disk_with_esp_and_root_is_sound_in_all_its_parts() {
    let (Some(sfdisk), Some(fsck), Some(e2fsck)) =
        (oracle::tool("sfdisk", "fdisk"), oracle::tool("fsck.fat", "dosfstools"), oracle::tool("e2fsck", "e2fsprogs"))
    else {
        return;
    };
    let sample = sample::all_kinds();
    let mut options = ext4::Options {
        size: Size::Minimal { free: 10 << 20 },
        uuid: Uuid::derive(b"test", "root"),
        hash_seed: Uuid::derive(b"test", "hash"),
        label: "root".to_owned(),
        at: AT,
        journal: Journal::Usual,
        reserved_percent: 0,
    };
    let root_size = ext4::measure(&sample.tree, &options).unwrap();
    let request = |kind, name: &str, size| Request {
        kind,
        id: Uuid::derive(b"test", name),
        name: name.to_owned(),
        attributes: 0,
        size,
    };
    let requests =
        vec![request(PartitionType::ESP, "esp", 64 << 20), request(PartitionType::ROOT_X86_64, "root", root_size)];
    let layout = Layout::arrange(Uuid::derive(b"test", "disk"), None, requests).unwrap();
    let mut esp = fat::Directory::new();
    esp.add_file("EFI/BOOT/BOOTX64.EFI", sample::noise(1 << 20)).unwrap();

    let ranges: Vec<Range<u64>> = layout.partitions.iter().map(|partition| partition.range.clone()).collect();
    let (folder, path) = oracle::image("disk.img", |file| {
        gpt::write(&layout, file).unwrap();
        let size = ranges[0].end - ranges[0].start;
        let fat_options = fat::Options { size, kind: None, label: None, serial: 1, at: AT };
        fat::write(&esp, &fat_options, &mut Section::new(&mut *file, ranges[0].clone()).unwrap()).unwrap();
        options.size = Size::Exactly(ranges[1].end - ranges[1].start);
        let mut section = Section::new(&mut *file, ranges[1].clone()).unwrap();
        ext4::write(&sample.tree, &sample.blobs, &options, &mut section).unwrap();
    });
    assert_eq!(fs_err::metadata(&path).unwrap().len(), layout.size);
    assert!(sfdisk.run(&["--verify", &path]).contains("No errors detected"));
    let part = |name: &str, range: &Range<u64>| {
        let mut disk = fs_err::File::open(&path).unwrap();
        disk.seek(SeekFrom::Start(range.start)).unwrap();
        let to = folder.path().join(name);
        std::io::copy(&mut disk.take(range.end - range.start), &mut fs_err::File::create(&to).unwrap()).unwrap();
        to.to_str().unwrap().to_owned()
    };
    fsck.run(&["-n", &part("esp", &ranges[0])]);
    e2fsck.run(&["-f", "-n", &part("root", &ranges[1])]);

    // What does not fit its partition is an error, and does not run into the next one.
    let short = ranges[1].start..ranges[1].start + (1 << 20);
    let mut file = std::io::Cursor::new(Vec::new());
    let mut section = Section::new(&mut file, short).unwrap();
    let error = ext4::write(&sample.tree, &sample.blobs, &options, &mut section).unwrap_err();
    assert!(matches!(error, ext4::Ext4Error::Io(_)), "{error}");
}
