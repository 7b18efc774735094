//! The macro files that the packages of a tree of specs install.
//!
//! In a tree, macro files are sources of packages (`macros.NAME` beside a spec), the vendor's file (`macros` in a folder that
//! ends in `-rpm-config`), Lua modules beside them, and texts that a spec's `%install` writes with a here-document. What is
//! only in archives cannot be seen: such files are named with `--macros`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use spec::syntax::Document;
use spec::{Environment, Evaluated, Origin, Undefined};

use super::each::each;
use super::inputs::walk;
use super::setting::{CONFIGURATION, Shared, counts};
use crate::context::Context;
use crate::explain::Failure;

/// A macro file of the tree.
struct Found {
    /// Where it is, as messages name it.
    origin: PathBuf,
    text: String,
}

/// Adds a tree's macro files to those of `base`. Files are read in the order of their names, as rpm reads a folder; where
/// several packages have one of the same name, the first folder counts.
pub(super) fn collect(
    tree: &Path,
    base: &Environment,
    shared: &mut Shared,
    context: &Context,
) -> Result<Arc<spec::Macros>, Failure> {
    if !tree.is_dir() {
        return Err(Failure::usage(format!("there is no folder `{}`", tree.display())));
    }
    let mut paths = Vec::new();
    walk(tree, &mut |path| paths.push(path))?;
    let collected = collect_from(paths, base, shared, context)?;
    if collected.texts.is_empty() {
        return Err(Failure::usage(format!("`{}` has no macro files", tree.display()))
            .hint("macro files of a tree begin with `macros.` and lie beside the spec that installs them"));
    }
    Ok(collected.macros)
}

/// Macro files of a tree.
pub(crate) struct Collected {
    /// Those of the environment, and behind them the tree's.
    pub(crate) macros: Arc<spec::Macros>,
    /// The tree's, as they are read.
    pub(crate) texts: Vec<String>,
}

/// As [`collect`], from the files of a tree; none of them need be a macro file.
pub(crate) fn collect_from(
    mut paths: Vec<PathBuf>,
    base: &Environment,
    shared: &mut Shared,
    context: &Context,
) -> Result<Collected, Failure> {
    paths.sort();
    let tree = Path::new("");
    let (mut files, mut vendor) = (BTreeMap::new(), None);
    for path in &paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path.parent().unwrap_or(tree);
        let is_vendor = folder.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-rpm-config"));
        if name == "macros" && is_vendor && vendor.is_none() {
            vendor = Some(Found { origin: path.clone(), text: text(path)? });
        } else if name.starts_with("macros.") && is_macro_file(&name) && !files.contains_key(&name) {
            files.insert(name, Found { origin: path.clone(), text: text(path)? });
        } else if name.ends_with(".lua") && (is_vendor || has_macros(folder)) {
            shared.modules.entry(name).or_insert(Arc::from(text(path)?));
        }
    }
    let mut environment = base.clone();
    environment.undefined = Undefined::Warn;
    environment.macros = load(base, &files, vendor.as_ref());
    // What the specs write themselves, and what they put into templates, is known only when they are evaluated.
    let specs: Vec<&PathBuf> =
        paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "spec")).collect();
    let templates: Vec<PathBuf> = files
        .values()
        .filter(|file| file.text.contains("@@"))
        .filter_map(|file| file.origin.parent().map(Path::to_owned))
        .collect();
    let evaluate =
        |path: &&PathBuf, evaluator: &mut spec::Evaluator| -> Option<(PathBuf, Result<Evaluated, Option<Identity>>)> {
            let bytes = fs_err::read(path).ok()?;
            let text = String::from_utf8_lossy(&bytes);
            let is_template = path.parent().is_some_and(|folder| templates.iter().any(|template| template == folder));
            let writes = text.contains("<<")
                && text.contains("macros.")
                && text.lines().any(|line| line.contains("<<") && line.contains("macros."));
            if !is_template && !writes {
                return None;
            }
            // A package whose spec needs its own macro file: what its tags say must do.
            let evaluated = evaluator.evaluate(&text, &Origin::file(path), &environment).map_err(|_| identity(&text));
            Some(((*path).clone(), evaluated))
        };
    let mut evaluated: Vec<(PathBuf, Result<Evaluated, Option<Identity>>)> = Vec::new();
    each(&specs, "macro files", context, evaluate, |found| evaluated.extend(found))?;
    for (path, spec) in &evaluated {
        let identity = match spec {
            Ok(spec) => Some((spec.name.clone(), spec.evr.clone())),
            Err(identity) => identity.clone(),
        };
        for file in files.values_mut().filter(|file| file.origin.parent() == path.parent()) {
            if let Some((name, evr)) = &identity {
                file.text = filled(&file.text, name, evr);
            }
        }
        let Ok(spec) = spec else { continue };
        for script in spec.scripts.iter().filter(|script| script.name == "install") {
            for (name, text) in written(&script.text) {
                files.entry(name).or_insert(Found { origin: path.clone(), text });
            }
        }
    }
    for (name, file) in &files {
        shared.files.insert(format!("{CONFIGURATION}/macros.d/{name}"), Arc::from(file.text.as_str()));
    }
    let macros = load(base, &files, vendor.as_ref());
    Ok(Collected { macros, texts: files.into_values().chain(vendor).map(|found| found.text).collect() })
}

