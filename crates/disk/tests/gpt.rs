//! Partition tables against sfdisk, and read back.

mod oracle;

use std::io::Cursor;

use disk::Uuid;
use disk::gpt::{self, Layout, LayoutError, PartitionType, Request};

fn request(kind: PartitionType, name: &str, size: u64) -> Request {
    Request { kind, id: Uuid::derive(b"test", name), name: name.to_owned(), attributes: 0, size }
}

fn sample() -> Layout {
    let requests = vec![
        request(PartitionType::ESP, "esp", 64 << 20),
        Request { attributes: 1 << 59, ..request(PartitionType::ROOT_X86_64, "root-ä", (128 << 20) - 1000) },
    ];
    Layout::arrange(Uuid::derive(b"test", "disk"), None, requests).expect("a sound sample")
}

#[test]
fn partitions_lie_one_behind_the_other() {
    let layout = sample();
    assert_eq!(layout.partitions[0].range, 1 << 20..65 << 20);
    assert_eq!(layout.partitions[1].range, 65 << 20..193 << 20);
    assert_eq!(layout.size, 194 << 20);
}

#[test]
fn what_is_written_is_read_back_from_either_end() {
    let layout = sample();
    let mut image = Cursor::new(Vec::new());
    gpt::write(&layout, &mut image).unwrap();
    assert_eq!(image.get_ref().len() as u64, layout.size);
    assert_eq!(gpt::read(&mut image).unwrap(), layout);
    image.get_mut()[512 + 60] ^= 1;
    assert_eq!(gpt::read(&mut image).unwrap(), layout, "from the backup");
    let end = image.get_ref().len() - 512 + 60;
    image.get_mut()[end] ^= 1;
    assert!(gpt::read(&mut image).is_err());
}

#[test]
fn what_no_disk_can_hold_is_refused() {
    let id = Uuid::derive(b"test", "disk");
    let arrange = |size, requests| Layout::arrange(id, size, requests).unwrap_err();
    let one = || vec![request(PartitionType::LINUX, "a", 10 << 20)];
    let needed = (11 << 20) + 33 * 512;
    assert_eq!(arrange(Some(11 << 20), one()), LayoutError::DiskFull { needed, size: 11 << 20 });
    assert_eq!(arrange(None, vec![request(PartitionType::LINUX, "a", 0)]), LayoutError::Empty("a".to_owned()));
    assert_eq!(
        arrange(None, vec![request(PartitionType::LINUX, &"x".repeat(37), 1)]),
        LayoutError::Name("x".repeat(37))
    );
    assert!(matches!(arrange(None, vec![request(PartitionType::LINUX, "a", u64::MAX)]), LayoutError::DiskFull { .. }));
    let many = (0..129).map(|n| request(PartitionType::LINUX, &n.to_string(), 1)).collect();
    assert_eq!(arrange(None, many), LayoutError::TooMany(129));
    let mut layout = sample();
    layout.partitions[1].range.start -= 512;
    assert!(matches!(layout.check(), Err(LayoutError::Overlap { .. })));
}

#[test]
fn files_sfdisk_finds_no_fault_and_sees_the_same() {
    let Some(sfdisk) = oracle::tool("sfdisk", "fdisk") else { return };
    let layout = sample();
    let (folder, path) = oracle::image("disk.img", |file| gpt::write(&layout, file).unwrap());
    let verdict = sfdisk.run(&["--verify", &path]);
    assert!(verdict.contains("No errors detected"), "{verdict}");
    let dump = sfdisk.run(&["--dump", &path]).to_lowercase();
    assert!(dump.contains(&format!("label-id: {}", layout.id)), "{dump}");
    for partition in &layout.partitions {
        let (start, sectors) = (partition.range.start / 512, (partition.range.end - partition.range.start) / 512);
        let row = dump.lines().find(|line| line.contains(&partition.id.to_string())).expect("a row for each");
        assert!(row.contains(&format!("size={sectors:>12}")) && row.contains(&format!("start={start:>12}")), "{row}");
        let name = partition.name.replace('ä', "\\xc3\\xa4");
        assert!(row.contains(&partition.kind.0.to_string()) && row.contains(&name), "{row}");
    }
    assert!(dump.contains("guid:59"), "{dump}");
    drop(folder);
}
