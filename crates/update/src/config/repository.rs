use pkg::Digest;

use crate::config::{Key, Origin, Settings, Variables};

/// A repository as the configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The section's name.
    pub id: String,
    /// Whether it is used: its own word, then the command line's.
    pub enabled: bool,
    /// Where the section starts.
    pub origin: Origin,
    own: Settings,
    main: Settings,
    variables: Variables,
}

impl Repository {
    pub(crate) fn new(id: &str, origin: Origin, own: Settings, main: &Settings, variables: &Variables) -> Repository {
        let enabled = own.flag(Key::Enabled);
        Repository { id: id.to_owned(), enabled, origin, own, main: main.clone(), variables: variables.clone() }
    }

    pub(crate) fn set(&mut self, key: Key, text: &str) -> Result<(), String> {
        self.set_from(key, text, Origin::CommandLine)
    }

    pub(crate) fn set_from(&mut self, key: Key, text: &str, origin: Origin) -> Result<(), String> {
        self.own.set(key, text, origin)?;
        if key == Key::Enabled {
            self.enabled = self.own.flag(Key::Enabled);
        }
        Ok(())
    }

    /// The settings that answer for `key`: the section's own, or `[main]`'s where that may say it.
    fn settings(&self, key: Key) -> &Settings {
        if self.own.get(key).is_none() && self.main.get(key).is_some() { &self.main } else { &self.own }
    }

    /// A boolean.
    pub fn flag(&self, key: Key) -> bool {
        self.settings(key).flag(key)
    }

    /// A whole number.
    pub fn number(&self, key: Key) -> i64 {
        self.settings(key).number(key)
    }

    /// Seconds; `u64::MAX` is for ever.
    pub fn seconds(&self, key: Key) -> u64 {
        self.settings(key).seconds(key)
    }

    /// Bytes.
    pub fn bytes(&self, key: Key) -> u64 {
        self.settings(key).bytes(key)
    }

    /// A text, variables replaced.
    pub fn text(&self, key: Key) -> String {
        self.variables.expand(self.settings(key).text(key))
    }

    /// Words, variables replaced.
    pub fn list(&self, key: Key) -> Vec<String> {
        super::value::list(&self.text(key))
    }

    /// Patterns of `[main]` and the section together.
    pub fn patterns(&self, key: Key) -> Vec<String> {
        let mut all = super::value::list(&self.variables.expand(self.main.text(key)));
        all.extend(super::value::list(&self.variables.expand(self.own.text(key))));
        all
    }

    /// Where the value comes from.
    pub fn origin_of(&self, key: Key) -> &Origin {
        self.settings(key).origin(key)
    }

    /// The name for people; the id where there is none.
    pub fn name(&self) -> String {
        let name = self.text(Key::Name);
        if name.is_empty() { self.id.clone() } else { name }
    }

    /// The variable in one of the repository's addresses that has no value.
    pub fn unknown_variable(&self) -> Option<&str> {
        let keys = [Key::BaseUrl, Key::MirrorList, Key::Metalink];
        keys.into_iter().find_map(|key| self.variables.unknown(self.own.text(key)))
    }

    /// The folder of what is fetched from it: the id, and a digest of the addresses, so that other addresses do not meet
    /// the same files.
    pub fn cache_name(&self) -> String {
        let addresses = [Key::Metalink, Key::MirrorList, Key::BaseUrl].map(|key| self.text(key)).join("\n");
        let digest = Digest::of(addresses.as_bytes()).hex();
        let id: String =
            self.id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        format!("{id}-{}", digest.get(..16).unwrap_or_default())
    }
}
