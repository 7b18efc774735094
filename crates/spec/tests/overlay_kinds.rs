//! What holds for every kind of overlay: it changes nothing but what it reports, fails as a whole, and does not do its work twice
//! unawares.

use spec::overlay::{Change, Folder, Operation, Overlay, Scope, Search, apply};

const SPEC: &str = "\
Name: a
Version: 1
Release: 1
Summary: s
License: l
Source0: x
Patch0: p.patch
BuildRequires: gcc make
Requires: r
%global x 1
%bcond b 0
%description
d
%package devel
Summary: D
%description devel
D
%prep
%autosetup -p1
%build
%configure --with-b
make
%install
make install
%check
%ctest
%files
/a
%files devel
/b
";

fn folder() -> Folder {
    let mut folder = Folder::new("a.spec", SPEC);
    for (name, content) in [("p.patch", "p\n"), ("one.txt", "one\ntwo one\n"), ("sub/two.txt", "two\n")] {
        folder.files.insert(name.to_owned(), content.as_bytes().to_vec());
    }
    folder
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn search(expression: &str) -> Search {
    Search::new(expression).expect("an expression")
}

/// Whether an overlay does its work again where it was done.
#[derive(Debug, PartialEq)]
enum Again {
    /// It fails: the kinds that say so, and those that look for what they removed.
    Fails,
    /// It writes the same.
    Same,
    /// It adds once more, as the original does.
    Adds,
}

/// One of each kind that fits, what it does a second time, and one that does not fit.
fn kinds() -> Vec<(Operation, Again, Operation)> {
    use Again::{Adds, Fails, Same};
    use Operation as O;
    let check = || Scope { section: Some(text("%check")), package: None };
    let clean = || Scope { section: Some(text("%clean")), package: None };
    let none = || Some(text("none"));
    let build = || text("BuildRequires");
    vec![
        (
            O::AddTag { package: None, tag: text("Url"), value: text("u") },
            Adds,
            O::AddTag { package: none(), tag: text("Url"), value: text("u") },
        ),
        (
            O::InsertTag { package: None, tag: text("Source9"), value: text("u") },
            Adds,
            O::InsertTag { package: none(), tag: text("Source9"), value: text("u") },
        ),
        (
            O::SetTag { package: None, tag: text("Version"), value: text("2") },
            Same,
            O::SetTag { package: none(), tag: text("Version"), value: text("2") },
        ),
        (
            O::UpdateTag { package: None, tag: text("Version"), value: text("2") },
            Same,
            O::UpdateTag { package: None, tag: text("Epoch"), value: text("2") },
        ),
        (
            O::RemoveTag { package: None, tag: text("Requires"), value: None },
            Fails,
            O::RemoveTag { package: None, tag: text("Conflicts"), value: None },
        ),
        (
            O::PrependLines { scope: check(), lines: vec![text("x")] },
            Adds,
            O::PrependLines { scope: clean(), lines: vec![text("x")] },
        ),
        (
            O::AppendLines { scope: check(), lines: vec![text("x")] },
            Adds,
            O::AppendLines { scope: clean(), lines: vec![text("x")] },
        ),
        (
            O::SearchReplace { scope: Scope::default(), search: search("^make$"), replacement: text("ninja") },
            Fails,
            O::SearchReplace { scope: Scope::default(), search: search("^scons$"), replacement: text("ninja") },
        ),
        (
            O::RemoveSection { section: text("%check"), package: None },
            Fails,
            O::RemoveSection { section: text("%clean"), package: None },
        ),
        (O::RemoveSubpackage { package: text("devel") }, Fails, O::RemoveSubpackage { package: text("none") }),
        (
            O::AddPatch { package: None, file_name: text("n.patch"), content: b"n".to_vec() },
            Fails,
            O::AddPatch { package: None, file_name: text("p.patch"), content: b"n".to_vec() },
        ),
        (O::RemovePatch { pattern: text("p.*") }, Fails, O::RemovePatch { pattern: text("q.*") }),
        (
            O::PrependFileLines { pattern: text("one.txt"), lines: vec![text("zero")] },
            Adds,
            O::PrependFileLines { pattern: text("none.txt"), lines: vec![text("zero")] },
        ),
        (
            O::SearchReplaceInFile { pattern: text("*.txt"), search: search("one"), replacement: text("1") },
            Fails,
            O::SearchReplaceInFile { pattern: text("*.txt"), search: search("three"), replacement: text("1") },
        ),
        (
            O::AddFile { file_name: text("new"), content: b"n".to_vec() },
            Fails,
            O::AddFile { file_name: text("one.txt"), content: b"n".to_vec() },
        ),
        (O::RemoveFile { pattern: text("**/two.txt") }, Fails, O::RemoveFile { pattern: text("none") }),
        (
            O::RenameFile { pattern: text("one.txt"), new_name: text("eins.txt") },
            Fails,
            O::RenameFile { pattern: text("**/*.txt"), new_name: text("x") },
        ),
        (
            O::SetMacro { name: text("x"), value: text("7") },
            Fails,
            O::SetMacro { name: text("nowhere"), value: text("7") },
        ),
        (O::DeleteMacro { name: text("x") }, Fails, O::DeleteMacro { name: text("nowhere") }),
        (O::SetBcond { name: text("b"), enabled: true }, Fails, O::SetBcond { name: text("none"), enabled: true }),
        (
            O::AddDependency { package: None, tag: build(), value: text("new") },
            Fails,
            O::AddDependency { package: None, tag: build(), value: text("gcc") },
        ),
        (
            O::RemoveDependency { package: None, tag: build(), name: text("gcc") },
            Fails,
            O::RemoveDependency { package: None, tag: build(), name: text("clang") },
        ),
        (
            O::ReboundDependency { package: None, tag: build(), name: text("make"), bound: Some(text(">= 4")) },
            Fails,
            O::ReboundDependency { package: None, tag: build(), name: text("ninja"), bound: Some(text(">= 4")) },
        ),
        (
            O::AddConfigureArgument { command: None, value: text("--new") },
            Fails,
            O::AddConfigureArgument { command: Some(text("%cmake")), value: text("--new") },
        ),
        (
            O::RemoveConfigureArgument { command: None, value: text("--with-b") },
            Fails,
            O::RemoveConfigureArgument { command: None, value: text("--with-c") },
        ),
        (O::DropSubpackage { package: text("devel") }, Fails, O::DropSubpackage { package: text("none") }),
        (
            O::ApplyPatch { file_name: text("n.patch"), content: b"n".to_vec(), fixes: vec![text("CVE-2026-1")] },
            Fails,
            O::ApplyPatch { file_name: text("p.patch"), content: b"n".to_vec(), fixes: Vec::new() },
        ),
        (O::SkipCheck { name: text("slow") }, Fails, O::SkipCheck { name: text("") }),
    ]
}

#[test]
fn every_kind_changes_what_it_reports_and_nothing_else() {
    let before = folder();
    for (operation, _, _) in kinds() {
        let applied = apply(&before, &[Overlay::new(operation.clone())]).unwrap_or_else(|error| panic!("{error}"));
        let again = apply(&before, &[Overlay::new(operation.clone())]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(applied.folder, again.folder, "{operation:?}: two runs");
        assert_ne!(applied.folder, before, "{operation:?}");
        assert_eq!(before, folder(), "{operation:?}: what was given stays");
        let all = |folder: &Folder| {
            let mut files = folder.files.clone();
            files.insert(folder.spec_name.clone(), folder.spec.clone().into_bytes());
            files
        };
        let (old, mut rebuilt) = (all(&before), all(&before));
        let new = all(&applied.folder);
        for change in &applied.steps[0].changes {
            match change {
                Change::Edited { file, spans } => {
                    let (from, to) = (&old[file], &new[file]);
                    let (mut out, mut at) = (Vec::new(), 0);
                    for span in spans {
                        out.extend_from_slice(&from[at..span.before.start]);
                        assert_eq!(out.len(), span.after.start, "{operation:?}");
                        out.extend_from_slice(&to[span.after.clone()]);
                        at = span.before.end;
                    }
                    out.extend_from_slice(&from[at..]);
                    rebuilt.insert(file.clone(), out);
                }
                Change::Added { file } => {
                    rebuilt.insert(file.clone(), new[file].clone());
                }
                Change::Removed { file } => {
                    rebuilt.remove(file);
                }
                Change::Renamed { file, to } => {
                    let content = rebuilt.remove(file).expect("it was there");
                    rebuilt.insert(to.clone(), content);
                }
            }
        }
        assert_eq!(rebuilt, new, "{operation:?}");
    }
}

#[test]
fn every_kind_does_its_work_once_or_is_known_to_add() {
    for (operation, expected, _) in kinds() {
        let once =
            apply(&folder(), &[Overlay::new(operation.clone())]).unwrap_or_else(|error| panic!("{error}")).folder;
        let found = match apply(&once, &[Overlay::new(operation.clone())]) {
            Err(_) => Again::Fails,
            Ok(twice) if twice.folder == once => Again::Same,
            Ok(_) => Again::Adds,
        };
        assert_eq!(found, expected, "{operation:?}");
    }
}

#[test]
fn every_kind_fails_with_a_sentence_and_leaves_all_as_it_was() {
    let before = folder();
    for (good, _, bad) in kinds() {
        let kind = bad.as_str();
        let error = apply(&before, &[Overlay::new(good.clone()), Overlay::new(bad.clone())]).err();
        let alone = apply(&before, &[Overlay::new(bad.clone())]);
        let alone = alone.err().unwrap_or_else(|| panic!("{bad:?} fits"));
        assert_eq!((alone.overlay, alone.kind), (0, kind), "{bad:?}");
        let message = alone.failure.to_string();
        assert!(message.len() > 12 && !message.ends_with('.'), "{bad:?}: {message}");
        // Behind one that fits it fails, too: the folder that was given is whole, and there is no other.
        assert_eq!(error.map(|error| error.overlay), Some(1), "{bad:?}");
        assert_eq!(before, folder(), "{bad:?}");
    }
}
