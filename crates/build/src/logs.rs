//! The output of rpmbuild, kept whole and by part, and what of it is worth showing.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::BuildError;

/// Logs kept of one component, the newest included.
const KEPT: usize = 4;
/// Lines remembered of the part that runs, to tell from them why it failed.
const REMEMBERED: usize = 2000;
/// Lines shown of a failure.
const SHOWN: usize = 12;

/// A part of a build, as rpmbuild announces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before the first section runs: reading the spec.
    Setup,
    /// `%prep`.
    Prep,
    /// `%generate_buildrequires`.
    GenerateBuildrequires,
    /// `%conf`.
    Conf,
    /// `%build`.
    Build,
    /// `%install`, and the scripts that follow it.
    Install,
    /// `%check`.
    Check,
    /// Collecting files, finding dependencies, writing packages.
    Packaging,
    /// `%clean`, removing the build folder.
    Clean,
}

impl Stage {
    /// The stage that starts with this line of rpmbuild's output. Source: rpm's `build/build.c` (`Executing(%s)`) and `build/files.c`.
    pub fn announced(line: &str) -> Option<Stage> {
        if line.starts_with("Processing files: ") {
            return Some(Stage::Packaging);
        }
        match line.strip_prefix("Executing(")?.split_once("):")?.0 {
            "%mkbuilddir" | "mkbuilddir" | "%prep" => Some(Stage::Prep),
            "%generate_buildrequires" => Some(Stage::GenerateBuildrequires),
            "%conf" => Some(Stage::Conf),
            "%build" => Some(Stage::Build),
            "%install" => Some(Stage::Install),
            "%check" => Some(Stage::Check),
            "%clean" | "rmbuild" | "%rmbuild" => Some(Stage::Clean),
            _ => None,
        }
    }

    /// The name of its log file, without `.log`.
    pub fn file_name(self) -> &'static str {
        match self {
            Stage::Setup => "setup",
            Stage::Prep => "prep",
            Stage::GenerateBuildrequires => "generate-buildrequires",
            Stage::Conf => "conf",
            Stage::Build => "build",
            Stage::Install => "install",
            Stage::Check => "check",
            Stage::Packaging => "packaging",
            Stage::Clean => "clean",
        }
    }
}

/// `%prep`, `packaging`: as a reader of specs says it.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Setup => "spec",
            Stage::Prep => "%prep",
            Stage::GenerateBuildrequires => "%generate_buildrequires",
            Stage::Conf => "%conf",
            Stage::Build => "%build",
            Stage::Install => "%install",
            Stage::Check => "%check",
            Stage::Packaging => "packaging",
            Stage::Clean => "%clean",
        })
    }
}

/// The logs of one build: `all.log`, and `STAGE.log` for each part that ran.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    stage: Stage,
    all: io::BufWriter<fs_err::File>,
    part: io::BufWriter<fs_err::File>,
    recent: VecDeque<String>,
    failure: Option<io::Error>,
}

impl Log {
    /// Starts the log `id` of a component below its folder `logs/NAME`; of the others, the oldest go.
    pub(crate) fn start(component: &Path, id: &str) -> Result<Log, BuildError> {
        let folder = component.join(id);
        host::remove_tree(&folder)?;
        prune(component)?;
        fs_err::create_dir_all(&folder)?;
        let latest = component.join("latest.new");
        host::remove_tree(&latest)?;
        fs_err::os::unix::fs::symlink(id, &latest)?;
        fs_err::rename(latest, component.join("latest"))?;
        let stage = Stage::Setup;
        let open = |name: &str| fs_err::File::create(folder.join(name)).map(io::BufWriter::new);
        let (all, part) = (open("all.log")?, open("setup.log")?);
        Ok(Log { folder, stage, all, part, recent: VecDeque::new(), failure: None })
    }

    /// The whole log.
    pub fn path(&self) -> PathBuf {
        self.folder.join("all.log")
    }

    /// The part that runs.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Adds a line; tells when a part starts. A line that cannot be written does not stop the build: [`Log::finish`] tells.
    pub(crate) fn line(&mut self, line: &str) -> Option<Stage> {
        let announced = Stage::announced(line).filter(|stage| *stage != self.stage);
        if let Some(stage) = announced {
            self.stage = stage;
            self.recent.clear();
            let written = self.part.flush().and_then(|()| {
                let path = self.folder.join(format!("{}.log", stage.file_name()));
                self.part = io::BufWriter::new(fs_err::OpenOptions::new().append(true).create(true).open(path)?);
                Ok(())
            });
            self.note(written);
        }
        let written = writeln!(self.all, "{line}").and_then(|()| writeln!(self.part, "{line}"));
        self.note(written);
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(line.to_owned());
        announced
    }

