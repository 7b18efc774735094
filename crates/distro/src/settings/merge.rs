use crate::diagnostic::{Diagnostic, Located};

use super::{Settings, is_below};

impl Settings {
    /// Lays a later layer over this one; what the original would leave without effect is reported.
    pub(crate) fn lay_over(&mut self, later: &Settings, problems: &mut Vec<Diagnostic>) {
        for key in &later.unset {
            self.take_back(key, problems);
        }
        for (key, value) in &later.values {
            match self.values.get(key) {
                Some(earlier) if value.value.is_zero() && !earlier.value.is_zero() => {
                    let message =
                        format!("`{key} = {}` has no effect: an earlier layer says {}", value.value, earlier.value);
                    let note = format!("there {}", earlier.at);
                    let hint = format!("`unset = [\"{key}\"]` takes back what earlier layers say");
                    problems.push(Diagnostic::new(message).at(&value.at).note(note).hint(hint).warning());
                }
                _ => {
                    self.values.insert(key.clone(), value.clone());
                }
            }
        }
        for (key, list) in &later.lists {
            // A later word on a build conditional replaces an earlier one.
            let opposite = match *key {
                "build.with" => Some("build.without"),
                "build.without" => Some("build.with"),
                _ => None,
            };
            if let Some(earlier) = opposite.and_then(|key| self.lists.get_mut(key)) {
                earlier.retain(|item| list.iter().all(|new| new.value != item.value));
            }
            self.lists.entry(key).or_default().extend(list.iter().cloned());
        }
        for file in &later.source_files {
            self.source_files.retain(|earlier| !earlier.is_same(file));
            self.source_files.push(file.clone());
        }
        self.overlays.extend(later.overlays.iter().cloned());
        if let Some(files) = &later.overlay_files {
            self.overlay_files = Some(files.clone());
        }
    }

    fn take_back(&mut self, key: &Located<String>, problems: &mut Vec<Diagnostic>) {
        let key_text = key.value.as_str();
        let mut is_there = false;
        let mut found = |is_meant: bool| {
            is_there |= is_meant;
            !is_meant
        };
        self.values.retain(|path, _| found(is_below(path, key_text)));
        for (path, list) in &mut self.lists {
            list.retain(|item| found(is_below(path, key_text) || format!("{path}.{}", item.value) == key_text));
        }
        self.source_files.retain(|file| {
            found(key_text == "source-files" || key_text.strip_prefix("source-files.") == Some(&file.file_name))
        });
        self.overlays.retain(|_| found(key_text == "overlays"));
        if key_text == "overlay-files" {
            found(self.overlay_files.take().is_some());
        }
        if !is_there {
            let message = format!("`unset` takes back `{key_text}`, which no earlier layer says");
            problems.push(Diagnostic::new(message).at(&key.at).hint("remove it").warning());
        }
    }
}
