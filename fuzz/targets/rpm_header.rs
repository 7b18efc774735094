//! A header: no count or offset leads out of it; what was read is written the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpm::Header;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = Header::parse(bytes.to_vec()) else { return };
    for tag in header.tags() {
        let _ = (
            header.count(tag),
            header.raw(tag),
            header.str(tag),
            header.numbers(tag),
            header.bytes(tag),
            header.value(tag),
        );
        for text in header.strs(tag) {
            let _ = text.len();
        }
    }
    let _ = (header.nevra(), header.files(), header.changelog(), header.scriptlets(), header.triggers());
    assert_eq!(header.blob(), bytes);
});