fn load(base: &Environment, files: &BTreeMap<String, Found>, vendor: Option<&Found>) -> Arc<spec::Macros> {
    let mut macros = (*base.macros).clone();
    for file in files.values().chain(vendor) {
        macros.load(&file.text, &Origin::file(&file.origin));
    }
    Arc::new(macros)
}

fn text(path: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&fs_err::read(path)?).into_owned())
}

/// Whether rpm would read a file of that name, and it is none that a build changes first.
fn is_macro_file(name: &str) -> bool {
    const OTHERS: [&str; 6] = [".in", ".spec", ".lua", ".compat", ".azl.macros", ".patch"];
    counts(name) && !OTHERS.iter().any(|end| name.ends_with(end))
}

fn has_macros(folder: &Path) -> bool {
    let Ok(entries) = fs_err::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"macros."))
}

/// What the tags of a main package say.
type Identity = (String, pkg::Evr);

/// Name and version as they are written, where they are plain.
fn identity(text: &str) -> Option<Identity> {
    let document = Document::parse(text);
    let tag = |name: &'static str| {
        let value = &document.text()[document.tags(name).next()?.value.clone()];
        (!value.contains('%')).then(|| value.to_owned())
    };
    let release = tag("release").unwrap_or_else(|| "1".to_owned());
    let epoch = tag("epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    Some((tag("name")?, pkg::Evr { epoch, version: tag("version")?, release }))
}

/// A template with the marks filled in that packages of macros use: `@@NAME@@`, `@@VERSION@@`, `@@EPOCH@@`, `@@EVR@@`.
fn filled(text: &str, name: &str, evr: &pkg::Evr) -> String {
    text.replace("@@NAME@@", name)
        .replace("@@VERSION@@", &evr.version)
        .replace("@@EPOCH@@", &evr.epoch.to_string())
        .replace("@@EVR@@", &evr.to_string())
}

/// Macro files that a script writes with here-documents: `cat > DIR/macros.NAME << EOF`.
fn written(script: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        let Some((_, behind)) = line.split_once("<<") else { continue };
        let mark = behind.trim_start_matches('-').trim_start();
        let mark = &mark[..mark.find(|c: char| c.is_whitespace() || ">;|".contains(c)).unwrap_or(mark.len())];
        let is_literal = mark.contains(['\'', '"', '\\']);
        let end = mark.replace(['\'', '"', '\\'], "");
        let name = line
            .split(|c: char| c.is_whitespace() || "<>\"';".contains(c))
            .find_map(|word| word.rsplit('/').next().filter(|name| name.starts_with("macros.") && is_macro_file(name)));
        if end.is_empty() {
            continue;
        }
        let mut text = String::new();
        for inner in lines.by_ref() {
            if inner.trim_start_matches('\t') == end {
                break;
            }
            text.push_str(inner);
            text.push('\n');
        }
        let Some(name) = name else { continue };
        if !is_literal {
            match unescaped(&text) {
                Some(plain) => text = plain,
                None => continue,
            }
        }
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, before)) => before.push_str(&text),
            None => found.push((name.to_owned(), text)),
        }
    }
    found
}

/// A here-document as the shell writes it, if that needs no variable and no command.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('$' | '`' | '\\')) => plain.extend(letters.next()),
            ('\\', Some('\n')) => {
                letters.next();
            }
            ('`', _) => return None,
            ('$', Some(next))
                if next.is_ascii_alphanumeric() || matches!(next, '_' | '{' | '(' | '*' | '@' | '#' | '?') =>
            {
                return None;
            }
            _ => plain.push(letter),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn here_documents_that_write_macro_files() {
        let script = "cat >> /b/usr/lib/rpm/macros.d/macros.dist << EOF\n%dist .x1\n%home \\$HOME\nEOF\n\
            cat <<'E' > %{d}/macros.two\n%a $(b)\nE\ncat <<EOF >/macros.three\n%a $(b)\nEOF\n\
            cat > other <<EOF\n%a b\nEOF\ncat >> /b/macros.dist <<EOF\n%more 1\nEOF\n";
        assert_eq!(
            written(script),
            [
                ("macros.dist".to_owned(), "%dist .x1\n%home $HOME\n%more 1\n".to_owned()),
                ("macros.two".to_owned(), "%a $(b)\n".to_owned())
            ]
        );
    }
}
