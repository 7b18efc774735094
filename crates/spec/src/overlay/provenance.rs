use std::collections::BTreeSet;
use std::ops::Range;

/// What one overlay changed in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Bytes of a file; all others are as they were.
    Edited {
        /// The file.
        file: String,
        /// Which bytes, in order.
        spans: Vec<Span>,
    },
    /// A file that was not there.
    Added {
        /// The file.
        file: String,
    },
    /// A file that is gone.
    Removed {
        /// The file.
        file: String,
    },
    /// A file that is called otherwise.
    Renamed {
        /// Its name before.
        file: String,
        /// Its name now.
        to: String,
    },
}

impl Change {
    /// The file, by the name that it had before.
    pub fn file(&self) -> &str {
        match self {
            Change::Edited { file, .. }
            | Change::Added { file }
            | Change::Removed { file }
            | Change::Renamed { file, .. } => file,
        }
    }
}

/// Bytes that were replaced: where they stood before this overlay, and where their replacement stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// In the text before.
    pub before: Range<usize>,
    /// In the text behind.
    pub after: Range<usize>,
}

/// Where each byte of a changed text comes from: upstream, or an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pieces: Vec<Piece>,
    removed: Vec<(Range<usize>, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// These bytes of upstream's text.
    Upstream(Range<usize>),
    /// So many bytes of an overlay.
    Overlay(usize, usize),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Piece::Upstream(range) => range.len(),
            Piece::Overlay(_, length) => *length,
        }
    }

    fn part(&self, range: Range<usize>) -> Piece {
        match self {
            Piece::Upstream(whole) => Piece::Upstream(whole.start + range.start..whole.start + range.end),
            Piece::Overlay(overlay, _) => Piece::Overlay(*overlay, range.len()),
        }
    }
}

/// Lines of upstream that others took the place of, and the overlays that did it. Lines are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Upstream's lines; none where lines were only added.
    pub upstream: Range<usize>,
    /// The lines instead.
    pub rendered: Range<usize>,
    /// The overlays, by their index, in order.
    pub overlays: Vec<usize>,
}

impl Provenance {
    /// A text that is upstream's.
    pub fn upstream(length: usize) -> Provenance {
        Provenance { pieces: vec![Piece::Upstream(0..length)], removed: Vec::new() }
    }

    /// Takes in what an overlay changed in the text as it was.
    pub fn edit(&mut self, overlay: usize, spans: &[Span]) {
        let old = std::mem::take(&mut self.pieces);
        let mut cursor = Cursor { pieces: &old, piece: 0, offset: 0 };
        let mut at = 0;
        for span in spans {
            cursor.take(span.before.start.saturating_sub(at), &mut self.pieces);
            let mut gone = Vec::new();
            cursor.take(span.before.len(), &mut gone);
            for piece in gone {
                if let Piece::Upstream(range) = piece {
                    self.removed.push((range, overlay));
                }
            }
            if !span.after.is_empty() {
                self.pieces.push(Piece::Overlay(overlay, span.after.len()));
            }
            at = span.before.end;
        }
        cursor.take(usize::MAX, &mut self.pieces);
    }

    /// Where a byte stands in upstream's text, if it is upstream's.
    pub fn upstream_of(&self, at: usize) -> Option<usize> {
        let mut start = 0;
        for piece in &self.pieces {
            if at < start + piece.len() {
                return match piece {
                    Piece::Upstream(range) => Some(range.start + at - start),
                    Piece::Overlay(..) => None,
                };
            }
            start += piece.len();
        }
        None
    }

    /// How the text differs from upstream's, line by line. What upstream has and what stands there now must be the texts that
    /// the edits were made in.
    pub fn hunks(&self, upstream: &str, rendered: &str) -> Vec<Hunk> {
        let upstream_lines = line_ranges(upstream);
        let rendered_lines = line_ranges(rendered);
        // For each line: the upstream line that it is, or the overlays that wrote it.
        let mut origins = Vec::with_capacity(rendered_lines.len());
        let mut cursor = Cursor { pieces: &self.pieces, piece: 0, offset: 0 };
        for line in &rendered_lines {
            let mut pieces = Vec::new();
            cursor.take(line.len(), &mut pieces);
            origins.push(origin(&pieces, &upstream_lines));
        }
        let mut hunks = Vec::new();
        let (mut next_upstream, mut at) = (0, 0);
        for end in 0..=rendered_lines.len() {
            let kept = match origins.get(end) {
                Some(Origin::Kept(line)) => *line,
                Some(Origin::Written(_)) => continue,
                None => upstream_lines.len(),
            };
            if next_upstream < kept || at < end {
                let lines = next_upstream..kept.max(next_upstream);
                let mut overlays: BTreeSet<usize> = BTreeSet::new();
                for origin in &origins[at..end] {
                    if let Origin::Written(by) = origin {
                        overlays.extend(by);
                    }
                }
                if let (Some(first), Some(last)) = (
                    upstream_lines.get(lines.start),
                    lines.end.checked_sub(1).and_then(|last| upstream_lines.get(last)),
                ) && !lines.is_empty()
                {
                    let bytes = first.start..last.end;
                    overlays.extend(
                        self.removed
                            .iter()
                            .filter(|(range, _)| range.start < bytes.end && range.end > bytes.start)
                            .map(|(_, overlay)| *overlay),
                    );
                }
                hunks.push(Hunk { upstream: lines, rendered: at..end, overlays: overlays.into_iter().collect() });
            }
            next_upstream = kept + 1;
            at = end + 1;
        }
        hunks
    }
}

enum Origin {
    Kept(usize),
    Written(BTreeSet<usize>),
}

fn origin(pieces: &[Piece], upstream: &[Range<usize>]) -> Origin {
    let mut whole: Option<Range<usize>> = None;
    let mut overlays = BTreeSet::new();
    let mut is_one = true;
    for piece in pieces.iter().filter(|piece| piece.len() > 0) {
        match piece {
            Piece::Overlay(overlay, _) => {
                overlays.insert(*overlay);
            }
            Piece::Upstream(range) => match &mut whole {
                None => whole = Some(range.clone()),
                Some(before) if before.end == range.start => before.end = range.end,
                Some(_) => is_one = false,
            },
        }
    }
    if let Some(range) = whole.filter(|_| is_one && overlays.is_empty())
        && let Ok(line) = upstream.binary_search_by_key(&range.start, |line| line.start)
        && upstream[line] == range
    {
        return Origin::Kept(line);
    }
    Origin::Written(overlays)
}

struct Cursor<'p> {
    pieces: &'p [Piece],
    piece: usize,
    offset: usize,
}

impl Cursor<'_> {
    /// Moves the next `count` bytes' pieces to `out`.
    fn take(&mut self, mut count: usize, out: &mut Vec<Piece>) {
        while count > 0
            && let Some(piece) = self.pieces.get(self.piece)
        {
            let left = piece.len() - self.offset;
            let taken = left.min(count);
            if taken > 0 {
                out.push(piece.part(self.offset..self.offset + taken));
            }
            count -= taken;
            self.offset += taken;
            if self.offset == piece.len() {
                self.piece += 1;
                self.offset = 0;
            }
        }
    }
}

fn line_ranges(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            start..at
        })
        .collect()
}
