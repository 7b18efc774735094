use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use update::Place;
use update::query::filter;
use update::query::glob::{Glob, is_pattern};

use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Search packages by words in their name and summary
#[derive(Args)]
#[command(after_help = "Example: slipway dnf search --all compression")]
pub(super) struct Arguments {
    /// Words, each of which must be there, in any case.
    #[arg(required = true)]
    words: Vec<String>,
    /// Search description and URL, too; one of the words is then enough.
    #[arg(long)]
    all: bool,
    /// All versions, not only the newest.
    #[arg(long, visible_alias = "show-duplicates")]
    showduplicates: bool,
}

const FIELDS: [&str; 4] = ["name", "summary", "description", "url"];

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let sack = session.sack(&[], true)?;
    let all = sack.all().collect();
    let places = if arguments.showduplicates { all } else { filter::latest(&sack, &all, 1) };
    let words: Vec<(String, Option<Glob>)> = arguments
        .words
        .iter()
        .map(|word| {
            let lower = word.to_lowercase();
            let glob = is_pattern(word).then(|| Glob::new(&format!("*{lower}*")));
            (lower, glob)
        })
        .collect();
    // Groups by the fields in which something was found, the best first.
    let mut groups: BTreeMap<(usize, String), Vec<Place>> = BTreeMap::new();
    for place in places {
        let package = sack.package(place);
        let texts =
            [&package.nevra.name, &package.summary, &package.description, &package.url].map(|text| text.to_lowercase());
        let count = if arguments.all { 4 } else { 2 };
        let has = |text: &str, (word, glob): &(String, Option<Glob>)| match glob {
            Some(glob) => glob.matches(text),
            None => text.contains(word.as_str()),
        };
        let found = |word| texts[..count].iter().any(|text| has(text, word));
        let matches = if arguments.all { words.iter().any(found) } else { words.iter().all(found) };
        if !matches {
            continue;
        }
        if words.iter().any(|(word, _)| texts[0] == *word) {
            groups.entry((0, "name (exact)".to_owned())).or_default().push(place);
            continue;
        }
        let fields: Vec<usize> =
            (0..count).filter(|field| words.iter().any(|word| has(&texts[*field], word))).collect();
        let rank = 1 + fields.iter().fold(0, |rank, field| rank + (1 << field));
        // Both in name and summary is better than in the name alone, and that better than in the summary alone.
        let order = match rank - 1 {
            3 => 1,
            1 => 2,
            2 => 3,
            other => 3 + other,
        };
        let named: Vec<&str> = fields.iter().map(|field| FIELDS[*field]).collect();
        groups.entry((order, named.join(", "))).or_default().push(place);
    }
    if session.ui.json {
        let rows = groups.iter().flat_map(|((_, fields), places)| places.iter().map(move |place| (fields, *place)));
        let rows = rows.map(|(fields, place)| {
            let mut value = shown::json(&sack, place);
            value["summary"] = sack.package(place).summary.as_str().into();
            value["matched"] = fields.as_str().into();
            value
        });
        session.ui.json(&rows.collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    if groups.is_empty() {
        session.ui.data("No matches found.");
        return Ok(ExitCode::SUCCESS);
    }
    for ((_, fields), places) in &groups {
        session.ui.data(&format!("Matched fields: {fields}"));
        let mut seen = std::collections::BTreeSet::new();
        for place in shown::sorted(&sack, &places.iter().copied().collect()) {
            let package = sack.package(place);
            let name = format!("{}.{}", package.nevra.name, package.nevra.arch);
            if arguments.showduplicates || seen.insert(name.clone()) {
                session.ui.data(&format!(" {name}\t{}", package.summary));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
