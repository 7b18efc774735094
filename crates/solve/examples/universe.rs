//! Times reading and solving, for `bench/solve`: `universe read|cache|warm|exactly|solve REPOSITORY [CACHE|REQUESTS]`.
//!
//! - `read`: primary as XML to an indexed universe; prints packages and milliseconds.
//! - `cache`: the same, and writes the table to CACHE.
//! - `warm`: from CACHE to the solution of the names that follow, in this process alone.
//! - `exactly`: one list of `name=version` a line of REQUESTS; prints what comes of it without weak dependencies.
//! - `solve`: one request a line of REQUESTS, names apart by spaces; prints for each microseconds and the packages.

#![expect(clippy::disallowed_macros, reason = "a program of its own, not the command line of slipway")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use pkg::{Arch, Digest, Relation};
use repodata::{RelationKind, Repomd, Solvables};
use solve::{Identity, Kind, Paths, Request, Source, Table, TableBuilder, Universe, Version};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["read", repository] => {
            let start = Instant::now();
            let universe = universe_of(read(Path::new(repository))?)?;
            println!("{} packages {:.1} ms", universe.len(), milliseconds(start));
        }
        ["cache", repository, cache] => {
            let table = read(Path::new(repository))?;
            fs_err::write(cache, table.to_bytes(&key(Path::new(repository))?))?;
        }
        ["warm", repository, cache, names @ ..] => {
            let start = Instant::now();
            let bytes = fs_err::read(cache)?;
            let read = milliseconds(start);
            let table = Table::from_bytes(&bytes, &key(Path::new(repository))?)?;
            let checked = milliseconds(start);
            let universe = universe_of(table)?;
            let indexed = milliseconds(start);
            let solution = solve::resolve(&universe, &request(names.iter().copied())?)?;
            let solved = milliseconds(start);
            let count = solution.packages().count();
            println!(
                "{count} packages: read {read:.1}, checked {checked:.1}, indexed {indexed:.1}, solved {solved:.1} ms"
            );
            // What is left is the system's to take back.
            std::process::exit(0);
        }
        ["exactly", repository, requests] => {
            // Just these packages, as `name=version`, and nothing with them: whether they hold together.
            let mut universe = universe_of(read(Path::new(repository))?)?;
            for line in fs_err::read_to_string(requests)?.lines() {
                let words =
                    line.trim_start_matches("-weak ").split_whitespace().map(|word| word.replacen('=', " = ", 1));
                let words: Vec<String> = words.collect();
                let mut request = request(words.iter().map(String::as_str))?;
                request.weak = false;
                look_up(&mut universe, &request, Path::new(repository))?;
                let nevras = |solution: solve::Solution| -> Vec<String> {
                    solution.packages().map(|id| universe.nevra(id).to_string()).collect()
                };
                match solve::resolve(&universe, &request) {
                    Ok(solution) => println!("{}", nevras(solution).join(" ")),
                    Err(error) => println!("! {}", error.to_string().replace('\n', ";")),
                }
            }
        }
        ["solve", repository, requests] => {
            let mut universe = universe_of(read(Path::new(repository))?)?;
            for line in fs_err::read_to_string(requests)?.lines() {
                let weak = !line.starts_with("-weak ");
                let mut request = request(line.trim_start_matches("-weak ").split_whitespace())?;
                request.weak = weak;
                look_up(&mut universe, &request, Path::new(repository))?;
                let start = Instant::now();
                let solution = solve::resolve(&universe, &request);
                let time = start.elapsed().as_micros();
                let mut out = format!("{time}");
                match solution {
                    Ok(solution) => solution.packages().for_each(|id| {
                        let _ = write!(out, " {}", universe.nevra(id));
                    }),
                    Err(error) => {
                        let _ = write!(out, " ! {}", error.to_string().replace('\n', ";"));
                    }
                }
                println!("{out}");
            }
        }
        _ => return Err("usage: universe read|cache|warm|exactly|solve REPOSITORY [CACHE|REQUESTS] [NAME...]".into()),
    }
    Ok(())
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn request<'a>(names: impl Iterator<Item = &'a str>) -> Result<Request, Error> {
    let relations = names.map(Relation::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(Request::new(Arch::new("x86_64")).install(relations))
}

fn universe_of(table: Table<'_>) -> Result<Universe<'_>, Error> {
    let source = Source { name: "bench".to_owned(), priority: 99, cost: 1000 };
    Ok(Universe::of(vec![(source, table)], Vec::new(), Paths::Primary)?)
}

fn key(repository: &Path) -> Result<Digest, Error> {
    Ok(Digest::of(&fs_err::read(repository.join("repodata/repomd.xml"))?))
}

fn document(repository: &Path, kind: &str) -> Result<impl std::io::Read, Error> {
    let repomd = Repomd::read(fs_err::read(repository.join("repodata/repomd.xml"))?.as_slice())?;
    let data = repomd.document(kind).ok_or("the repository has no such document")?;
    let file = fs_err::File::open(repository.join(&data.location))?;
    Ok(repodata::decompress_ahead(file, data.open_size.unwrap_or(1 << 32), None)?)
}

/// Tells who has the paths that only filelists know.
fn look_up(universe: &mut Universe<'_>, request: &Request, repository: &Path) -> Result<(), Error> {
    loop {
        let paths = solve::missing_paths(universe, request);
        if paths.is_empty() {
            return Ok(());
        }
        let wanted = paths.iter().map(String::as_str).collect();
        let owners = repodata::filelists::owners(document(repository, "filelists")?, &wanted)?;
        let mut found = Vec::new();
        for id in universe.ids() {
            let hex = universe.checksum(id);
            let mine = owners.iter().filter(|(checksum, _)| checksum == hex);
            found.extend(mine.map(|(_, path)| (id, path.clone())));
        }
        universe.add_paths(&paths, found);
    }
}

fn read(repository: &Path) -> Result<Table<'static>, Error> {
    let mut builder = TableBuilder::new();
    let mut solvables = Solvables::new(document(repository, "primary")?);
    while let Some(solvable) = solvables.next()? {
        let (epoch, version, release) = solvable.version();
        builder.package(&Identity {
            name: solvable.name(),
            version: Version { epoch, version, release },
            arch: solvable.arch(),
            vendor: solvable.vendor(),
            key: solvable.location(),
            checksum: solvable.checksum().1,
            size: solvable.package_size(),
            installed_size: solvable.installed_size(),
        });
        for relation in solvable.relations() {
            let bound = relation
                .bound
                .map(|(condition, epoch, version, release)| (condition, Version { epoch, version, release }));
            builder.relation(kind(relation.kind), relation.name, bound);
        }
        solvable.files().for_each(|path| builder.path(path));
    }
    Ok(builder.finish()?)
}

fn kind(kind: RelationKind) -> Kind {
    match kind {
        RelationKind::Provides => Kind::Provides,
        RelationKind::Requires => Kind::Requires,
        RelationKind::Conflicts => Kind::Conflicts,
        RelationKind::Obsoletes => Kind::Obsoletes,
        RelationKind::Recommends => Kind::Recommends,
        RelationKind::Suggests => Kind::Suggests,
        RelationKind::Supplements => Kind::Supplements,
        RelationKind::Enhances => Kind::Enhances,
    }
}
