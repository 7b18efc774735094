//! `rpmdb.sqlite`: ours against rpm's own, over the same packages.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use pkg::{Nevra, Relation, SourceDateEpoch};
use rpm::db::{Database, FileState, Installation, InstalledPackage};
use rpm::write::{NewFile, PackageBuilder};
use rpm::{Dependency, DependencyKind, FileFlags, Package, ScriptletFlags, ScriptletKind, Sense};
use rpm::{Trigger, TriggerScope, TriggerWhen};

const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);

#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
fn output(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // Debian's rpm says each time that it should not be used.
    let text = text.lines().filter(|line| !line.starts_with("rpm: ")).collect::<Vec<_>>().join("\n");
    Some((output.status.success(), text))
}

/// Two packages with everything that the database indexes.
fn packages() -> Vec<Vec<u8>> {
    let trigger = |scope, when, conditions: &[&str], priority| Trigger {
        scope,
        when,
        conditions: conditions.iter().map(|text| Relation::parse(text).unwrap()).collect(),
        body: "echo $1 $2".to_owned(),
        program: "/bin/sh".to_owned(),
        flags: ScriptletFlags::default(),
        priority,
    };
    let pre = Dependency { sense: Sense::SCRIPT_PRE, ..Dependency::new(Relation::any("early")) };
    let first = PackageBuilder::new(Nevra::parse("alpha-2:1.0~rc1-1.sk1.x86_64").unwrap(), AT)
        .summary("first")
        .description("Several\n\nparagraphs, and ünïcode")
        .requires("beta >= 2")
        .requires("((x or y) if z else (v with w))")
        .dependency(DependencyKind::Requires, pre)
        .provides("libalpha.so.1()(64bit)")
        .depends(DependencyKind::Conflicts, "(old or older < 3)")
        .depends(DependencyKind::Obsoletes, "aleph < 1")
        .depends(DependencyKind::Recommends, "weak")
        .depends(DependencyKind::Suggests, "hint")
        .depends(DependencyKind::Supplements, "(beta and gamma)")
        .depends(DependencyKind::Enhances, "delta")
        .file("/usr/bin/alpha", NewFile::regular("one\n").mode(0o4755))
        .file("/usr/bin/alpha-again", NewFile::hard_link("/usr/bin/alpha"))
        .file("/usr/bin/a", NewFile::symlink("alpha"))
        .file(
            "/etc/alpha.conf",
            NewFile::regular("conf\n").flags(FileFlags::CONFIG.and(FileFlags::NOREPLACE)).owner("root", "daemon"),
        )
        .file("/usr/bin/ping", NewFile::regular("ping").mode(0o755).capabilities("cap_net_raw=ep"))
        .file("/usr/share/doc/alpha/README", NewFile::regular("read").flags(FileFlags::DOC))
        .file("/var/lib/alpha", NewFile::directory().mode(0o750))
        .file("/var/log/alpha.log", NewFile::ghost())
        .file("/", NewFile::directory())
        .scriptlet(ScriptletKind::Pre, "/bin/sh", "echo pre")
        .scriptlet(ScriptletKind::Post, "<lua>", "print('post')")
        .scriptlet(ScriptletKind::Postun, "/sbin/ldconfig", "")
        .trigger(trigger(TriggerScope::Package, TriggerWhen::In, &["bash < 6", "zsh", "bash > 7"], 1_000_000))
        .trigger(trigger(TriggerScope::Package, TriggerWhen::Un, &["bash"], 1_000_000))
        .trigger(trigger(TriggerScope::File, TriggerWhen::In, &["/usr/lib", "/usr/share"], 200))
        .trigger(trigger(TriggerScope::File, TriggerWhen::PostUn, &["/opt"], 300))
        .trigger(trigger(TriggerScope::TransactionFile, TriggerWhen::In, &["/usr/share/man"], 1_000_000))
        .changelog(1_749_988_800, "A B <a@b> - 1.0-1", "- made\n- twice")
        .build();
    let second = PackageBuilder::new(Nevra::parse("beta-3-1.noarch").unwrap(), AT).summary("no files").build();
    vec![first.unwrap(), second.unwrap()]
}

struct Both {
    _folder: tempfile::TempDir,
    files: Vec<PathBuf>,
    theirs: PathBuf,
    ours: PathBuf,
}

