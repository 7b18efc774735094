//! A picture of a graph: boxes in columns, what is needed to the right of what needs it, arrows as curves.
//!
//! Layout in three steps: columns by the longest way from a component that nobody needs, arrows of circles left out;
//! the order in a column by the mean place of the neighbours, swept a few times; then places.

use std::collections::{BTreeMap, BTreeSet};

use super::Arrows;

const ROW: f64 = 28.0;
const BOX_HEIGHT: f64 = 20.0;
const LETTER: f64 = 7.3;
const GAP: f64 = 70.0;
const MARGIN: f64 = 16.0;
/// After so many sweeps the order changes no more, or goes back and forth.
const SWEEPS: usize = 8;

/// The graph as SVG. Names in `focus` are drawn strong.
pub(super) fn svg(arrows: &Arrows, focus: &[String]) -> String {
    let columns = ordered(columns(arrows), arrows);
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut places: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
    let mut x = MARGIN;
    for column in &columns {
        let longest = column.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let width = longest as f64 * LETTER + 14.0;
        let start = MARGIN + (tallest - column.len()) as f64 * ROW / 2.0;
        for (row, name) in column.iter().enumerate() {
            places.insert(name, (x, start + row as f64 * ROW, width));
        }
        x += width + GAP;
    }
    let (width, height) = (x - GAP + MARGIN, MARGIN * 2.0 + tallest as f64 * ROW);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"monospace\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<g fill=\"none\" stroke=\"#8899aa\">\n"
    );
    for (from, to) in arrows {
        for to in to {
            text.push_str(&curve(places[from.as_str()], places[to.as_str()]));
        }
    }
    text.push_str("</g>\n");
    for (name, (x, y, width)) in &places {
        let is_focus = focus.iter().any(|focused| focused == name);
        let (fill, line) = if is_focus { ("#dde8ff", 2) } else { ("#f6f8fa", 1) };
        text.push_str(&format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BOX_HEIGHT}\" rx=\"3\" fill=\"{fill}\" \
             stroke=\"#334455\" stroke-width=\"{line}\"/>\n<text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            x + 7.0,
            y + 14.0,
            escaped(name)
        ));
    }
    text.push_str("</svg>\n");
    text
}

/// From the right side of a box to the left side of the next; backwards where they are in a circle.
fn curve(from: (f64, f64, f64), to: (f64, f64, f64)) -> String {
    let (start, end) = (from.0 + from.2, to.0);
    let (y, to_y) = (from.1 + BOX_HEIGHT / 2.0, to.1 + BOX_HEIGHT / 2.0);
    let bend = ((end - start) / 2.0).abs().max(30.0);
    format!(
        "<path d=\"M{start:.1} {y:.1}C{:.1} {y:.1} {:.1} {to_y:.1} {end:.1} {to_y:.1}m-6 -3l6 3l-6 3\"/>\n",
        start + bend,
        end - bend
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The components by column.
fn columns(arrows: &Arrows) -> Vec<Vec<&str>> {
    let order = without_circles(arrows);
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    let rank: BTreeMap<&str, usize> = order.iter().enumerate().map(|(rank, name)| (*name, rank)).collect();
    for name in &order {
        let own = *depth.entry(name).or_default();
        for to in arrows.get(*name).into_iter().flatten().filter(|to| rank[to.as_str()] > rank[name]) {
            let deeper = depth.entry(to).or_default();
            *deeper = (*deeper).max(own + 1);
        }
    }
    let mut columns = vec![Vec::new(); depth.values().max().map_or(0, |deepest| deepest + 1)];
    for (name, depth) in depth {
        columns[depth].push(name);
    }
    columns
}

/// The components so that arrows lead onwards, other than those that close a circle: depth first, backwards.
fn without_circles(arrows: &Arrows) -> Vec<&str> {
    let needed: BTreeSet<&str> = arrows.values().flatten().map(String::as_str).collect();
    let roots = arrows.keys().filter(|name| !needed.contains(name.as_str()));
    let mut seen = BTreeSet::new();
    let mut finished = Vec::new();
    // All are tried: a circle that nobody needs has no root.
    for root in roots.chain(arrows.keys()) {
        let mut path: Vec<(&str, Vec<&str>)> = Vec::new();
        if seen.insert(root.as_str()) {
            path.push((root, arrows[root].iter().map(String::as_str).collect()));
        }
        while let Some((name, pending)) = path.last_mut() {
            match pending.pop() {
                Some(next) if seen.insert(next) => {
                    let further = arrows.get(next).into_iter().flatten().map(String::as_str).collect();
                    path.push((next, further));
                }
                Some(_) => {}
                None => {
                    finished.push(*name);
                    path.pop();
                }
            }
        }
    }
    finished.reverse();
    finished
}

/// The same columns, each in the order of the mean places of its neighbours in the column before, then in the one after.
fn ordered<'a>(mut columns: Vec<Vec<&'a str>>, arrows: &'a Arrows) -> Vec<Vec<&'a str>> {
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        for to in to {
            neighbours.entry(from).or_default().push(to);
            neighbours.entry(to).or_default().push(from);
        }
    }
    for sweep in 0..SWEEPS {
        let count = columns.len();
        for step in 1..count {
            let (fixed, moved) = if sweep % 2 == 0 { (step - 1, step) } else { (count - step, count - step - 1) };
            let rows: BTreeMap<&str, usize> =
                columns[fixed].iter().enumerate().map(|(row, name)| (*name, row)).collect();
            let mean = |(row, name): (usize, &&'a str)| {
                let near: Vec<usize> =
                    neighbours.get(*name).into_iter().flatten().filter_map(|near| rows.get(near).copied()).collect();
                // Whole numbers, so that equal graphs are drawn equally: thousandths of a row.
                let mean = near.iter().sum::<usize>() * 1000 / near.len().max(1);
                (if near.is_empty() { row * 1000 } else { mean }, *name)
            };
            let mut means: Vec<(usize, &str)> = columns[moved].iter().enumerate().map(mean).collect();
            means.sort_unstable();
            columns[moved] = means.into_iter().map(|(_, name)| name).collect();
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &[&str])]) -> Arrows {
        let set = |to: &[&str]| to.iter().map(|name| (*name).to_owned()).collect();
        arrows.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect()
    }

    #[test]
    fn what_is_needed_stands_to_the_right() {
        let drawn = graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[]), ("d", &[])]);
        assert_eq!(columns(&drawn), [vec!["a", "d"], vec!["b"], vec!["c"]]);
        // Circles are drawn too, whoever closes them.
        assert_eq!(columns(&graph(&[("a", &["b"]), ("b", &["a"])])), [vec!["a"], vec!["b"]]);
        assert!(columns(&Arrows::new()).is_empty());
    }

    #[test]
    fn every_component_and_arrow_is_drawn_once() {
        let drawn = graph(&[("a<b", &["c"]), ("c", &["a<b", "d"]), ("d", &[])]);
        let text = svg(&drawn, &["c".to_owned()]);
        assert_eq!(text.matches("<text").count(), 3);
        assert_eq!(text.matches("<path").count(), 3);
        assert!(text.contains(">a&lt;b<") && text == svg(&drawn, &["c".to_owned()]));
    }
}
