//! The syntax tree prints back byte for byte; its spans lie end to end and inside of one another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spec::syntax::Document;

fuzz_target!(|text: &str| {
    let document = Document::parse(text);
    assert_eq!(document.text(), text);
    let mut at = 0;
    for item in document.items() {
        assert_eq!(item.span.start, at, "items lie end to end");
        at = item.span.end;
        for range in item.ranges() {
            assert!(item.span.start <= range.start && range.end <= item.span.end);
            assert!(text.get(range).is_some());
        }
    }
    assert_eq!(at, text.len());
    let mut at = 0;
    for section in document.sections() {
        assert_eq!(section.span.start, at, "sections lie end to end");
        at = section.span.end;
        let _ = section.package();
    }
    assert_eq!(at, text.len());
});
