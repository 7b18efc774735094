use mlua::{Value, Variadic};
use pkg::Blobs;
use tree::{Kind, Meta, Node, TreePath};

use crate::InstallError;
use crate::accounts::Accounts;
use crate::site::Site;
use crate::transaction::read_blob;

/// What a function of the libraries gives.
pub(super) enum Answer {
    True,
    Whole(i64),
    /// A number as rpm's own library gives numbers: as a float, which shows when it is printed.
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<String>),
    Fields(Vec<(&'static str, Answer)>),
}

/// Why it does not: a sentence, and the number that C has for it.
pub(super) struct Refusal {
    pub(super) sentence: String,
    pub(super) number: i64,
}

/// The functions that act, and where they do.
pub(super) struct Calls<'s, 't, 'a> {
    site: &'s mut Site<'t, 'a>,
    directory: TreePath,
    /// What the scriptlet printed.
    pub(super) said: String,
    /// Something of ours failed.
    pub(super) broken: Option<InstallError>,
    last_error: i64,
}

/// Bytes of output that are kept.
const SAID_MAX: usize = 1 << 20;
/// Permission bits that new files and directories do not get.
const UMASK: u32 = 0o022;

type Answered = Result<Answer, Refusal>;

fn refuse(path: &str, what: &str, number: i64) -> Refusal {
    Refusal { sentence: format!("{path}: {what}"), number }
}

fn missing(path: &str) -> Refusal {
    refuse(path, "No such file or directory", 2)
}