    /// Writes out what is buffered.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let flushed = self.all.flush().and_then(|()| self.part.flush());
        self.note(flushed);
        self.failure.take().map_or(Ok(()), Err)
    }

    /// The lines that tell best why the running part failed.
    pub(crate) fn useful(&self) -> Vec<String> {
        let lines: Vec<&str> = self.recent.iter().map(String::as_str).collect();
        useful(&lines).into_iter().map(str::to_owned).collect()
    }

    /// Whether some program ran out of disk in the running part.
    pub(crate) fn disk_full(&self) -> bool {
        self.recent.iter().any(|line| line.contains("No space left on device") || line.contains("Disk quota exceeded"))
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }
}

/// Removes the oldest logs of a component, so that with a new one there are [`KEPT`].
fn prune(component: &Path) -> Result<(), BuildError> {
    fs_err::create_dir_all(component)?;
    let mut folders = Vec::new();
    for entry in fs_err::read_dir(component)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    folders.sort();
    for (_, folder) in folders.iter().rev().skip(KEPT - 1) {
        host::remove_tree(folder)?;
    }
    Ok(())
}

/// Of a part that failed: the lines around the first error that a compiler, linker, make or shell told, or else the last ones.
/// What rpmbuild says about its temporary script, and make about its parents, helps nobody.
fn useful<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let noise = |line: &str| {
        line.trim().is_empty()
            || line.starts_with("error: Bad exit status from ")
            || line.starts_with("RPM build ")
            || line.starts_with("    Bad exit status from ")
            || line.starts_with("+ ")
            || line.starts_with("Executing(")
            || (line.starts_with("make") && line.contains("Waiting for unfinished jobs"))
    };
    let lines: Vec<&str> = lines.iter().copied().filter(|line| !noise(line)).collect();
    let tells = |line: &str| {
        let lower = line.to_ascii_lowercase();
        [
            ": error: ",
            "error: ",
            "undefined reference to",
            "fatal: ",
            ": not found",
            "command not found",
            ": no such file or directory",
            "cannot find ",
        ]
        .iter()
        .any(|mark| lower.contains(mark))
            || line.starts_with("FAILED: ")
            || line.contains("*** ")
    };
    let first = lines.iter().position(|line| tells(line));
    match first {
        // Everything from the first error on fits.
        Some(first) if lines.len() - first <= SHOWN => {
            lines[first.saturating_sub(2).max(lines.len().saturating_sub(SHOWN))..].to_vec()
        }
        Some(first) => {
            let tail = SHOWN / 3;
            let mut shown = lines[first.saturating_sub(1)..][..SHOWN - tail].to_vec();
            shown.extend(&lines[lines.len() - tail..]);
            shown
        }
        None => lines[lines.len().saturating_sub(SHOWN)..].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_announced() {
        for (line, stage) in [
            ("Executing(%prep): /bin/bash -e /var/tmp/rpm-tmp.Vx2", Some(Stage::Prep)),
            ("Executing(%build): /bin/bash -e /var/tmp/rpm-tmp.Vx2", Some(Stage::Build)),
            ("Executing(rmbuild): /bin/bash -e /var/tmp/rpm-tmp.Vx2", Some(Stage::Clean)),
            ("Processing files: zlib-1.3.1-1.sk1.x86_64", Some(Stage::Packaging)),
            ("+ echo 'Executing(%prep): x'", None),
            ("Executing(%unknown): x", None),
        ] {
            assert_eq!(Stage::announced(line), stage, "{line}");
        }
    }

    #[test]
    fn files_a_log_is_kept_by_part_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let component = folder.path().join("zlib");
        for id in ["a", "b", "c", "d", "e", "f"] {
            let mut log = Log::start(&component, id).unwrap();
            assert_eq!(log.line("reading"), None);
            assert_eq!(log.line("Executing(%prep): x"), Some(Stage::Prep));
            log.line("tar: No space left on device");
            assert!(log.disk_full());
            log.line("Executing(%build): x");
            assert!(!log.disk_full());
            log.finish().unwrap();
        }
        let read = |name: &str| fs_err::read_to_string(component.join("latest").join(name)).unwrap();
        assert_eq!(read("setup.log"), "reading\n");
        assert_eq!(read("prep.log"), "Executing(%prep): x\ntar: No space left on device\n");
        assert_eq!(read("all.log").lines().count(), 4);
        assert_eq!(fs_err::read_dir(&component).unwrap().count(), KEPT + 1);
    }

    #[test]
    fn the_first_error_is_shown() {
        let mut lines: Vec<String> = (0..100).map(|number| format!("gcc -c file{number}.c")).collect();
        lines[40] = "file40.c:7:1: error: expected ';' before '}' token".to_owned();
        lines.push("make: *** [Makefile:3: all] Error 1".to_owned());
        lines.push("error: Bad exit status from /var/tmp/rpm-tmp.1 (%build)".to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let shown = useful(&lines);
        assert_eq!(shown.len(), SHOWN);
        assert_eq!(shown[1], "file40.c:7:1: error: expected ';' before '}' token");
        assert_eq!(shown.last(), Some(&"make: *** [Makefile:3: all] Error 1"));
        assert_eq!(useful(&["a", "", "+ exit 1"]), ["a"]);
    }
}