/// Installs the packages into a database by rpm and by us; `None` where there is no rpm.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn both() -> Option<Both> {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    let root = folder.path().join("root");
    for path in [&theirs, &ours, &root] {
        fs_err::create_dir(path).unwrap();
    }
    let define = define(&theirs);
    let mut files = Vec::new();
    let mut installed = Vec::new();
    for (index, bytes) in packages().iter().enumerate() {
        let path = folder.path().join(format!("{index}.rpm"));
        fs_err::write(&path, bytes).unwrap();
        let arguments =
            ["--define", &define, "-i", "--justdb", "--nodeps", "--noscripts", "--notriggers", "--ignorearch"];
        let Some((good, text)) = output("rpm", &[&arguments[..], &[path.to_str().unwrap()]].concat()) else {
            println!("skipped: rpm not installed");
            return None;
        };
        assert!(good, "{text}");
        let package = Package::read(&mut bytes.as_slice()).unwrap();
        let states = vec![FileState::Normal; package.files().unwrap().len()];
        let installation = Installation { time: AT.as_u32(), transaction: AT.as_u32(), color: 3 };
        installed.push(InstalledPackage::new(&package.header, &package.signature, &states, installation).unwrap());
        files.push(path);
    }
    let bytes = rpm::db::write(&installed).unwrap();
    assert_eq!(bytes, rpm::db::write(&installed).unwrap(), "equal packages, equal bytes");
    fs_err::write(ours.join("rpmdb.sqlite"), bytes).unwrap();
    Some(Both { _folder: folder, files, theirs, ours })
}

fn define(database: &Path) -> String {
    format!("_dbpath {}", database.display())
}

impl Both {
    fn ask(&self, arguments: &[&str]) -> [(bool, String); 2] {
        [&self.theirs, &self.ours].map(|database| {
            let define = define(database);
            output("rpm", &[&["--define", &define], arguments].concat()).unwrap()
        })
    }
}

#[test]
fn files_rpm_says_the_same_of_both_databases() {
    let Some(both) = both() else { return };
    for arguments in [
        &["-qa"][..],
        &["-qa", "--requires"],
        &["-qa", "--provides"],
        &["-q", "--scripts", "alpha"],
        &["-q", "--triggers", "alpha"],
        &["-q", "--filetriggers", "alpha"],
        &["-q", "--dump", "alpha"],
        &["-q", "--state", "alpha"],
        &["-q", "--changelog", "alpha"],
        &["-qf", "/usr/bin/alpha-again"],
        &["-qf", "/"],
        &["-q", "--whatprovides", "libalpha.so.1()(64bit)"],
        &["-q", "--whatrequires", "beta"],
        &["-q", "--whatrequires", "x"],
        &["-q", "--whatrequires", "early"],
        &["-q", "--whatconflicts", "older"],
        &["-q", "--whatrecommends", "weak"],
        &["-q", "--whatsupplements", "gamma"],
        &["-q", "--triggeredby", "bash"],
        &["-V", "--nodeps", "alpha"],
        &["-V", "beta"],
    ] {
        let [theirs, ours] = both.ask(arguments);
        assert_eq!(ours, theirs, "rpm {arguments:?}");
    }
    // Every tag, but for those that say when.
    let without_times = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let mut kept = Vec::new();
        let mut skip = false;
        for line in lines {
            if line.contains("<rpmTag name=") {
                skip = ["Installtime", "Installtid"].iter().any(|name| line.contains(name));
            }
            if !skip {
                kept.push(line.to_owned());
            }
        }
        kept.join("\n")
    };
    let [theirs, ours] = both.ask(&["-qa", "--xml"]);
    assert!(theirs.1.len() > 5000 && theirs.1.contains("Filestates"), "{}", theirs.1);
    assert_eq!(without_times(&ours.1), without_times(&theirs.1));
    let [theirs, ours] = both.ask(&["-qa", "--qf", "%{name} %{installtime} %{installtid}\n"]);
    assert_ne!(theirs.1, ours.1);
    assert!(ours.1.contains("alpha 1750000000 1750000000"), "{}", ours.1);
    let define = define(&both.ours);
    let verified = output("rpmdb", &["--define", &define, "--verifydb"]).unwrap();
    assert!(verified.0, "{}", verified.1);
}

#[test]
fn files_schema_and_indexes_are_rpms() {
    let Some(both) = both() else { return };
    let dump = |folder: &Path| {
        let connection = rusqlite::Connection::open(folder.join("rpmdb.sqlite")).unwrap();
        let mut schema: Vec<(String, String)> = connection
            .prepare("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'")
            .unwrap()
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        schema.sort();
        let mut rows = Vec::new();
        for (name, _) in schema.iter().filter(|(name, sql)| sql.contains("'Packages'(hnum)") && !name.contains("_idx"))
        {
            // The transaction's number is a time.
            let key = if name == "Installtid" { "''" } else { "typeof(key) || hex(key) || quote(key)" };
            let mut statement = connection.prepare(&format!("SELECT {key}, hnum, idx FROM \"{name}\"")).unwrap();
            let mut found = statement.query(()).unwrap();
            while let Some(row) = found.next().unwrap() {
                let (key, number, place): (String, u32, u32) =
                    (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
                rows.push((name.clone(), key, number, place));
            }
        }
        let version: u32 = connection.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap();
        let journal: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0)).unwrap();
        (schema, rows, version, journal)
    };
    let (theirs, ours) = (dump(&both.theirs), dump(&both.ours));
    assert_eq!(ours.0, theirs.0);
    assert_eq!(ours.1, theirs.1);
    assert_eq!((ours.2, ours.3), (theirs.2, theirs.3));
}

