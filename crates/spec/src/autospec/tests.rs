use super::*;

fn commit(id: &str, parents: &[&str], message: &str, version: &str) -> Commit {
    let spec = (!version.is_empty()).then(|| Arc::from(version));
    Commit {
        id: id.to_owned(),
        tree: format!("tree-{id}"),
        parents: parents.iter().map(|id| (*id).to_owned()).collect(),
        author: "A".to_owned(),
        email: "a@b".to_owned(),
        time: 1_750_000_000,
        message: message.to_owned(),
        spec,
        changelog: None,
    }
}

/// The text of these specs is their version; `!` is one that cannot be read.
fn version(spec: &str) -> Option<Flags> {
    (spec != "!").then(|| Flags {
        epoch_version: spec.to_owned(),
        extra: None,
        snapshot: None,
        is_prerelease: false,
        base: 1,
    })
}

fn run(history: &[Commit]) -> (u32, Vec<String>) {
    let text = process("Release: %autorelease\n%changelog\n%autochangelog\n", history, &version)
        .expect("it has a version")
        .expect("it is used");
    let number = text.lines().find_map(|line| line.trim().strip_prefix("release_number = ")).expect("a number");
    let entries = text
        .lines()
        .filter_map(|line| line.strip_prefix("* Sun Jun 15 2025 A <a@b>"))
        .map(|rest| rest.trim_start_matches(" - ").to_owned());
    (number.trim_end_matches(';').parse().expect("a number"), entries.collect())
}

#[test]
fn releases_count_commits_of_a_version() {
    let mut history = vec![
        commit("e", &["d"], "E", "2"),
        commit("d", &["c"], "D\n\n[skip changelog]", "!"),
        commit("c", &["b"], "C", "2"),
        commit("b", &["a"], "B", "1"),
        commit("a", &[], "A", ""),
    ];
    assert_eq!(run(&history), (3, vec!["2-3".to_owned(), "2-1".to_owned(), "1-1".to_owned()]));
    history[1].message = "D\n[bump release: 7]".to_owned();
    assert_eq!(run(&history).0, 8);
    history[2].changelog = Some(Arc::from("* verbatim"));
    history[1].changelog = Some(Arc::from("* verbatim"));
    history[0].changelog = Some(Arc::from("* verbatim"));
    let text = process("%changelog\n%autochangelog\nold\n", &history, &version).expect("a version").expect("used");
    assert!(text.contains("- E\n\n* Sun Jun 15 2025 A <a@b>\n- D [bump release: 7]\n\n* verbatim\n## END"), "{text}");
    assert!(!text.contains("old") && !text.contains("%define autorelease"), "{text}");
    history[0].spec = Some(Arc::from("!"));
    assert!(matches!(process("%autochangelog\n", &history, &version), Err(AutospecError::NoVersion(_))));
    assert_eq!(process("Release: 1\n%changelog\n", &history, &version), Ok(None));
}

#[test]
fn merges() {
    let mut history = vec![
        commit("m", &["l", "r"], "Merge", "2"),
        commit("l", &["a"], "L", "2"),
        commit("r", &["a"], "R", "2"),
        commit("a", &[], "A", "2"),
    ];
    let (number, entries) = run(&history);
    assert_eq!((number, entries.len()), (3, 1), "{entries:?}");
    // A merge that took one side's files is no entry.
    history[0].tree = "tree-l".to_owned();
    assert_eq!(run(&history), (3, vec!["2-2".to_owned(), "2-1".to_owned()]));
}
