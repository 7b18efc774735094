//! What is to become of each file, decided before anything is touched.
//!
//! Source: rpm, `lib/transaction.cc` (`rpmtsPrepare`) and `lib/rpmfi.cc` (`rpmfilesDecideFate`, `rpmfilesConfigConflict`).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use pkg::Blobs;
use rpm::db::FileState;
use rpm::{Checksummer, FileEntry, FileFlags, FileKind};
use tree::{Kind, Tree, TreePath};

use crate::change::Allowances;
use crate::element::{Element, Fate, Side};
use crate::error::Problem;
use crate::facts::Record;
use crate::installed::InstalledSet;
use crate::{Change, Contents, InstallError};

/// Decides about all files of `elements`, which stand in their final order.
pub(crate) fn decide(
    elements: &mut [Element],
    installed: &InstalledSet,
    change: &Change,
    is_excluded: &dyn Fn(&str) -> bool,
    tree: &Tree,
    contents: &Contents<'_>,
) -> Result<Vec<Problem>, InstallError> {
    for element in elements.iter_mut() {
        let files = element.facts.files()?;
        element.fates =
            if element.comes() { filtered(&files, change, is_excluded) } else { vec![Fate::Unknown; files.len()] };
    }
    let mut places = Places { tree, links: HashMap::new(), known: HashMap::new() };
    places.learn_links(elements)?;
    let claims = Claims::new(elements, &mut places)?;
    let mut judge = Judge { elements, tree, contents, allow: change.allow, problems: Vec::new() };
    judge.against_installed(&claims, installed, &mut places)?;
    judge.against_each_other(&claims)?;
    Ok(judge.problems)
}

/// Fates after the filters; a directory that they empty is left out too.
fn filtered(files: &[FileEntry], change: &Change, is_excluded: &dyn Fn(&str) -> bool) -> Vec<Fate> {
    let leaves_out = |file: &FileEntry| is_excluded(&file.path) || change.filters.leaves_out(file);
    let mut fates: Vec<Fate> =
        files.iter().map(|file| if leaves_out(file) { Fate::LeaveOut } else { Fate::Unknown }).collect();
    if !files.iter().any(|file| change.filters.leaves_out(file)) {
        return fates;
    }
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    // By directory: how many of its entries stay, and whether a filter took one.
    let mut folders: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (file, fate) in files.iter().zip(&fates) {
        let entry = folders.entry(folder(&file.path)).or_default();
        if *fate == Fate::LeaveOut { entry.1 = true } else { entry.0 += 1 }
    }
    let rows: HashMap<&str, usize> = files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.kind == FileKind::Directory)
        .map(|(row, file)| (file.path.as_str(), row))
        .collect();
    // The deepest come last in the order of paths.
    for path in folders.keys().rev().cloned().collect::<Vec<_>>() {
        let (stay, was_emptied) = folders[&path];
        let Some(row) = rows.get(path.as_str()).filter(|row| stay == 0 && was_emptied && !fates[**row].is_skipped())
        else {
            continue;
        };
        fates[*row] = Fate::LeaveOut;
        if let Some(parent) = folders.get_mut(&folder(&path)) {
            *parent = (parent.0.saturating_sub(1), true);
        }
    }
    fates
}

/// Where paths of packages come to lie, through links that are there and links that come in this transaction.
struct Places<'a> {
    tree: &'a Tree,
    links: HashMap<TreePath, String>,
    /// By directory, as written.
    known: HashMap<String, TreePath>,
}

