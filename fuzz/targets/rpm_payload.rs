//! The archive in a package: any bytes behind the headers of a real one. They are compressed here, so that what is changed is
//! the archive and not its compression.
#![no_main]

use std::io::Read;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use rpm::Package;

/// Bytes of payload that are read; a small archive can hold much.
const MOST: u64 = 4 << 20;

static PACKAGE: OnceLock<Package> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let package = PACKAGE.get_or_init(|| {
        Package::read(&mut include_bytes!("../seeds/rpm_package/alpha.rpm").as_slice()).expect("the seed is a package")
    });
    let packed = repodata::Compression::Gzip.compress(bytes).expect("bytes can be compressed");
    let Ok(mut payload) = package.payload(packed.as_slice()) else { return };
    let mut read = 0;
    while read < MOST {
        match payload.next() {
            Ok(Some(item)) => {
                read += 1 + std::io::copy(&mut item.take(MOST), &mut std::io::sink()).unwrap_or(MOST);
            }
            _ => return,
        }
    }
});
