//! Real builds of tiny specs. The root's base has copies of this machine's own rpmbuild and what that needs, so nothing is fetched.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use build::stage0::{Command, Lock, Stage0};
use build::{
    BuildError, Built, Effort, Event, File, Job, Options, Progress, Silent, Stage, State, run, schedule, shell,
};
use host::{Cmd, Host, Tool};
use pkg::{Arch, Digest, SourceDateEpoch};
use store::{Purge, Store};

const SPEC: &str = "\
Name: tiny
Version: 1.0
Release: 1
Summary: A test
License: MIT
BuildArch: noarch
Source0: data.txt
%description
A test.
%prep
%build
echo %{_smp_mflags} > /dev/null
date +%%s > now
id -un > who
hostname >> who
ls /sys/class/net /proc/net/dev >> who || :
touch /usr/written
%install
mkdir -p %{buildroot}/usr/share/tiny
cp now who %{SOURCE0} %{buildroot}/usr/share/tiny
%files
/usr/share/tiny
";

/// Copies programs and the libraries that they load into the current folder, with merged `/usr`.
const COPY: &str = r#"
set -e
mkdir -p usr/bin usr/sbin usr/lib usr/lib64 build dev etc proc run tmp var/tmp
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
programs=$(for name in rpmbuild bash basename cat chmod chown cp date diff find file gawk grep gzip hostname id install ls ln \
    make mkdir mv patch readlink rm rmdir sed sh sleep sort strip tar touch tr true false uname xargs xz zstd; do
    for folder in /usr/bin /usr/sbin; do if [ -x $folder/$name ]; then echo $folder/$name; fi; done; done)
