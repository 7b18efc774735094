//! Roots that are changed: ours and rpm's, step by step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use install::{Change, Contents, Filters, InstallError, Installed, Options, PackageFile, Problem, change};
use pkg::Relation;
use rpm::write::{NewFile, PackageBuilder};
use rpm::{DependencyKind, FileFlags};
use testkit::packages::{AT, builder, filesystem};
use tree::{Kind, Node, Tree};

use crate::oracle;
use crate::scriptlets::with_shell;
use crate::universe::{TURNS, edits, universe};
use crate::yard::{Yard, listing, path};

/// When the user edits.
const EDITED: i64 = 1_700_000_000;

/// One universe in two roots.
struct Pair<'a> {
    yard: &'a Yard,
    ours: Option<Installed<'a>>,
    theirs: PathBuf,
}

impl<'a> Pair<'a> {
    fn new(yard: &'a Yard) -> Pair<'a> {
        let theirs = yard.folder.path().join("theirs");
        fs_err::create_dir(&theirs).unwrap();
        Pair { yard, ours: None, theirs }
    }

    fn files(&self, packages: Vec<PackageBuilder>) -> Vec<PackageFile> {
        let mut files = self.yard.files(packages);
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files
    }

    fn change(&mut self, mut wanted: Change) {
        wanted.allow.dependencies = true;
        wanted.history = Some("test".to_owned());
        let (tree, contents) = match self.ours.take() {
            Some(before) => (before.tree, before.contents),
            None => (Tree::new(), Contents::new(&self.yard.store)),
        };
        let options = Options { at: AT, is_excluded: &|_| false, progress: &|_, _, _| {} };
        let changed = change(tree, contents, &wanted, &options, &self.yard.host, &self.yard.store);
        self.ours = Some(changed.unwrap_or_else(|error| panic!("{error}")));
    }

    fn rpm(&self, first: &[&str], files: &[PackageFile], last: &[&str]) {
        let mut arguments = first.to_vec();
        arguments.extend(files.iter().map(|file| file.path.to_str().unwrap()));
        arguments.extend(last);
        let (good, said) = oracle::ask(&self.yard.host, &self.theirs, &arguments);
        assert!(good, "{said:?}");
    }

    fn upgrade(&mut self, packages: Vec<PackageBuilder>) {
        let files = self.files(packages);
        self.change(Change { upgrade: files.clone(), ..Change::default() });
        self.rpm(&["-U", "--nodeps", "--ignorearch"], &files, &[]);
    }

    fn erase(&mut self, names: &[&str]) {
        self.change(Change { erase: names.iter().map(|name| Relation::any(*name)).collect(), ..Change::default() });
        self.rpm(&["-e", "--nodeps"], &[], names);
    }

    /// The user writes the same to both roots.
    fn edit(&mut self) {
        let ours = self.ours.as_mut().unwrap();
        for (at, bytes) in edits() {
            let place = self.theirs.join(at);
            let Some(bytes) = bytes else {
                ours.tree.remove(&path(at));
                fs_err::remove_file(&place).unwrap();
                continue;
            };
            let (digest, size) = ours.contents.put(bytes.as_bytes()).unwrap();
            let mut node = Node::file(0o644, EDITED, digest, size);
            if let Some(before) = ours.tree.get(&path(at)) {
                node.meta.mode = before.meta.mode;
            }
            ours.tree.insert(path(at), node).unwrap();
            fs_err::write(&place, bytes).unwrap();
            tree::directory::set_time(&place, EDITED).unwrap();
        }
        let link = self.theirs.join("etc/conf/edited-link");
        ours.tree.insert(path("etc/conf/edited-link"), Node::symlink("mine", EDITED)).unwrap();
        fs_err::remove_file(&link).unwrap();
        fs_err::os::unix::fs::symlink("mine", &link).unwrap();
        tree::directory::set_time(&link, EDITED).unwrap();
    }

    /// Both roots are equal, and so is what rpm says of them.
    fn compare(&self, step: &str) {
        let ours = self.ours.as_ref().unwrap();
        for run in &ours.scriptlets {
            assert_eq!(run.failure, None, "{step}: {run:?}");
        }
        let theirs = oracle::read(&self.theirs);
        let turns =
            |root: Option<String>| -> Vec<String> { root.unwrap_or_default().lines().map(str::to_owned).collect() };
        let our_turns = turns(ours.tree.get(&path(TURNS)).map(|_| crate::yard::text(ours, TURNS)));
        assert!(our_turns.len() > 200, "{step}: {} turns", our_turns.len());
        let their_turns = turns(fs_err::read_to_string(self.theirs.join(&TURNS[1..])).ok());
        if let Some(at) =
            (0..our_turns.len().max(their_turns.len())).find(|at| our_turns.get(*at) != their_turns.get(*at))
        {
            let from = at.saturating_sub(6);
            let part = |lines: &[String]| lines.iter().skip(from).take(18).cloned().collect::<Vec<_>>().join("\n  ");
            panic!("{step}: turn {at} differs\nours:\n  {}\nrpm's:\n  {}", part(&our_turns), part(&their_turns));
        }
        let (mut one, mut other) = (lines(&ours.tree), lines(&theirs));
        one.remove(TURNS);
        other.remove(TURNS);
        for at in one.keys().chain(other.keys()) {
            assert_eq!(one.get(at), other.get(at), "{step}: {at}, ours and rpm's");
        }
        let written = self.yard.folder.path().join(format!("ours-{step}"));
        fs_err::create_dir(&written).unwrap();
        oracle::write(ours, &written);
        // A directory's time is when something came into it, for rpm; both are told to forget what is of scriptlets.
        for arguments in [
            &["-Va", "--nomtime"][..],
            &["-qa", "--qf", "%{nevra} %{dbinstance}\\n[%{filenames} %{filestates} %{fileflags}\\n]"],
            &["-qf", "/usr/share/common/own", "/usr/share/before"],
        ] {
            let (one, other) = (
                oracle::ask(&self.yard.host, &written, arguments),
                oracle::ask(&self.yard.host, &self.theirs, arguments),
            );
            assert_eq!(sorted(one.1), sorted(other.1), "{step}: rpm {arguments:?}");
        }
        let all = |root: &Path| {
            let (_, said) = oracle::ask(&self.yard.host, root, &["-qa", "--xml"]);
            tags_without_times(&said)
        };
        let (one, other) = (all(&written), all(&self.theirs));
        assert!(!one.is_empty());
        assert_eq!(one, other, "{step}: all tags");
        let (good, said) = oracle::ask(&self.yard.host, &written, &["-qa"]);
        assert!(good && !said.is_empty());
        let (good, said) = oracle::verify_database(&self.yard.host, &written);
        assert!(good, "{step}: {said:?}");
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// Each tag of each package, but for when it was installed.
fn tags_without_times(xml: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for line in xml {
        if line.trim_start().starts_with("<rpmTag ") {
            tags.push(String::new());
        }
        if let Some(last) = tags.last_mut() {
            last.push_str(line.trim());
        }
    }
    let times = ["\"Installtime\"", "\"Installtid\"", "\"Installcolor\""];
    tags.retain(|tag| !times.iter().any(|name| tag.contains(name)));
    tags.sort();
    tags
}

/// Paths with all that must be equal: times too, but for directories, whose time is when something came into them.
fn lines(tree: &Tree) -> BTreeMap<String, String> {
    let mut lines = oracle::comparable(tree);
    for (at, line) in &mut lines {
        if let Some(node) = tree.get(&path(at)).filter(|node| !matches!(node.kind, Kind::Directory)) {
            line.push_str(&format!(" at {}", node.meta.mtime));
        }
    }
    lines
}

#[test]
fn host_install_upgrade_and_erase_are_rpms() {
    let yard = Yard::new();
    if !oracle::can_ask(&yard.host) {
        return;
    }
    let Some(base) = with_shell(Vec::new()) else { return };
    let mut pair = Pair::new(&yard);
    pair.upgrade(base);
    // Both roots have the file from the start, so that the first %pretrans can write to it.
    let (digest, size) = pair.ours.as_mut().unwrap().contents.put(b"").unwrap();
    let tree = &mut pair.ours.as_mut().unwrap().tree;
    tree.make_directories(&path("var/log"), 0).unwrap();
    tree.insert(path(TURNS), Node::file(0o644, 0, digest, size)).unwrap();
    fs_err::create_dir_all(pair.theirs.join("var/log")).unwrap();
    fs_err::write(pair.theirs.join(&TURNS[1..]), "").unwrap();

    pair.upgrade(universe(1));
    pair.compare("install");
    pair.edit();
    pair.upgrade(universe(2));
    pair.compare("upgrade");
    pair.erase(&["sharer", "theta", "after", "gamma", "beta", "delta"]);
    pair.compare("erase");
    pair.erase(&["conf", "plain", "turning", "zeta", "eta", "watcher", "guard", "omega", "alpha", "leftover"]);
    pair.compare("erase-all");
    let ours = pair.ours.unwrap();
    let history = install::history(crate::yard::text(&ours, "usr/lib/sysimage/rpm/history.jsonl").as_bytes()).unwrap();
    assert_eq!(history.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let replaced: Vec<String> = history[2]
        .changes
        .iter()
        .filter_map(|change| Some(format!("{} {}", change.package, change.by.as_ref()?)))
        .collect();
    assert!(replaced.contains(&"before-1-1.noarch after-2-1.noarch".to_owned()), "{replaced:?}");
    assert!(replaced.contains(&"conf-1-1.noarch conf-2-1.noarch".to_owned()), "{replaced:?}");
    assert!(
        listing(&ours.tree).contains_key("/etc/conf/edited-keep.rpmsave"),
        "what a user wrote outlives the package"
    );
}

fn documented() -> PackageBuilder {
    builder("documented")
        .requires("filesystem")
        .file("/usr/share/doc/documented", NewFile::directory().flags(FileFlags::DOC))
        .file("/usr/share/doc/documented/README", NewFile::regular("read").flags(FileFlags::DOC))
        .file("/usr/share/manual", NewFile::directory())
        .file("/usr/share/manual/page", NewFile::regular("page").flags(FileFlags::DOC))
        .file(
            "/usr/share/licenses/documented/COPYING",
            NewFile::regular("may").flags(FileFlags::LICENSE.and(FileFlags::DOC)),
        )
        .file("/usr/share/locale/de/words", NewFile::regular("Worte").languages("de"))
        .file("/usr/share/locale/fr/words", NewFile::regular("mots").languages("fr"))
        .file("/usr/share/locale/both/words", NewFile::regular("words").languages("fr|de"))
        .file("/usr/bin/documented", NewFile::regular("runs").mode(0o755))
}

#[test]
fn files_documentation_and_languages_are_left_out_as_by_rpm() {
    let yard = Yard::new();
    if !oracle::can_ask(&yard.host) {
        return;
    }
    let mut pair = Pair::new(&yard);
    let files = pair.files(vec![filesystem(), documented()]);
    let filters = Filters { no_docs: true, languages: Some(vec!["de_AT".to_owned()]), ..Filters::default() };
    pair.change(Change { upgrade: files.clone(), filters, ..Change::default() });
    pair.rpm(&["-U", "--nodeps", "--ignorearch", "--excludedocs", "--define", "_install_langs de_AT"], &files, &[]);
    let ours = pair.ours.as_ref().unwrap();
    assert!(ours.tree.get(&path("usr/share/doc/documented/README")).is_none());
    assert!(ours.tree.get(&path("usr/share/locale/both/words")).is_some());
    assert_eq!(lines(&ours.tree), lines(&oracle::read(&pair.theirs)));
    let written = yard.folder.path().join("written");
    fs_err::create_dir(&written).unwrap();
    oracle::write(ours, &written);
    let states = ["-qa", "--qf", "[%{filenames} %{filestates}\\n]"];
    assert_eq!(
        sorted(oracle::ask(&yard.host, &written, &states).1),
        sorted(oracle::ask(&yard.host, &pair.theirs, &states).1)
    );
    assert_eq!(oracle::ask(&yard.host, &written, &["-Va", "--nomtime"]), (true, Vec::new()));
}

/// What a request comes to, for us and for rpm.
fn refused(pair: &Pair<'_>, wanted: &Change, rpm: &[&str]) -> Vec<Problem> {
    let ours = pair.ours.as_ref().unwrap();
    let options = Options { at: AT, is_excluded: &|_| false, progress: &|_, _, _| {} };
    let error =
        match change(ours.tree.clone(), ours.contents.clone(), wanted, &options, &pair.yard.host, &pair.yard.store) {
            Err(InstallError::Refused(problems)) => problems,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{wanted:?} is not refused"),
        };
    let mut arguments = rpm.to_vec();
    let files = wanted.upgrade.iter().chain(&wanted.install);
    arguments.extend(files.map(|file| file.path.to_str().unwrap()));
    let (good, said) = oracle::ask(&pair.yard.host, &pair.theirs, &arguments);
    assert!(!good, "rpm does not refuse {wanted:?}: {said:?}");
    error
}

#[test]
fn files_what_rpm_refuses_is_refused_and_said_why() {
    let yard = Yard::new();
    if !oracle::can_ask(&yard.host) {
        return;
    }
    let version = |name: &str, version: &str| {
        PackageBuilder::new(pkg::Nevra::parse(&format!("{name}-{version}-1.noarch")).unwrap(), AT)
    };
    let mut pair = Pair::new(&yard);
    let needed = || version("needed", "2").file("/usr/share/needed", NewFile::regular("needed"));
    let needing = || version("needing", "1").requires("needed >= 2").requires("/usr/share/needed");
    let folder = || {
        version("folder", "1").file("/opt/folder", NewFile::directory()).file("/opt/folder/file", NewFile::regular("x"))
    };
    pair.upgrade(vec![filesystem(), needed(), needing(), folder()]);
    let upgrade = |packages: Vec<PackageBuilder>| Change { upgrade: pair.files(packages), ..Change::default() };
    let up = &["-U", "--ignorearch"][..];
    let text = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();

    assert_eq!(text(refused(&pair, &upgrade(vec![needed()]), up)), ["`needed-2-1.noarch` is installed already"]);
    let older =
        upgrade(vec![version("needed", "1").provides("needed = 2").file("/usr/share/needed", NewFile::regular("old"))]);
    assert_eq!(
        text(refused(&pair, &older, up)),
        ["`needed-1-1.noarch` is older than `needed-2-1.noarch`, which is installed"]
    );
    let missing = upgrade(vec![version("new", "1").requires("absent > 3").requires("(needed and other)")]);
    assert_eq!(
        text(refused(&pair, &missing, up)),
        [
            "`new-1-1.noarch` needs `(needed and other)`, which nothing provides",
            "`new-1-1.noarch` needs `absent > 3`, which nothing provides"
        ]
    );
    let erase = Change { erase: vec![Relation::any("needed")], ..Change::default() };
    let problems = refused(&pair, &erase, &["-e", "needed"]);
    assert!(
        text(problems)
            .contains(&"`needing-1-1.noarch` needs `needed >= 2`, which goes with `needed-2-1.noarch`".to_owned())
    );
    let rival = upgrade(vec![version("rival", "1").depends(DependencyKind::Conflicts, "needed < 3")]);
    assert_eq!(
        text(refused(&pair, &rival, up)),
        ["`rival-1-1.noarch` conflicts with `needed-2-1.noarch` by `needed < 3`"]
    );
    let other = upgrade(vec![version("other", "1").file("/usr/share/needed", NewFile::regular("otherwise"))]);
    assert_eq!(
        text(refused(&pair, &other, up)),
        [
            "`needed-2-1.noarch`, which is installed, and `other-1-1.noarch` disagree about `/usr/share/needed`: the bytes differ"
        ]
    );
    let turned = upgrade(vec![version("folder", "2").file("/opt/folder", NewFile::symlink("elsewhere"))]);
    assert_eq!(
        text(refused(&pair, &turned, up)),
        [
            "`folder-1-1.noarch`, which is installed, and `folder-2-1.noarch` disagree about `/opt/folder`: they are of different kinds"
        ]
    );
    let absent = Change { erase: vec![Relation::any("absent")], ..Change::default() };
    assert_eq!(text(refused(&pair, &absent, &["-e", "absent"])), ["`absent` is not installed"]);

    // Of two that come, the one that the other obsoletes does not, for rpm neither.
    let both = || {
        vec![
            version("early", "1").file("/usr/share/early", NewFile::regular("")),
            version("late", "1")
                .depends(DependencyKind::Obsoletes, "early < 2")
                .file("/usr/share/late", NewFile::regular("")),
        ]
    };
    pair.upgrade(both());
    assert_eq!(lines(&pair.ours.as_ref().unwrap().tree), lines(&oracle::read(&pair.theirs)));
    assert!(pair.ours.as_ref().unwrap().tree.get(&path("usr/share/early")).is_none());

    // What is allowed is not refused, and a file that another one takes the place of is marked.
    let mut forced = other;
    forced.allow.files = true;
    pair.change(forced.clone());
    pair.rpm(&["-U", "--ignorearch", "--replacefiles"], &forced.upgrade, &[]);
    let written = yard.folder.path().join("written");
    fs_err::create_dir(&written).unwrap();
    oracle::write(pair.ours.as_ref().unwrap(), &written);
    let states = ["-qa", "--qf", "[%{filenames} %{filestates}\\n]"];
    let found = sorted(oracle::ask(&yard.host, &written, &states).1);
    assert_eq!(found, sorted(oracle::ask(&yard.host, &pair.theirs, &states).1));
    assert!(found.contains(&"/usr/share/needed 1".to_owned()), "{found:?}");
}
