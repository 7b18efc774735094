//! Rich dependencies, as the solver reads them and as a spec has them.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pkg::Relation;
use solve::{Rich, RichError};
use spec::{Environment, Macros, Origin, Target};

static ENVIRONMENT: LazyLock<Environment> =
    LazyLock::new(|| Environment::new(Macros::builtin().into(), Target::linux("x86_64")));

fuzz_target!(|text: &str| {
    if let Ok(rich) = Rich::parse(text) {
        assert!(rich.relations().len() <= text.len());
    }
    if let Ok(relation) = Relation::parse(text) {
        let _ = Rich::of(&relation);
    }
    if text.contains(['\n', '%']) {
        return;
    }
    // rpm takes a name with a parenthesis that is never closed, and then cannot read what it wrote; so do we.
    let is_closed = |text: &str| text.matches('(').count() == text.matches(')').count();
    let spec = format!("Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nRequires: {text}\n%description\nx\n");
    if let Ok(spec) = spec::evaluate(&spec, &Origin::new("fuzz.spec"), &ENVIRONMENT) {
        for dependency in &spec.packages[0].requires {
            // What the spec accepts, the solver reads.
            if dependency.relation.is_rich() && is_closed(&dependency.relation.to_string()) {
                match Rich::of(&dependency.relation) {
                    Ok(_) => {}
                    // rpm takes `(a else b)`, and libsolv does not; so do we.
                    Err(RichError::Shape { text, at, .. }) if text[at..].starts_with("else") => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
});
