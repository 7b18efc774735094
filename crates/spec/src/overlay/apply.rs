use std::collections::BTreeMap;

use super::provenance::{Change, Provenance, Span};
use super::{Failure, Folder, Operation, Overlay, OverlayError, Seen, original, typed};
use crate::syntax::Edits;

/// A folder with its overlays, and what each did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The folder behind all of them.
    pub folder: Folder,
    /// One for each overlay, in their order.
    pub steps: Vec<Step>,
    /// Where the spec's bytes come from.
    pub provenance: Provenance,
}

/// What an overlay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The files that it changed; none if it only repeats what is there.
    pub changes: Vec<Change>,
    /// Why it was left out, where it may be.
    pub skipped: Option<Failure>,
}

impl Step {
    /// Whether anything is other than before.
    pub fn changes_anything(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Bytes of a file that were written.
    pub fn changed_bytes(&self, file: &str) -> usize {
        self.changes
            .iter()
            .map(|change| match change {
                Change::Edited { file: changed, spans } if changed == file => {
                    spans.iter().map(|span| span.after.len()).sum()
                }
                _ => 0,
            })
            .sum()
    }
}

/// Changes an upstream folder by all overlays, in their order.
///
/// # Errors
/// The first overlay that does not fit. Nothing is changed then: the folder that was given is still as it was.
pub fn apply(upstream: &Folder, overlays: &[Overlay]) -> Result<Applied, OverlayError> {
    let mut folder = upstream.clone();
    let mut provenance = Provenance::upstream(upstream.spec.len());
    let mut steps = Vec::with_capacity(overlays.len());
    for (index, overlay) in overlays.iter().enumerate() {
        match apply_one(&folder, &overlay.operation) {
            Ok((next, step)) => {
                for change in &step.changes {
                    if let Change::Edited { file, spans } = change
                        && *file == folder.spec_name
                    {
                        provenance.edit(index, spans);
                    }
                }
                folder = next;
                steps.push(step);
            }
            Err(failure) if overlay.is_optional && failure.problem.is_absence() => {
                steps.push(Step { changes: Vec::new(), skipped: Some(failure) });
            }
            Err(mut failure) => {
                // Somebody who reads the message has upstream's spec before their eyes, not one that is half done.
                for seen in [&mut failure.nearest, &mut failure.already].into_iter().flatten() {
                    to_upstream(seen, &folder.spec, &upstream.spec, &provenance);
                }
                return Err(OverlayError { overlay: index, kind: overlay.operation.as_str(), failure });
            }
        }
    }
    Ok(Applied { folder, steps, provenance })
}

/// The parts of an overlay, spec first: both fit, or none is made.
fn apply_one(folder: &Folder, operation: &Operation) -> Result<(Folder, Step), Failure> {
    let edits = match original::edits(operation, &folder.spec) {
        Some(edits) => edits?,
        None => typed::edits(operation, &folder.spec)?,
    };
    let mut next = folder.clone();
    let mut changes = Vec::new();
    if !edits.is_empty() {
        let (text, spans) = write(&edits, &folder.spec)?;
        if text != folder.spec {
            changes.push(Change::Edited { file: folder.spec_name.clone(), spans });
            next.spec = text;
        }
    }
    changes.extend(original::apply_to_files(operation, &mut next)?);
    Ok((next, Step { changes, skipped: None }))
}

/// The line in upstream's spec, where upstream has it.
fn to_upstream(seen: &mut Seen, spec: &str, upstream: &str, provenance: &Provenance) {
    if !seen.file.is_empty() || seen.line == 0 {
        return;
    }
    let before: usize = spec.split_inclusive('\n').take(seen.line as usize - 1).map(str::len).sum();
    if let Some(at) = provenance.upstream_of(before) {
        let lines = upstream[..at].bytes().filter(|byte| *byte == b'\n').count();
        seen.line = u32::try_from(lines + 1).unwrap_or(seen.line);
    }
}

fn write(edits: &Edits, text: &str) -> Result<(String, Vec<Span>), Failure> {
    let written = edits.apply(text).map_err(|error| super::Problem::Shape(error.to_string()))?;
    let mut spans = Vec::new();
    let (mut at, mut removed) = (0_usize, 0_usize);
    for (before, with) in edits.changes() {
        // Kept bytes between the changes move both places on.
        let start = before.start + at - removed;
        spans.push(Span { before: before.clone(), after: start..start + with.len() });
        at += with.len();
        removed += before.len();
    }
    Ok((written, spans))
}

impl Applied {
    /// The files that overlays changed, with the overlays that changed them.
    pub fn files(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut files: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, step) in self.steps.iter().enumerate() {
            for change in &step.changes {
                let overlays = files.entry(change.file()).or_default();
                if overlays.last() != Some(&index) {
                    overlays.push(index);
                }
                if let Change::Renamed { to, .. } = change {
                    files.entry(to).or_default().push(index);
                }
            }
        }
        files
    }
}
