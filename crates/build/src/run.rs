//! One component built: rpmbuild in a sandbox over its root.

use std::path::{Path, PathBuf};
use std::time::Instant;

use host::Host;
use host::sandbox::{self, Exit, Limits, Outcome, Sandbox, User};
use pkg::{Digest, Nevra};
use store::Store;

use crate::job::Check;
use crate::logs::Log;
use crate::root::{self, Root, TOP};
use crate::{BuildError, Event, Job, Progress, State};

/// How much of the machine one build may use. None of it goes into the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Compilers at once: rpm's `%_smp_build_ncpus`.
    pub jobs: usize,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Seconds until it is killed.
    pub wall_time_s: u64,
}

impl Effort {
    /// What suits `host` when `parallel` builds run at once.
    pub fn suitable(host: &Host, parallel: usize) -> Effort {
        // One more than its share of cores: a build waits for the disk and for its slowest file now and then.
        let jobs = host.cores().div_ceil(parallel.max(1)) + usize::from(parallel > 1);
        Effort {
            jobs: jobs.min(host.cores()).max(1),
            memory: Some(host.memory() / 10 * 9),
            processes: Some(4096),
            wall_time_s: 4 * 3600,
        }
    }
}

/// A package that a build wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rpm {
    /// `NAME-VERSION-RELEASE.ARCH.rpm`; `.src.rpm` for the source package.
    pub file_name: String,
    /// The file, an object in the store.
    pub digest: Digest,
    /// Whose it is; the architecture of a source package is `src`.
    pub nevra: Nevra,
}

/// What a build gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The component.
    pub component: String,
    /// The job's id.
    pub id: Digest,
    /// The packages, sorted by file name, source package included.
    pub packages: Vec<Rpm>,
    /// The log of the build that wrote them, an object in the store.
    pub log: Digest,
    /// Whether they were there before, so that nothing was built.
    pub cached: bool,
    /// How long the build took, in seconds, now or then.
    pub seconds: u64,
}

/// The record of a build, as kept in the store under kind `build` and the job's id.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    packages: Vec<Rpm>,
    log: Digest,
    seconds: u64,
}

/// What the store has for a job: its packages, when it was built before and all of them are still there.
pub fn recorded(job: &Job, store: &Store) -> Result<Option<Built>, BuildError> {
    let id = job.id()?;
    let Some(bytes) = store.record("build", &id) else { return Ok(None) };
    let Ok(record) = serde_json::from_slice::<Record>(&bytes) else { return Ok(None) };
    if !record.packages.iter().all(|package| store.contains(&package.digest)) {
        return Ok(None);
    }
    let Record { packages, log, seconds } = record;
    Ok(Some(Built { component: job.name.clone(), id, packages, log, cached: true, seconds }))
}

/// Builds `job`, or finds what was built of it before.
///
/// On failure the root is kept for [`crate::shell::enter`] and nothing else stays; on interruption not even that.
pub fn build(
    job: &Job,
    effort: &Effort,
    host: &Host,
    store: &Store,
    progress: &dyn Progress,
) -> Result<Built, BuildError> {
    let start = Instant::now();
    let tell = |state: State<'_>| progress.event(Event::Component { name: &job.name, state, elapsed: start.elapsed() });
    if let Some(built) = recorded(job, store)? {
        tell(State::Cached);
        return Ok(built);
    }
    crate::sources::check_file_name(&job.name)?;
    let _guard = store.lock(&format!("build-{}", job.name))?;
    // Another process may have built it while we waited.
    if let Some(built) = recorded(job, store)? {
        tell(State::Cached);
        return Ok(built);
    }
    tell(State::Root);
    let built = run(job, effort, host, store, &tell, start).map_err(|error| error.in_store(store));
    match &built {
        Ok(_) => tell(State::Built),
        Err(BuildError::Failed { .. }) => tell(State::Failed),
        Err(_) => {
            // A root that nobody would look at.
            let _ = host::remove_tree(&root::folder(&job.name, store)?);
            tell(State::Failed);
        }
    }
    built
}

