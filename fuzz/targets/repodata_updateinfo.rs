//! Advisories: what was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use repodata::updateinfo;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(advisories) = updateinfo::read(bytes) {
        let xml = updateinfo::to_xml(&advisories);
        let again = updateinfo::read(xml.as_bytes()).expect("what was written is read");
        assert_eq!(updateinfo::to_xml(&again), xml);
    }
});
