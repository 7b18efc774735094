//! A small running system: a folder that is `/` for the program, so that transactions on it are those of a live root.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pkg::Nevra;
use rpm::write::{NewFile, PackageBuilder};
use rpm::{FileFlags, ScriptletKind};
use testkit::packages::AT;

/// Where the database of packages is.
pub(crate) const DATABASE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// What the program is called with, whatever it does.
pub(crate) const ALWAYS: [&str; 5] =
    ["dnf", "-y", "--setopt=reposdir=/etc/none", "--setopt=install_weak_deps=0", "--releasever=1"];

/// The folder of a test, with a root in it.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
}

/// How a call ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

#[expect(clippy::disallowed_methods, reason = "programs that the test runs, and no tools of Slipway's")]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), text: text(&output.stdout) + &text(&output.stderr) }
}

/// Whether this machine can run such a test; says why not.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub(crate) fn can_run(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|name| command(name).arg("--version").output().is_err());
    let id = command("id").arg("-u").output().expect("id runs");
    match missing {
        Some(name) => println!("skipped: {name} not installed"),
        None if id.stdout != b"0\n" => println!("skipped: not root, who alone changes a running system"),
        None => {
            let can =
                |words: &[&str]| command(words[0]).args(&words[1..]).output().is_ok_and(|done| done.status.success());
            let tries: [&[&str]; 2] = [&["unshare", "--mount", "true"], &["strace", "-qq", "-o", "/dev/null", "true"]];
            match tries.into_iter().find(|words| (words[0] == "unshare" || programs.contains(&words[0])) && !can(words))
            {
                Some(words) => println!("skipped: `{}` is not allowed", words.join(" ")),
                None => return true,
            }
        }
    }
    false
}

/// Two versions of a package with all that files can be and become.
pub(crate) fn old() -> PackageBuilder {
    let config = FileFlags::CONFIG;
    package("app-1-1.noarch")
        .file("/etc", NewFile::directory())
        .file("/etc/app.conf", NewFile::regular("one\n").flags(config))
        .file("/opt", NewFile::directory())
        .file("/opt/app", NewFile::directory())
        .file("/opt/app/program", NewFile::regular("one\n".repeat(5000)).mode(0o4755))
        .file("/opt/app/gone", NewFile::regular("gone\n"))
        .file("/opt/app/link", NewFile::symlink("gone"))
        .file("/opt/app/empty", NewFile::directory())
}

pub(crate) fn new() -> PackageBuilder {
    package("app-2-1.noarch")
        .file("/etc", NewFile::directory())
        .file("/etc/app.conf", NewFile::regular("two\n").flags(FileFlags::CONFIG))
        .file("/opt", NewFile::directory())
        .file("/opt/app", NewFile::directory())
        .file("/opt/app/program", NewFile::regular("two\n".repeat(9000)).mode(0o755))
        .file("/opt/app/link", NewFile::regular("no link any more\n"))
        .file("/opt/app/new", NewFile::directory())
        .file("/opt/app/new/file", NewFile::regular("new\n"))
        .file("/opt/app/new/same", NewFile::hard_link("/opt/app/new/file"))
        .scriptlet(ScriptletKind::Posttrans, "<lua>", "local f = io.open('/ran', 'a'); f:write('ran\\n'); f:close()")
}

pub(crate) fn package(nevra: &str) -> PackageBuilder {
    PackageBuilder::new(Nevra::parse(nevra).expect("it names a package"), AT)
}