impl Places<'_> {
    fn learn_links(&mut self, elements: &[Element]) -> Result<(), InstallError> {
        for element in elements.iter().filter(|element| element.comes()) {
            for (row, file) in element.facts.files()?.iter().enumerate() {
                if file.kind == FileKind::Symlink && !file.is_ghost() && !element.fates[row].is_skipped() {
                    let path = TreePath::new(&file.path).map_err(|cause| place(&element.facts.nevra, cause))?;
                    // A directory that is there stays one for those that go through it.
                    let resolved = self.tree.resolve_parent(&path).unwrap_or(path);
                    if !self.tree.get(&resolved).is_some_and(tree::Node::is_directory) {
                        self.links.insert(resolved, file.link_target.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn of(&mut self, path: &str, package: &str) -> Result<TreePath, InstallError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Ok(TreePath::root());
        }
        if !self.known.contains_key(folder) {
            let reached =
                self.resolve(folder).map_err(|cause| InstallError::Place { package: package.to_owned(), cause })?;
            self.known.insert(folder.to_owned(), reached);
        }
        self.known[folder].join(name).map_err(|cause| place(package, cause))
    }

    fn resolve(&self, folder: &str) -> Result<TreePath, Box<dyn std::error::Error + Send + Sync>> {
        let mut waiting: VecDeque<String> = folder.split('/').map(str::to_owned).collect();
        let mut reached = TreePath::root();
        let mut left = 40;
        while let Some(name) = waiting.pop_front() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    reached = reached.parent().unwrap_or_default();
                    continue;
                }
                _ => {}
            }
            let next = reached.join(&name)?;
            let there = match self.tree.get(&next).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) => Some(target),
                Some(Kind::Directory) => None,
                _ => self.links.get(&next),
            };
            let Some(target) = there else {
                reached = next;
                continue;
            };
            left -= 1;
            if left == 0 {
                return Err(format!("`{folder}` passes through more than 40 symbolic links").into());
            }
            if target.starts_with('/') {
                reached = TreePath::root();
            }
            for name in target.split('/').rev() {
                waiting.push_front(name.to_owned());
            }
        }
        Ok(reached)
    }
}

fn place(package: &str, cause: impl std::error::Error + Send + Sync + 'static) -> InstallError {
    InstallError::Place { package: package.to_owned(), cause: Box::new(cause) }
}

/// Which files of which elements have which path.
struct Claims {
    numbers: HashMap<TreePath, u32>,
    /// By number of a path: elements and rows, in order.
    by_path: Vec<Claim>,
    /// By element and row: the number of its path.
    paths: Vec<Vec<Option<u32>>>,
}

struct Claim {
    path: TreePath,
    files: Vec<(usize, usize)>,
}

impl Claims {
    fn new(elements: &[Element], places: &mut Places<'_>) -> Result<Claims, InstallError> {
        let mut claims = Claims { numbers: HashMap::new(), by_path: Vec::new(), paths: Vec::new() };
        for (index, element) in elements.iter().enumerate() {
            let mut paths = vec![None; element.fates.len()];
            for (row, file) in element.facts.files()?.iter().enumerate() {
                if !element.fates[row].is_skipped() {
                    let path = places.of(&file.path, &element.facts.nevra)?;
                    paths[row] = Some(claims.add(path, (index, row)));
                }
            }
            claims.paths.push(paths);
        }
        Ok(claims)
    }

    fn add(&mut self, path: TreePath, file: (usize, usize)) -> u32 {
        match self.numbers.entry(path) {
            Entry::Occupied(known) => {
                self.by_path[*known.get() as usize].files.push(file);
                *known.get()
            }
            Entry::Vacant(free) => {
                let number = self.by_path.len() as u32;
                self.by_path.push(Claim { path: free.key().clone(), files: vec![file] });
                *free.insert(number)
            }
        }
    }

    fn of(&self, path: &TreePath) -> Option<&Claim> {
        Some(&self.by_path[*self.numbers.get(path)? as usize])
    }
}

struct Judge<'a> {
    elements: &'a mut [Element],
    tree: &'a Tree,
    contents: &'a Contents<'a>,
    allow: Allowances,
    problems: Vec<Problem>,
}

