//! The index of a repository: what was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use repodata::Repomd;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(repomd) = Repomd::read(bytes) {
        let xml = repomd.to_xml();
        let again = Repomd::read(xml.as_bytes()).expect("what was written is read");
        assert_eq!(again.to_xml(), xml);
    }
});
