//! Control groups for sandboxes: the unified hierarchy where it is delegated to us, else the old ones where writable.
//!
//! A sandbox gets a group of its own, `slipway-PID-N`, below the group that we are in (v1) or beside it (v2, where a
//! group with processes cannot have children with controllers). PID is Slipway's, so that the next run can tell a
//! group that a killed run left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Cgroups;

const PREFIX: &str = "slipway-";

/// Which control groups we can make: tried, not guessed from permissions.
pub(crate) fn detect() -> Cgroups {
    let Ok(own) = fs_err::read_to_string("/proc/self/cgroup") else { return Cgroups::None };
    let Ok(mounts) = fs_err::read_to_string("/proc/self/mountinfo") else { return Cgroups::None };
    if let Some(parent) = unified_parent(&own, &mounts)
        && can_make(&parent, "memory.max")
        && can_make(&parent, "pids.max")
    {
        return Cgroups::V2(parent);
    }
    let memory = controller_folder(&own, &mounts, "memory").filter(|folder| can_make(folder, "memory.limit_in_bytes"));
    let pids = controller_folder(&own, &mounts, "pids").filter(|folder| can_make(folder, "pids.max"));
    if memory.is_none() && pids.is_none() { Cgroups::None } else { Cgroups::V1 { memory, pids } }
}

/// The folder of our group in the v1 hierarchy of `controller`, by cgroups(7): `ID:CONTROLLERS:PATH`.
fn controller_folder(own: &str, mounts: &str, controller: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|word| word == controller).then_some(path)
    })?;
    let has = |options: &str| options.split(',').any(|word| word == controller);
    mount_folder(mounts, "cgroup", &has, path)
}

/// The folder beside our group in the unified hierarchy, when our group may have brothers with both controllers.
fn unified_parent(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let folder = mount_folder(mounts, "cgroup2", &|_| true, path)?;
    // the root group may have both processes and children; any other one only children, so ask for its parent
    [Some(folder.as_path()), folder.parent()]
        .into_iter()
        .flatten()
        .find(|folder| passes_controllers(folder))
        .map(Path::to_owned)
}

fn passes_controllers(folder: &Path) -> bool {
    fs_err::read_to_string(folder.join("cgroup.subtree_control"))
        .is_ok_and(|text| ["memory", "pids"].iter().all(|wanted| text.split_whitespace().any(|word| word == *wanted)))
}

/// Where `path` of a hierarchy is in the file system, by proc_pid_mountinfo(5).
fn mount_folder(mounts: &str, kind: &str, super_options: &dyn Fn(&str) -> bool, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, place) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        if right.next() != Some(kind) || !super_options(right.nth(1)?) {
            return None;
        }
        let below = if root == "/" { path } else { path.strip_prefix(root)? };
        Some(Path::new(place).join(below.trim_start_matches('/')))
    })
}

/// Whether we can make a group in `folder`, which then has `file` to write to.
fn can_make(folder: &Path, file: &str) -> bool {
    let probe = folder.join(group_name());
    if fs_err::create_dir(&probe).is_err() {
        return false;
    }
    let writable = fs_err::OpenOptions::new().write(true).open(probe.join(file)).is_ok();
    let _ = fs_err::remove_dir(&probe);
    writable
}

/// A name that no other group has, neither of ours nor of another Slipway.
fn group_name() -> String {
    /// Distinguishes the groups of this process; it has no meaning beyond that.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn folders(cgroups: &Cgroups) -> Vec<&Path> {
    match cgroups {
        Cgroups::V2(folder) => vec![folder],
        Cgroups::V1 { memory, pids } => [memory, pids].into_iter().flatten().map(PathBuf::as_path).collect(),
        Cgroups::None => Vec::new(),
    }
}

/// Removes the groups that killed runs left behind: those whose process is no more. Errors do not matter: a group that
/// is still used cannot be removed.
pub(crate) fn sweep(cgroups: &Cgroups) {
    for folder in folders(cgroups) {
        let Ok(entries) = fs_err::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()) else {
                continue;
            };
            if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
                let _ = fs_err::remove_dir(entry.path());
            }
        }
    }
}

