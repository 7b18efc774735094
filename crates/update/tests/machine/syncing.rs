use host::Tool;
use rpm::write::{NewFile, PackageBuilder};
use sign::{Key, KeyAlgorithm, Signer as _};
use testkit::packages::builder;
use testkit::server::{Manner, serve};
use update::reasons::Reasons;
use update::resolve::{Job, ResolveError, resolve};
use update::{Clean, Freshness, SyncError, clean, sync};

use crate::repository::{AT, Place, write};
use crate::transactions::package;

const KINDS: &[&str] = &["primary", "filelists"];

fn repository(place: &Place) -> std::path::PathBuf {
    let folder = place.path("repository");
    write(&folder, &testkit::packages::family().expect("packages can be made"));
    folder
}

#[test]
fn files_a_repository_is_fetched_once_and_then_cached() {
    let place = Place::new();
    let folder = repository(&place);
    let config = place.config(&format!("baseurl=file://{}", folder.display()));
    let get =
        |freshness| place.with(&config, false, |machine| sync(&config.repositories[0], KINDS, freshness, machine));
    assert!(matches!(get(Freshness::CacheOnly), Err(SyncError::NotCached { .. })));
    let first = get(Freshness::AsConfigured).expect("it can be fetched");
    // The repository is gone, and what was fetched is still good.
    fs_err::rename(&folder, place.path("elsewhere")).expect("it can be moved");
    let second = get(Freshness::AsConfigured).expect("it is cached");
    assert_eq!(first.state, second.state);
    assert_eq!(get(Freshness::CacheOnly).expect("it is cached").state, first.state);
    assert!(matches!(get(Freshness::Refresh), Err(SyncError::Unreachable { .. })));
    // A document that was damaged is told, and fetched again.
    let file =
        walk(&place.path("cache")).into_iter().find(|path| path.to_string_lossy().contains("primary")).expect("there");
    fs_err::write(&file, "damage").expect("it can be damaged");
    let error = place.with(&config, false, |machine| second.document("primary", machine)).expect_err("it is damaged");
    assert!(error.to_string().contains("changed or damaged"), "{error}");
    fs_err::rename(place.path("elsewhere"), &folder).expect("it can be moved");
    place.with(&config, false, |machine| second.document("primary", machine)).expect("it is fetched again");
    assert!(place.with(&config, false, |machine| clean(Clean::All, machine)).expect("it can be cleaned") > 2);
    assert!(matches!(get(Freshness::CacheOnly), Err(SyncError::NotCached { .. })));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() { found.extend(walk(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

#[test]
fn host_servers_that_do_wrong_are_told_and_leave_nothing() {
    let place = Place::new();
    if !Tool::Curl.is_installed(&place.host) {
        eprintln_skipped();
        return;
    }
    let folder = repository(&place);
    for (manner, words) in [
        (Manner::Lies("primary"), "is expected"),
        (Manner::Lies("repomd"), "cannot be read"),
        (Manner::Truncates, "cut off after"),
        (Manner::Stalls, "stalled"),
        (Manner::Redirects, "redirected more than 10 times"),
        (Manner::Endless, "larger than the expected"),
        (Manner::Fails(503), "the server answered 503"),
        (Manner::Fails(404), "the server answered 404"),
    ] {
        let url = serve(folder.clone(), manner);
        let secret = url.replace("http://", "http://user:secret@");
        let config = place.config(&format!("baseurl={secret}"));
        let result =
            place.with(&config, false, |machine| sync(&config.repositories[0], KINDS, Freshness::Refresh, machine));
        let error = result.expect_err("it is refused").to_string();
        assert!(error.contains(words), "{manner:?}: {error}");
        assert!(!error.contains("secret"), "{error}");
        let cached = place.path("cache").join(config.repositories[0].cache_name()).join("current");
        assert!(!cached.exists(), "{manner:?} left a repository");
    }
}

#[test]
fn host_another_mirror_helps_and_transfers_go_on_where_they_were_cut() {
    let place = Place::new();
    if !Tool::Curl.is_installed(&place.host) {
        eprintln_skipped();
        return;
    }
    let folder = repository(&place);
    let (bad, good) = (serve(folder.clone(), Manner::Lies("primary")), serve(folder.clone(), Manner::Good));
    let config = place.config(&format!("baseurl={bad}\n  {good}"));
    place
        .with(&config, false, |machine| sync(&config.repositories[0], KINDS, Freshness::Refresh, machine))
        .expect("it works");
    let cut = serve(folder, Manner::TruncatesOnce);
    let config = place.config(&format!("baseurl={cut}"));
    place
        .with(&config, false, |machine| sync(&config.repositories[0], KINDS, Freshness::Refresh, machine))
        .expect("it works");
}

#[test]
fn files_an_index_is_used_only_with_a_signature_that_is_accepted() {
    let place = Place::new();
    let folder = repository(&place);
    let key = |name: &str| Key::generate(name, KeyAlgorithm::Ed25519, AT).expect("a key can be made");
    let (good, other) = (key("Good <good@example.org>"), key("Other <other@example.org>"));
    let armor = |key: &Key, file: &str| {
        fs_err::write(place.path(file), key.public_key_armored().expect("armour")).expect("a file can be written");
    };
    armor(&good, "good.asc");
    armor(&other, "other.asc");
    let index = folder.join("repodata/repomd.xml");
    let signature = folder.join("repodata/repomd.xml.asc");
    let lines = |named: &str| {
        let key = place.path(named).display().to_string();
        format!("baseurl=file://{}\nrepo_gpgcheck=1\ngpgkey=file://{key}", folder.display())
    };
    let get = |config: &update::config::Config, consents| {
        place.with(config, consents, |machine| sync(&config.repositories[0], KINDS, Freshness::Refresh, machine))
    };
    let config = place.config(&lines("good.asc"));
    let error = get(&config, true).expect_err("it is not signed").to_string();
    assert!(error.contains("repomd.xml.asc"), "{error}");
    let bytes = fs_err::read(&index).expect("the index is there");
    fs_err::write(&signature, good.sign_detached_armored(&bytes, AT).expect("it can be signed"))
        .expect("a file can be written");
    let error = get(&config, false).expect_err("nobody agrees").to_string();
    assert!(error.contains("was not accepted"), "{error}");
    get(&config, true).expect("somebody agrees");
    get(&config, false).expect("nobody is asked again");
    fs_err::write(&signature, other.sign_detached_armored(&bytes, AT).expect("it can be signed"))
        .expect("a file can be written");
    let error = get(&config, true).expect_err("it is another's").to_string();
    assert!(error.contains("has no `gpgkey` that is this key"), "{error}");
    fs_err::write(&index, [&bytes[..], b"\n"].concat()).expect("the index can be changed");
    fs_err::write(&signature, good.sign_detached_armored(&bytes, AT).expect("it can be signed"))
        .expect("a file can be written");
    let error = get(&config, true).expect_err("the index is another").to_string();
    assert!(error.contains("is not over these bytes"), "{error}");
}

#[test]
fn files_lists_of_mirrors_and_metalinks_lead_to_a_repository() {
    let place = Place::new();
    let folder = repository(&place);
    let get = |config: &update::config::Config| {
        place.with(config, false, |machine| sync(&config.repositories[0], KINDS, Freshness::Refresh, machine))
    };
    let list = place.path("mirrors");
    fs_err::write(&list, format!("# mirrors\nfile:///nowhere/\nfile://{}/\n", folder.display())).expect("written");
    get(&place.config(&format!("mirrorlist=file://{}", list.display()))).expect("the second mirror has it");

    let index = fs_err::read(folder.join("repodata/repomd.xml")).expect("the index is there");
    let sha256 = pkg::Digest::of(&index).hex();
    let metalink = |sha256: &str, sha1: &str| {
        format!(
            "<metalink><files><file name=\"repomd.xml\"><size>{}</size><verification><hash type=\"sha1\">{sha1}</hash>\
             <hash type=\"sha256\">{sha256}</hash></verification><resources>\
             <url preference=\"100\">file:///nowhere/repodata/repomd.xml</url>\
             <url preference=\"9\">file://{}/repodata/repomd.xml</url></resources></file></files></metalink>",
            index.len(),
            folder.display()
        )
    };
    let file = place.path("metalink");
    let config = place.config(&format!("metalink=file://{}", file.display()));
    // The weak digest is wrong and says nothing; the strong one is the index's.
    fs_err::write(&file, metalink(&sha256, &"0".repeat(40))).expect("written");
    get(&config).expect("it is the index");
    fs_err::write(&file, metalink(&"0".repeat(64), &"0".repeat(40))).expect("written");
    let error = get(&config).expect_err("it is another index").to_string();
    assert!(error.contains("is expected"), "{error}");
}

#[test]
fn files_processes_share_a_cache() {
    let place = Place::new();
    let folder = repository(&place);
    let config = place.config(&format!("baseurl=file://{}", folder.display()));
    let get = |freshness| {
        place.with(&config, false, |machine| {
            let synced = sync(&config.repositories[0], KINDS, freshness, machine)?;
            synced.document("filelists", machine)?;
            Ok::<_, SyncError>(synced.state)
        })
    };
    let states: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let freshness = if number % 2 == 0 { Freshness::Refresh } else { Freshness::AsConfigured };
                scope.spawn(move || get(freshness).expect("it can be had"))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(states.iter().all(|state| *state == states[0]));
    let left = walk(&place.path("cache"));
    assert!(!left.iter().any(|path| path.iter().any(|part| part == "new")), "{left:?}");
}

#[expect(clippy::disallowed_macros, reason = "a test says why it does nothing")]
fn eprintln_skipped() {
    eprintln!("skipped: curl not installed");
}

#[test]
fn files_a_table_that_is_damaged_or_cut_off_is_made_anew() {
    let place = Place::new();
    let folder = place.path("repository");
    // Large enough to be mapped.
    let packages: Vec<(String, Vec<u8>)> = (0..400)
        .map(|number| {
            let needed = format!("package-{}", (number + 1) % 400);
            package(&format!("package-{number}-1-1.noarch"), &[&needed])
        })
        .collect();
    write(&folder, &packages);
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    let go = || {
        place.with(&config, true, |machine| {
            let repository = sync(&machine.config.repositories[0], &["primary"], Freshness::AsConfigured, machine);
            let repositories = vec![repository.expect("it can be fetched")];
            let job = Job { install: vec!["package-0".to_owned()], ..Job::default() };
            let outcome = resolve(&job, &[], &repositories, &Reasons::default(), machine).expect("it can be solved");
            (outcome, repositories[0].state_folder().join("solvables.table"))
        })
    };
    let (first, table) = go();
    assert_eq!(first.steps.len(), 400);
    let good = fs_err::read(&table).expect("the table is kept");
    assert!(good.len() > 65_536, "{} bytes are not mapped", good.len());
    assert_eq!(go().0, first);
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        bytes
    };
    let damaged =
        [good[..good.len() - 1].to_vec(), good[..70_000].to_vec(), Vec::new(), flipped(good.len() / 2), flipped(9)];
    for bytes in damaged {
        fs_err::write(&table, &bytes).expect("it can be written");
        assert_eq!(go().0, first);
        assert_eq!(fs_err::read(&table).expect("it is there"), good, "{} bytes stayed", bytes.len());
    }
}

#[test]
fn files_paths_of_requirements_are_looked_up_in_filelists_once() {
    let place = Place::new();
    let folder = place.path("repository");
    let made = |builder: PackageBuilder| builder.build().expect("a package can be made");
    let packages = vec![
        ("asks.rpm".to_owned(), made(builder("asks").requires("/usr/share/data/one"))),
        ("asks-too.rpm".to_owned(), made(builder("asks-too").requires("/usr/share/data/two"))),
        ("has.rpm".to_owned(), made(builder("has").file("/usr/share/data/one", NewFile::regular("1")))),
        ("has-too.rpm".to_owned(), made(builder("has-too").file("/usr/share/data/two", NewFile::regular("2")))),
    ];
    write(&folder, &packages);
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    let go = |name: &str| {
        place.with(&config, true, |machine| {
            let repository = sync(&machine.config.repositories[0], &["primary"], Freshness::AsConfigured, machine);
            let repositories = vec![repository.expect("it can be fetched")];
            let job = Job { install: vec![name.to_owned()], ..Job::default() };
            let outcome = resolve(&job, &[], &repositories, &Reasons::default(), machine)?;
            let names = outcome.steps.iter().filter_map(|step| step.new.as_ref().map(|new| new.nevra.name.clone()));
            let names: Vec<String> = names.collect();
            Ok::<_, ResolveError>((names, repositories[0].state_folder().to_owned()))
        })
    };
    let (names, state) = go("asks").expect("it can be solved");
    assert_eq!(names, ["asks", "has"]);
    // The document is not looked at again, for what other packages of the repository could ask neither.
    let filelists = || walk(&state).into_iter().find(|path| path.to_string_lossy().ends_with("-filelists.xml.gz"));
    let good = fs_err::read(filelists().expect("it was fetched")).expect("it is there");
    fs_err::write(filelists().expect("it is there"), "damaged").expect("it can be written");
    assert_eq!(go("asks").expect("it is known").0, ["asks", "has"]);
    assert_eq!(go("asks-too").expect("it is known").0, ["asks-too", "has-too"]);
    // What was kept is damaged: the document is read, and is not what the index says.
    let mut kept = fs_err::read(state.join("owners")).expect("it was kept");
    let last = kept.len() - 3;
    kept[last] ^= 1;
    fs_err::write(state.join("owners"), &kept).expect("it can be written");
    let error = go("asks-too").expect_err("the document is damaged").to_string();
    assert!(error.contains("it was changed or damaged after it was fetched"), "{error}");
    // It is fetched again.
    assert_eq!(go("asks-too").expect("it can be solved").0, ["asks-too", "has-too"]);
    assert_eq!(fs_err::read(filelists().expect("it was fetched")).expect("it is there"), good);
    assert_ne!(fs_err::read(state.join("owners")).expect("it is kept"), kept);
}
