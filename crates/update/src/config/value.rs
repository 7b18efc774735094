//! What a configuration value may look like.

/// What kind of value an option has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `1 yes true on` or `0 no false off`, in any case.
    Boolean,
    /// Seconds, or a number with `s m h d` behind it; `-1` and `never` are for ever.
    Seconds,
    /// Bytes, or a number with `k M G` (powers of 1024) behind it.
    Bytes,
    /// A whole number.
    Number,
    /// Any text.
    Text,
    /// Words between white space or commas.
    List,
}

impl Kind {
    /// How values are written, for messages.
    pub fn shape(self) -> &'static str {
        match self {
            Kind::Boolean => "`1 yes true on` or `0 no false off`",
            Kind::Seconds => "seconds, a number with `m`, `h` or `d`, or `never`",
            Kind::Bytes => "bytes, or a number with `k`, `M` or `G`",
            Kind::Number => "a whole number",
            Kind::Text => "a text",
            Kind::List => "words",
        }
    }

    /// Whether `text` is such a value.
    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Kind::Boolean => boolean(text).is_some(),
            Kind::Seconds => seconds(text).is_some(),
            Kind::Bytes => bytes(text).is_some(),
            Kind::Number => text.parse::<i64>().is_ok(),
            Kind::Text | Kind::List => true,
        }
    }
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" | "enabled" => Some(true),
        "0" | "no" | "false" | "off" | "disabled" => Some(false),
        _ => None,
    }
}

/// Seconds; `u64::MAX` is for ever.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    if matches!(text, "-1" | "never") {
        return Some(u64::MAX);
    }
    scaled(text, &[('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)])
}

pub(crate) fn bytes(text: &str) -> Option<u64> {
    scaled(text, &[('k', 1 << 10), ('K', 1 << 10), ('m', 1 << 20), ('M', 1 << 20), ('g', 1 << 30), ('G', 1 << 30)])
}

fn scaled(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(*unit)?, *factor)));
    let (number, factor) = found.unwrap_or((text, 1));
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let fraction: f64 = number.parse().ok()?;
    // Where every whole number is still itself.
    let product = fraction * factor as f64;
    (0.0..9e15).contains(&product).then_some(product as u64)
}

/// The words of a list.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_dnf_does() {
        assert_eq!((boolean("Yes"), boolean("0"), boolean("maybe")), (Some(true), Some(false), None));
        for (text, value) in [
            ("90", Some(90)),
            ("1.5h", Some(5400)),
            ("2d", Some(172_800)),
            ("never", Some(u64::MAX)),
            ("x", None),
            ("-2", None),
        ] {
            assert_eq!(seconds(text), value, "{text}");
        }
        assert_eq!((bytes("10k"), bytes("1M"), bytes("99999999999999999999G")), (Some(10_240), Some(1 << 20), None));
        assert_eq!(list(" a, b\n\tc "), ["a", "b", "c"]);
    }
}
