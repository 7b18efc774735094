use super::super::{Change, Failure, Folder, Operation, Problem, Search, Seen, Span, nearest, wildcard::Wildcard};

/// What an original kind changes beside the spec.
pub(in super::super) fn apply(operation: &Operation, folder: &mut Folder) -> Result<Vec<Change>, Failure> {
    match operation {
        Operation::AddPatch { file_name, content, .. }
        | Operation::ApplyPatch { file_name, content, .. }
        | Operation::AddFile { file_name, content } => add(folder, file_name, content),
        Operation::RemovePatch { pattern } | Operation::RemoveFile { pattern } => {
            let names = matching(folder, pattern).map_err(Failure::or_gone)?;
            for name in &names {
                folder.files.remove(name);
            }
            Ok(names.into_iter().map(|file| Change::Removed { file }).collect())
        }
        Operation::PrependFileLines { pattern, lines } => {
            let text = format!("{}\n", lines.join("\n"));
            let mut changes = Vec::new();
            for file in matching(folder, pattern)? {
                if let Some(content) = folder.files.get_mut(&file) {
                    content.splice(0..0, text.bytes());
                    let spans = vec![Span { before: 0..0, after: 0..text.len() }];
                    changes.push(Change::Edited { file, spans });
                }
            }
            Ok(changes)
        }
        Operation::SearchReplaceInFile { pattern, search, replacement } => {
            replace(folder, pattern, search, replacement)
        }
        Operation::RenameFile { pattern, new_name } => rename(folder, pattern, new_name),
        _ => Ok(Vec::new()),
    }
}

fn add(folder: &mut Folder, file_name: &str, content: &[u8]) -> Result<Vec<Change>, Failure> {
    check_name(folder, file_name)?;
    match folder.files.get(file_name) {
        Some(stands) => {
            let same = stands.as_slice() == content;
            let failure = Failure::new(Problem::FileExists(file_name.to_owned()));
            Err(failure.already(same.then(|| Seen::file(file_name))))
        }
        None => {
            folder.files.insert(file_name.to_owned(), content.to_vec());
            Ok(vec![Change::Added { file: file_name.to_owned() }])
        }
    }
}

fn rename(folder: &mut Folder, pattern: &str, new_name: &str) -> Result<Vec<Change>, Failure> {
    let names = matching(folder, pattern)?;
    let [name] = names.as_slice() else {
        return Err(Problem::ManyFiles { pattern: pattern.to_owned(), count: names.len() }.into());
    };
    let to = match name.rsplit_once('/') {
        Some((parent, _)) => format!("{parent}/{new_name}"),
        None => new_name.to_owned(),
    };
    check_name(folder, &to)?;
    if folder.files.contains_key(&to) {
        return Err(Problem::FileExists(to).into());
    }
    if let Some(content) = folder.files.remove(name) {
        folder.files.insert(to.clone(), content);
    }
    Ok(vec![Change::Renamed { file: name.clone(), to }])
}

fn replace(folder: &mut Folder, pattern: &str, search: &Search, replacement: &str) -> Result<Vec<Change>, Failure> {
    // Files need not be text.
    let regex = regex::bytes::Regex::new(search.regex.as_str())
        .map_err(|_| Problem::Shape(format!("the expression `{}` cannot be used on files", search.text)))?;
    let names = matching(folder, pattern)?;
    let mut changes = Vec::new();
    for file in &names {
        let Some(content) = folder.files.get_mut(file) else { continue };
        let (mut text, mut spans, mut at) = (Vec::with_capacity(content.len()), Vec::new(), 0);
        for found in regex.find_iter(content) {
            text.extend_from_slice(&content[at..found.start()]);
            let start = text.len();
            text.extend_from_slice(replacement.as_bytes());
            spans.push(Span { before: found.range(), after: start..text.len() });
            at = found.end();
        }
        text.extend_from_slice(&content[at..]);
        if text != *content {
            *content = text;
            changes.push(Change::Edited { file: file.clone(), spans });
        }
    }
    if changes.is_empty() {
        let place = match names.as_slice() {
            [name] => format!("`{name}`"),
            names => format!("the {} files that `{pattern}` names", names.len()),
        };
        let already = (replacement.trim().len() >= 4).then(|| {
            names.iter().find_map(|name| {
                let text = String::from_utf8_lossy(folder.files.get(name)?);
                let (line, text) = (1_u32..).zip(text.lines()).find(|(_, line)| line.contains(replacement.trim()))?;
                Some(Seen { file: name.clone(), line, text: text.trim().to_owned() })
            })
        });
        let problem = Problem::NoMatch { expression: search.text.clone(), place };
        return Err(Failure::new(problem).already(already.flatten()));
    }
    Ok(changes)
}

/// The files that match, one at least. Specs and git's own files are never meant.
fn matching(folder: &Folder, pattern: &str) -> Result<Vec<String>, Failure> {
    let wildcard = Wildcard::new(pattern);
    let found: Vec<String> = folder
        .files
        .keys()
        .filter(|name| !name.ends_with(".spec") && !name.starts_with(".git/") && !name.contains("/.git/"))
        .filter(|name| wildcard.matches(name))
        .cloned()
        .collect();
    if found.is_empty() {
        let near = nearest::name(pattern, folder.files.keys().map(String::as_str));
        return Err(Failure::near(Problem::NoFile(pattern.to_owned()), near.map(|name| Seen::file(&name))));
    }
    Ok(found)
}

fn check_name(folder: &Folder, name: &str) -> Result<(), Failure> {
    let wrong = |problem| Problem::FileName { name: name.to_owned(), problem }.into();
    if name.is_empty() || name.split('/').any(|part| matches!(part, "" | "." | ".." | ".git")) || name.contains('\0') {
        return Err(wrong("is not the path of a file in the component's folder"));
    }
    if name.ends_with(".spec") || name == folder.spec_name {
        return Err(wrong("is a spec, and other kinds change specs"));
    }
    Ok(())
}