impl Judge<'_> {
    /// Compares with the files of packages that are there, whether they go or stay.
    fn against_installed(
        &mut self,
        claims: &Claims,
        installed: &InstalledSet,
        places: &mut Places<'_>,
    ) -> Result<(), InstallError> {
        if installed.iter().next().is_none() {
            return Ok(());
        }
        let names: HashSet<&str> = claims.by_path.iter().map(|claim| claim.path.name()).collect();
        let leaving: HashMap<u32, usize> = self
            .elements
            .iter()
            .enumerate()
            .filter_map(|(index, element)| element.number().map(|number| (number, index)))
            .collect();
        for record in installed.iter() {
            if !record.facts.header.strs(rpm::Tag::BASENAMES).any(|name| names.contains(name)) {
                continue;
            }
            let files = record.facts.files()?;
            let goes = leaving.contains_key(&record.number);
            for (row, file) in files.iter().enumerate() {
                let name = file.path.rsplit('/').next().unwrap_or("");
                if !names.contains(name) {
                    continue;
                }
                let path = places.of(&file.path, &record.facts.nevra)?;
                let Some(claim) = claims.of(&path) else { continue };
                for (index, own_row) in claim.files.iter().copied() {
                    if self.elements[index].comes() {
                        self.meet(index, own_row, record, row, goes, &path)?;
                    } else if !goes && record.states.get(row) == Some(&FileState::Normal) {
                        self.elements[index].fates[own_row] = Fate::Skip;
                    }
                }
            }
        }
        Ok(())
    }

    /// A file that comes meets one of a package that is there.
    fn meet(
        &mut self,
        index: usize,
        row: usize,
        record: &Record,
        other_row: usize,
        goes: bool,
        path: &TreePath,
    ) -> Result<(), InstallError> {
        let (own_files, files) = (self.elements[index].facts.files()?, record.facts.files()?);
        let (file, other) = (&own_files[row], &files[other_row]);
        if self.elements[index].fates[row].is_skipped()
            || record.states.get(other_row) == Some(&FileState::NotInstalled)
        {
            return Ok(());
        }
        let is_config = file.flags.has(FileFlags::CONFIG) || other.flags.has(FileFlags::CONFIG);
        if let Some(difference) = difference(other, file) {
            let is_conflict = !goes || self.is_removal_conflict(file, other, path);
            if is_conflict && !self.allow.files {
                self.problems.push(Problem::FileConflict {
                    path: path.clone(),
                    first: record.facts.nevra.clone(),
                    second: self.elements[index].facts.nevra.clone(),
                    difference,
                    is_installed: true,
                });
            }
            if !is_config
                && !goes
                && let Side::Comes { replaced, .. } = &mut self.elements[index].side
            {
                replaced.push((record.number, other_row, FileState::Replaced));
            }
        }
        if is_config {
            self.elements[index].fates[row] = self.config_fate(other, file, path)?;
        }
        Ok(())
    }

    /// Directories cannot become something else while what is in them may stay, nor a link to a directory a directory.
    fn is_removal_conflict(&self, file: &FileEntry, other: &FileEntry, path: &TreePath) -> bool {
        let there = self.tree.get(path).map(|node| &node.kind);
        let cannot = match other.kind {
            FileKind::Directory => file.kind != FileKind::Directory,
            FileKind::Symlink => {
                let leads = self.tree.resolve(path).ok().and_then(|target| self.tree.get(&target));
                file.kind == FileKind::Directory && leads.is_some_and(tree::Node::is_directory)
            }
            _ => false,
        };
        // ... unless it is gone already, or is what it is to become.
        cannot && there.is_some_and(|kind| !is_kind(kind, file.kind))
    }

    /// Of a configuration file that one version leaves to the next: keep what the user wrote.
    fn config_fate(&self, old: &FileEntry, new: &FileEntry, path: &TreePath) -> Result<Fate, InstallError> {
        if new.is_ghost() {
            return Ok(Fate::Skip);
        }
        let Some(there) = self.tree.get(path).map(|node| &node.kind) else {
            return Ok(if new.flags.has(FileFlags::MISSINGOK) { Fate::Skip } else { Fate::Create });
        };
        let keep = if new.flags.has(FileFlags::NOREPLACE) { Fate::Beside } else { Fate::Save };
        let is_same = match old.kind {
            FileKind::Regular => {
                let is_file = matches!(there, Kind::File { .. });
                if is_file && new.kind == FileKind::Regular && self.has_bytes(there, new)? {
                    return Ok(Fate::Touch);
                }
                if is_file && self.has_bytes(there, old)? {
                    return Ok(Fate::Create);
                }
                new.kind == FileKind::Regular && old.digest.is_some() && old.digest == new.digest
            }
            FileKind::Symlink => {
                if let Kind::Symlink { target } = there {
                    if new.kind == FileKind::Symlink && *target == new.link_target {
                        return Ok(Fate::Touch);
                    }
                    if *target == old.link_target {
                        return Ok(Fate::Create);
                    }
                }
                new.kind == FileKind::Symlink && old.link_target == new.link_target
            }
            _ => return Ok(Fate::Create),
        };
        Ok(match (new.flags.has(FileFlags::CONFIG), is_same) {
            (false, _) => Fate::Save,
            (true, true) => Fate::Skip,
            (true, false) => keep,
        })
    }

    /// Whether a configuration file is there that is not the package's own.
    fn is_modified_config(&self, file: &FileEntry, path: &TreePath) -> Result<bool, InstallError> {
        if !file.flags.has(FileFlags::CONFIG) {
            return Ok(false);
        }
        if !matches!(file.kind, FileKind::Regular | FileKind::Symlink) {
            return Ok(true);
        }
        let Some(there) = self.tree.get(path).map(|node| &node.kind) else { return Ok(false) };
        if file.is_ghost() || !is_kind(there, file.kind) {
            return Ok(true);
        }
        Ok(match there {
            Kind::File { size, .. } => *size != file.size || !self.has_bytes(there, file)?,
            Kind::Symlink { target } => *target != file.link_target,
            _ => true,
        })
    }

    fn has_bytes(&self, there: &Kind, file: &FileEntry) -> Result<bool, InstallError> {
        let (Kind::File { digest, .. }, Some(expected)) = (there, &file.digest) else { return Ok(false) };
        if expected.algorithm == rpm::Algorithm::Sha256 {
            return Ok(digest.hex() == expected.hex);
        }
        let mut sum = Checksummer::new(expected.algorithm);
        let mut reader = self.contents.open(digest)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match std::io::Read::read(&mut reader, &mut buffer)? {
                0 => return Ok(sum.finish() == *expected),
                count => sum.update(&buffer[..count]),
            }
        }
    }

    /// Compares the files of the transaction with each other.
    fn against_each_other(&mut self, claims: &Claims) -> Result<(), InstallError> {
        for index in 0..self.elements.len() {
            let files = self.elements[index].facts.files()?;
            for (row, file) in files.iter().enumerate() {
                if self.elements[index].fates[row].is_skipped() {
                    continue;
                }
                // What was left out before claims nothing, and what was skipped since was passed over above.
                let Some(number) = claims.paths[index][row] else { continue };
                let Claim { path, files: claiming } = &claims.by_path[number as usize];
                let comes = self.elements[index].comes();
                let own = claiming.iter().position(|file| *file == (index, row)).unwrap_or_default();
                let earlier = claiming[..own].iter().rev().copied().find(|(other, other_row)| {
                    let other = &self.elements[*other];
                    (!comes || other.comes()) && other.fates[*other_row] != Fate::Unknown
                });
                if comes {
                    self.come(index, row, file, earlier, path)?;
                } else {
                    self.go(index, row, file, earlier, path)?;
                }
            }
        }
        Ok(())
    }

    fn come(
        &mut self,
        index: usize,
        row: usize,
        file: &FileEntry,
        earlier: Option<(usize, usize)>,
        path: &TreePath,
    ) -> Result<(), InstallError> {
        let Some((other_index, other_row)) = earlier else {
            if self.elements[index].fates[row] == Fate::Unknown {
                let keep = if file.flags.has(FileFlags::NOREPLACE) { Fate::Beside } else { Fate::Backup };
                let fate = if self.is_modified_config(file, path)? { keep } else { Fate::Create };
                self.elements[index].fates[row] = fate;
            }
            return Ok(());
        };
        let other_files = self.elements[other_index].facts.files()?;
        let other = &other_files[other_row];
        if file.kind == FileKind::Directory && other.kind == FileKind::Symlink {
            // What a package takes for a directory, another one of the transaction may have as a link to one: `/bin`. Here
            // rpm refuses; the link stays, and the directory is the one that it leads to.
            self.elements[index].fates[row] = Fate::Skip;
            return Ok(());
        }
        match difference(other, file) {
            Some(difference) => self.problems.push(Problem::FileConflict {
                path: path.clone(),
                first: self.elements[other_index].facts.nevra.clone(),
                second: self.elements[index].facts.nevra.clone(),
                difference,
                is_installed: false,
            }),
            None => {
                if !self.elements[other_index].fates[other_row].is_skipped() && !other.is_ghost() {
                    self.elements[index].fates[row] = Fate::Skip;
                }
            }
        }
        if self.elements[index].fates[row].is_skipped() {
            return Ok(());
        }
        if self.is_modified_config(file, path)? {
            let fate = if file.flags.has(FileFlags::NOREPLACE) { Fate::Beside } else { Fate::Skip };
            self.elements[index].fates[row] = fate;
        } else if self.elements[index].fates[row] == Fate::Unknown {
            self.elements[index].fates[row] = Fate::Create;
        }
        Ok(())
    }

    fn go(
        &mut self,
        index: usize,
        row: usize,
        file: &FileEntry,
        earlier: Option<(usize, usize)>,
        path: &TreePath,
    ) -> Result<(), InstallError> {
        if let Some((other, other_row)) = earlier {
            if self.elements[other].fates[other_row] != Fate::Erase {
                self.elements[index].fates[row] = Fate::Skip;
                return Ok(());
            }
            // Of several that go, the last takes it away.
            self.elements[other].fates[other_row] = Fate::Skip;
        }
        let state = match &self.elements[index].side {
            Side::Goes { record, .. } => record.states.get(row).copied().unwrap_or(FileState::Normal),
            Side::Comes { .. } => FileState::Normal,
        };
        self.elements[index].fates[row] = if state != FileState::Normal {
            Fate::Skip
        } else if self.is_modified_config(file, path)? {
            Fate::Save
        } else {
            Fate::Erase
        };
        Ok(())
    }
}