impl Machine {
    /// A root with a database and nothing else; in memory where there is room, since nothing of it is to last.
    pub(crate) fn new() -> Machine {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let machine = Machine { folder: folder.expect("a folder can be made") };
        let root = machine.root();
        let database = root.join(DATABASE);
        for folder in [database.parent().expect("it has one"), &root.join("host"), &root.join("run"), &root.join("tmp")]
        {
            fs_err::create_dir_all(folder).expect("a folder can be made");
        }
        fs_err::write(&database, rpm::db::write([]).expect("a database can be made")).expect("it can be written");
        // The program's libraries and devices are this machine's.
        for name in ["lib", "lib64", "dev", "proc"] {
            fs_err::os::unix::fs::symlink(format!("host/{name}"), root.join(name)).expect("a link can be made");
        }
        machine
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Writes a package into the root's `/packages`; gives its path there.
    pub(crate) fn put(&self, package: PackageBuilder) -> String {
        self.put_bytes(&package.build().expect("a package can be made"))
    }

    pub(crate) fn put_bytes(&self, bytes: &[u8]) -> String {
        let package = rpm::Package::read(&mut &bytes[..]).expect("it is a package");
        let path = format!("packages/{}.rpm", package.header.nevra());
        fs_err::create_dir_all(self.root().join("packages")).expect("a folder can be made");
        fs_err::write(self.root().join(&path), bytes).expect("a package can be written");
        format!("/{path}")
    }

    /// A call of the program with the root as `/`: `before` runs first, in the mounts of the call alone, with `$0` for the root's
    /// path; `under` is what the program is run by.
    pub(crate) fn call_under(&self, before: &str, under: &[&str], words: &[&str]) -> Command {
        let script = format!(
            "set -e; mount --make-rprivate /; {before}\nmount --rbind / \"$0/host\"; exec chroot \"$0\" \"$@\""
        );
        let mut call = command("unshare");
        call.args(["--mount", "sh", "-c", &script]).arg(self.root()).args(under);
        call.arg(format!("/host{}", env!("CARGO_BIN_EXE_slipway"))).args(ALWAYS).args(words);
        call.env_clear().env("PATH", "/host/usr/bin:/host/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        call
    }

    pub(crate) fn call(&self, words: &[&str]) -> Said {
        said(&self.call_under("", &[], words).output().expect("it runs"))
    }

    /// The same, and it has to succeed.
    pub(crate) fn good(&self, words: &[&str]) -> Said {
        let said = self.call(words);
        assert_eq!(said.code, Some(0), "{words:?}: {}", said.text);
        said
    }

    pub(crate) fn state(&self) -> String {
        state(&self.root())
    }
}

/// All that is in a root but our own caches, then the packages that its database has, then what is remembered of them.
pub(crate) fn state(root: &Path) -> String {
    let script = "cd \"$0\"; find . -xdev \\( -path ./host -o -path ./packages -o -path ./var/cache -o -path './usr/lib/sysimage/rpm/*' \
        -o -path './var/lib/slipway/dnf/*' -o -path ./ran -o -path './tmp/*' \\) -prune -o \\( -type d -printf '%p %M %u %g\\n' -o -printf '%p %M %u %g %s %n %T@ %l\\n' \\) | sort; \
        find etc opt -type f -exec sha256sum {} + 2>/dev/null | sort -k 2; cat var/lib/slipway/dnf/packages.json 2>/dev/null";
    let found = command("sh").args(["-c", script]).arg(root).output().expect("it runs");
    let database = rpm::db::snapshot(&root.join(DATABASE)).expect("the database can be read");
    let packages = rpm::db::read(&database).expect("the database is sound");
    let packages: Vec<String> = packages.iter().map(|package| package.header.nevra().to_string()).collect();
    let history = fs_err::read_to_string(root.join("var/lib/slipway/dnf/history.jsonl")).unwrap_or_default();
    format!("{}\n{packages:?}\n{} in the history\n", String::from_utf8_lossy(&found.stdout), history.lines().count())
}

/// Lets rpm look at the files and the database of `root`; what it has to say.
pub(crate) fn rpm_says(root: &Path) -> String {
    let defines = ["--define", "_dbpath /usr/lib/sysimage/rpm", "--define", "_db_backend sqlite", "--root"];
    let mut text = String::new();
    for (program, asked) in [("rpm", &["-Va", "--nodeps"][..]), ("rpmdb", &["--verifydb"])] {
        let done = command(program).args(defines).arg(root).args(asked).output().expect("rpm runs");
        // What it says about being on a Debian system is not about the root.
        let said = said(&done);
        text.extend(said.text.lines().filter(|line| !line.is_empty() && !line.starts_with("rpm: ")));
        if !done.status.success() {
            text.push_str(&format!("{program} ended with {:?}", said.code));
        }
    }
    text
}
