//! Small specs for every construct, each with what rpm 6 answers (`fixtures/ORIGIN`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use spec::{Dependency, Environment, Evaluated, Macros, Origin, Target};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn environment() -> Environment {
    let text = fs_err::read_to_string(folder().join("base.macros")).expect("the fixture is there");
    let mut macros = Macros::builtin();
    macros.load(&text, &Origin::new("base.macros"));
    let mut environment = Environment::new(macros.into(), Target::linux("x86_64"));
    let read = |name: &str| -> (String, Arc<str>) {
        let text = fs_err::read_to_string(folder().join("specs").join(name)).expect("the fixture is there");
        (format!("/{name}"), text.into())
    };
    environment.files = Arc::new(BTreeMap::from(["included.inc", "included.macros"].map(read)));
    environment
}

fn specs() -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder().join("specs")).expect("the fixture is there");
    let mut specs: Vec<PathBuf> = entries.map(|entry| entry.expect("the fixture is there").path()).collect();
    specs.retain(|path| path.extension().is_some_and(|extension| extension == "spec"));
    specs.sort();
    assert!(specs.len() >= 20, "the fixtures are there");
    specs
}

fn evaluated(path: &Path) -> Evaluated {
    let text = fs_err::read_to_string(path).expect("the fixture is there");
    let name = path.file_name().expect("the fixture is there").to_string_lossy().into_owned();
    spec::evaluate(&text, &Origin::new(format!("/{name}")), &environment()).unwrap_or_else(|error| panic!("{error}"))
}

/// Dependencies as the query format prints them.
fn dependencies(kind: &str, list: &[Dependency], lines: &mut Vec<String>) {
    for dependency in list {
        let relation = &dependency.relation;
        let bound = relation
            .bound
            .as_ref()
            .map(|(condition, evr)| format!(" {} {evr}", condition.as_str()))
            .unwrap_or_default();
        let mut names = dependency.qualifiers.names();
        names.sort_unstable();
        let names = if names.is_empty() { "manual".to_owned() } else { names.join(",") };
        lines.push(format!("{kind} {}{bound} ({names})", relation.name));
    }
}

fn answers(spec: &Evaluated) -> Vec<String> {
    let mut lines = Vec::new();
    let license = spec.source_license.as_ref().unwrap_or(&spec.packages[0].license);
    lines.push(format!(
        "source {} {}:{}-{} license {license}",
        spec.name, spec.evr.epoch, spec.evr.version, spec.evr.release
    ));
    lines.extend(spec.sources.iter().map(|source| format!("file {}", source.file_name)));
    lines.extend(spec.patches.iter().map(|source| format!("patch {}", source.file_name)));
    lines.extend(
        spec.sources.iter().filter(|source| source.is_left_out).map(|source| format!("left out {}", source.number)),
    );
    lines.extend(spec.exclusive_arch.iter().map(|arch| format!("exclusive {arch}")));
    lines.extend(spec.exclude_arch.iter().map(|arch| format!("exclude {arch}")));
    for (kind, list) in [("requires", &spec.build_requires), ("conflicts", &spec.build_conflicts)] {
        for located in list {
            let dependency = Dependency {
                relation: located.value.clone(),
                qualifiers: spec::Qualifiers::NONE,
                position: located.position.clone(),
            };
            dependencies(kind, &[dependency], &mut lines);
        }
    }
    // The source package provides what would be built.
    lines.extend(
        spec.packages
            .iter()
            .filter(|package| package.files.is_some())
            .map(|package| format!("provides {} = {} (manual)", package.name, package.evr)),
    );
    for entry in &spec.changelog {
        lines.extend(format!("entry {} {}: {}", entry.time, entry.author, entry.text).lines().map(str::to_owned));
    }
    for package in &spec.packages {
        let evr = &package.evr;
        lines.push(format!("package {} {}:{}-{} {}", package.name, evr.epoch, evr.version, evr.release, package.arch));
        lines.push(format!("summary {}", package.summary));
        lines.push(format!("license {}", package.license));
        for (kind, list) in [
            ("provides", &package.provides),
            ("requires", &package.requires),
            ("conflicts", &package.conflicts),
            ("obsoletes", &package.obsoletes),
            ("recommends", &package.recommends),
            ("suggests", &package.suggests),
            ("supplements", &package.supplements),
            ("enhances", &package.enhances),
            ("order", &package.order_with_requires),
        ] {
            dependencies(kind, list, &mut lines);
        }
        lines.extend(format!("description {}", package.description).lines().map(str::to_owned));
    }
    lines.extend(
        spec.packages.iter().filter(|package| package.files.is_some()).map(|package| format!("built {}", package.name)),
    );
    lines
}

