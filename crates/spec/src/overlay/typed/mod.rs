//! The typed kinds: they know macros, packages and conditionals.

mod bcond;
mod checks;
mod configure;
mod definition;
mod dependency;
mod patch;
mod shape;
mod subpackage;

pub use dependency::DEPENDENCY_TAGS;

use super::{Failure, Operation};
use crate::syntax::Edits;
use shape::Shape;

/// What a typed kind changes in a spec; nothing for kinds that only touch other files.
pub(super) fn edits(operation: &Operation, text: &str) -> Result<Edits, Failure> {
    let shape = Shape::new(text);
    match operation {
        Operation::SetMacro { name, value } => definition::set(&shape, name, value),
        Operation::DeleteMacro { name } => definition::delete(&shape, name),
        Operation::SetBcond { name, enabled } => bcond::set(&shape, name, *enabled),
        Operation::AddDependency { package, tag, value } => dependency::add(&shape, package.as_deref(), tag, value),
        Operation::RemoveDependency { package, tag, name } => dependency::remove(&shape, package.as_deref(), tag, name),
        Operation::ReboundDependency { package, tag, name, bound } => {
            dependency::rebound(&shape, package.as_deref(), tag, name, bound.as_deref())
        }
        Operation::AddConfigureArgument { command, value } => configure::add(&shape, command.as_deref(), value),
        Operation::RemoveConfigureArgument { command, value } => configure::remove(&shape, command.as_deref(), value),
        Operation::DropSubpackage { package } => subpackage::drop(&shape, package),
        Operation::ApplyPatch { file_name, fixes, .. } => patch::apply(&shape, file_name, fixes),
        Operation::SkipCheck { name } => checks::skip(&shape, name),
        _ => Ok(Edits::default()),
    }
}
