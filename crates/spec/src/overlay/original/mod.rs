//! The kinds of the original: line by line, as azldev does it. Where that is surprising, it is as surprising here.

mod files;
mod insert;
mod patches;
mod search;
mod sections;
mod tags;

pub(super) use files::apply as apply_to_files;
pub(super) use sections::balanced;

use super::view::View;
use super::{Failure, Operation, view};
use crate::syntax::Edits;

/// What an original kind changes in a spec; nothing for those of other files.
pub(super) fn edits(operation: &Operation, text: &str) -> Option<Result<Edits, Failure>> {
    let view = View::new(text);
    let name = |package: &Option<String>| package.clone().unwrap_or_default();
    Some(match operation {
        Operation::AddTag { package, tag, value } => tags::add(&view, &name(package), tag, value),
        Operation::InsertTag { package, tag, value } => tags::insert(&view, &name(package), tag, value),
        Operation::SetTag { package, tag, value } => tags::set(&view, &name(package), tag, value),
        Operation::UpdateTag { package, tag, value } => tags::update(&view, &name(package), tag, value),
        Operation::RemoveTag { package, tag, value } => tags::remove(&view, &name(package), tag, value.as_deref()),
        Operation::PrependLines { scope, lines } => insert::prepend(&view, scope, lines),
        Operation::AppendLines { scope, lines } => insert::append(&view, scope, lines),
        Operation::SearchReplace { scope, search, replacement } => search::replace(&view, scope, search, replacement),
        Operation::RemoveSection { section, package } => sections::remove_section(&view, section, &name(package)),
        Operation::RemoveSubpackage { package } => sections::remove_subpackage(&view, package),
        Operation::AddPatch { package, file_name, .. } => patches::add(&view, &name(package), file_name),
        Operation::RemovePatch { pattern } => patches::remove(&view, pattern),
        _ => return None,
    })
}

/// How messages call a package.
fn package_title(package: &str) -> String {
    if package.is_empty() { "the main package".to_owned() } else { format!("package `{package}`") }
}

/// How messages count lines.
fn number(index: usize) -> u32 {
    u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1))
}
