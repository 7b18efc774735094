use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use distro::overlay::Date;
use distro::{Component, Overlay, OverlayKind, ReleaseCalculation};
use host::{Cmd, Tool};
use spec::overlay::{Folder, holds};

use crate::context::Context;
use crate::explain::Failure;
use crate::rendering::read_folder;
use crate::ui::Table;

/// Say how far the distribution is from its upstreams: which overlays, why, since when, and which have expired
#[derive(Args)]
#[command(after_help = "Example: slipway divergence --verify")]
pub(crate) struct Arguments {
    /// Only these components.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Look for the effect of each overlay in the rendered folders, and fail where one is not there.
    #[arg(long)]
    verify: bool,
    /// The day on which overlays count as expired; that of the definition's last commit if not said.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Ignored)?;
    let components = super::component_render::choose(&distro, &arguments.names)?;
    let mut ages = Ages { context, files: BTreeMap::new() };
    let today = match &arguments.on {
        Some(text) => {
            Some(Date::parse(text).ok_or_else(|| Failure::usage(format!("`{text}` is no day such as 2027-03-31")))?)
        }
        None => ages.last_commit(&distro.file).and_then(|day| Date::parse(&day)),
    };
    let mut table = Table::new(&["component", "kind", "since", "category", "why", "defined"]);
    let (mut rows, mut unseen, mut expired) = (Vec::new(), Vec::new(), Vec::new());
    let (mut count, mut changed, mut seen) = (0, 0, 0);
    let (mut kinds, mut categories) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    for component in components {
        if component.overlays.is_empty() {
            continue;
        }
        changed += 1;
        let folder = if arguments.verify { rendered(component)? } else { None };
        for (index, overlay) in component.overlays.iter().enumerate() {
            count += 1;
            let kind = overlay.kind.as_str();
            let category = overlay.metadata.category.unwrap_or("none");
            *kinds.entry(kind).or_default() += 1;
            *categories.entry(category).or_default() += 1;
            let since = ages.of(overlay).unwrap_or_default();
            let is_expired = overlay.expires.is_some_and(|day| today.is_some_and(|today| day < today));
            if is_expired {
                expired.push(format!("{} ({kind} of {})", overlay.at, component.name));
            }
            let effect = arguments.verify.then(|| effect(component, index, folder.as_ref()));
            match &effect {
                Some(Ok(())) => seen += 1,
                Some(Err(reason)) => unseen.push(format!("{} ({kind} of {}): {reason}", overlay.at, component.name)),
                None => {}
            }
            let why = overlay.description.clone().unwrap_or_default();
            rows.push(serde_json::json!({
                "component": component.name, "kind": kind, "since": since, "category": overlay.metadata.category,
                "description": overlay.description, "expires": overlay.expires, "expired": is_expired,
                "defined": overlay.at.to_string(),
                "effect": effect.map(|effect| effect.err().unwrap_or_else(|| "seen".to_owned())),
            }));
            let at = format!("{}:{}", overlay.at.file.display(), overlay.at.line);
            table.row([component.name.clone(), kind.to_owned(), since, category.to_owned(), short(&why), at]);
        }
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else if arguments.verify {
        context.ui.data(&format!("{seen} of {count} overlays are seen in what is rendered"));
        for line in &unseen {
            context.ui.data(&format!("  {line}"));
        }
    } else {
        context.ui.data(&table.text());
        let list = |counts: &BTreeMap<&str, usize>| {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by_key(|(name, count)| (usize::MAX - **count, **name));
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        context.ui.note(&format!("{count} overlays change {changed} of {} components", distro.components.len()));
        context.ui.note(&format!("  kinds       {}", list(&kinds)));
        context.ui.note(&format!("  categories  {}", list(&categories)));
        for line in &expired {
            context.ui.note(&format!("  expired     {line}"));
        }
    }
    if arguments.verify && !unseen.is_empty() {
        return Err(Failure::work(format!("{} of {count} overlays cannot be seen in what is rendered", unseen.len()))
            .hint("`slipway component render --all` renders again"));
    }
    Ok(())
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 60 {
        line.to_owned()
    } else {
        format!("{}..", line.chars().take(58).collect::<String>())
    }
}

/// Whether an overlay's effect is seen, also where the release was counted up since, or where a later overlay brings back a file.
fn effect(component: &Component, index: usize, folder: Option<&Folder>) -> Result<(), String> {
    let folder = folder.ok_or_else(|| "there is no rendered spec".to_owned())?;
    let overlay = &component.overlays[index];
    if let Some(archive) = overlay.archive() {
        return archive_effect(component, archive, folder);
    }
    let operation = overlay.operation().map_err(|error| error.to_string())?;
    let Err(reason) = holds(&operation.operation, folder) else { return Ok(()) };
    let is_explained = match &overlay.kind {
        OverlayKind::UpdateTag { tag, value, .. } | OverlayKind::SetTag { tag, value, .. } => {
            tag.eq_ignore_ascii_case("release")
                && component.release != ReleaseCalculation::Manual
                && release_of(folder).is_some_and(|stands| is_counted_up(value, &stands))
        }
        OverlayKind::RemoveFile { file, .. } | OverlayKind::RemovePatch { file } => {
            component.overlays[index + 1..].iter().any(|later| later.source_name() == Some(file))
        }
        _ => false,
    };
    if is_explained { Ok(()) } else { Err(reason) }
}

/// What is in an archive is not looked at: that the rendered `sources` name the changed archive is what can be seen.
fn archive_effect(component: &Component, archive: &str, folder: &Folder) -> Result<(), String> {
    let changed = component
        .source_files
        .iter()
        .find(|file| file.file_name == archive && file.origin == distro::FileOrigin::Overlay)
        .and_then(|file| file.hash.as_ref());
    let Some(hash) = changed else { return Err(format!("nothing says which digest `{archive}` is to have")) };
    let sources = folder.files.get("sources").map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    match sources.lines().any(|line| line.contains(&format!("({archive})")) && line.contains(hash.hex())) {
        true => Ok(()),
        false => Err(format!("`sources` does not name the changed `{archive}`")),
    }
}

fn release_of(folder: &Folder) -> Option<String> {
    let document = spec::syntax::Document::parse(folder.spec.clone());
    document.tags("release").last().map(|tag| folder.spec[tag.value.clone()].to_owned())
}

/// Whether two releases differ by a number that grew.
fn is_counted_up(before: &str, now: &str) -> bool {
    let split = |text: &str| -> Option<(u64, String)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        Some((text[..digits].parse().ok()?, text[digits..].to_owned()))
    };
    matches!((split(before), split(now)), (Some(before), Some(now)) if before.1 == now.1 && before.0 < now.0)
}

/// A component's rendered folder, if it has one; of a spec of the definition's own what is built.
fn rendered(component: &distro::Component) -> Result<Option<Folder>, Failure> {
    if component.rendered.is_none() && component.spec.kind() == "local" {
        return crate::rendering::overlaid(component).map(Some);
    }
    let Some(path) = component.rendered.as_ref().filter(|path| path.is_dir()) else { return Ok(None) };
    let spec_name = format!("{}.spec", component.name);
    let mut files = read_folder(path)?;
    let Some(spec) = files.remove(&spec_name) else { return Ok(None) };
    let spec = String::from_utf8_lossy(&spec).into_owned();
    Ok(Some(Folder { spec_name, spec, files }))
}

/// Since when lines stand in files, as git knows it.
struct Ages<'c> {
    context: &'c Context,
    files: BTreeMap<PathBuf, Vec<String>>,
}

