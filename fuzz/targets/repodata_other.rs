//! The other document of a repository: packages or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for package in repodata::other::Reader::new(bytes).take(10_000) {
        if package.is_err() {
            return;
        }
    }
});
