//! What the program sees of the layers, and where its writes go.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};

use host::sandbox::{Bind, SandboxError, Temporary};

use crate::fixture::{Fixture, chain};

#[test]
fn host_writes_land_in_the_upper_layer_only() {
    let fixture = Fixture::new();
    // characters that overlay's own option syntax gives a meaning to
    let top = fixture.path(r"top: a,b\c");
    fs_err::create_dir_all(top.join("etc")).unwrap();
    fs_err::write(top.join("etc/both"), "top").unwrap();
    fs_err::write(fixture.path("lower/etc/both"), "bottom").unwrap();
    fs_err::write(fixture.path("lower/etc/low"), "low").unwrap();
    let mut sandbox =
        fixture.sandbox("cat /etc/both /etc/low; echo new > /etc/low; rm /etc/both; mkdir /made; umask; stat -c %a /made; cp /bin/true /made");
    sandbox.lowers.insert(0, top.clone());
    let (exit, lines) = fixture.run(&sandbox);
    assert!(exit.success(), "{lines:?}");
    assert_eq!(lines, ["toplow0022", "755"]);
    let read = |path: &str| fs_err::read_to_string(fixture.path(path)).unwrap();
    assert_eq!(fs_err::read_to_string(top.join("etc/both")).unwrap(), "top");
    assert_eq!(
        (read("lower/etc/both"), read("lower/etc/low"), read("upper/etc/low")),
        ("bottom".into(), "low".into(), "new\n".into())
    );
    let whiteout = fs_err::symlink_metadata(fixture.path("upper/etc/both")).unwrap();
    assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
    let mut names: Vec<_> =
        fs_err::read_dir(fixture.path("upper")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["etc", "made"], "mount points do not show in the upper layer");
    let mut work: Vec<_> =
        fs_err::read_dir(fixture.path("work")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    work.sort();
    assert_eq!(work, ["lock"]);
}

#[test]
fn host_an_upper_layer_is_used_again() {
    let fixture = Fixture::new();
    fixture.lines("echo one > /state; mkdir /closed; chmod 000 /closed");
    assert_eq!(fixture.lines("cat /state; echo two > /state"), ["one"]);
    assert_eq!(fixture.lines("cat /state; rmdir /closed"), ["two"]);
}

#[test]
fn host_binds_are_read_only_unless_said_otherwise() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.path("one"), fixture.path("two"));
    fs_err::create_dir_all(&one).unwrap();
    fs_err::create_dir_all(&two).unwrap();
    fs_err::write(fixture.path("file"), "content").unwrap();
    let mut sandbox = fixture.sandbox("touch /in/x; touch /deep/er/out/x; cat /etc/a/file; touch /usr/x");
    for (from, to, writable) in
        [(one.clone(), "/in", false), (two.clone(), "/deep/er/out", true), (fixture.path("file"), "/etc/a/file", false)]
    {
        sandbox.binds.push(Bind { from, to: to.into(), writable });
    }
    let (_, lines) = fixture.run(&sandbox);
    assert_eq!(lines.iter().filter(|line| line.contains("Read-only file system")).count(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("content")), "{lines:?}");
    assert!(!one.join("x").exists() && two.join("x").exists());
    assert_eq!(fs_err::metadata(two.join("x")).unwrap().uid(), fs_err::metadata(&two).unwrap().uid());
}

#[test]
fn host_symlinks_of_the_root_do_not_lead_out() {
    let fixture = Fixture::new();
    let outside = fixture.path("outside");
    fs_err::create_dir_all(outside.join("place")).unwrap();
    fs_err::create_dir_all(fixture.path("data")).unwrap();
    fs_err::write(fixture.path("data/seen"), "").unwrap();
    // absolute link to a path that exists outside: it must be taken inside, where it does not
    fs_err::os::unix::fs::symlink(&outside, fixture.path("lower/link")).unwrap();
    let mut sandbox = fixture.sandbox("ls /link/place");
    sandbox.binds.push(Bind { from: fixture.path("data"), to: "/link/place".into(), writable: true });
    let error = fixture.try_run(&sandbox).unwrap_err();
    assert!(
        chain(&error).starts_with("the sandbox cannot be set up: no bind to `/link/place`: No such file"),
        "{}",
        chain(&error)
    );
    // and where it does exist inside, it is that one
    let inside = fixture.path("lower").join(outside.strip_prefix("/").unwrap()).join("place");
    fs_err::create_dir_all(inside).unwrap();
    let (_, lines) = fixture.run(&sandbox);
    assert_eq!(lines, ["seen"]);
    assert!(fs_err::read_dir(outside.join("place")).unwrap().next().is_none());
}

