//! Groups of packages: what was read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use repodata::comps::Comps;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(comps) = Comps::read(bytes) {
        let xml = comps.to_xml();
        let again = Comps::read(xml.as_bytes()).expect("what was written is read");
        assert_eq!(again.to_xml(), xml);
    }
});
