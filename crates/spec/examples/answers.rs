//! Answers of many specs as lines of JSON: the measured side of `bench/spec-parity` and `bench/spec-speed`.
//!
//! `answers [--target CPU] [--macros FILE].. [--root DIR] [--define 'NAME BODY'].. [--strict] [--shell | --bare] [--record FILE] [--answers FILE] [--sourcedir] [--time | --each] [--threads N] SPEC..`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use spec::{Dependency, Environment, Evaluated, Macros, Origin, Qualifiers, Target, Undefined};

/// Files of a directory that stands for the machine's root, and of one spec's folder.
struct Root {
    root: Option<PathBuf>,
}

impl Root {
    fn path(&self, path: &str) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join(path.trim_start_matches('/')))
    }
}

impl spec::Files for Root {
    fn read(&self, path: &str) -> Option<Arc<str>> {
        for path in [self.path(path), Some(PathBuf::from(path))].into_iter().flatten() {
            // Devices have no end.
            if fs_err::metadata(&path).is_ok_and(|facts| facts.is_file())
                && let Ok(bytes) = fs_err::read(path)
            {
                return Some(Arc::from(String::from_utf8_lossy(&bytes)));
            }
        }
        None
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).is_some_and(|path| path.exists()) || Path::new(path).exists()
    }
}

/// The machine's own shell: measuring only, so that both sides ask the same.
struct Sh;