impl Ages<'_> {
    fn git(&self, file: &Path) -> Option<Cmd> {
        let file = std::path::absolute(file).ok()?;
        Some(Cmd::new(Tool::Git).args(["-c", "safe.directory=*", "-C"]).arg(file.parent()?))
    }

    /// The day of the commit that wrote an overlay; nothing where git does not know the file.
    fn of(&mut self, overlay: &Overlay) -> Option<String> {
        let file = overlay.at.file.clone();
        if !self.files.contains_key(&file) {
            let days = self.blame(&file).unwrap_or_default();
            self.files.insert(file.clone(), days);
        }
        self.files.get(&file)?.get(overlay.at.line.checked_sub(1)?).cloned()
    }

    fn blame(&self, file: &Path) -> Option<Vec<String>> {
        let cmd = self.git(file)?.args(["blame", "--line-porcelain", "--"]).arg(file.file_name()?);
        let output = self.context.host.run(&cmd).ok().filter(|output| output.status.success())?;
        let text = output.text();
        let times = text.lines().filter_map(|line| line.strip_prefix("committer-time "));
        Some(times.map(day).collect())
    }

    fn last_commit(&self, file: &Path) -> Option<String> {
        let cmd = self.git(file)?.args(["log", "-1", "--format=%ct"]);
        let output = self.context.host.run(&cmd).ok().filter(|output| output.status.success())?;
        Some(day(output.text().trim()))
    }
}

/// The day of a number of seconds since 1970.
fn day(seconds: &str) -> String {
    let days = seconds.parse::<i64>().unwrap_or_default().div_euclid(86_400);
    // Years begin in March, so that the leap day is the last.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + carry)
}
