//! The external programs that Slipway runs: a closed list.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::Host;

macro_rules! tools {
    ($($variant:ident = $program:literal from $package:literal,)+) => {
        /// An external program. A new one is a new line in the list below, and in the machine's package list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is named after its program")]
        pub enum Tool { $($variant,)+ }

        impl Tool {
            /// Every tool, sorted by variant.
            pub const ALL: &[Tool] = &[$(Tool::$variant,)+];

            /// The program's file name, such as `qemu-system-x86_64`.
            #[must_use]
            pub fn program(self) -> &'static str {
                match self { $(Tool::$variant => $program,)+ }
            }

            /// The Debian package that has it.
            #[must_use]
            pub fn debian_package(self) -> &'static str {
                match self { $(Tool::$variant => $package,)+ }
            }
        }
    };
}

tools! {
    AptCache = "apt-cache" from "apt",
    AptGet = "apt-get" from "apt",
    AptHelper = "/usr/lib/apt/apt-helper" from "apt",
    Chroot = "chroot" from "coreutils",
    Createrepo = "createrepo_c" from "createrepo-c",
    Curl = "curl" from "curl",
    Debugfs = "debugfs" from "e2fsprogs",
    Dnf = "dnf" from "dnf",
    Dpkg = "dpkg" from "dpkg",
    DpkgDeb = "dpkg-deb" from "dpkg",
    E2fsck = "e2fsck" from "e2fsprogs",
    FsckFat = "fsck.fat" from "dosfstools",
    Git = "git" from "git",
    Gpg = "gpg" from "gnupg",
    Mcopy = "mcopy" from "mtools",
    Mdir = "mdir" from "mtools",
    Objdump = "objdump" from "binutils",
    Qemu = "qemu-system-x86_64" from "qemu-system-x86",
    QemuImg = "qemu-img" from "qemu-utils",
    Rpm = "rpm" from "rpm",
    Rpm2cpio = "rpm2cpio" from "rpm2cpio",
    Rpmbuild = "rpmbuild" from "rpm",
    Rpmdb = "rpmdb" from "rpm",
    Rpmkeys = "rpmkeys" from "rpm",
    Rpmspec = "rpmspec" from "rpm",
    Setpriv = "setpriv" from "util-linux",
    Script = "script" from "bsdutils",
    Sfdisk = "sfdisk" from "fdisk",
    Shell = "/bin/sh" from "dash",
    Ssh = "ssh" from "openssh-client",
    SshKeygen = "ssh-keygen" from "openssh-client",
    Systemctl = "systemctl" from "systemd",
    Tar = "tar" from "tar",
    Ukify = "ukify" from "systemd-ukify",
}

/// A tool is not installed. The advice is the Debian package that has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the program `{}` is not installed; Debian has it in the package `{package}`", tool.program())]
pub struct MissingTool {
    /// What was looked for.
    pub tool: Tool,
    /// The Debian package that has it.
    pub package: &'static str,
}

impl Tool {
    /// Where the program is: an absolute path to an executable file, searched along `host`'s search path.
    pub fn path(self, host: &Host) -> Result<PathBuf, MissingTool> {
        host.search_path()
            .iter()
            // joining an absolute program name gives that name itself
            .map(|folder| folder.join(self.program()))
            .find(|path| {
                fs_err::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
            })
            .ok_or(MissingTool { tool: self, package: self.debian_package() })
    }

    /// Whether the program is installed.
    #[must_use]
    pub fn is_installed(self, host: &Host) -> bool {
        self.path(host).is_ok()
    }
}
