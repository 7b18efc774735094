//! Packages as tables and as JSON, the same in all commands.

use std::collections::BTreeSet;

use update::query::matching::List;
use update::{Origin, Place, Sack};

/// Bytes for people: `1.1 MiB`.
pub(super) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{count}   B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// Bytes in a column: `   0.0   B`, `   1.1 MiB`.
pub(super) fn aligned(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1000.0 {
            return format!("{value:>6.1} {unit:>3}");
        }
        value /= 1024.0;
    }
    format!("{value:>6.1} TiB")
}

/// `name.arch`, version and repository of packages, in columns.
pub(super) fn columns(sack: &Sack, places: &BTreeSet<Place>) -> String {
    let rows: Vec<[String; 3]> = sorted(sack, places)
        .into_iter()
        .map(|place| {
            let nevra = &sack.package(place).nevra;
            [format!("{}.{}", nevra.name, nevra.arch), nevra.evr.to_string(), repository(sack, place)]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let lines = rows
        .iter()
        .map(|[name, evr, repository]| format!("{name:first$} {evr:second$} {repository}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// A table with a head, as wide as what is in it; columns are flush left, or right where the head says so.
pub(super) fn table(head: &[(&str, bool)], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).zip(head).map(|((cell, width), (_, is_right))| match is_right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
    std::iter::once(line(&titles)).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
}

/// Facts, a line each: how far it is indented, its name, its value. Further lines of a value stand below the first.
pub(super) fn facts(rows: &[(usize, &str, String)]) -> String {
    let width = rows.iter().map(|(indent, name, _)| 2 * indent + name.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (indent, name, value) in rows {
        let name = format!("{}{name}", "  ".repeat(*indent));
        let mut parts = value.split('\n');
        lines.push(format!("{name:width$} : {}", parts.next().unwrap_or_default()));
        lines.extend(parts.map(|part| format!("{:width$} : {part}", "")));
    }
    lines.join("\n")
}

/// A package as JSON, as dnf5's lists have it and a little more.
pub(super) fn listed(sack: &Sack, place: Place) -> serde_json::Value {
    let mut value = json(sack, place);
    value["evr"] = sack.package(place).nevra.evr.to_string().into();
    value["repository"] = repository(sack, place).into();
    value
}

/// By name, architecture, then the newest last, as dnf5's tables are.
pub(super) fn sorted(sack: &Sack, places: &BTreeSet<Place>) -> Vec<Place> {
    let mut places: Vec<Place> = places.iter().copied().collect();
    places.sort_by(|left, right| {
        let (one, other) = (&sack.package(*left).nevra, &sack.package(*right).nevra);
        (&one.name, &one.arch, &one.evr, left).cmp(&(&other.name, &other.arch, &other.evr, right))
    });
    places
}

/// The repository that a package is in, or that it came from.
pub(super) fn repository(sack: &Sack, place: Place) -> String {
    match &sack.get(place).origin {
        Origin::Installed { from, .. } if !from.is_empty() => from.clone(),
        _ => sack.repository_id(place).to_owned(),
    }
}

/// A package as JSON: short.
pub(super) fn json(sack: &Sack, place: Place) -> serde_json::Value {
    let package = sack.package(place);
    let nevra = &package.nevra;
    let mut value = serde_json::json!({
        "nevra": nevra.to_string(), "name": nevra.name, "epoch": nevra.evr.epoch, "version": nevra.evr.version,
        "release": nevra.evr.release, "arch": nevra.arch, "repository": sack.repository_id(place),
        "is_installed": sack.is_installed(place),
    });
    if let Origin::Installed { time, reason, from, .. } = &sack.get(place).origin {
        value["install_time"] = (*time).into();
        value["reason"] = reason.as_str().into();
        value["from_repository"] = from.as_str().into();
    }
    value
}

/// A package as JSON: all that is known but its files and changelog.
pub(super) fn json_all(sack: &Sack, place: Place) -> serde_json::Value {
    let package = sack.package(place);
    let mut value = json(sack, place);
    for (key, text) in [
        ("summary", &package.summary),
        ("description", &package.description),
        ("url", &package.url),
        ("license", &package.license),
        ("vendor", &package.vendor),
        ("packager", &package.packager),
        ("group", &package.group),
        ("source", &package.source_rpm),
        ("location", &package.location),
    ] {
        value[key] = text.as_str().into();
    }
    value["download_size"] = package.sizes.package.into();
    value["install_size"] = package.sizes.installed.into();
    value["build_time"] = package.build_time.into();
    for (key, list) in [
        ("provides", List::Provides),
        ("requires", List::Requires),
        ("conflicts", List::Conflicts),
        ("obsoletes", List::Obsoletes),
        ("recommends", List::Recommends),
        ("suggests", List::Suggests),
        ("supplements", List::Supplements),
        ("enhances", List::Enhances),
    ] {
        let relations: Vec<String> = list.of(package).into_iter().map(ToString::to_string).collect();
        value[key] = relations.into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{bytes, facts, table};

    #[test]
    fn tables_and_facts_are_as_wide_as_what_is_in_them() {
        let rows = [vec!["SK-1".to_owned(), "app-2-1.noarch".to_owned()], vec!["SK-22".to_owned(), "b".to_owned()]];
        assert_eq!(
            table(&[("Name", false), ("Package", true)], &rows),
            "Name         Package\nSK-1  app-2-1.noarch\nSK-22              b"
        );
        let rows = [(0, "Name", "a".to_owned()), (0, "Description", "b\nc".to_owned()), (1, "Id", String::new())];
        assert_eq!(facts(&rows), "Name        : a\nDescription : b\n            : c\n  Id        : ");
    }

    #[test]
    fn sizes_for_people() {
        for (count, text) in
            [(0, "0   B"), (999, "999   B"), (1024, "1.0 KiB"), (62_792, "61.3 KiB"), (6 << 30, "6.0 GiB")]
        {
            assert_eq!(bytes(count), text);
        }
    }
}
