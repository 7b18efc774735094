use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use update::history::date;
use update::query::advisories::{self, Advisory, Fix, Reference};
use update::query::glob::Glob;
use update::query::{filter, updates};
use update::{Place, Sack};

use super::advisory_choice::{self, Advisories};
use super::session::Session;
use super::shown;
use crate::explain::Failure;

/// Show advisories: which packages fix what
#[derive(Subcommand)]
pub(super) enum Command {
    /// List advisories and the packages that they name
    #[command(after_help = "Example: slipway dnf advisory list --security")]
    List(Arguments),
    /// Show all that advisories say
    #[command(after_help = "Example: slipway dnf advisory info SKSA-2026-0001")]
    Info(Arguments),
    /// Count advisories by kind and severity
    #[command(after_help = "Example: slipway dnf advisory summary --all")]
    Summary(Arguments),
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct Arguments {
    /// Names of advisories.
    names: Vec<String>,
    /// Those with any version of an installed package.
    #[arg(long, group = "which")]
    all: bool,
    /// Those with newer versions of installed packages; the default.
    #[arg(long, group = "which")]
    available: bool,
    /// Those with the installed versions, and older ones.
    #[arg(long, group = "which")]
    installed: bool,
    /// Those with newer versions of packages for which a repository has a newer version.
    #[arg(long, group = "which")]
    updates: bool,
    /// Only those that name packages like these.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    contains_pkgs: Vec<String>,
    /// Only those that refer to bugs.
    #[arg(long)]
    with_bz: bool,
    /// Only those that refer to CVEs.
    #[arg(long)]
    with_cve: bool,
    #[command(flatten)]
    choice: Advisories,
}

impl Arguments {
    /// The installed packages that versions are compared with, and how.
    fn compared(&self, sack: &Sack) -> (BTreeSet<Place>, fn(Ordering) -> bool) {
        let installed: BTreeSet<Place> = sack.installed().collect();
        let (mut places, wanted): (_, fn(Ordering) -> bool) = match (self.all, self.installed, self.updates) {
            (true, ..) => (installed, |_| true),
            (_, true, _) => (installed, Ordering::is_le),
            (_, _, true) => {
                let newer = updates::upgrades(sack);
                let is_old = |place: &Place| newer.iter().any(|new| updates::replaced(sack, *new) == Some(*place));
                (installed.into_iter().filter(is_old).collect(), Ordering::is_gt)
            }
            _ => {
                let mut newest = filter::latest(sack, &installed, 1);
                newest.extend(of_running_kernel(sack));
                (newest, Ordering::is_gt)
            }
        };
        if !self.contains_pkgs.is_empty() {
            let globs: Vec<Glob> = self.contains_pkgs.iter().map(|name| Glob::new(name).ignoring_case()).collect();
            places.retain(|place| globs.iter().any(|glob| glob.matches(&sack.package(*place).nevra.name)));
        }
        (places, wanted)
    }

    fn mode(&self) -> &'static str {
        match (self.all, self.installed, self.updates) {
            (true, ..) => "All",
            (_, true, _) => "Installed",
            (_, _, true) => "Updates",
            _ => "Available",
        }
    }

    /// The kind of reference that is listed in place of advisories.
    fn references(&self) -> Option<(&'static str, &'static str)> {
        match (self.with_bz, self.with_cve) {
            (true, _) => Some(("bugzilla", "Bugzilla")),
            (_, true) => Some(("cve", "CVE")),
            _ => None,
        }
    }
}

/// The packages of the kernel that runs: its advisories count, whatever newer one waits for the next boot.
fn of_running_kernel(sack: &Sack) -> Vec<Place> {
    let Ok(release) = fs_err::read_to_string("/proc/sys/kernel/osrelease") else { return Vec::new() };
    let is_it = |place: &Place| {
        let nevra = &sack.package(*place).nevra;
        let full = format!("{}-{}.{}", nevra.evr.version, nevra.evr.release, nevra.arch);
        nevra.name.starts_with("kernel") && full == release.trim()
    };
    let sources: BTreeSet<&str> =
        sack.installed().filter(is_it).map(|place| sack.package(place).source_rpm.as_str()).collect();
    sack.installed().filter(|place| sources.contains(sack.package(*place).source_rpm.as_str())).collect()
}