/// The groups of one sandbox; removed on drop.
#[derive(Debug)]
pub(crate) struct Group {
    memory: Option<PathBuf>,
    pids: Option<PathBuf>,
    unified: bool,
    made: Vec<PathBuf>,
}

impl Group {
    /// Makes the groups for a sandbox with at most `memory` bytes and `processes` tasks.
    pub(crate) fn new(cgroups: &Cgroups, memory: Option<u64>, processes: Option<u64>) -> io::Result<Group> {
        let name = group_name();
        let mut group = Group { memory: None, pids: None, unified: false, made: Vec::new() };
        match cgroups {
            Cgroups::V2(folder) => {
                let path = group.make(folder, &name)?;
                group.unified = true;
                if let Some(bytes) = memory {
                    fs_err::write(path.join("memory.max"), bytes.to_string())?;
                    let _ = fs_err::write(path.join("memory.swap.max"), "0");
                    group.memory = Some(path.clone());
                }
                if let Some(count) = processes {
                    fs_err::write(path.join("pids.max"), count.to_string())?;
                    group.pids = Some(path);
                }
            }
            Cgroups::V1 { memory: memory_folder, pids: pids_folder } => {
                if let (Some(folder), Some(bytes)) = (memory_folder, memory) {
                    let path = group.make(folder, &name)?;
                    fs_err::write(path.join("memory.limit_in_bytes"), bytes.to_string())?;
                    // memory and swap together; not there where swap is not counted
                    let _ = fs_err::write(path.join("memory.memsw.limit_in_bytes"), bytes.to_string());
                    group.memory = Some(path);
                }
                if let (Some(folder), Some(count)) = (pids_folder, processes) {
                    let path = group.make(folder, &name)?;
                    fs_err::write(path.join("pids.max"), count.to_string())?;
                    group.pids = Some(path);
                }
            }
            Cgroups::None => {}
        }
        Ok(group)
    }

    fn make(&mut self, folder: &Path, name: &str) -> io::Result<PathBuf> {
        let path = folder.join(name);
        fs_err::create_dir(&path)?;
        self.made.push(path.clone());
        Ok(path)
    }

    /// Puts a process, and what it will start, into the groups.
    pub(crate) fn add(&self, pid: i32) -> io::Result<()> {
        self.made.iter().try_for_each(|path| fs_err::write(path.join("cgroup.procs"), pid.to_string()))
    }

    /// Whether memory is limited for the sandbox as a whole.
    pub(crate) fn bounds_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether the number of processes is limited by a group.
    pub(crate) fn bounds_processes(&self) -> bool {
        self.pids.is_some()
    }

    /// Whether the kernel killed a process for want of memory.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let file = if self.unified { "memory.events" } else { "memory.oom_control" };
        self.number(file, "oom_kill").is_some_and(|count| count > 0)
    }

    /// The most memory that was in use at one time, in bytes.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let file = if self.unified { "memory.peak" } else { "memory.max_usage_in_bytes" };
        fs_err::read_to_string(self.memory.as_ref()?.join(file)).ok()?.trim().parse().ok()
    }

    fn number(&self, file: &str, key: &str) -> Option<u64> {
        let text = fs_err::read_to_string(self.memory.as_ref()?.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for path in &self.made {
            // a group is busy for a moment after its last process was reaped
            for _ in 0..50 {
                match fs_err::remove_dir(path) {
                    Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    _ => break,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
        36 31 0:33 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory\n\
        40 31 0:37 /user/one /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn groups_are_found_by_mount_and_membership() {
        let own = "8:pids:/user/one/two\n4:cpu,memory:/a/b\n0::/\n";
        assert_eq!(controller_folder(own, MOUNTS, "memory"), Some("/sys/fs/cgroup/memory/a/b".into()));
        assert_eq!(controller_folder(own, MOUNTS, "pids"), Some("/sys/fs/cgroup/pids/two".into()));
        assert_eq!(controller_folder(own, MOUNTS, "blkio"), None);
    }
}