impl spec::Shell for Sh {
    #[expect(clippy::disallowed_methods, reason = "a measuring tool, not part of the crate")]
    fn run(&self, command: &str, _: pkg::SourceDateEpoch) -> Result<String, String> {
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", command])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .output()
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Notes what the machine's shell says otherwise than the crate's own.
struct Recorder {
    own: spec::NativeShell,
    noted: std::sync::Mutex<std::collections::BTreeMap<String, String>>,
}

impl spec::Shell for Recorder {
    fn run(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<String, String> {
        let answer = Sh.run(command, clock)?;
        let own = self.own.run(command, clock);
        let cut = |text: &str| text.trim_end_matches(['\n', '\r']).to_owned();
        if own.as_deref().map(cut) != Ok(cut(&answer))
            && let Ok(mut noted) = self.noted.lock()
        {
            noted.insert(command.to_owned(), answer.clone());
        }
        Ok(answer)
    }
}

fn texts(list: &[Dependency]) -> Vec<String> {
    let internal = Qualifiers::named("rpmlib").unwrap_or_default();
    let mut texts: Vec<String> = list
        .iter()
        .map(|dependency| {
            let mut text = dependency.relation.to_string();
            if !dependency.qualifiers.is_empty() && dependency.qualifiers != internal {
                text.push_str(&format!(" [{}]", dependency.qualifiers.names().join(",")));
            }
            text
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn answer(evaluated: &Evaluated) -> Value {
    let mut build_requires: Vec<String> =
        evaluated.build_requires.iter().map(|located| located.value.to_string()).collect();
    build_requires.sort();
    build_requires.dedup();
    let mut build_conflicts: Vec<String> =
        evaluated.build_conflicts.iter().map(|located| located.value.to_string()).collect();
    build_conflicts.sort();
    json!({
        "source": evaluated.source.to_string(),
        "build_requires": build_requires,
        "build_conflicts": build_conflicts,
        "sources": evaluated.sources.iter().map(|source| &source.file_name).collect::<Vec<_>>(),
        "patches": evaluated.patches.iter().map(|source| &source.file_name).collect::<Vec<_>>(),
        "exclusive_arch": evaluated.exclusive_arch,
        "exclude_arch": evaluated.exclude_arch,
        "packages": evaluated.packages.iter().map(|package| json!({
            "nevra": package.nevra().to_string(),
            "summary": package.summary,
            "license": package.license,
            "url": package.url,
            "built": package.files.as_ref().is_some_and(|files| !files.lines.is_empty()),
            "provides": texts(&package.provides),
            "requires": texts(&package.requires),
            "conflicts": texts(&package.conflicts),
            "obsoletes": texts(&package.obsoletes),
            "recommends": texts(&package.recommends),
            "suggests": texts(&package.suggests),
            "supplements": texts(&package.supplements),
            "enhances": texts(&package.enhances),
        })).collect::<Vec<_>>(),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut target = "x86_64".to_owned();
    let mut macros = Macros::builtin();
    let mut root = Root { root: None };
    let (mut definitions, mut specs) = (Vec::new(), Vec::new());
    let (mut strict, mut shell, mut time, mut expanded, mut sourcedir, mut threads, mut warnings, mut each) =
        (false, false, false, false, false, 1, false, false);
    let (mut bare, mut record, mut answers) = (false, None, std::collections::BTreeMap::<String, String>::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} lacks its value"));
        match argument.as_str() {
            "--target" => target = value()?,
            "--macros" => {
                let path = PathBuf::from(value()?);
                let text = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
                macros.load(&text, &Origin::file(&path));
            }
            "--root" => root.root = Some(PathBuf::from(value()?)),
            "--define" => {
                let text = value()?;
                let (name, body) = text.split_once([' ', '\t']).ok_or("a definition needs a body")?;
                definitions.push((name.to_owned(), body.trim_start().to_owned()));
            }
            "--specs" => specs.extend(fs_err::read_to_string(value()?)?.lines().map(PathBuf::from)),
            "--threads" => threads = value()?.parse()?,
            "--bare" => bare = true,
            "--record" => record = Some(PathBuf::from(value()?)),
            "--answers" => answers = serde_json::from_slice(&fs_err::read(value()?)?)?,
            "--strict" => strict = true,
            "--shell" => shell = true,
            "--sourcedir" => sourcedir = true,
            "--time" => time = true,
            "--each" => (time, each) = (true, true),
            "--expanded" => expanded = true,
            "--warnings" => warnings = true,
            _ => specs.push(PathBuf::from(argument)),
        }
    }
    let mut environment = Environment::new(macros.into(), Target::linux(target));
    environment.files = Arc::new(root);
    environment.definitions = definitions;
    environment.variables = Arc::new([("HOME".to_owned(), "/root".to_owned())].into());
    if !strict {
        environment.undefined = Undefined::Warn;
    }
    let mut own =
        if bare { spec::NativeShell::of_bare_root(environment.files.clone()) } else { spec::NativeShell::default() };
    for (command, answer) in answers {
        own = own.with_answer(command, answer);
    }
    let recorder = Arc::new(Recorder { own: own.clone(), noted: std::sync::Mutex::default() });
    environment.shell = match (shell, &record) {
        (_, Some(_)) => recorder.clone(),
        (true, None) => Arc::new(Sh),
        (false, None) => Arc::new(own),
    };
    let next = std::sync::atomic::AtomicUsize::new(0);
    let output = std::sync::Mutex::new(std::io::stdout());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn_scoped(scope, || {
                    let mut evaluator = spec::Evaluator::default();
                    while let Some(path) = specs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                        let Ok(bytes) = fs_err::read(path) else { continue };
                        let text = String::from_utf8(bytes)
                            .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned());
                        let mut environment = environment.clone();
                        if sourcedir {
                            let folder =
                                path.parent().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
                            environment.definitions.push(("_sourcedir".to_owned(), folder));
                        }
                        let began = std::time::Instant::now();
                        let result = evaluator.evaluate(&text, &Origin::file(path), &environment);
                        if time {
                            if each {
                                let error = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
                                let micros = began.elapsed().as_micros();
                                let _ = writeln!(std::io::stderr(), "{micros} {} {error}", path.display());
                            }
                            continue;
                        }
                        let line = match result {
                            Ok(evaluated) if expanded => evaluated.expanded,
                            Ok(evaluated) if warnings => evaluated
                                .warnings
                                .iter()
                                .map(|warning| format!("{}: {} {:?}\n", warning.position, warning.text, warning.chain))
                                .collect(),
                            Ok(evaluated) => {
                                let mut value = answer(&evaluated);
                                value["spec"] = json!(path.to_string_lossy());
                                format!("{value}\n")
                            }
                            Err(error) => {
                                format!("{}\n", json!({"spec": path.to_string_lossy(), "error": error.to_string()}))
                            }
                        };
                        if let Ok(mut output) = output.lock() {
                            let _ = output.write_all(line.as_bytes());
                        }
                    }
                })
                .map(|_| ())
                .unwrap_or_default();
        }
    });
    if let (Some(path), Ok(noted)) = (record, recorder.noted.lock()) {
        fs_err::write(path, serde_json::to_string_pretty(&*noted)?)?;
    }
    Ok(())
}
