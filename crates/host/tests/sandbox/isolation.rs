//! What the program is, and what it cannot reach.

use host::sandbox::User;

use crate::fixture::Fixture;

fn status_of(fixture: &Fixture, user: User, key: &str) -> String {
    let mut sandbox = fixture.sandbox("cat /proc/self/status");
    sandbox.user = user;
    let (_, lines) = fixture.run(&sandbox);
    let value = lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {key} in {lines:?}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn host_the_builder_is_1000_without_capabilities() {
    let fixture = Fixture::new();
    assert_eq!(status_of(&fixture, User::Builder, "Uid"), "1000 1000 1000 1000");
    assert_eq!(status_of(&fixture, User::Builder, "Gid"), "1000 1000 1000 1000");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status_of(&fixture, User::Builder, set), "0000000000000000", "{set}");
    }
    assert_eq!(status_of(&fixture, User::Builder, "NoNewPrivs"), "1");
    assert_eq!(status_of(&fixture, User::Builder, "Seccomp"), "2");
    assert_eq!(fixture.lines("touch /made; stat -c %u:%g /made"), ["1000:1000"]);
}

#[test]
fn host_root_may_act_on_files_and_no_more() {
    let fixture = Fixture::new();
    assert_eq!(status_of(&fixture, User::Root, "Uid"), "0 0 0 0");
    // chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid, sys_chroot, mknod, setfcap
    assert_eq!(status_of(&fixture, User::Root, "CapEff"), "00000000880400ff");
    assert_eq!(status_of(&fixture, User::Root, "CapBnd"), "00000000880400ff");
    let mut sandbox = fixture.sandbox(
        "touch /f; chmod 0 /f; echo x > /f && cat /f; chown 12:34 /f 2>/dev/null && stat -c %u:%g /f; mount -t tmpfs x /tmp 2>&1 | grep -c denied; chroot / true && echo chroot",
    );
    sandbox.user = User::Root;
    let (_, lines) = fixture.run(&sandbox);
    if fixture.host.is_privileged() {
        assert_eq!(lines, ["x", "12:34", "1", "chroot"]);
        use std::os::unix::fs::MetadataExt;
        assert_eq!(fs_err::metadata(fixture.path("upper/f")).unwrap().uid(), 12);
    } else {
        assert_eq!(lines, ["x", "1", "chroot"]);
    }
}

#[test]
fn host_the_network_is_loopback_only() {
    let fixture = Fixture::new();
    let interfaces = fixture.lines("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; tail -n +2 /proc/net/route");
    assert_eq!(interfaces, ["lo"]);
    let script = "bash -c 'echo > /dev/tcp/127.0.0.1/9' 2>&1; bash -c 'echo > /dev/tcp/192.0.2.1/9' 2>&1; true";
    let lines = fixture.lines(script).join("\n");
    assert!(lines.contains("Connection refused") && lines.contains("Network is unreachable"), "{lines}");
}

#[test]
fn host_the_machine_is_out_of_sight_and_unchanged() {
    let fixture = Fixture::new();
    let mounts = || fs_err::read_to_string("/proc/self/mountinfo").unwrap();
    let name = || fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let before = (mounts(), name());
    let lines = fixture.lines("ls -A / | tr '\\n' ' '; echo; uname -n; ls -A /sys | wc -l; ls -d /proc/[0-9]* | wc -l; cat /proc/self/cgroup | wc -c");
    assert_eq!(lines[0], "bin dev etc home lib lib64 proc sbin sys tmp usr ");
    assert_eq!((lines[1].as_str(), lines[2].as_str()), ("slipway", "0"));
    // process 1, the shell, ls, wc
    assert!(lines[3].parse::<u32>().unwrap() <= 4, "{lines:?}");
    assert!(before == (mounts(), name()));
    // paths of this machine: neither by name nor through process 1
    let folder = fixture.folder.path().display();
    let script = format!(
        "test -e {folder} || echo gone; ls /proc/1/root/{folder} 2>&1 | grep -c -e 'No such' -e denied; wc -l < /proc/self/mounts"
    );
    let lines = fixture.lines(&script);
    assert_eq!(lines[..2], ["gone", "1"]);
}

