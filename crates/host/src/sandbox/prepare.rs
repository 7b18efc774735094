//! All that the child needs, made ready before it is started: it may not allocate.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit};
use rustix::thread::CapabilitySet;

use super::{Limits, Sandbox, SandboxError, Temporary, User, seccomp};
use crate::sys::StringList;
use crate::{Lock, remove_tree};

/// Overlay stacks 500 lower layers (`OVL_MAX_STACK`); their short names must also fit a page of mount options.
const LAYERS_MAX: usize = 400;

/// What a scriptlet may do as root: act on files, owners and processes of the sandbox. No mounts, no network setup.
const ROOT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT);

/// A bind, ready to be mounted.
#[derive(Debug)]
pub(crate) struct Mount {
    pub(crate) from: CString,
    /// Inside, without leading `/`.
    pub(crate) to: CString,
    pub(crate) attributes: u64,
}

/// A sandbox, ready to be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The folder with the layers' short names, in which overlay is mounted on `../root`.
    pub(crate) layers: CString,
    /// Options for overlay, the best first.
    pub(crate) overlay_options: Vec<CString>,
    pub(crate) mounts: Vec<Mount>,
    /// Size of the tmpfs on `/tmp`.
    pub(crate) tmp_size: Option<CString>,
    pub(crate) hostname: Vec<u8>,
    pub(crate) limits: Vec<(Resource, Rlimit)>,
    pub(crate) cwd: CString,
    /// Where the program may be, in the order to try.
    pub(crate) programs: Vec<CString>,
    pub(crate) argv: StringList,
    pub(crate) envp: StringList,
    pub(crate) capabilities: CapabilitySet,
    pub(crate) filter: Vec<libc::sock_filter>,
    /// Whether to take the standard input as controlling terminal.
    pub(crate) terminal: bool,
}

/// The work directory of a sandbox, emptied on drop; it holds the lock on the sandbox's directories.
#[derive(Debug)]
pub(crate) struct Work {
    path: PathBuf,
    _lock: Lock,
}

impl Work {
    /// Takes the directory and empties it of what a killed run left.
    pub(crate) fn take(path: &Path) -> Result<Work, SandboxError> {
        fs_err::create_dir_all(path)?;
        let path = fs_err::canonicalize(path)?;
        let lock =
            Lock::try_exclusive(&path.join("lock"))?.ok_or_else(|| SandboxError::InUse { work: path.clone() })?;
        let work = Work { path, _lock: lock };
        for name in Self::PARTS {
            remove_tree(&work.path.join(name))?;
            fs_err::create_dir(work.path.join(name))?;
        }
        Ok(work)
    }

    const PARTS: [&str; 4] = ["overlay", "skeleton", "layers", "root"];
}

impl Drop for Work {
    fn drop(&mut self) {
        for name in Self::PARTS {
            // the next run removes what could not be removed
            let _ = remove_tree(&self.path.join(name));
        }
    }
}

/// Checks the description and makes the directories that it needs outside.
pub(crate) fn prepare(sandbox: &Sandbox, memory_by_group: bool) -> Result<(Prepared, Work), SandboxError> {
    let programs = programs(sandbox)?;
    let cwd = inside("a working directory that is no plain absolute path", &sandbox.cwd)?;
    if sandbox.hostname.is_empty() || sandbox.hostname.len() > 64 {
        return Err(SandboxError::Description {
            what: "a host name that has not 1 to 64 bytes",
            value: sandbox.hostname.clone(),
        });
    }
    if sandbox.lowers.is_empty() || sandbox.lowers.len() > LAYERS_MAX {
        return Err(SandboxError::TooManyLayers { count: sandbox.lowers.len(), most: LAYERS_MAX });
    }
    let env: Result<_, _> = sandbox.env.iter().map(|(name, value)| variable(name, value)).collect();
    let argv: Result<_, _> = sandbox.argv.iter().map(|word| text(word)).collect();

    fs_err::create_dir_all(&sandbox.upper)?;
    let work = Work::take(&sandbox.work)?;
    let skeleton = work.path.join("skeleton");
    for name in ["proc", "dev", "sys", "tmp"] {
        fs_err::create_dir(skeleton.join(name))?;
    }
    fs_err::set_permissions(skeleton.join("tmp"), std::fs::Permissions::from_mode(0o1777))?;
    mount_point(&skeleton, &cwd, true)?;
    let mut mounts = Vec::new();
    for bind in &sandbox.binds {
        let to = inside("a bind to what is no plain absolute path", &bind.to)?;
        if to.as_os_str().is_empty() {
            return Err(SandboxError::Description { what: "a bind over its root", value: bind.to.clone() });
        }
        let from = fs_err::canonicalize(&bind.from)?;
        mount_point(&skeleton, &to, fs_err::metadata(&from)?.is_dir())?;
        let read_only = if bind.writable { 0 } else { libc::MOUNT_ATTR_RDONLY };
        let attributes = read_only | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
        mounts.push(Mount { from: path(&from)?, to: path(&to)?, attributes });
    }
    let prepared = Prepared {
        overlay_options: layers(sandbox, &work.path)?,
        layers: path(&work.path.join("layers"))?,
        mounts,
        tmp_size: match sandbox.tmp {
            Temporary::Upper => None,
            Temporary::Memory(bytes) => Some(text(&bytes.to_string())?),
        },
        hostname: sandbox.hostname.clone().into_bytes(),
        limits: limits(&sandbox.limits, memory_by_group),
        cwd: path(&Path::new("/").join(cwd))?,
        programs,
        argv: StringList::new(argv?),
        envp: StringList::new(env?),
        capabilities: match sandbox.user {
            User::Builder => CapabilitySet::empty(),
            User::Root => ROOT_CAPABILITIES,
        },
        filter: seccomp::filter(),
        terminal: false,
    };
    Ok((prepared, work))
}