impl<'s, 't, 'a> Calls<'s, 't, 'a> {
    pub(super) fn new(site: &'s mut Site<'t, 'a>) -> Calls<'s, 't, 'a> {
        Calls { site, directory: TreePath::root(), said: String::new(), broken: None, last_error: 0 }
    }

    /// What stands for "now".
    pub(super) fn at(&self) -> i64 {
        i64::try_from(self.site.at.0).unwrap_or(i64::MAX)
    }

    pub(super) fn perform(&mut self, operation: &str, words: &Variadic<Value>) -> Answered {
        let done = match self.see(operation, &Words(words)) {
            Ok(()) => self.act(operation, &Words(words)),
            Err(error) => self.fail(error),
        };
        // In a live root what was done is done at once.
        let done = match self.site.flush() {
            Ok(()) => done,
            Err(error) => self.fail(error),
        };
        if let Err(refusal) = &done {
            self.last_error = refusal.number;
        }
        done
    }

    /// Looks at what a function is about to touch in a live root.
    fn see(&mut self, operation: &str, words: &Words<'_>) -> Result<(), InstallError> {
        if self.site.live.is_none() || matches!(operation, "say" | "run" | "vercmp" | "b64encode" | "b64decode") {
            return Ok(());
        }
        let directory = format!("/{}", self.directory.as_str());
        let mut paths = vec![directory.clone(), "/etc/passwd".to_owned(), "/etc/group".to_owned()];
        // Texts of a file are no paths.
        let texts = (0..words.0.len().min(2)).filter(|index| operation != "write" || *index == 0);
        for text in texts.filter_map(|index| words.text(index).ok()).filter(|text| !text.contains('\0')) {
            // Of a pattern the part that names a directory.
            let fixed = text.find(['*', '?', '[']).filter(|_| operation == "glob");
            let text = fixed.map_or(text.as_str(), |at| text[..at].rsplit_once('/').map_or("", |(folder, _)| folder));
            paths.push(if text.starts_with('/') { text.to_owned() } else { format!("{directory}/{text}") });
        }
        self.site.see_below(&paths, matches!(operation, "glob" | "rename"))
    }

    /// Something of ours failed, which is no failure of the scriptlet.
    fn fail(&mut self, error: InstallError) -> Answered {
        let refusal = refuse("scriptlet", &error.to_string(), 5);
        self.broken = self.broken.take().or(Some(error));
        Err(refusal)
    }

    fn act(&mut self, operation: &str, words: &Words<'_>) -> Answered {
        match operation {
            "say" => {
                let text = words.bytes(0)?;
                if self.said.len() < SAID_MAX {
                    self.said.push_str(&String::from_utf8_lossy(&text));
                }
                Ok(Answer::True)
            }
            "read" => self.read(&words.text(0)?),
            "write" => self.write(&words.text(0)?, &words.bytes(1)?),
            "run" => self.run(&words.texts()?),
            "access" => self.access(&words.text(0)?, &words.text(1)?),
            "stat" => self.stat(&words.text(0)?),
            "dir" => self.list(&words.text(0)?),
            "getcwd" => Ok(Answer::Bytes(format!("/{}", self.directory.as_str()).into_bytes())),
            "chdir" => self.change_directory(&words.text(0)?),
            "mkdir" => self.make(&words.text(0)?, Kind::Directory, 0o777 & !UMASK),
            "mkfifo" => self.make(&words.text(0)?, Kind::Fifo, 0o666 & !UMASK),
            "symlink" => {
                let target = words.text(0)?;
                self.make(&words.text(1)?, Kind::Symlink { target }, 0o777)
            }
            "link" => self.link(&words.text(0)?, &words.text(1)?),
            "readlink" => self.read_link(&words.text(0)?),
            "unlink" => self.remove(&words.text(0)?, Some(false)),
            "rmdir" => self.remove(&words.text(0)?, Some(true)),
            "remove" => self.remove(&words.text(0)?, None).map(|_| Answer::True),
            "rename" => self.rename(&words.text(0)?, &words.text(1)?).map_err(|refusal| Refusal {
                // Lua names no path here.
                sentence: refusal.sentence.rsplit(": ").next().unwrap_or_default().to_owned(),
                ..refusal
            }),
            "chmod" => self.change_mode(&words.text(0)?, &words.text(1)?),
            "chown" => self.change_owner(&words.text(0)?, words.get(1), words.get(2)),
            "utime" => {
                let mtime = words.number(1)?;
                self.change_meta(&words.text(0)?, |meta| meta.mtime = mtime)
            }
            "getpasswd" => self.user(words.get(0)),
            "getgroup" => self.group(words.get(0)),
            "vercmp" => {
                let (one, other) = (words.text(0)?, words.text(1)?);
                let evr = |text: &str| pkg::Evr::parse(text).map_err(|error| refuse(text, &error.to_string(), 22));
                Ok(Answer::Whole(evr(&one)?.cmp(&evr(&other)?) as i64))
            }
            "b64encode" => Ok(Answer::Bytes(rpm::base64::encode(&words.bytes(0)?).into_bytes())),
            "b64decode" => rpm::base64::decode(&words.text(0)?)
                .map(Answer::Bytes)
                .ok_or_else(|| refuse("b64decode", "no base64", 22)),
            "glob" => self.glob(&words.text(0)?),
            "machine" => Ok(Answer::Bytes(std::env::consts::ARCH.as_bytes().to_vec())),
            "errno" => Ok(Answer::Number(self.last_error)),
            other => Err(refuse(other, "is not known", 38)),
        }
    }

    /// A path as a scriptlet writes it, with the links of its directories followed.
    fn path(&self, text: &str) -> Result<TreePath, Refusal> {
        let mut reached = if text.starts_with('/') { TreePath::root() } else { self.directory.clone() };
        for name in text.split('/') {
            let wrong = |error: &dyn std::fmt::Display| refuse(text, &error.to_string(), 22);
            reached = match name {
                "" | "." => continue,
                ".." => reached.parent().unwrap_or_default(),
                _ => reached.join(name).map_err(|error| wrong(&error))?,
            };
            reached = self.site.root.tree.resolve_parent(&reached).map_err(|error| wrong(&error))?;
        }
        Ok(reached)
    }

    /// The same with the last link followed too.
    fn target(&self, text: &str) -> Result<TreePath, Refusal> {
        let path = self.path(text)?;
        self.site.root.tree.resolve(&path).map_err(|error| refuse(text, &error.to_string(), 40))
    }

    fn node(&self, path: &TreePath, text: &str) -> Result<&Node, Refusal> {
        self.site.root.tree.get(path).ok_or_else(|| missing(text))
    }

    fn put(&mut self, path: TreePath, node: Node, text: &str) -> Answered {
        let is_below_directory =
            path.parent().is_some_and(|parent| self.site.root.tree.get(&parent).is_some_and(Node::is_directory));
        if !is_below_directory {
            return Err(missing(text));
        }
        let root = &mut self.site.root;
        root.tree.insert(path.clone(), node).map_err(|error| refuse(text, &error.to_string(), 20))?;
        root.changed.insert(path);
        Ok(Answer::Number(0))
    }

    fn read(&mut self, text: &str) -> Answered {
        let path = self.target(text)?;
        match &self.node(&path, text)?.kind {
            Kind::File { digest, .. } => {
                let read = self.site.root.contents.read(digest);
                read.map(Answer::Bytes).map_err(|error| refuse(text, &error.to_string(), 5))
            }
            Kind::Directory => Err(refuse(text, "Is a directory", 21)),
            _ => Err(refuse(text, "cannot be read here", 6)),
        }
    }

    fn write(&mut self, text: &str, bytes: &[u8]) -> Answered {
        let path = self.target(text)?;
        let (digest, size) = match self.site.root.contents.put(bytes) {
            Ok(put) => put,
            Err(error) => {
                let refusal = refuse(text, &error.to_string(), 28);
                self.broken = Some(error.into());
                return Err(refusal);
            }
        };
        let at = self.at();
        let Some(there) = self.site.root.tree.get(&path) else {
            return self.put(path, Node::file(0o666 & !UMASK, at, digest, size), text).map(|_| Answer::True);
        };
        let Kind::File { hard_link, .. } = there.kind else { return Err(refuse(text, "Is no regular file", 21)) };
        let names: Vec<TreePath> = match hard_link {
            None => vec![path],
            Some(number) => {
                let is_same =
                    |node: &Node| matches!(node.kind, Kind::File { hard_link: Some(other), .. } if other == number);
                let all = self.site.root.tree.iter().filter(|(_, node)| is_same(node));
                all.map(|(path, _)| path.clone()).collect()
            }
        };
        for name in names {
            if let Some(node) = self.site.root.tree.get_mut(&name) {
                node.kind = Kind::File { digest, size, hard_link };
                node.meta.mtime = at;
                // The kernel takes capabilities away from what is written to.
                node.meta.xattrs.remove("security.capability");
                self.site.root.changed.insert(name);
            }
        }
        Ok(Answer::True)
    }

    fn run(&mut self, argv: &[String]) -> Answered {
        let mut said = String::new();
        let mut line = |text: &str| {
            said.push_str(text);
            said.push('\n');
        };
        let done = self.site.run_program(argv, None, "", &mut line);
        self.said.push_str(&said);
        match done {
            Ok(None) => Ok(Answer::Number(0)),
            Ok(Some(outcome)) => {
                let digits: String = outcome.chars().filter(char::is_ascii_digit).collect();
                Ok(Answer::Number(digits.parse().unwrap_or(1)))
            }
            Err(error) => {
                let refusal = refuse(argv.first().map_or("", String::as_str), &error.to_string(), 5);
                self.broken = Some(error);
                Err(refusal)
            }
        }
    }

    fn access(&self, text: &str, mode: &str) -> Answered {
        let path = self.target(text)?;
        let node = self.node(&path, text)?;
        // root may read and write all, and run what anybody may.
        if mode.contains('x') && !node.is_directory() && node.meta.mode & 0o111 == 0 {
            return Err(refuse(text, "Permission denied", 13));
        }
        Ok(Answer::Number(0))
    }

    fn stat(&self, text: &str) -> Answered {
        let path = self.path(text)?;
        let node = self.node(&path, text)?;
        let (kind, size) = match &node.kind {
            Kind::Directory => ("directory", 0),
            Kind::File { size, .. } => ("regular", *size),
            Kind::Symlink { target } => ("link", target.len() as u64),
            Kind::CharDevice { .. } => ("character device", 0),
            Kind::BlockDevice { .. } => ("block device", 0),
            Kind::Fifo => ("fifo", 0),
        };
        let number = |number: u64| Answer::Number(i64::try_from(number).unwrap_or(i64::MAX));
        Ok(Answer::Fields(vec![
            ("mode", Answer::Bytes(letters(node.meta.mode).into_bytes())),
            ("ino", Answer::Number(1)),
            ("dev", Answer::Number(1)),
            ("nlink", Answer::Number(1)),
            ("uid", number(node.meta.uid.into())),
            ("gid", number(node.meta.gid.into())),
            ("size", number(size)),
            ("atime", Answer::Number(node.meta.mtime)),
            ("mtime", Answer::Number(node.meta.mtime)),
            ("ctime", Answer::Number(node.meta.mtime)),
            ("type", Answer::Bytes(kind.as_bytes().to_vec())),
            ("_mode", number(node.st_mode().into())),
        ]))
    }

    fn list(&self, text: &str) -> Answered {
        let path = self.target(text)?;
        if !self.node(&path, text)?.is_directory() {
            return Err(refuse(text, "Not a directory", 20));
        }
        let mut names = vec![".".to_owned(), "..".to_owned()];
        names
            .extend(self.site.root.tree.children(&path).filter_map(|(path, _)| path.names().last().map(str::to_owned)));
        Ok(Answer::List(names))
    }

    fn change_directory(&mut self, text: &str) -> Answered {
        let path = self.target(text)?;
        if !self.node(&path, text)?.is_directory() {
            return Err(refuse(text, "Not a directory", 20));
        }
        self.directory = path;
        Ok(Answer::Number(0))
    }

    fn make(&mut self, text: &str, kind: Kind, mode: u32) -> Answered {
        let path = self.path(text)?;
        if self.site.root.tree.get(&path).is_some() {
            return Err(refuse(text, "File exists", 17));
        }
        self.put(path, Node { meta: Meta::root(mode, self.at()), kind }, text)
    }

    fn link(&mut self, from: &str, text: &str) -> Answered {
        let (source, path) = (self.path(from)?, self.path(text)?);
        if self.site.root.tree.get(&path).is_some() {
            return Err(refuse(text, "File exists", 17));
        }
        let mut node = self.node(&source, from)?.clone();
        if node.is_directory() {
            return Err(refuse(from, "Operation not permitted", 1));
        }
        if let Kind::File { hard_link, .. } = &mut node.kind
            && hard_link.is_none()
        {
            *hard_link = Some(self.site.root.tree.free_hard_link());
            self.site.root.next_link = None;
            if let Some(first) = self.site.root.tree.get_mut(&source) {
                first.kind = node.kind.clone();
            }
            self.site.root.changed.insert(source);
        }
        self.put(path, node, text)
    }

    fn read_link(&self, text: &str) -> Answered {
        let path = self.path(text)?;
        match &self.node(&path, text)?.kind {
            Kind::Symlink { target } => Ok(Answer::Bytes(target.clone().into_bytes())),
            _ => Err(refuse(text, "Invalid argument", 22)),
        }
    }

    /// Removes a directory, or what is none, or either.
    fn remove(&mut self, text: &str, directory: Option<bool>) -> Answered {
        let path = self.path(text)?;
        let is_directory = self.node(&path, text)?.is_directory();
        match (directory, is_directory) {
            (Some(true), false) => return Err(refuse(text, "Not a directory", 20)),
            (Some(false), true) => return Err(refuse(text, "Is a directory", 21)),
            _ => {}
        }
        if path.is_root() || self.site.root.tree.children(&path).next().is_some() {
            return Err(refuse(text, "Directory not empty", 39));
        }
        self.site.root.tree.remove(&path);
        self.site.root.changed.insert(path);
        Ok(Answer::Number(0))
    }

    fn rename(&mut self, from: &str, text: &str) -> Answered {
        let (source, path) = (self.path(from)?, self.path(text)?);
        let is_directory = self.node(&source, from)?.is_directory();
        if source == path {
            return Ok(Answer::True);
        }
        if path.as_str().starts_with(&format!("{}/", source.as_str())) || source.is_root() {
            return Err(refuse(text, "Invalid argument", 22));
        }
        if let Some(there) = self.site.root.tree.get(&path) {
            match (is_directory, there.is_directory()) {
                (true, false) => return Err(refuse(text, "Not a directory", 20)),
                (false, true) => return Err(refuse(text, "Is a directory", 21)),
                _ if self.site.root.tree.children(&path).next().is_some() => {
                    return Err(refuse(text, "Directory not empty", 39));
                }
                _ => {}
            }
        }
        let moved: Vec<(TreePath, Node)> =
            self.site.root.tree.below(&source).map(|(path, node)| (path.clone(), node.clone())).collect();
        self.site.root.tree.remove(&path);
        self.site.root.tree.remove(&source);
        for (old, node) in moved {
            let rest = old.as_str().strip_prefix(source.as_str()).unwrap_or_default();
            let new = TreePath::new(&format!("{}{rest}", path.as_str()));
            let new = new.map_err(|error| refuse(text, &error.to_string(), 22))?;
            self.site.root.changed.insert(old);
            self.put(new, node, text)?;
        }
        Ok(Answer::True)
    }

    fn change_meta(&mut self, text: &str, change: impl FnOnce(&mut Meta)) -> Answered {
        let path = self.target(text)?;
        let node = self.site.root.tree.get_mut(&path).ok_or_else(|| missing(text))?;
        change(&mut node.meta);
        self.site.root.changed.insert(path);
        Ok(Answer::Number(0))
    }

    fn change_mode(&mut self, text: &str, mode: &str) -> Answered {
        let path = self.target(text)?;
        let before = self.node(&path, text)?.meta.mode;
        let mode = parse_mode(mode, before).ok_or_else(|| refuse(mode, "is no mode", 22))?;
        self.change_meta(text, |meta| meta.mode = mode)
    }

    fn change_owner(&mut self, text: &str, user: &Value, group: &Value) -> Answered {
        let accounts = self.accounts(text)?;
        let id = |value: &Value, by_name: &dyn Fn(&str) -> Option<u32>| match value {
            Value::Integer(-1) => Ok(None),
            Value::Integer(id) => u32::try_from(*id).map(Some).map_err(|_| refuse(text, "no such id", 22)),
            Value::String(name) => {
                let name = name.to_string_lossy();
                by_name(&name).map(Some).ok_or_else(|| refuse(&name, "is no account", 22))
            }
            _ => Ok(None),
        };
        let uid = id(user, &|name| accounts.uid(name))?;
        let gid = id(group, &|name| accounts.gid(name))?;
        self.change_meta(text, |meta| {
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
        })
    }

    fn accounts(&self, text: &str) -> Result<Accounts, Refusal> {
        let (passwd, group) = (self.account_file("etc/passwd"), self.account_file("etc/group"));
        Accounts::parse(&passwd, &group).map_err(|error| refuse(text, &error.to_string(), 22))
    }

    fn account_file(&self, path: &str) -> String {
        let bytes = read_blob(&self.site.root.tree, &self.site.root.contents, path);
        String::from_utf8_lossy(&bytes.ok().flatten().unwrap_or_default()).into_owned()
    }

    fn user(&self, who: &Value) -> Answered {
        let passwd = self.account_file("etc/passwd");
        let fields = find_account(&passwd, who, 7)?;
        let text = |index: usize| Answer::Bytes(fields[index].as_bytes().to_vec());
        let number = |index: usize| Answer::Number(fields[index].parse().unwrap_or(0));
        Ok(Answer::Fields(vec![
            ("name", text(0)),
            ("passwd", text(1)),
            ("uid", number(2)),
            ("gid", number(3)),
            ("gecos", text(4)),
            ("dir", text(5)),
            ("shell", text(6)),
        ]))
    }

    fn group(&self, who: &Value) -> Answered {
        let group = self.account_file("etc/group");
        let fields = find_account(&group, who, 4)?;
        Ok(Answer::Fields(vec![
            ("name", Answer::Bytes(fields[0].as_bytes().to_vec())),
            ("gid", Answer::Number(fields[2].parse().unwrap_or(0))),
        ]))
    }

    /// Paths that match a shell pattern of `*`, `?` and sets of letters.
    fn glob(&self, pattern: &str) -> Answered {
        let matches = |path: &&TreePath| {
            let text = format!("/{}", path.as_str());
            let (wanted, found): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), text.split('/').collect());
            wanted.len() == found.len()
                && wanted.iter().zip(&found).all(|(wanted, found)| name_matches(wanted.as_bytes(), found.as_bytes()))
        };
        let found: Vec<String> = self
            .site
            .root
            .tree
            .iter()
            .map(|(path, _)| path)
            .filter(matches)
            .map(|path| format!("/{}", path.as_str()))
            .collect();
        if found.is_empty() { Ok(Answer::List(vec![pattern.to_owned()])) } else { Ok(Answer::List(found)) }
    }
}

