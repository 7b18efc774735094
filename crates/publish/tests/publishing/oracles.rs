//! What other programs make of what we publish.

use std::path::Path;

use crate::fixture::{oracle, publish, text};
use publish::KEY_FILE;

/// A document of a repository, decompressed.
fn document(repository: &Path, kind: &str) -> String {
    let index = fs_err::read(repository.join("repodata/repomd.xml")).unwrap();
    let repomd = repodata::Repomd::read(index.as_slice()).unwrap();
    let file = fs_err::File::open(repository.join(&repomd.document(kind).unwrap().location)).unwrap();
    std::io::read_to_string(repodata::decompress(file, 1 << 30).unwrap()).unwrap()
}

/// The elements of the packages, sorted, without the file's time, which is the package's build time with us.
fn elements(document: &str) -> Vec<String> {
    let mut elements: Vec<String> = document.split("<package ").skip(1).map(str::to_owned).collect();
    for element in &mut elements {
        *element = element
            .trim_end_matches(|c| c != '>')
            .replace("</metadata>", "")
            .replace("</filelists>", "")
            .replace("</otherdata>", "");
        if let Some(start) = element.find("<time file=\"") {
            let end = element[start..].find("\" build=").unwrap() + start;
            element.replace_range(start..end, "<time file=\"");
        }
    }
    elements.sort();
    elements
}

/// Compares our documents of the snapshot `repository` with those of createrepo_c for the same packages.
fn compare_with_createrepo(repository: &Path) {
    let theirs = tempfile::tempdir().unwrap();
    let (input, output) = (repository.to_str().unwrap(), theirs.path().to_str().unwrap());
    let Some(run) = oracle("createrepo_c", &["--no-database", "--quiet", "--outputdir", output, input]) else { return };
    assert!(run.status.success(), "{}", text(&run));
    for kind in ["primary", "filelists", "other"] {
        let (ours, theirs) = (elements(&document(repository, kind)), elements(&document(theirs.path(), kind)));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{kind}");
        }
    }
}

#[test]
fn files_createrepo_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    compare_with_createrepo(&publish(folder.path()).folder);
}

#[test]
fn files_rpm_and_gnupg_accept_the_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = publish(folder.path());
    let key = snapshot.folder.join(KEY_FILE);
    let key = key.to_str().unwrap();
    let define = format!("_dbpath {}", folder.path().join("db").display());
    if let Some(import) = oracle("rpmkeys", &["--define", &define, "--import", key]) {
        assert!(import.status.success(), "{}", text(&import));
        for package in &snapshot.packages {
            let path = snapshot.folder.join(&package.location);
            let check = oracle("rpmkeys", &["--define", &define, "-K", path.to_str().unwrap()]).unwrap();
            assert!(text(&check).contains("digests signatures OK"), "{}", text(&check));
        }
    }
    let home = folder.path().join("gnupg");
    fs_err::create_dir(&home).unwrap();
    fs_err::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let home = home.to_str().unwrap();
    if oracle("gpg", &["--homedir", home, "--batch", "--import", key]).is_some() {
        let index = snapshot.folder.join("repodata/repomd.xml");
        let signature = snapshot.folder.join("repodata/repomd.xml.asc");
        let paths = [signature.to_str().unwrap(), index.to_str().unwrap()];
        let check = oracle("gpg", &["--homedir", home, "--batch", "--verify", paths[0], paths[1]]).unwrap();
        assert!(check.status.success(), "{}", text(&check));
        fs_err::write(&index, "<repomd/>").unwrap();
        let check = oracle("gpg", &["--homedir", home, "--batch", "--verify", paths[0], paths[1]]).unwrap();
        assert!(!check.status.success(), "{}", text(&check));
        let _ = oracle("gpgconf", &["--homedir", home, "--kill", "all"]);
    }
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a test that is skipped says so")]
fn files_dnf_installs_with_both_checks() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: dnf --installroot needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let snapshot = publish(folder.path());
    let root = folder.path().join("root");
    let dnf = |root: &Path, arguments: &[&str]| {
        let current = snapshot.current.display();
        let cache = folder.path().join("cache");
        let config = folder.path().join("dnf.conf");
        let text = format!(
            "[main]\nreposdir=/nonexistent\npluginpath=/nonexistent\ncachedir={}\n[ours]\nname=ours\n\
             baseurl=file://{current}/\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{current}/{KEY_FILE}\n",
            cache.display()
        );
        fs_err::write(&config, text).unwrap();
        let (config, root) = (config.display(), root.display());
        let mut all = vec!["-y".to_owned(), format!("--config={config}"), format!("--installroot={root}")];
        all.push("--releasever=1".to_owned());
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        oracle("dnf", &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let Some(run) = dnf(&root, &["install", "app"]) else { return };
    assert!(run.status.success(), "{}", text(&run));
    for path in ["usr/bin/app", "usr/share/libapp/data", "usr/bin/app-helper"] {
        assert!(root.join(path).is_file(), "{path}: {}", text(&run));
    }
    // A check that cannot fail proves nothing: another index under the same signature is refused.
    let index = snapshot.folder.join("repodata/repomd.xml");
    let changed = fs_err::read_to_string(&index).unwrap().replace("1700000000</revision>", "1700000001</revision>");
    fs_err::write(&index, changed).unwrap();
    let run = dnf(&folder.path().join("other"), &["install", "app"]).unwrap();
    assert!(!run.status.success() && text(&run).contains("Bad GPG signature"), "{}", text(&run));
}
