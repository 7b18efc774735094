//! Small text work that several built-ins share.

/// Squeezes runs of white space to one blank and cuts it at both ends.
pub(crate) fn shrink(text: &str) -> String {
    let mut shrunk = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_ascii() && super::scan::is_space(c as u8)).filter(|word| !word.is_empty()) {
        if !shrunk.is_empty() {
            shrunk.push(' ');
        }
        shrunk.push_str(word);
    }
    shrunk
}

/// The last component of a path, as POSIX basename(3).
pub(crate) fn basename(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let cut = path.trim_end_matches('/');
    if cut.is_empty() { "/" } else { cut.rsplit('/').next().unwrap_or(cut) }
}

/// A path without its last component, as POSIX dirname(3).
pub(crate) fn dirname(path: &str) -> &str {
    let cut = path.trim_end_matches('/');
    if cut.is_empty() {
        return if path.is_empty() { "." } else { "/" };
    }
    match cut.rfind('/') {
        None => ".",
        Some(slash) => {
            let parent = cut[..slash].trim_end_matches('/');
            if parent.is_empty() { "/" } else { parent }
        }
    }
}

/// The path of a URL, as rpm's `urlPath`; what is no URL stays as it is.
pub(crate) fn url_path(url: &str) -> &str {
    if url == "-" {
        return "";
    }
    for (scheme, skip) in [("file://", 7), ("ftp://", 6), ("hkp://", 6), ("http://", 7), ("https://", 8)] {
        if url.starts_with(scheme) {
            return url[skip..].find('/').map_or("", |slash| &url[skip + slash..]);
        }
    }
    url
}

/// A whole number as C's strtoll(3) with base 0 reads it, where nothing else stands behind it.
pub(crate) fn c_integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii() && super::scan::is_space(c as u8));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hexadecimal, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse::<i64>().ok()?
    };
    Some(if negative { -value } else { value })
}

/// The beginning of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    let short: String = line.chars().take(60).collect();
    if short.len() < text.trim_end().len() { format!("{short}...") } else { short }
}

/// `string.sub(text, from, to)` of Lua: counted from 1, negative from the end, both ends included.
pub(crate) fn substring(text: &str, from: i64, to: i64) -> String {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let from = if from < 0 { (length + from + 1).max(1) } else { from.max(1) };
    let to = if to < 0 { length + to + 1 } else { to.min(length) };
    if from > to {
        return String::new();
    }
    let range = usize::try_from(from - 1).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
    text.as_bytes().get(range).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, base, parent) in [
            ("/usr/lib", "lib", "/usr"),
            ("/usr/", "usr", "/"),
            ("usr", "usr", "."),
            ("/", "/", "/"),
            ("", ".", "."),
            ("a//b", "b", "a"),
        ] {
            assert_eq!((basename(path), dirname(path)), (base, parent), "{path}");
        }
        assert_eq!(url_path("https://a.example/b/c"), "/b/c");
        assert_eq!(url_path("a/b"), "a/b");
        assert_eq!(url_path("http://a.example"), "");
    }

    #[test]
    fn numbers_and_parts() {
        for (text, value) in
            [("12", Some(12)), ("-3", Some(-3)), ("0x10", Some(16)), ("010", Some(8)), ("1x", None), ("", None)]
        {
            assert_eq!(c_integer(text), value, "{text}");
        }
        for (from, to, part) in
            [(1, 3, "abc"), (2, -1, "bcdef"), (-2, -1, "ef"), (4, 2, ""), (0, 100, "abcdef"), (-100, 2, "ab")]
        {
            assert_eq!(substring("abcdef", from, to), part, "{from} {to}");
        }
        assert_eq!(shrink("  a \n b\t"), "a b");
    }
}