#[test]
fn files_their_database_is_read() {
    let Some(both) = both() else { return };
    let packages = rpm::db::read(&fs_err::read(both.theirs.join("rpmdb.sqlite")).unwrap()).unwrap();
    assert_eq!(packages.len(), 2);
    assert_eq!(packages[0].header.nevra().to_string(), "alpha-2:1.0~rc1-1.sk1.x86_64");
    assert_eq!(packages[0].file_states().len(), 9);
    let package = Package::read(&mut fs_err::File::open(&both.files[0]).unwrap()).unwrap();
    assert_eq!(packages[0].header.region_bytes(), package.header.region_bytes(), "what digests cover is kept");
    // What rpm wrote and what we write are one header, but for the times.
    let states = packages[0].file_states();
    let ours = InstalledPackage::new(&package.header, &package.signature, &states, packages[0].installation()).unwrap();
    assert_eq!(ours.header.blob(), packages[0].header.blob());
    // rpm reads what we wrote over its own database.
    fs_err::write(both.theirs.join("rpmdb.sqlite"), rpm::db::write(&packages).unwrap()).unwrap();
    let [theirs, ours] = both.ask(&["-qa"]);
    assert_eq!(theirs, ours);
}

#[test]
fn what_is_no_database_is_refused() {
    for bytes in [&b""[..], &[0; 4096], b"SQLite format 3\0"] {
        assert!(rpm::db::read(bytes).is_err());
    }
    let good = rpm::db::write([]).unwrap();
    assert_eq!(rpm::db::read(&good).unwrap(), []);
    assert!(
        rpm::db::read(&good[..good.len() / 2]).is_err() || rpm::db::read(&good[..good.len() / 2]).unwrap().is_empty()
    );
}

#[test]
fn files_a_database_is_changed_package_by_package() {
    let Some(both) = both() else { return };
    let parts = rpm::db::read(&fs_err::read(both.ours.join("rpmdb.sqlite")).unwrap()).unwrap();
    // Into rpm's own database: its first package goes and comes again, and gets a number that none had.
    let mut theirs = fs_err::read(both.theirs.join("rpmdb.sqlite")).unwrap();
    if let Ok(log) = fs_err::metadata(both.theirs.join("rpmdb.sqlite-wal"))
        && log.len() > 0
    {
        // rpm left its rows in the log beside it: take ours, which is equal.
        theirs = fs_err::read(both.ours.join("rpmdb.sqlite")).unwrap();
    }
    let mut database = Database::open(&theirs).unwrap();
    assert_eq!(database.packages().unwrap().len(), 2);
    assert_eq!(
        (database.find("Name", "alpha").unwrap(), database.find("Requirename", "beta").unwrap()),
        (vec![1], vec![1])
    );
    database.remove(1).unwrap();
    assert_eq!(database.find("Name", "alpha").unwrap(), [0u32; 0]);
    assert_eq!(database.find("Basenames", "ping").unwrap(), [0u32; 0]);
    assert!(database.remove(1).is_err(), "it is gone");
    assert!(database.find("Nothing", "x").is_err());
    assert_eq!(database.add(&parts[0]).unwrap(), 3);
    let states = vec![FileState::NotInstalled; parts[0].file_states().len()];
    database.replace(3, &parts[0].with_states(&states).unwrap()).unwrap();
    database.remove(2).unwrap();
    assert_eq!(database.add(&parts[1]).unwrap(), 4);
    assert_eq!(database.next_number().unwrap(), 5);
    let bytes = database.bytes().unwrap();
    fs_err::write(both.ours.join("rpmdb.sqlite"), &bytes).unwrap();
    let define = define(&both.ours);
    let (good, said) = output("rpmdb", &["--define", &define, "--verifydb"]).unwrap();
    assert!(good, "{said}");
    for (arguments, expected) in [
        (&["-qa", "--qf", "%{nevra} %{dbinstance}\\n"][..], "alpha-2:1.0~rc1-1.sk1.x86_64 3\nbeta-3-1.noarch 4"),
        (&["-q", "--whatrequires", "beta", "--qf", "%{name}"], "alpha"),
        (&["-q", "--triggeredby", "zsh", "--qf", "%{name}"], "alpha"),
        (&["-q", "--state", "beta"], "(contains no files)"),
    ] {
        let (_, said) = output("rpm", &[&["--define", define.as_str()], arguments].concat()).unwrap();
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.join("\n"), expected, "{arguments:?}");
    }
    let (_, said) = output("rpm", &["--define", &define, "-q", "--state", "alpha"]).unwrap();
    assert!(said.lines().all(|line| line.starts_with("not installed")), "{said}");
    // rpm goes on with it: it erases what we added.
    let (good, said) =
        output("rpm", &["--define", &define, "-e", "--justdb", "--nodeps", "--noscripts", "--notriggers", "alpha"])
            .unwrap();
    assert!(good, "{said}");
}
