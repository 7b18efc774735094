use install::{InstallError, Problem};
use rpm::write::NewFile;
use testkit::packages::{builder, filesystem, library};

use crate::yard::{Yard, path};

#[test]
fn files_packages_that_disagree_are_both_named() {
    let rival = |file| {
        vec![filesystem(), library(), builder("rival").requires("library").file("/usr/lib64/libtiny.so.1.0", file)]
    };
    let yard = Yard::new();
    for (file, why) in [
        (NewFile::regular("another\n").mode(0o755), "the bytes differ"),
        (NewFile::regular("a library\n").mode(0o700), "mode and owner are 0755 root:root and 0700 root:root"),
        (NewFile::symlink("x"), "they are of different kinds"),
        (NewFile::directory(), "they are of different kinds"),
    ] {
        let error = yard.refusal(rival(file));
        let InstallError::Refused(problems) = &error else { panic!("{error}") };
        let [Problem::FileConflict { path: at, first, second, difference, is_installed: false }] = &problems[..] else {
            panic!("{error}")
        };
        // The path is where it lies; `library` calls it `/lib64/libtiny.so.1.0`.
        assert_eq!(*at, path("usr/lib64/libtiny.so.1.0"));
        assert_eq!((first.as_str(), second.as_str()), ("library-1.0-1.noarch", "rival-1.0-1.noarch"));
        assert_eq!(difference, why);
    }
    let error = yard.refusal(vec![
        filesystem(),
        builder("rival").requires("filesystem").file("/lib64", NewFile::symlink("usr/lib")),
    ]);
    assert_eq!(
        error.to_string(),
        "the packages cannot be changed like this\n  `filesystem-1.0-1.noarch` and `rival-1.0-1.noarch` disagree about `/lib64`: one leads to `usr/lib64`, the other to `usr/lib`"
    );
}

#[test]
fn files_packages_that_agree_share() {
    let yard = Yard::new();
    let twin = builder("twin").requires("library").file("/usr/lib64/libtiny.so.1", NewFile::symlink("libtiny.so.1.0"));
    let old =
        builder("old").requires("filesystem").file("/bin", NewFile::directory()).file("/bin/old", NewFile::regular(""));
    let installed = yard.fill(vec![filesystem(), library(), twin, old]).unwrap();
    assert!(installed.tree.get(&path("usr/bin/old")).is_some(), "a link to a directory stands for the directory");
}
