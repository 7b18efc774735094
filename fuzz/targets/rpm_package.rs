//! A package file: headers, digests, the table of files, the payload.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use rpm::Package;

/// Bytes of payload that are read; a small archive can hold much.
const MOST: u64 = 4 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = bytes;
    let Ok(package) = Package::read(&mut reader) else { return };
    let _ = (package.nevra(), package.files(), package.verify_header());
    let Ok(mut payload) = package.payload(reader) else { return };
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
