//! A family of tiny packages that install together, each for one thing that filling a root must get right.
//!
//! All are `noarch` and built at [`AT`]; equal calls give equal bytes. [`family`] is those that any machine can install;
//! [`shell`] brings a shell, which must come from the machine, and what runs in it is up to the test.

use pkg::{Nevra, SourceDateEpoch};
use rpm::FileFlags;
use rpm::write::{NewFile, PackageBuilder, WriteError};

/// When the packages were built: 2025-06-15 15:06:40 UTC.
pub const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);

/// The accounts that [`filesystem`] brings, as in passwd(5).
pub const PASSWD: &str = "root:x:0:0:Super User:/root:/bin/sh\n";
/// The groups that [`filesystem`] brings, as in group(5).
pub const GROUP: &str = "root:x:0:\nmail:x:12:\n";

/// What `rpm -V` compares of a file that others change after it was installed: all but size, digest and time
/// (rpm's `rpmVerifyAttrs`).
const VERIFY_CHANGING: u32 = !(1 << 0 | 1 << 1 | 1 << 5);

/// A builder for `name`, version 1.0-1.noarch.
///
/// # Panics
/// When `name` is no name of a package.
pub fn builder(name: &str) -> PackageBuilder {
    match Nevra::parse(&format!("{name}-1.0-1.noarch")) {
        Ok(nevra) => PackageBuilder::new(nevra, AT),
        Err(error) => panic!("{error}"),
    }
}

/// The directories of a system with merged `/usr`, and its accounts.
pub fn filesystem() -> PackageBuilder {
    let mut package = builder("filesystem");
    for path in [
        "/etc",
        "/run",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/lib/sysusers.d",
        "/usr/lib64",
        "/usr/share",
        "/var",
        "/var/lib",
    ] {
        package = package.file(path, NewFile::directory());
    }
    for name in ["dev", "proc", "sys"] {
        package = package.file(&format!("/{name}"), NewFile::directory().mode(0o555));
    }
    for (link, target) in
        [("/bin", "usr/bin"), ("/sbin", "usr/bin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64"), ("/usr/sbin", "bin")]
    {
        package = package.file(link, NewFile::symlink(target));
    }
    let account =
        |text| NewFile::regular(text).flags(FileFlags::CONFIG.and(FileFlags::NOREPLACE)).verify(VERIFY_CHANGING);
    package
        .file("/root", NewFile::directory().mode(0o550))
        .file("/tmp", NewFile::directory().mode(0o1777))
        .file("/etc/passwd", account(PASSWD))
        .file("/etc/group", account(GROUP))
}

/// A library that is still packed below `/lib64`, which is a link.
pub fn library() -> PackageBuilder {
    builder("library")
        .requires("filesystem")
        .provides("libtiny.so.1()(64bit)")
        .file("/lib64/libtiny.so.1.0", NewFile::regular("a library\n").mode(0o755))
        .file("/lib64/libtiny.so.1", NewFile::symlink("libtiny.so.1.0"))
        .file("/usr/share/library", NewFile::directory())
        .file("/usr/share/library/README", NewFile::regular("read me\n").flags(FileFlags::DOC))
}

/// A file with three names in two directories, and one with two.
pub fn links() -> PackageBuilder {
    builder("links")
        .requires("filesystem")
        .file("/usr/bin/one", NewFile::regular("#!/bin/sh\n").mode(0o755))
        .file("/usr/bin/two", NewFile::hard_link("/usr/bin/one"))
        .file("/usr/lib/links", NewFile::directory())
        .file("/usr/lib/links/also", NewFile::hard_link("/usr/bin/one"))
        .file("/usr/lib/links/four", NewFile::regular("four\n"))
        .file("/usr/lib/links/five", NewFile::hard_link("/usr/lib/links/four"))
}

/// A daemon: a configuration, a ghost, set-id programs, capabilities, an account of its own and directories of that account.
pub fn daemon() -> PackageBuilder {
    builder("daemon")
        .requires("filesystem")
        .requires("libtiny.so.1()(64bit)")
        .file(
            "/etc/daemon.conf",
            NewFile::regular("answer = 42\n").mode(0o640).owner("root", "daemon").flags(FileFlags::CONFIG),
        )
        .file(
            "/usr/bin/daemon",
            NewFile::regular("serves\n").mode(0o755).capabilities("cap_net_bind_service,cap_net_raw=ep"),
        )
        .file("/usr/bin/ask", NewFile::regular("asks\n").mode(0o2755).owner("root", "mail"))
        .file("/usr/bin/become", NewFile::regular("becomes\n").mode(0o4711))
        .file("/usr/lib/sysusers.d/daemon.conf", NewFile::regular("u daemon 81 \"A daemon\" /var/lib/daemon\n"))
        .file("/var/lib/daemon", NewFile::directory().mode(0o750).owner("daemon", "daemon"))
        .file("/var/lib/daemon/state", NewFile::regular("").mode(0o600).owner("daemon", "daemon"))
        .file("/run/daemon.pid", NewFile::ghost())
}

/// A package that has a directory and a file in common with [`library`], equal in all that counts.
pub fn sharing() -> PackageBuilder {
    builder("sharing")
        .requires("filesystem")
        .file("/usr/share/library", NewFile::directory())
        .file("/usr/share/library/README", NewFile::regular("read me\n").flags(FileFlags::DOC))
        .file("/usr/share/library/more", NewFile::regular("more\n"))
}

/// A shell: `busybox` is a statically linked one, whose applets get names of their own.
pub fn shell(busybox: &[u8]) -> PackageBuilder {
    let mut package = builder("shell")
        .requires("filesystem")
        .provides("/bin/sh")
        .file("/usr/bin/busybox", NewFile::regular(busybox).mode(0o755));
    for applet in ["sh", "cat", "chmod", "echo", "false", "ln", "mkdir", "mv", "rm", "sort"] {
        package = package.file(&format!("/usr/bin/{applet}"), NewFile::symlink("busybox"));
    }
    package
}

/// The packages that any machine can install together, with the file names that they would have.
pub fn family() -> Result<Vec<(String, Vec<u8>)>, WriteError> {
    let all = [filesystem(), library(), links(), daemon(), sharing()];
    let names = ["filesystem", "library", "links", "daemon", "sharing"];
    names.into_iter().zip(all).map(|(name, package)| Ok((file_name(name), package.build()?))).collect()
}

/// The file name of a package of [`builder`].
pub fn file_name(name: &str) -> String {
    format!("{name}-1.0-1.noarch.rpm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_readable_and_the_same_each_time() {
        let family = family().unwrap();
        assert_eq!(family, super::family().unwrap());
        for (file, bytes) in family {
            let package = rpm::Package::read(&mut bytes.as_slice()).unwrap();
            assert_eq!(format!("{}.rpm", package.header.nevra()), file);
        }
    }
}