/// Lines by the package that they belong to, sorted; white space and a zero epoch in a range do not count.
fn blocks<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> BTreeMap<String, Vec<String>> {
    let mut blocks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut heading = String::new();
    for line in lines {
        let mut line = line.as_ref().split_whitespace().collect::<Vec<_>>().join(" ").replace("= 0:", "= ");
        if let Some((start, qualifiers)) = line.strip_suffix(')').and_then(|line| line.rsplit_once(" ("))
            && !line.starts_with("description")
        {
            let mut names: Vec<&str> = qualifiers.split(',').collect();
            names.sort_unstable();
            line = format!("{start} ({})", names.join(","));
        }
        if line.starts_with("source ") || line.starts_with("package ") || line.starts_with("built ") {
            heading.clone_from(&line);
            blocks.entry(heading.clone()).or_default();
        } else if !line.is_empty() {
            blocks.entry(heading.clone()).or_default().push(line);
        }
    }
    blocks.values_mut().for_each(|lines| lines.sort());
    blocks
}

#[test]
fn answers_are_those_of_rpm() {
    for path in specs() {
        let theirs = fs_err::read_to_string(path.with_extension("answers")).unwrap();
        assert!(!theirs.is_empty());
        assert_eq!(blocks(answers(&evaluated(&path))), blocks(theirs.lines()), "{}", path.display());
    }
}

#[test]
fn expanded_texts_are_those_of_rpm() {
    for path in specs() {
        let theirs = fs_err::read_to_string(path.with_extension("expanded")).unwrap();
        // rpm names the temporary file of what a build system adds.
        let plain = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("# Spec part read from"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let ours = evaluated(&path).expanded;
        let differs =
            plain(&ours).into_iter().zip(plain(&theirs)).enumerate().find(|(_, (ours, theirs))| ours != theirs);
        assert_eq!(differs, None, "{}", path.display());
        assert_eq!(plain(&ours).len(), plain(&theirs).len(), "{}\n{ours}", path.display());
    }
}

/// Scriptlets as the query format prints them.
fn scriptlets(spec: &Evaluated) -> String {
    const NAMES: [(&str, &str); 8] = [
        ("pre", "prein"),
        ("post", "postin"),
        ("preun", "preun"),
        ("postun", "postun"),
        ("pretrans", "pretrans"),
        ("posttrans", "posttrans"),
        ("preuntrans", "preuntrans"),
        ("postuntrans", "postuntrans"),
    ];
    let mut text = String::new();
    for package in &spec.packages {
        text.push_str(&format!("package {}\n", package.name));
        for (name, shown) in NAMES {
            for script in package.scriptlets.iter().filter(|script| script.name == name) {
                let body = if script.text.is_empty() { "(none)" } else { script.text.trim_end_matches('\n') };
                text.push_str(&format!("{shown} {}:\n{body}\n", script.program.join(" ")));
            }
        }
    }
    text
}

#[test]
fn scriptlets_are_those_of_rpm() {
    for path in specs() {
        let theirs = fs_err::read_to_string(path.with_extension("scripts")).unwrap();
        assert_eq!(scriptlets(&evaluated(&path)), theirs, "{}", path.display());
    }
}

#[test]
fn what_rpm_refuses_is_refused() {
    let text = fs_err::read_to_string(folder().join("refused.txt")).unwrap();
    let mut wrong = Vec::new();
    let blocks: Vec<&str> = text.split("====\n").collect();
    for block in &blocks {
        let (spec, theirs) = block.trim_end().rsplit_once('\n').unwrap();
        let error = theirs.strip_prefix(['!', '~']).expect("the answer is the last line").trim();
        let ours = spec::evaluate(&format!("{spec}\n"), &Origin::new("/refused.spec"), &environment());
        // Where rpm complains and answers nevertheless, both are right.
        if ours.is_ok() && theirs.starts_with('!') {
            wrong.push(format!("{spec}\n  {error}"));
        }
    }
    assert!(blocks.len() > 50, "the fixture is there");
    assert!(wrong.is_empty(), "{} of {} are accepted:\n{}", wrong.len(), blocks.len(), wrong.join("\n"));
}