fn find_account<'f>(file: &'f str, who: &Value, fields: usize) -> Result<Vec<&'f str>, Refusal> {
    let who = match who {
        Value::Integer(id) => id.to_string(),
        Value::String(name) => name.to_string_lossy(),
        _ => return Err(refuse("account", "is neither a name nor a number", 22)),
    };
    let mut lines = file.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|line| line.len() == fields);
    lines.find(|line| line[0] == who || line[2] == who).ok_or_else(|| refuse(&who, "is no account", 2))
}

/// Whether one name of a path matches one of a pattern.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => name_matches(&pattern[1..], name) || (!name.is_empty() && name_matches(pattern, &name[1..])),
        (Some(b'?'), Some(_)) => name_matches(&pattern[1..], &name[1..]),
        (Some(b'['), Some(letter)) => match pattern.iter().position(|byte| *byte == b']') {
            Some(end) => {
                let is_negated = matches!(pattern.get(1), Some(b'!' | b'^'));
                let set = &pattern[1 + usize::from(is_negated)..end.max(1 + usize::from(is_negated))];
                set.contains(letter) != is_negated && name_matches(&pattern[end + 1..], &name[1..])
            }
            None => *letter == b'[' && name_matches(&pattern[1..], &name[1..]),
        },
        (Some(one), Some(other)) => one == other && name_matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// `rwxr-xr-x`, as rpm shows modes.
