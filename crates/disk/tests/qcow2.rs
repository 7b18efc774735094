//! qcow2 images against qemu-img.

mod oracle;

use std::io::Cursor;

use disk::qcow2::{self, Compression, Options, Qcow2Error};

/// Zeros, noise that repeats after more than the 4 KiB that QEMU looks back, text that compresses well, noise that does not, a cluster with one byte, an end that is no whole cluster.
fn raw(size: usize) -> Vec<u8> {
    let mut disk = vec![0; size];
    let mut noise = 1_u64;
    let mut far = vec![0; 10_000];
    for (index, byte) in disk.iter_mut().enumerate().take((size * 3 / 4).min(24 << 20)) {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = match index >> 18 & 3 {
            0 => b"all work and no play "[index % 21],
            1 => (noise >> 56) as u8,
            2 => {
                let known = &mut far[index % 10_000];
                if *known == 0 {
                    *known = (noise >> 58) as u8 | 1;
                }
                *known
            }
            _ => 0,
        };
    }
    disk[size - 1] = 1;
    disk
}

fn options(size: u64, compression: Compression) -> Options {
    Options { size, compression, threads: 3 }
}

const ALL: [Compression; 3] = [Compression::None, Compression::Deflate(6), Compression::Zstd(3)];

#[test]
fn files_qemu_img_finds_no_fault_and_reads_the_same_disk() {
    let Some(qemu_img) = oracle::tool("qemu-img", "qemu-utils") else { return };
    // Two level 2 tables; a part of a cluster at the end; one sector.
    for size in [(520 << 20) + 512, (8 << 20) - 1024, 512] {
        let raw = raw(size);
        let (folder, raw_path) = oracle::image("disk.raw", |file| std::io::Write::write_all(file, &raw).unwrap());
        let mut plain = 0;
        for compression in ALL {
            let path = folder.path().join("disk.qcow2");
            let mut image = Cursor::new(Vec::new());
            let length = qcow2::write(&mut raw.as_slice(), &options(size as u64, compression), &mut image).unwrap();
            assert_eq!(image.get_ref().len() as u64, length);
            match compression {
                Compression::None => plain = length,
                _ if size > 1 << 20 => assert!(length < plain, "{compression:?}: {length} against {plain}"),
                _ => {}
            }
            fs_err::write(&path, image.into_inner()).unwrap();
            let path = path.to_str().unwrap();
            let verdict = qemu_img.run(&["check", path]);
            assert!(verdict.contains("No errors were found"), "{verdict}");
            qemu_img.run(&["compare", "-f", "raw", "-F", "qcow2", &raw_path, path]);
        }
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let raw = raw(20 << 20);
    for compression in ALL {
        let write = |threads| {
            let mut image = Cursor::new(Vec::new());
            let options = Options { threads, ..options(raw.len() as u64, compression) };
            qcow2::write(&mut raw.as_slice(), &options, &mut image).unwrap();
            image.into_inner()
        };
        assert!(write(1) == write(7), "{compression:?}");
    }
}

#[test]
fn a_disk_of_another_size_is_refused() {
    let write = |raw: &[u8], size, compression| {
        qcow2::write(&mut &raw[..], &options(size, compression), &mut Cursor::new(Vec::new())).unwrap_err()
    };
    assert!(matches!(write(&[0; 1000], 1024, Compression::None), Qcow2Error::Length { read: 1000, size: 1024 }));
    assert!(matches!(write(&[0; 1025], 1024, Compression::None), Qcow2Error::Length { read: 1025, size: 1024 }));
    assert!(matches!(write(&[0; 1000], 1000, Compression::None), Qcow2Error::Size(1000)));
    assert!(matches!(write(&[], 0, Compression::None), Qcow2Error::Size(0)));
    assert!(matches!(write(&[0; 512], 512, Compression::Zstd(99)), Qcow2Error::Level(_)));
}
