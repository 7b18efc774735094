//! What somebody may have meant.

/// Names that differ from `wanted` by few letters, the nearest first, at most `count`.
pub(crate) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>, count: usize) -> Vec<String> {
    let limit = wanted.len().div_ceil(3).clamp(1, 3);
    let mut found: Vec<(usize, &str)> = names
        .filter(|name| name.len().abs_diff(wanted.len()) <= limit && name.len() > 1)
        .filter_map(|name| Some((distance(wanted.as_bytes(), name.as_bytes(), limit)?, name)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(count).map(|(_, name)| name.to_owned()).collect()
}

/// Letters to change, add or drop, if not more than `limit`.
fn distance(left: &[u8], right: &[u8], limit: usize) -> Option<usize> {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, byte) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(!byte.eq_ignore_ascii_case(other));
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
        if row.iter().all(|cost| *cost > limit) {
            return None;
        }
    }
    row.last().copied().filter(|cost| *cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        let names = ["version", "verison2", "vendor", "name", "_libdir"];
        assert_eq!(nearest("verison", names.into_iter(), 3), ["verison2", "version"]);
        assert_eq!(nearest("libdir", names.into_iter(), 3), ["_libdir"]);
        assert!(nearest("x", names.into_iter(), 3).is_empty());
    }
}
