//! Files of repositories and `dnf.conf`: read, checked, and changed so that the change can be read.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use update::config::edit;

fuzz_target!(|text: &str| {
    let file = Path::new("fuzzed.repo");
    let _ = edit::check_repositories(text, file);
    let option = ("enabled".to_owned(), "0".to_owned());
    if let Ok(changed) = edit::set(text, file, "fuzzed", &[option]) {
        assert!(edit::sections(&changed, file).expect("what was written is read").iter().any(|name| name == "fuzzed"));
        let (without, count) = edit::unset(&changed, file, "fuzzed", &["enabled".to_owned()]).expect("it is read again");
        assert!(count > 0);
        edit::sections(&without, file).expect("what was written is read");
    }
});