fn letters(mode: u32) -> String {
    (0..9).map(|bit| if mode & (0o400 >> bit) == 0 { '-' } else { ['r', 'w', 'x'][bit % 3] }).collect()
}

/// A mode in octal digits, in nine letters, or as chmod(1) has it (`u+x,go-w`).
fn parse_mode(text: &str, before: u32) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    }
    if text.len() == 9 && text.bytes().all(|byte| b"rwx-".contains(&byte)) {
        let bits = text.bytes().enumerate().filter(|(_, byte)| *byte != b'-');
        return Some(bits.fold(0, |mode, (bit, _)| mode | (0o400 >> bit)));
    }
    let mut mode = before;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, change) = clause.split_at(at);
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        let mask = if mask == 0 { 0o7777 } else { mask };
        let mut bits = 0;
        for letter in change[1..].chars() {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        mode = match change.chars().next()? {
            '+' => mode | (bits & mask),
            '-' => mode & !(bits & mask),
            _ => (mode & !(mask & 0o777)) | (bits & mask),
        };
    }
    Some(mode)
}

/// The arguments of a call.
struct Words<'a>(&'a [Value]);

impl Words<'_> {
    fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Nil)
    }

    fn bytes(&self, index: usize) -> Result<Vec<u8>, Refusal> {
        match self.get(index) {
            Value::String(text) => Ok(text.as_bytes().to_vec()),
            Value::Integer(number) => Ok(number.to_string().into_bytes()),
            Value::Number(number) => Ok(number.to_string().into_bytes()),
            other => Err(refuse("argument", &format!("a text is needed, not {}", other.type_name()), 22)),
        }
    }

    fn text(&self, index: usize) -> Result<String, Refusal> {
        String::from_utf8(self.bytes(index)?).map_err(|_| refuse("argument", "it is not UTF-8", 84))
    }

    fn texts(&self) -> Result<Vec<String>, Refusal> {
        (0..self.0.len()).map(|index| self.text(index)).collect()
    }

    fn number(&self, index: usize) -> Result<i64, Refusal> {
        match self.get(index) {
            Value::Integer(number) => Ok(*number),
            Value::Number(number) => Ok(*number as i64),
            other => Err(refuse("argument", &format!("a number is needed, not {}", other.type_name()), 22)),
        }
    }
}
