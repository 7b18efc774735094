//! The settings of one layer as written, which may be that of a component, a group or a default.

use std::path::Path;

use super::{Settings, Value, is_below};
use crate::component;
use crate::diagnostic::{Diagnostic, Located, nearest};
use crate::overlay;
use crate::reader::Table;
use crate::reference;

/// The keys that `unset` can name, beside those below them.
const UNSETTABLE: &[&str] = &[
    "spec.type",
    "spec.path",
    "spec.upstream-distro.name",
    "spec.upstream-distro.version",
    "spec.upstream-distro.snapshot",
    "spec.upstream-name",
    "spec.upstream-commit",
    "origin",
    "release.calculation",
    "release.ignore-own-commits",
    "build.with",
    "build.without",
    "build.defines",
    "build.undefines",
    "build.emit-upstream-provenance",
    "build.check.skip",
    "build.check.skip_reason",
    "build.failure.expected",
    "build.failure.expected-reason",
    "build.hints.expensive",
    "render.skip-file-filter",
    "publish.rpm-channel",
    "publish.srpm-channel",
    "publish.debuginfo-channel",
    "packages",
    "overlays",
    "overlay-files",
    "source-files",
];

impl Settings {
    /// Reads a layer; paths in it are relative to `folder`.
    pub(crate) fn read(mut table: Table<'_>, folder: &Path) -> Settings {
        let mut settings = Settings::default();
        if let Some(spec) = table.table("spec", reference::SPEC) {
            settings.read_spec(spec, folder);
        }
        settings.word(&mut table, "origin", "origin", &["source", "stage0", "self"]);
        if let Some(mut release) = table.table("release", reference::RELEASE) {
            let words = &["auto", "autorelease", "static", "manual", ""];
            settings.word(&mut release, "calculation", "release.calculation", words);
            settings.flag_of(&mut release, "ignore-own-commits", "release.ignore-own-commits");
        }
        if let Some(build) = table.table("build", reference::BUILD) {
            settings.read_build(build);
        }
        if let Some(mut render) = table.table("render", reference::RENDER) {
            settings.flag_of(&mut render, "skip-file-filter", "render.skip-file-filter");
        }
        if let Some(mut publish) = table.table("publish", reference::PUBLISH) {
            settings.channel(&mut publish, "rpm-channel", "publish.rpm-channel");
            settings.channel(&mut publish, "srpm-channel", "publish.srpm-channel");
            settings.channel(&mut publish, "debuginfo-channel", "publish.debuginfo-channel");
        }
        for (name, mut package) in table.named_tables("packages", reference::PACKAGE) {
            if let Some(mut publish) = package.table("publish", reference::PACKAGE_PUBLISH) {
                for key in ["rpm-channel", "debuginfo-channel", "channel"] {
                    settings.channel(&mut publish, key, format!("packages.{}.publish.{key}", name.value));
                }
            }
        }
        for overlay in table.tables("overlays", reference::OVERLAY) {
            settings.overlays.extend(overlay::read(overlay, folder, None));
        }
        if table.has("overlay-files") {
            settings.overlay_files = Some(table.strings("overlay-files"));
        }
        for file in table.tables("source-files", reference::SOURCE_FILE) {
            let Some(file) = component::read_source_file(file, folder) else { continue };
            if settings.source_files.iter().any(|earlier| earlier.is_same(&file)) {
                let problem = Diagnostic::new(format!("the source file `{}` is written twice", file.file_name));
                table.report_at(&file.at, problem);
            }
            settings.source_files.push(file);
        }
        settings.read_unset(&mut table);
        settings
    }

    fn read_unset(&mut self, table: &mut Table<'_>) {
        for key in table.strings("unset") {
            if UNSETTABLE.iter().any(|known| is_below(known, &key.value) || is_below(&key.value, known)) {
                self.unset.push(key);
            } else {
                let problem = Diagnostic::new(format!("there is no key `{}` to take back", key.value));
                let hint = match nearest(&key.value, UNSETTABLE.iter().copied()) {
                    Some(like) => format!("did you mean `{like}`?"),
                    None => "a key as in `build.check.skip`, or an item as in `build.with.docs`".to_owned(),
                };
                table.report_at(&key.at, problem.hint(hint));
            }
        }
    }