#[test]
fn host_hundreds_of_layers_are_one_root() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("ls /many | wc -l");
    for number in 0..399 {
        let layer = fixture.path(&format!("{number:0>60}"));
        fs_err::create_dir_all(layer.join("many")).unwrap();
        fs_err::write(layer.join("many").join(number.to_string()), "").unwrap();
        sandbox.lowers.push(layer);
    }
    let (exit, lines) = fixture.run(&sandbox);
    assert!(exit.success());
    assert_eq!(lines, ["399"]);
    sandbox.lowers.push(fixture.path("lower"));
    let error = fixture.try_run(&sandbox).unwrap_err();
    assert_eq!(error.to_string(), "the root has 401 layers, overlay takes 400");
}

#[test]
fn host_tmp_can_be_in_memory_and_the_working_directory_is_made() {
    let fixture = Fixture::new();
    let mut sandbox = fixture.sandbox("pwd; touch here; echo x > /tmp/x; stat -fc %T /tmp; stat -c %a /tmp");
    sandbox.tmp = Temporary::Memory(1 << 20);
    sandbox.cwd = "/home/builder/new".into();
    let (_, lines) = fixture.run(&sandbox);
    assert_eq!(lines, ["/home/builder/new", "tmpfs", "1777"]);
    assert!(fixture.path("upper/home/builder/new/here").exists() && !fixture.path("upper/tmp").exists());
}

#[test]
fn host_a_bare_root_gets_its_mount_points() {
    let fixture = Fixture::new();
    for name in ["proc", "dev", "tmp"] {
        fs_err::remove_dir(fixture.path("lower").join(name)).unwrap();
    }
    assert_eq!(fixture.lines("stat -c %a /tmp; touch /tmp/x; test -e /proc/self/status; echo x > /dev/null"), ["1777"]);
    let mode = fs_err::metadata(fixture.path("upper/tmp")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777);
}

#[test]
fn host_wrong_descriptions_are_refused_with_the_value() {
    let fixture = Fixture::new();
    let good = fixture.sandbox("true");
    let refused = |change: &dyn Fn(&mut host::sandbox::Sandbox), part: &str| {
        let mut sandbox = good.clone();
        change(&mut sandbox);
        let error = fixture.try_run(&sandbox).unwrap_err();
        assert!(chain(&error).contains(part), "{}", chain(&error));
        assert!(!matches!(error, SandboxError::Namespaces(_)));
    };
    refused(&|sandbox| sandbox.argv.clear(), "no program to run");
    refused(&|sandbox| sandbox.argv = vec!["no-such-program".into()], "cannot run `no-such-program`: No such file");
    refused(&|sandbox| sandbox.argv = vec!["/etc".into()], "cannot run `/etc`: Permission denied");
    refused(&|sandbox| sandbox.argv.push("a\0b".into()), "a text with a NUL byte: `a\\0b`");
    refused(&|sandbox| sandbox.cwd = "relative".into(), "no plain absolute path: `relative`");
    refused(&|sandbox| sandbox.binds[0].to = "/a/../b".into(), "no plain absolute path: `/a/../b`");
    refused(&|sandbox| sandbox.binds[0].to = "/".into(), "a bind over its root");
    refused(&|sandbox| sandbox.binds[0].from = "/no/such".into(), "/no/such");
    refused(&|sandbox| sandbox.lowers.push("/no/such".into()), "/no/such");
    refused(&|sandbox| sandbox.lowers.push("/etc/passwd".into()), "a layer that is no directory: `/etc/passwd`");
    refused(&|sandbox| sandbox.hostname = String::new(), "a host name");
    refused(&|sandbox| sandbox.env.push(("A=B".into(), String::new())), "without a proper name: `A=B`");
}
