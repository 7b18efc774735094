//! What still runs as it was before packages were installed: by `/proc` and the times in the database of packages.
//!
//! Source: dnf5's plugin `needs_restarting` for which packages want a boot and which requirements count. Starts are told by
//! the kernel's clock (`btime` of `/proc/stat`), services by the control group of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::query::advisories::Advisory;
use crate::query::matching::{self, List};
use crate::{Origin, Place, Sack};

/// Clock ticks a second in `/proc/PID/stat`: `USER_HZ`, the same on every architecture that we build for.
const TICKS: u64 = 100;

/// Packages that need a boot to be of use, whatever advisories say. Source: <https://access.redhat.com/solutions/27943>.
const CORE: &[&str] = &[
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "glibc",
    "hal",
    "kernel",
    "kernel-PAE",
    "kernel-core",
    "kernel-rt",
    "kernel-smp",
    "kernel-xen",
    "linux-firmware",
    "microcode_ctl",
    "systemd",
    "udev",
    "gnutls",
    "openssl-libs",
];

/// A process that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// When it started, in seconds since 1970.
    pub start: u64,
    /// The program's file; the one that it was started from, where that is not there any more.
    pub program: String,
    /// The command line.
    pub command: Vec<String>,
    /// The service that it belongs to, as in `sshd.service`.
    pub service: Option<String>,
}

/// When this system was booted: the later of what the kernel says and the start of the first process, which in a container is
/// the container's. None where `proc` does not tell.
pub fn boot_time(proc: &Path) -> Option<u64> {
    let kernel = kernel_time(proc);
    let first = fs_err::metadata(proc.join("1")).ok().and_then(|meta| meta.modified().ok());
    let first = first.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map(|since| since.as_secs());
    kernel.max(first)
}

fn kernel_time(proc: &Path) -> Option<u64> {
    let text = fs_err::read_to_string(proc.join("stat")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// The processes of which `proc` tells the program, by number. Those that end meanwhile are left out.
///
/// # Errors
/// `proc` cannot be listed; the message names it.
pub fn processes(proc: &Path) -> std::io::Result<Vec<Process>> {
    let boot = kernel_time(proc).unwrap_or(0);
    let mut found = Vec::new();
    for entry in fs_err::read_dir(proc)? {
        let folder = entry?.path();
        let id = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        if let Some(process) = id.and_then(|id| process(id, &folder, boot)) {
            found.push(process);
        }
    }
    found.sort_by_key(|process| process.id);
    Ok(found)
}

fn process(id: u32, folder: &Path, boot: u64) -> Option<Process> {
    let stat = fs_err::read_to_string(folder.join("stat")).ok()?;
    // The name in brackets may hold anything; the start is the 22nd field, the 20th behind it.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let program = fs_err::read_link(folder.join("exe")).ok()?.to_string_lossy().into_owned();
    let program = program.strip_suffix(" (deleted)").unwrap_or(&program).to_owned();
    let command = fs_err::read(folder.join("cmdline")).unwrap_or_default();
    let words = command.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let command = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let groups = fs_err::read_to_string(folder.join("cgroup")).unwrap_or_default();
    let service = groups
        .lines()
        .filter_map(|line| line.rsplit(':').next())
        .find_map(|path| path.split('/').rev().find(|part| part.ends_with(".service")).map(str::to_owned));
    Some(Process { id, start: boot + ticks / TICKS, program, command, service })
}

/// Installed packages that came after the boot and want another one, by name.
pub fn reboot(sack: &Sack, advisories: &[Advisory], boot: u64) -> BTreeSet<String> {
    let suggested: BTreeSet<String> = advisories
        .iter()
        .flat_map(|advisory| advisory.collections.iter().flat_map(|collection| &collection.packages))
        .filter(|package| package.reboot)
        .map(|package| package.nevra.to_string())
        .collect();
    let wants = |place: &Place| {
        let nevra = &sack.package(*place).nevra;
        CORE.contains(&nevra.name.as_str()) || suggested.contains(&nevra.to_string())
    };
    let is_newer = |place: &Place| installed_at(sack, *place) > boot;
    let found = sack.installed().filter(wants).filter(is_newer);
    found.map(|place| sack.package(place).nevra.name.clone()).collect()
}

fn installed_at(sack: &Sack, place: Place) -> u64 {
    match &sack.get(place).origin {
        Origin::Installed { time, .. } => *time,
        _ => 0,
    }
}

/// The packages that each file belongs to, of installed ones.
fn owners(sack: &Sack) -> BTreeMap<&str, Place> {
    let files = sack.installed().flat_map(|place| sack.package(place).files.iter().map(move |file| (place, file)));
    files.map(|(place, file)| (file.path.as_str(), place)).collect()
}

/// The newest time at which a package, or what it requires over any number of steps, was installed.
struct Newest<'a> {
    sack: &'a Sack,
    installed: BTreeSet<Place>,
    known: BTreeMap<Place, u64>,
}

impl Newest<'_> {
    fn of(&mut self, place: Place) -> u64 {
        if let Some(time) = self.known.get(&place) {
            return *time;
        }
        let mut all = BTreeSet::from([place]);
        let mut fresh = all.clone();
        while !fresh.is_empty() {
            let next = matching::satisfying(self.sack, &self.installed, List::Requires, &fresh);
            fresh = next.difference(&all).copied().collect();
            all.extend(&fresh);
        }
        let time = all.into_iter().map(|place| installed_at(self.sack, place)).max().unwrap_or(0);
        self.known.insert(place, time);
        time
    }
}