pub(super) fn run(command: &Command, session: &Session) -> Result<ExitCode, Failure> {
    let (Command::List(arguments) | Command::Info(arguments) | Command::Summary(arguments)) = command;
    let sack = session.sack(&["updateinfo"], true)?;
    let all = advisory_choice::all(&sack, session)?;
    let mut choice = arguments.choice.choice();
    choice.names.extend(arguments.names.iter().cloned());
    let mut chosen = advisory_choice::chosen(&choice, &all, session);
    if let Some((kind, _)) = arguments.references() {
        chosen.retain(|advisory| advisory.references.iter().any(|reference| reference.kind == kind));
    }
    let (places, wanted) = arguments.compared(&sack);
    let fixes = advisories::compared(&chosen, &sack, &places, wanted);
    let is_named = |advisory: &&Advisory| fixes.iter().any(|fix| fix.advisory.id == advisory.id);
    match command {
        Command::List(_) => list(&fixes, arguments, session),
        Command::Info(_) => info(&chosen.into_iter().filter(is_named).collect::<Vec<_>>(), session),
        Command::Summary(_) => {
            let named: Vec<&Advisory> = chosen.into_iter().filter(is_named).collect();
            summary(&named, arguments.mode(), session);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(fixes: &[Fix<'_>], arguments: &Arguments, session: &Session) {
    let references = |advisory: &Advisory, kind: &str| -> Vec<String> {
        let of_kind = advisory.references.iter().filter(|reference| reference.kind == kind);
        of_kind.map(|reference| reference.id.clone()).collect()
    };
    if session.ui.json {
        let row = |fix: &Fix<'_>| {
            let Fix { advisory, package } = fix;
            let (nevra, issued) = (package.nevra.to_string(), advisories::issued(advisory));
            match arguments.references() {
                None => json!({
                    "name": advisory.id, "type": advisory.kind, "severity": advisory.severity, "nevra": nevra,
                    "buildtime": issued,
                }),
                Some((kind, _)) => {
                    let ids = references(advisory, kind).into_iter();
                    let ids = ids.map(|id| json!({ "reference_id": id, "reference_type": kind }));
                    json!({
                        "advisory_name": advisory.id, "advisory_type": advisory.kind,
                        "advisory_severity": advisory.severity, "advisory_buildtime": issued, "nevra": nevra,
                        "references": ids.collect::<Vec<_>>(),
                    })
                }
            }
        };
        session.ui.json(&fixes.iter().map(row).collect::<Vec<_>>());
        return;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for Fix { advisory, package } in fixes {
        let names = match arguments.references() {
            None => vec![advisory.id.clone()],
            Some((kind, _)) => references(advisory, kind),
        };
        for name in names {
            let (nevra, issued) = (package.nevra.to_string(), date(advisories::issued(advisory)));
            rows.push(vec![name, advisory.kind.clone(), advisory.severity.clone(), nevra, issued]);
        }
    }
    if rows.is_empty() {
        return;
    }
    rows.sort();
    let first = arguments.references().map_or("Name", |(_, title)| title);
    let head = [(first, false), ("Type", false), ("Severity", false), ("Package", true), ("Issued", true)];
    session.ui.data(&shown::table(&head, &rows));
}

fn info(advisories: &[&Advisory], session: &Session) {
    if session.ui.json {
        session.ui.json(&advisories.iter().map(|advisory| json_of(advisory)).collect::<Vec<_>>());
        return;
    }
    for advisory in advisories {
        let mut rows = vec![
            (0, "Name", advisory.id.clone()),
            (0, "Title", advisory.title.clone()),
            (0, "Severity", advisory.severity.clone()),
            (0, "Type", advisory.kind.clone()),
            (0, "Status", advisory.status.clone()),
            (0, "Vendor", advisory.from.clone()),
            (0, "Issued", date(advisories::issued(advisory))),
            (0, "Description", advisory.description.clone()),
            (0, "Message", String::new()),
            (0, "Rights", advisory.rights.clone()),
        ];
        for reference in &advisory.references {
            rows.push((0, "Reference", String::new()));
            rows.push((1, "Title", reference.title.clone()));
            rows.push((1, "Id", reference.id.clone()));
            rows.push((1, "Type", reference.kind.clone()));
            rows.push((1, "Url", reference.href.clone()));
        }
        for collection in &advisory.collections {
            rows.push((0, "Collection", String::new()));
            if let Some(module) = &collection.module {
                rows.push((1, "Modules", module.join(":")));
            }
            let packages: Vec<String> = collection.packages.iter().map(|package| package.nevra.to_string()).collect();
            if !packages.is_empty() {
                rows.push((1, "Packages", packages.join("\n")));
            }
        }
        session.ui.data_as_is(&format!("{}\n\n", shown::facts(&rows)));
    }
}

/// With dnf5's keys.
fn json_of(advisory: &Advisory) -> Value {
    let reference = |reference: &Reference| json!({ "Title": reference.title, "Id": reference.id, "Type": reference.kind, "Url": reference.href });
    let packages = advisory.collections.iter().flat_map(|collection| &collection.packages);
    let packages: Vec<String> = packages.map(|package| package.nevra.to_string()).collect();
    let mut collections = json!({});
    let modules: Vec<String> =
        advisory.collections.iter().filter_map(|collection| Some(collection.module.as_ref()?.join(":"))).collect();
    for (key, list) in [("modules", modules), ("packages", packages)] {
        if !list.is_empty() {
            collections[key] = list.into();
        }
    }
    json!({
        "Name": advisory.id, "Title": advisory.title, "Severity": advisory.severity, "Type": advisory.kind,
        "Status": advisory.status, "Vendor": advisory.from, "Issued": advisories::issued(advisory),
        "Description": advisory.description, "Message": "", "Rights": advisory.rights,
        "references": advisory.references.iter().map(reference).collect::<Vec<_>>(), "collections": collections,
    })
}

fn summary(advisories: &[&Advisory], mode: &str, session: &Session) {
    const SEVERITIES: [&str; 4] = ["Critical", "Important", "Moderate", "Low"];
    let of = |kind: &str| advisories.iter().filter(|advisory| advisory.kind == kind).count();
    let severe = |severity: &str| {
        advisories.iter().filter(|advisory| advisory.kind == "security" && advisory.severity == severity).count()
    };
    let (security, bugfix, enhancement) = (of("security"), of("bugfix"), of("enhancement"));
    let known: Vec<(&str, usize)> = SEVERITIES.iter().map(|severity| (*severity, severe(severity))).collect();
    let other = security - known.iter().map(|(_, count)| count).sum::<usize>();
    let rest = advisories.len() - security - bugfix - enhancement;
    if session.ui.json {
        let mut severities: serde_json::Map<String, Value> =
            known.into_iter().map(|(name, count)| (name.to_lowercase(), count.into())).collect();
        severities.insert("other".to_owned(), other.into());
        session.ui.json(&json!({
            "which": mode.to_lowercase(), "security": security, "severities": severities, "bugfix": bugfix,
            "enhancement": enhancement, "other": rest,
        }));
        return;
    }
    let mut rows = vec![(0, "Security", security.to_string())];
    rows.extend(known.into_iter().map(|(name, count)| (1, name, count.to_string())));
    rows.push((1, "Other", other.to_string()));
    rows.push((0, "Bugfix", bugfix.to_string()));
    rows.push((0, "Enhancement", enhancement.to_string()));
    rows.push((0, "Other", rest.to_string()));
    session.ui.data(&format!("{mode} advisory information summary:\n{}", shown::facts(&rows)));
}
