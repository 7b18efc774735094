use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use pkg::Relation;
use update::Place;
use update::query::glob::Glob;
use update::query::spec;

use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Find the packages that provide something, or have a file
#[derive(Args)]
#[command(after_help = "Example: slipway dnf provides /usr/bin/bash 'libz.so.1*'")]
pub(super) struct Arguments {
    /// Capabilities, paths, or names of programs; each may be a pattern.
    #[arg(required = true)]
    words: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let sack = session.sack(&["filelists"], true)?;
    let mut found: BTreeMap<Place, Vec<(&'static str, String)>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for word in &arguments.words {
        let before = found.values().map(Vec::len).sum::<usize>();
        let wanted = Relation::parse(word).ok();
        for place in spec::providers(&sack, word) {
            let package = sack.package(place);
            let matching = package.provides.iter().filter(|one| {
                wanted.as_ref().is_some_and(|wanted| {
                    let same = Relation { name: one.name.clone(), bound: wanted.bound.clone() };
                    Glob::new(&wanted.name).matches(&one.name) && same.satisfied_by(one)
                })
            });
            let list = found.entry(place).or_default();
            list.extend(matching.map(|one| ("Provide", one.to_string())));
        }
        let folders = ["", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];
        for folder in
            folders.iter().filter(|folder| folder.is_empty() == (word.starts_with('/') || word.starts_with('*')))
        {
            let pattern = format!("{folder}{word}");
            let glob = Glob::new(&pattern);
            for place in spec::by_file(&sack, &pattern) {
                let files = sack.package(place).files.iter().filter(|file| glob.matches(&file.path));
                let list = found.entry(place).or_default();
                list.extend(files.map(|file| ("Filename", file.path.clone())));
            }
        }
        if found.values().map(Vec::len).sum::<usize>() == before {
            unknown.push(word.as_str());
        }
    }
    if session.ui.json {
        let rows = found.iter().map(|(place, matched)| {
            let mut value = shown::json(&sack, *place);
            let matched =
                matched.iter().map(|(kind, what)| serde_json::json!({ "kind": kind.to_lowercase(), "match": what }));
            value["matched"] = matched.collect::<Vec<_>>().into();
            value
        });
        session.ui.json(&rows.collect::<Vec<_>>());
    } else {
        for (place, matched) in &found {
            let package = sack.package(*place);
            let mut text = format!(
                "{} : {}\nRepo         : {}\nMatched From : ",
                package.nevra,
                package.summary,
                sack.repository_id(*place)
            );
            for (kind, what) in matched {
                text.push_str(&format!("\n{kind:<12} : {what}"));
            }
            session.ui.data(&format!("{text}\n "));
        }
    }
    if unknown.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::work(
        unknown.iter().map(|word| format!("no matches found for `{word}`")).collect::<Vec<_>>().join("\n"),
    )
    .hint("paths are searched by their whole name or a pattern, as in `*/bash`"))
}