for file in $programs $(ldd $programs 2> /dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
    case $file in /usr/*) ;; *) file=/usr$file;; esac
    mkdir -p .${file%/*}; cp -L $file .$file
done
cp -a /usr/lib/rpm usr/lib/
mkdir -p usr/lib/file usr/lib/locale
cp -a /usr/lib/locale/C.utf8 usr/lib/locale/ 2> /dev/null || true
cp -L /usr/lib/file/magic.mgc usr/lib/file/ 2> /dev/null || true
echo 'root:x:0:0::/root:/bin/sh
builder:x:1000:1000::/build:/bin/sh' > etc/passwd
echo 'root:x:0:
builder:x:1000:' > etc/group
"#;

struct Bench {
    host: Host,
    store: Store,
    folder: tempfile::TempDir,
}

impl Bench {
    /// `None` where this machine cannot build; it says why.
    fn new() -> Option<Bench> {
        let host = Host::detect().expect("a machine");
        if !Tool::Rpmbuild.is_installed(&host) {
            skip("skipped: rpmbuild not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = folder.path().join("base");
        fs_err::create_dir(&base).expect("a folder");
        host.check(&Cmd::new(Tool::Shell).args(["-c", COPY]).cwd(&base)).expect("copies of this machine's programs");
        let store = Store::open(folder.path().join("store")).expect("a new store");
        Some(Bench { host, store, folder })
    }

    fn job(&self, name: &str, spec: &str) -> Job {
        let stage0 = Stage0 {
            arch: Arch::new(std::env::consts::ARCH),
            id: Digest::of(b"this machine"),
            base: self.folder.path().join("base"),
            lock: Lock::default(),
            commands: vec![Command { run: ["/bin/mkdir", "-p", "/usr/finished"].map(str::to_owned).to_vec() }],
        };
        Job {
            name: name.to_owned(),
            spec: File { name: format!("{name}.spec"), bytes: spec.replace("tiny", name).into_bytes() },
            files: Vec::new(),
            sources: [("data.txt".to_owned(), self.store.put_bytes(b"data\n").expect("an object"))].into(),
            macros: vec![File { name: "macros.tiny".to_owned(), bytes: b"%debug_package %{nil}\n".to_vec() }],
            stage0: Arc::new(stage0),
            packages: BTreeSet::new(),
            rpms: BTreeSet::new(),
            options: Options::default(),
            epoch: SourceDateEpoch(1_700_000_000),
            build_host: "tiny-host".to_owned(),
        }
    }

    fn build(&self, job: &Job, jobs: usize, progress: &dyn Progress) -> Result<Built, BuildError> {
        let effort = Effort { jobs, ..Effort::suitable(&self.host, 1) };
        run::build(job, &effort, &self.host, &self.store, progress)
    }
}

#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn skip(why: &str) {
    println!("{why}");
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn event(&self, event: Event<'_>) {
        if let Event::Component { name, state, .. } = event {
            self.0.lock().expect("no panic").push(format!("{name} {state:?}"));
        }
    }
}

#[test]
fn host_equal_jobs_build_equal_packages_and_the_second_is_found() {
    let Some(bench) = Bench::new() else { return };
    let job = bench.job("tiny", SPEC);
    let heard = Heard::default();
    let first = bench.build(&job, 1, &heard).unwrap();
    let names: Vec<&str> = first.packages.iter().map(|package| package.file_name.as_str()).collect();
    assert_eq!(names, ["tiny-1.0-1.noarch.rpm", "tiny-1.0-1.src.rpm"]);
    assert_eq!(first.packages[1].nevra.to_string(), "tiny-1.0-1.src");
    assert!(!bench.store.area("roots").unwrap().join("tiny").exists(), "the root of a good build goes");
    let told = std::mem::take(&mut *heard.0.lock().unwrap());
    assert_eq!((told.first().unwrap().as_str(), told.last().unwrap().as_str()), ("tiny Root", "tiny Built"));
    assert!(told.contains(&"tiny Stage(Build)".to_owned()), "{told:?}");

    let again = bench.build(&job, 1, &heard).unwrap();
    assert_eq!(*heard.0.lock().unwrap(), ["tiny Cached"]);
    assert_eq!((again.packages.clone(), again.cached), (first.packages.clone(), true));

    // With another number of compilers, in another second.
    bench.store.remove_record("build", &first.id).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // What the package says of itself is the same, but `now` differs: so the packages must, too.
    let other = bench.build(&job, 7, &Silent).unwrap();
    assert_ne!(other.packages[0].digest, first.packages[0].digest);
    assert_eq!(other.packages[1].digest, first.packages[1].digest, "the source package");
    let steady = bench.job("steady", &SPEC.replace("date +%%s", "echo then"));
    let [one, two] = [1, 7].map(|jobs| {
        let built = bench.build(&steady, jobs, &Silent).unwrap();
        bench.store.remove_record("build", &built.id).unwrap();
        built.packages
    });
    assert_eq!(one, two);
}

#[test]
fn host_a_build_is_alone_as_builder() {
    let Some(bench) = Bench::new() else { return };
    let built = bench.build(&bench.job("tiny", SPEC), 2, &Silent).unwrap();
    let mut reader = bench.store.open_object(&built.packages[0].digest).unwrap();
    let folder = tempfile::tempdir().unwrap();
    rpm::unpack(&mut reader, folder.path()).unwrap();
    let who = fs_err::read_to_string(folder.path().join("usr/share/tiny/who")).unwrap();
    assert!(who.contains("tiny-host\n"), "{who}");
    assert!(!who.contains("eth0"), "{who}");
    assert!(!std::path::Path::new("/usr/written").exists() && !std::path::Path::new("/usr/finished").exists());
    assert_eq!(fs_err::read_to_string(folder.path().join("usr/share/tiny/data.txt")).unwrap(), "data\n");
}

#[test]
fn host_a_failure_shows_why_and_keeps_the_root() {
    let Some(bench) = Bench::new() else { return };
    let job = bench.job("broken", &SPEC.replace("hostname", "no-such-program"));
    let error = bench.build(&job, 2, &Silent).unwrap_err();
    let BuildError::Failed { component, stage, exit, lines, log, .. } = &error else { panic!("{error}") };
    assert_eq!((component.as_str(), *stage, exit.as_str()), ("broken", Stage::Build, "exit code 1"));
    assert!(lines.iter().any(|line| line.contains("no-such-program:") && line.ends_with("not found")), "{lines:?}");
    assert!(fs_err::read_to_string(log).unwrap().contains("no-such-program"));
    assert_eq!(error.to_string(), "`broken` does not build: its %build ended with exit code 1");
    let root = shell::kept("broken", &bench.store).unwrap();
    let code = shell::enter(
        &root,
        Some("test -e SPECS/broken.spec && test -d /usr/finished && exit 42"),
        &bench.host,
        &bench.store,
    );
    assert_eq!(code.unwrap(), 42);
    shell::discard("broken", &bench.store).unwrap();
    for name in ["tiny", "broken"] {
        assert!(matches!(shell::kept(name, &bench.store), Err(BuildError::NoRoot(_))));
    }
}

#[test]
fn host_a_time_limit_ends_a_build() {
    let Some(bench) = Bench::new() else { return };
    let job = bench.job("slow", &SPEC.replace("hostname", "sleep 600"));
    let effort = Effort { wall_time_s: 2, ..Effort::suitable(&bench.host, 1) };
    let error = run::build(&job, &effort, &bench.host, &bench.store, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "`slow` does not build: its %build ended with the time limit of 2 s");
}

#[test]
fn host_a_graph_is_built_with_what_it_built_and_is_kept() {
    let Some(bench) = Bench::new() else { return };
    let user =
        SPEC.replace("hostname", "cat /usr/share/tool/data.txt /usr/share/tool/who | sort").replace("tiny", "user");
    let make = |name: &str, built: &std::collections::BTreeMap<String, Built>| {
        let spec = if name == "user" {
            user.clone()
        } else {
            SPEC.replace("echo", if name == "bad" { "false" } else { "echo" })
        };
        let mut job = bench.job(name, &spec);
        job.rpms =
            built.get("tool").filter(|_| name == "user").map(|tool| tool.packages[0].digest).into_iter().collect();
        Ok(job)
    };
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let after = [("bad", set(&[])), ("late", set(&["bad"])), ("tool", set(&[])), ("user", set(&["tool"]))];
    let graph = schedule::Graph { after: after.map(|(name, after)| (name.to_owned(), after)).into() };
    let heard = Heard::default();
    let outcome = schedule::all(&graph, 2, &make, &bench.host, &bench.store, &heard);
    assert_eq!(outcome.built.keys().collect::<Vec<_>>(), ["tool", "user"], "{:?}", outcome.failed);
    assert_eq!(outcome.failed.keys().collect::<Vec<_>>(), ["bad"]);
    assert_eq!(outcome.waiting, [("late".to_owned(), set(&["bad"]))].into());
    let waiting = format!("late {:?}", State::Waiting { on: "bad" });
    assert!(heard.0.lock().unwrap().contains(&waiting));

    let jobs = [make("tool", &outcome.built).unwrap(), make("user", &outcome.built).unwrap()];
    let keep = build::keep(&jobs[1..], &bench.store).unwrap();
    let collected = bench.store.collect(&keep, Purge::Delete).unwrap();
    assert!(collected.objects > 0 && collected.records == 1, "{collected:?}");
    assert!(bench.build(&jobs[1], 1, &Silent).unwrap().cached);
    assert!(!bench.build(&jobs[0], 1, &Silent).unwrap().cached);
}