/// Gives each layer a short name in `layers/`, and returns overlay's options, which use those names: real paths could
/// have commas and colons, and many of them would not fit a page.
fn layers(sandbox: &Sandbox, work: &Path) -> Result<Vec<CString>, SandboxError> {
    let link = |target: &Path, name: &str| -> Result<(), SandboxError> {
        let target = fs_err::canonicalize(target)?;
        if !fs_err::metadata(&target)?.is_dir() {
            return Err(SandboxError::Description {
                what: "a layer that is no directory",
                value: target.display().to_string(),
            });
        }
        Ok(fs_err::os::unix::fs::symlink(target, work.join("layers").join(name))?)
    };
    let mut names = Vec::new();
    for (number, lower) in
        sandbox.lowers.iter().map(PathBuf::as_path).chain([work.join("skeleton").as_path()]).enumerate()
    {
        link(lower, &number.to_string())?;
        names.push(number.to_string());
    }
    link(&sandbox.upper, "upper")?;
    let options = format!("lowerdir={},upperdir=upper,workdir=../overlay,userxattr", names.join(":"));
    // volatile: no write-back on sync calls, since the upper layer of a killed machine is not used again
    Ok(vec![text(&format!("{options},volatile"))?, text(&options)?])
}

/// Makes `place`, where something will be mounted, in the lowest layer.
fn mount_point(skeleton: &Path, place: &Path, directory: bool) -> Result<(), SandboxError> {
    let path = skeleton.join(place);
    if directory {
        fs_err::create_dir_all(&path)?;
    } else if !path.exists() {
        fs_err::create_dir_all(path.parent().unwrap_or(skeleton))?;
        fs_err::write(&path, "")?;
    }
    Ok(())
}

/// An absolute path inside, made relative to the root.
fn inside(what: &'static str, value: &str) -> Result<PathBuf, SandboxError> {
    let path = Path::new(value);
    let plain =
        path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    match path.strip_prefix("/") {
        Ok(relative) if plain => Ok(relative.to_owned()),
        _ => Err(SandboxError::Description { what, value: value.to_owned() }),
    }
}

/// Where the program may be: its path, or its name in each folder of `PATH`.
fn programs(sandbox: &Sandbox) -> Result<Vec<CString>, SandboxError> {
    let Some(program) = sandbox.argv.first().filter(|program| !program.is_empty()) else {
        return Err(SandboxError::Description { what: "no program to run", value: sandbox.argv.join(" ") });
    };
    if program.contains('/') {
        return Ok(vec![text(program)?]);
    }
    let path = sandbox.env.iter().rev().find(|(name, _)| name == "PATH").map_or("/usr/bin:/bin", |(_, value)| value);
    path.split(':').filter(|folder| !folder.is_empty()).map(|folder| text(&format!("{folder}/{program}"))).collect()
}

fn variable(name: &str, value: &str) -> Result<CString, SandboxError> {
    if name.is_empty() || name.contains('=') {
        return Err(SandboxError::Description {
            what: "an environment variable without a proper name",
            value: name.to_owned(),
        });
    }
    text(&format!("{name}={value}"))
}

fn text(value: &str) -> Result<CString, SandboxError> {
    CString::new(value)
        .map_err(|_| SandboxError::Description { what: "a text with a NUL byte", value: value.replace('\0', "\\0") })
}

fn path(value: &Path) -> Result<CString, SandboxError> {
    CString::new(value.as_os_str().as_bytes())
        .map_err(|_| SandboxError::Description { what: "a path with a NUL byte", value: value.display().to_string() })
}

/// The limits as setrlimit(2) has them; none is above what we may have ourselves, since that would be refused.
fn limits(limits: &Limits, memory_by_group: bool) -> Vec<(Resource, Rlimit)> {
    let wanted = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, limits.open_files),
        (Resource::Fsize, limits.file_size),
        (Resource::Nproc, limits.processes),
        (Resource::Data, limits.memory.filter(|_| !memory_by_group)),
    ];
    wanted
        .into_iter()
        .filter_map(|(resource, value)| {
            let most = getrlimit(resource).maximum;
            let value = value?;
            let value = Some(most.map_or(value, |most| most.min(value)));
            Some((resource, Rlimit { current: value, maximum: value }))
        })
        .collect()
}