#[test]
fn host_process_1_cannot_be_looked_into() {
    let fixture = Fixture::new();
    for user in [User::Builder, User::Root] {
        // 3 and 4 are its pipes to us: whoever wrote into the second could forge the result
        let mut sandbox = fixture.sandbox(
            "for f in mem environ maps auxv exe fd/3 fd/4; do head -c 1 /proc/1/$f > /dev/null 2>&1 && echo read $f; done
             for f in mem fd/3 fd/4; do { echo x > /proc/1/$f; } 2> /dev/null && echo wrote $f; done
             readlink /proc/1/fd/4 /proc/1/root /proc/1/cwd /proc/1/exe; true",
        );
        sandbox.user = user;
        assert_eq!(fixture.run(&sandbox).1, [""; 0], "{user:?}");
    }
}

#[test]
fn host_the_kernel_cannot_be_configured() {
    let fixture = Fixture::new();
    for user in [User::Builder, User::Root] {
        let mut sandbox = fixture.sandbox(
            "echo x > /proc/sys/kernel/core_pattern && echo core_pattern
             echo 1 > /proc/sys/user/max_user_namespaces && echo max_user_namespaces
             echo h > /proc/sysrq-trigger && echo sysrq
             head -c 1 /proc/kcore | grep -q . && echo kcore
             unshare -U true && echo userns; unshare -n true && echo netns; unshare -m true && echo mountns
             mount -t tmpfs none /tmp && echo mount; umount /proc && echo umount; mount --bind / /tmp && echo bind
             chroot /proc/1/root true && echo chroot-of-1
             swapoff -a && echo swapoff; dmesg > /dev/null && echo dmesg
             mknod /sda b 8 0 && echo mknod
             true",
        );
        sandbox.user = user;
        let (_, lines) = fixture.run(&sandbox);
        let leaks = [
            "core_pattern",
            "max_user_namespaces",
            "sysrq",
            "kcore",
            "userns",
            "netns",
            "mountns",
            "mount",
            "umount",
            "bind",
            "chroot-of-1",
            "mknod",
            "dmesg",
        ];
        let found: Vec<_> = lines.iter().filter(|line| leaks.contains(&line.as_str())).collect();
        assert!(found.is_empty(), "{user:?}: {found:?}");
        assert!(lines.len() > 8, "each attempt says why it was refused: {lines:?}");
    }
}

#[test]
fn host_no_descriptor_of_ours_is_open_inside() {
    let fixture = Fixture::new();
    // on purpose not close-on-exec
    let leak = rustix::fs::open("/dev/zero", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
    // 3 is the directory that ls reads
    assert_eq!(fixture.lines("ls /proc/self/fd"), ["0", "1", "2", "3"]);
    drop(leak);
}

#[test]
fn host_devices_are_the_usual_ones() {
    let fixture = Fixture::new();
    let lines = fixture.lines(
        "ls /dev | tr '\\n' ' '; echo; head -c 8 /dev/urandom | wc -c; head -c 3 /dev/zero | wc -c; echo x > /dev/null
         echo x > /dev/full || echo full; touch /dev/shm/x; echo y > /dev/stdout; perl -e 'open(my $p, \"+<\", \"/dev/ptmx\") or die $!; print \"pty\\n\"'",
    );
    assert_eq!(lines[0], "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero ");
    assert_eq!(lines[1..3], ["8", "3"]);
    assert_eq!(lines[lines.len() - 3..], ["full", "y", "pty"]);
    // the nodes are the machine's own; where we are root the builder owns them (the mode here changes nothing)
    let refused = fixture.lines("for d in null zero tty; do chmod 666 /dev/$d; done 2>&1 | grep -c 'Read-only'; true");
    assert_eq!(refused, ["3"]);
}
