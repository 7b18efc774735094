use std::path::PathBuf;

use spec::overlay::{Operation, Scope as SpecScope, Search};

use super::{Overlay, OverlayKind, Scope};
use crate::pattern::Pattern;

/// An overlay that cannot be made into a change of files.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The file that it brings along cannot be read.
    #[error("{0}")]
    Source(#[from] std::io::Error),
    /// The file that it brings along has no name.
    #[error("`{}` is not a file that could be brought along", .0.display())]
    Name(PathBuf),
}

impl Overlay {
    /// What it changes, with the file that it brings along read. Where there is an [`Overlay::archive`], the files that it changes
    /// are those in the archive.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn operation(&self) -> Result<spec::overlay::Overlay, OperationError> {
        let operation = match self.kind.clone() {
            OverlayKind::AddTag { package, tag, value } => Operation::AddTag { package, tag, value },
            OverlayKind::InsertTag { package, tag, value } => Operation::InsertTag { package, tag, value },
            OverlayKind::SetTag { package, tag, value } => Operation::SetTag { package, tag, value },
            OverlayKind::UpdateTag { package, tag, value } => Operation::UpdateTag { package, tag, value },
            OverlayKind::RemoveTag { package, tag, value } => Operation::RemoveTag { package, tag, value },
            OverlayKind::PrependLines { scope, lines } => Operation::PrependLines { scope: scope.into(), lines },
            OverlayKind::AppendLines { scope, lines } => Operation::AppendLines { scope: scope.into(), lines },
            OverlayKind::SearchReplace { scope, regex, replacement } => {
                Operation::SearchReplace { scope: scope.into(), search: regex.into(), replacement }
            }
            OverlayKind::RemoveSection { section, package } => Operation::RemoveSection { section, package },
            OverlayKind::RemoveSubpackage { package } => Operation::RemoveSubpackage { package },
            OverlayKind::AddPatch { source, fixes, .. } => {
                let file_name = self.name_of(&source)?;
                let content = fs_err::read(&source)?;
                // A patch that says what it repairs is one of ours: it is also applied where `%prep` names patches.
                if fixes.is_empty() {
                    Operation::AddPatch { package: None, file_name, content }
                } else {
                    Operation::ApplyPatch { file_name, content, fixes }
                }
            }
            OverlayKind::RemovePatch { file } => Operation::RemovePatch { pattern: file },
            OverlayKind::PrependFileLines { file, lines } => Operation::PrependFileLines { pattern: file, lines },
            OverlayKind::SearchReplaceInFile { file, regex, replacement, .. } => {
                Operation::SearchReplaceInFile { pattern: file, search: regex.into(), replacement }
            }
            OverlayKind::AddFile { file, source } => {
                Operation::AddFile { file_name: file, content: fs_err::read(source)? }
            }
            OverlayKind::RemoveFile { file, .. } => Operation::RemoveFile { pattern: file },
            OverlayKind::RenameFile { file, replacement } => {
                Operation::RenameFile { pattern: file, new_name: replacement }
            }
            OverlayKind::SetMacro { name, value } => Operation::SetMacro { name, value },
            OverlayKind::DeleteMacro { name } => Operation::DeleteMacro { name },
            OverlayKind::SetBcond { name, enabled } => Operation::SetBcond { name, enabled },
            OverlayKind::AddDependency { package, tag, value } => Operation::AddDependency { package, tag, value },
            OverlayKind::RemoveDependency { package, tag, name } => Operation::RemoveDependency { package, tag, name },
            OverlayKind::ReboundDependency { package, tag, name, bound } => {
                Operation::ReboundDependency { package, tag, name, bound }
            }
            OverlayKind::AddConfigureArgument { command, value } => Operation::AddConfigureArgument { command, value },
            OverlayKind::RemoveConfigureArgument { command, value } => {
                Operation::RemoveConfigureArgument { command, value }
            }
            OverlayKind::DropSubpackage { package } => Operation::DropSubpackage { package },
            OverlayKind::SkipCheck { name } => Operation::SkipCheck { name },
        };
        Ok(spec::overlay::Overlay { operation, is_optional: self.optional })
    }

    fn name_of(&self, source: &std::path::Path) -> Result<String, OperationError> {
        self.source_name().map(str::to_owned).ok_or_else(|| OperationError::Name(source.to_owned()))
    }
}

impl From<Scope> for SpecScope {
    fn from(scope: Scope) -> SpecScope {
        SpecScope { section: scope.section, package: scope.package }
    }
}

impl From<Pattern> for Search {
    fn from(pattern: Pattern) -> Search {
        Search { text: pattern.as_str().to_owned(), regex: pattern.regex().clone() }
    }
}
