//! Versions: the order is one, and text that was read is written the same.
#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use pkg::{Evr, Nevra, vercmp};

fuzz_target!(|text: &str| {
    let parts: Vec<&str> = text.splitn(3, '\n').collect();
    for part in &parts {
        // `1-2-` has a dash in its version, as no package can; written, it is read as another.
        if let Ok(evr) = Evr::parse(part)
            && !evr.version.contains('-')
        {
            assert_eq!(Evr::parse(&evr.to_string()).as_ref(), Ok(&evr), "{part:?}");
        }
        let _ = Nevra::parse(part);
    }
    let [left, right, third] = parts.as_slice() else { return };
    assert_eq!(vercmp(left, left), Ordering::Equal);
    assert_eq!(vercmp(left, right), vercmp(right, left).reverse());
    // rpm's order of separators alone is none; with letters or digits on all sides it is.
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if [left, right, third].into_iter().all(|text| is_plain(text)) && vercmp(left, right) == vercmp(right, third) {
        assert_eq!(vercmp(left, right), vercmp(left, third), "{left} {right} {third}");
    }
});