fn run(
    job: &Job,
    effort: &Effort,
    host: &Host,
    store: &Store,
    tell: &dyn Fn(State<'_>),
    start: Instant,
) -> Result<Built, BuildError> {
    let root = root::compose(job, store)?;
    finish_root(job, &root, host)?;
    let mut log = Log::start(&store.area("logs")?.join(&job.name), &root.id.short())?;
    let sandbox = rpmbuild(job, &root, effort);
    let exit = sandbox::run_with_lines(host, &sandbox, &mut |line| {
        if let Some(stage) = log.line(line) {
            tell(State::Stage(stage));
        }
    });
    let logged = log.finish();
    let exit = exit?;
    if !exit.success() {
        return Err(failure(job, &root, said(&exit, &sandbox), &log, store));
    }
    logged?;
    let packages = collect(job, &root, &log, store)?;
    let seconds = start.elapsed().as_secs();
    let record = Record { packages, log: store.put_file(&log.path())?, seconds };
    store.set_record("build", &root.id, &serde_json::to_vec_pretty(&record).map_err(std::io::Error::from)?)?;
    store.set_record("duration", &Digest::of(job.name.as_bytes()), seconds.to_string().as_bytes())?;
    host::remove_tree(&root.folder)?;
    let Record { packages, log, seconds } = record;
    Ok(Built { component: job.name.clone(), id: root.id, packages, log, cached: false, seconds })
}

/// Runs the commands that stand in for maintainer scripts, over all layers.
pub(crate) fn finish_root(job: &Job, root: &Root, host: &Host) -> Result<(), BuildError> {
    for command in &job.stage0.commands {
        let mut sandbox = inside(root, command.run.clone());
        sandbox.user = User::Root;
        let mut output = Vec::new();
        let exit = sandbox::run_with_lines(host, &sandbox, &mut |line| output.push(line.to_owned()))?;
        if !exit.success() {
            return Err(BuildError::RootCommand {
                component: job.name.clone(),
                command: command.run.join(" "),
                exit: said(&exit, &sandbox),
                output: output.join("; "),
            });
        }
    }
    Ok(())
}

/// A sandbox over a root, as builder in its home.
pub(crate) fn inside(root: &Root, argv: Vec<String>) -> Sandbox {
    let mut sandbox = Sandbox::new(root.lowers.clone(), root.upper(), root.work(), argv);
    sandbox.env = [
        ("PATH", "/usr/bin:/usr/sbin"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("HOME", "/build"),
        ("USER", "builder"),
        ("LOGNAME", "builder"),
        ("TERM", "dumb"),
        ("SOURCE_DATE_EPOCH", &root.epoch.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    sandbox.cwd = "/build".to_owned();
    sandbox.hostname.clone_from(&root.build_host);
    sandbox
}

/// The command line of rpmbuild, which the sandbox runs and `slipway shell` shows. `RPM_BUILD_NCPUS` is set where it runs.
pub(crate) fn command_line(job: &Job, spec: &str) -> Vec<String> {
    let mut argv: Vec<String> = ["rpmbuild", "-ba", "--nodeps"].map(str::to_owned).to_vec();
    if job.options.check == Check::Skip {
        argv.push("--nocheck".to_owned());
    }
    let fixed: [(&str, &str); 8] = [
        ("_topdir", "/build/rpmbuild"),
        ("_buildhost", &job.build_host),
        ("use_source_date_epoch_as_buildtime", "1"),
        ("source_date_epoch_from_changelog", "0"),
        ("clamp_mtime_to_source_date_epoch", "1"),
        // rpm 4.20 has this name for the same.
        ("build_mtime_policy", "clamp_to_source_date_epoch"),
        // The number comes by the environment: the source package holds the expanded spec, and a number would show there.
        ("_smp_build_ncpus", "${RPM_BUILD_NCPUS}"),
        ("_smp_mflags", "-j${RPM_BUILD_NCPUS}"),
    ];
    let own = job.options.defines.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fixed.into_iter().chain(own) {
        argv.extend(["--define".to_owned(), format!("{name} {value}")]);
    }
    for (option, names) in [("--with", &job.options.with), ("--without", &job.options.without)] {
        for name in names {
            argv.extend([option.to_owned(), name.clone()]);
        }
    }
    argv.push(spec.to_owned());
    argv
}

fn rpmbuild(job: &Job, root: &Root, effort: &Effort) -> Sandbox {
    let mut sandbox = inside(root, command_line(job, &root.spec));
    sandbox.env.push(("RPM_BUILD_NCPUS".to_owned(), effort.jobs.to_string()));
    sandbox.limits = Limits {
        memory: effort.memory,
        processes: effort.processes,
        wall_time_s: Some(effort.wall_time_s),
        ..Limits::default()
    };
    sandbox
}

/// How a program ended, in words.
fn said(exit: &Exit, sandbox: &Sandbox) -> String {
    match exit.outcome {
        Outcome::Ended(status) => status.to_string(),
        Outcome::TimedOut => format!("the time limit of {} s", sandbox.limits.wall_time_s.unwrap_or_default()),
        Outcome::OutOfMemory => format!("the memory limit of {} bytes", sandbox.limits.memory.unwrap_or_default()),
    }
}

fn failure(job: &Job, root: &Root, exit: String, log: &Log, store: &Store) -> BuildError {
    if log.disk_full() {
        return BuildError::Full { component: job.name.clone(), path: store.root().to_owned(), log: log.path() };
    }
    BuildError::Failed {
        component: job.name.clone(),
        stage: log.stage(),
        exit,
        lines: log.useful(),
        log: log.path(),
        root: root.folder.clone(),
    }
}

/// Takes the packages out of the root into the store.
fn collect(job: &Job, root: &Root, log: &Log, store: &Store) -> Result<Vec<Rpm>, BuildError> {
    let mut packages = Vec::new();
    for path in written(&root.upper().join(TOP))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut reader = std::io::BufReader::new(fs_err::File::open(&path)?);
        let nevra = rpm::Package::read(&mut reader)
            .map_err(|error| BuildError::Rpm { package: name, message: error.to_string() })?
            .nevra();
        // Named after what it is: a spec can change how rpmbuild names files.
        let file_name = nevra.file_name();
        crate::sources::check_file_name(&file_name)?;
        packages.push(Rpm { file_name, digest: store.adopt_file(&path)?, nevra });
    }
    if packages.is_empty() {
        return Err(BuildError::NoPackages { component: job.name.clone(), log: log.path() });
    }
    packages.sort_by(|one, other| one.file_name.cmp(&other.file_name));
    Ok(packages)
}

/// The package files below rpmbuild's top folder. Links are not followed: the build may have made them.
fn written(top: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    for folder in ["RPMS", "SRPMS"] {
        for entry in walkdir::WalkDir::new(top.join(folder)).max_depth(3) {
            let entry = entry.map_err(std::io::Error::from)?;
            if entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "rpm") {
                files.push(entry.into_path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_says_all_that_a_build_depends_on() {
        let mut job = crate::job::tests::job("zlib");
        job.options.with.insert("docs".to_owned());
        job.options.defines.insert("dist".to_owned(), ".x1".to_owned());
        let line = command_line(&job, "/build/rpmbuild/SPECS/zlib.spec").join("|");
        assert!(
            line.starts_with(
                "rpmbuild|-ba|--nodeps|--nocheck|--define|_topdir /build/rpmbuild|--define|_buildhost host|"
            ),
            "{line}"
        );
        assert!(line.ends_with("|--define|dist .x1|--with|docs|/build/rpmbuild/SPECS/zlib.spec"), "{line}");
        assert!(line.contains("|--define|_smp_mflags -j${RPM_BUILD_NCPUS}|"), "{line}");
        job.options.check = Check::Run;
        assert!(!command_line(&job, "x").contains(&"--nocheck".to_owned()));
    }
}