/// The processes that started before their package, or one that it requires, was installed; each with its package's name.
pub fn stale_processes<'a>(sack: &Sack, processes: &'a [Process]) -> Vec<(&'a Process, String)> {
    let owners = owners(sack);
    let mut newest = Newest { sack, installed: sack.installed().collect(), known: BTreeMap::new() };
    let mut found = Vec::new();
    for process in processes {
        if let Some(place) = owner(&owners, &process.program)
            && newest.of(place) > process.start
        {
            found.push((process, sack.package(place).nevra.name.clone()));
        }
    }
    found
}

/// A program's owner: packages of merged `/usr` may still name `/bin`.
fn owner(owners: &BTreeMap<&str, Place>, path: &str) -> Option<Place> {
    owners.get(path).or_else(|| owners.get(path.strip_prefix("/usr")?)).copied()
}

/// The services whose first process started before the package of their unit, or one that it requires, was installed.
pub fn stale_services(sack: &Sack, processes: &[Process]) -> BTreeSet<String> {
    let mut started: BTreeMap<&str, u64> = BTreeMap::new();
    for process in processes {
        if let Some(service) = &process.service {
            let start = started.entry(service).or_insert(process.start);
            *start = process.start.min(*start);
        }
    }
    let owners = owners(sack);
    let mut newest = Newest { sack, installed: sack.installed().collect(), known: BTreeMap::new() };
    let mut found = BTreeSet::new();
    for (service, start) in started {
        // An instance `name@this.service` is made of the unit `name@.service`.
        let template = service.split_once('@').map(|(name, _)| format!("{name}@.service"));
        let units = [Some(service.to_owned()), template].into_iter().flatten();
        let folders = ["/usr/lib/systemd/system", "/etc/systemd/system"];
        let place = units
            .flat_map(|unit| folders.map(|folder| format!("{folder}/{unit}")))
            .find_map(|path| owner(&owners, &path));
        if place.is_some_and(|place| newest.of(place) > start) {
            found.insert(service.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use pkg::{Nevra, Relation};
    use repodata::{Algorithm, Checksum, File, FileKind, Package, Requirement};

    use super::*;
    use crate::Candidate;
    use crate::reasons::Reason;

    fn installed(nevra: &str, time: u64, files: &[&str], requires: &[&str]) -> Candidate {
        let checksum = Checksum::new(Algorithm::parse("sha256").unwrap(), "0".repeat(64)).unwrap();
        let mut package = Package::new(Nevra::parse(nevra).unwrap(), checksum);
        package.files = files.iter().map(|path| File { path: (*path).to_owned(), kind: FileKind::File }).collect();
        let requirement = |name: &&str| Requirement { relation: Relation::any(*name), pre: false };
        package.requires = requires.iter().map(requirement).collect();
        Candidate { package, origin: Origin::Installed { time, reason: Reason::User, from: String::new(), number: 1 } }
    }

    fn process(id: u32, start: u64, program: &str, service: Option<&str>) -> Process {
        let service = service.map(str::to_owned);
        Process { id, start, program: program.to_owned(), command: vec![program.to_owned()], service }
    }

    #[test]
    fn what_started_before_its_packages_is_stale() {
        let sack = Sack::new(
            vec![
                installed("lib-1-1.noarch", 200, &["/usr/lib/lib.so"], &[]),
                installed("app-1-1.noarch", 50, &["/usr/bin/app", "/usr/lib/systemd/system/app@.service"], &["lib"]),
                installed("old-1-1.noarch", 50, &["/bin/old"], &[]),
                installed("glibc-1-1.noarch", 150, &[], &[]),
            ],
            Vec::new(),
        );
        let all = [
            process(1, 100, "/usr/bin/app", Some("app@x.service")),
            process(2, 300, "/usr/bin/app", None),
            process(3, 100, "/usr/bin/old", Some("old.service")),
            process(4, 100, "/opt/own", None),
        ];
        let stale: Vec<(u32, String)> =
            stale_processes(&sack, &all).into_iter().map(|(one, name)| (one.id, name)).collect();
        assert_eq!(stale, [(1, "app".to_owned())]);
        assert_eq!(stale_services(&sack, &all).into_iter().collect::<Vec<_>>(), ["app@x.service"]);
        assert_eq!(reboot(&sack, &[], 100).into_iter().collect::<Vec<_>>(), ["glibc"]);
        assert!(reboot(&sack, &[], 150).is_empty());
    }

    #[test]
    fn files_processes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("7");
        fs_err::create_dir(&own).unwrap();
        fs_err::write(folder.path().join("stat"), "cpu 1 2\nbtime 1000\n").unwrap();
        let fields: Vec<String> =
            (3..=22).map(|field| if field == 22 { "500".to_owned() } else { "0".to_owned() }).collect();
        fs_err::write(own.join("stat"), format!("7 (a) b) {}\n", fields.join(" "))).unwrap();
        fs_err::write(own.join("cmdline"), "app\0-v\0").unwrap();
        fs_err::write(own.join("cgroup"), "0::/system.slice/app.service/inner\n").unwrap();
        fs_err::os::unix::fs::symlink("/usr/bin/app (deleted)", own.join("exe")).unwrap();
        let all = processes(folder.path()).unwrap();
        let expected = Process {
            command: vec!["app".to_owned(), "-v".to_owned()],
            ..process(7, 1005, "/usr/bin/app", Some("app.service"))
        };
        assert_eq!(all, [expected]);
        assert_eq!(boot_time(folder.path()), Some(1000));
    }
}