    fn read_spec(&mut self, mut spec: Table<'_>, folder: &Path) {
        self.word(&mut spec, "type", "spec.type", &["local", "upstream", ""]);
        if let Some(path) = spec.string("path").filter(|path| !path.value.is_empty()) {
            let text = folder.join(&path.value).to_string_lossy().into_owned();
            self.set("spec.path", Value::Text(text), path.at);
        }
        self.text_of(&mut spec, "upstream-name", "spec.upstream-name");
        if let Some(commit) = self.text_of(&mut spec, "upstream-commit", "spec.upstream-commit")
            && !commit.is_empty()
            && (!(7..=40).contains(&commit.len()) || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            let problem = Diagnostic::new(format!("`{commit}` is no commit of git"));
            spec.report(spec.value_span("upstream-commit"), problem.hint("7 to 40 hexadecimal digits"));
        }
        if let Some(mut upstream) = spec.table("upstream-distro", reference::DISTRO_REFERENCE) {
            upstream.require("name");
            self.text_of(&mut upstream, "name", "spec.upstream-distro.name");
            self.text_of(&mut upstream, "version", "spec.upstream-distro.version");
            if let Some(snapshot) = self.text_of(&mut upstream, "snapshot", "spec.upstream-distro.snapshot")
                && !snapshot.is_empty()
                && crate::moment::parse(&snapshot).is_none()
            {
                let problem = Diagnostic::new(format!("`{snapshot}` is no moment"));
                upstream.report(upstream.value_span("snapshot"), problem.hint("as in `2026-02-24T00:00:00-08:00`"));
            }
        }
    }

    fn read_build(&mut self, mut build: Table<'_>) {
        for (key, path) in [("with", "build.with"), ("without", "build.without"), ("undefines", "build.undefines")] {
            let list = build.strings(key);
            if !list.is_empty() {
                self.lists.insert(path, list);
            }
        }
        for (name, body) in build.string_map("defines") {
            self.set(format!("build.defines.{name}"), Value::Text(body.value), body.at);
        }
        self.flag_of(&mut build, "emit-upstream-provenance", "build.emit-upstream-provenance");
        if let Some(mut check) = build.table("check", reference::CHECK) {
            let skip = self.flag_of(&mut check, "skip", "build.check.skip");
            let reason = self.text_of(&mut check, "skip_reason", "build.check.skip_reason");
            if skip == Some(true) && reason.is_none_or(|reason| reason.is_empty()) {
                check.missing("skip_reason");
            }
        }
        if let Some(mut failure) = build.table("failure", reference::FAILURE) {
            let expected = self.flag_of(&mut failure, "expected", "build.failure.expected");
            let reason = self.text_of(&mut failure, "expected-reason", "build.failure.expected-reason");
            if expected == Some(true) && reason.is_none_or(|reason| reason.is_empty()) {
                failure.missing("expected-reason");
            }
        }
        if let Some(mut hints) = build.table("hints", reference::HINTS) {
            self.flag_of(&mut hints, "expensive", "build.hints.expensive");
        }
    }

    fn text_of(&mut self, table: &mut Table<'_>, key: &'static str, path: &'static str) -> Option<String> {
        let found = table.string(key)?;
        self.set(path, Value::Text(found.value.clone()), found.at);
        Some(found.value)
    }

    fn flag_of(&mut self, table: &mut Table<'_>, key: &'static str, path: &'static str) -> Option<bool> {
        let Located { value, at } = table.flag(key)?;
        self.set(path, Value::Flag(value), at);
        Some(value)
    }

    fn word(&mut self, table: &mut Table<'_>, key: &'static str, path: &'static str, words: &[&'static str]) {
        let known: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        if let Some(word) = table.word(key, &known) {
            let at = table.position(table.value_span(key).start);
            self.set(path, Value::Text(word.to_owned()), at);
        }
    }

    fn channel(&mut self, table: &mut Table<'_>, key: &'static str, path: impl Into<std::borrow::Cow<'static, str>>) {
        if let Some(channel) = crate::group::read_channel(table, key) {
            self.set(path, Value::Text(channel.value), channel.at);
        }
    }
}