fn is_kind(there: &Kind, kind: FileKind) -> bool {
    matches!(
        (there, kind),
        (Kind::File { .. }, FileKind::Regular)
            | (Kind::Directory, FileKind::Directory)
            | (Kind::Symlink { .. }, FileKind::Symlink)
            | (Kind::CharDevice { .. }, FileKind::CharDevice)
            | (Kind::BlockDevice { .. }, FileKind::BlockDevice)
            | (Kind::Fifo, FileKind::Fifo)
    )
}

/// In what two files of one path differ that may not, for packages to share it. Times may; ghosts agree with all.
fn difference(first: &FileEntry, second: &FileEntry) -> Option<String> {
    if first.is_ghost() || second.is_ghost() {
        return None;
    }
    if first.kind != second.kind {
        return Some("they are of different kinds".to_owned());
    }
    let is_link = first.kind == FileKind::Symlink;
    if is_link && first.link_target != second.link_target {
        return Some(format!("one leads to `{}`, the other to `{}`", first.link_target, second.link_target));
    }
    if first.kind == FileKind::Regular && (first.size != second.size || first.digest != second.digest) {
        return Some("the bytes differ".to_owned());
    }
    if (!is_link && first.mode != second.mode) || (&first.user, &first.group) != (&second.user, &second.group) {
        let shown = |file: &FileEntry| format!("{:04o} {}:{}", file.permissions(), file.user, file.group);
        return Some(format!("mode and owner are {} and {}", shown(first), shown(second)));
    }
    if matches!(first.kind, FileKind::CharDevice | FileKind::BlockDevice) && first.rdev != second.rdev {
        return Some("the devices differ".to_owned());
    }
    None
}
