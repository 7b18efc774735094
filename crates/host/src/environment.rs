//! The environment variables that Slipway reads: all of them, in one list.

use std::ffi::OsString;
use std::path::PathBuf;

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// An environment variable that Slipway reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variable { $($(#[doc = $doc])+ $variant,)+ }

        impl Variable {
            /// Every variable, in the order of the reference page.
            pub const ALL: &[Variable] = &[$(Variable::$variant,)+];

            /// Its name, such as `HOME`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Variable::$variant => $name,)+ }
            }

            /// What it does, for the reference page.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Variable::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

variables! {
    /// Where programs are looked for, before the system's own `bin` and `sbin` folders.
    Path = "PATH",
    /// The user's home folder; the store's default place is derived from it.
    Home = "HOME",
    /// Cache folder of the user; the store is `slipway` in it.
    CacheHome = "XDG_CACHE_HOME",
    /// Settings folder of the user; signing keys for development are in `slipway/keys` in it.
    ConfigHome = "XDG_CONFIG_HOME",
    /// Place of the store; `--store` wins over it.
    Store = "SLIPWAY_STORE",
    /// Folder for short-lived files.
    TemporaryFolder = "TMPDIR",
    /// When set and not empty, `slipway dnf offline` and its like prepare and do transactions, and restart nothing.
    NoReboot = "DNF_SYSTEM_UPGRADE_NO_REBOOT",
    /// Kind of terminal, passed into `slipway shell`.
    Term = "TERM",
    /// When set and not empty, nothing is coloured (no-color.org).
    NoColor = "NO_COLOR",
    /// Proxy for plain downloads, passed to apt.
    HttpProxy = "http_proxy",
    /// Proxy for TLS downloads, passed to apt.
    HttpsProxy = "https_proxy",
    /// Hosts that are reached without a proxy, passed to apt.
    NoProxy = "no_proxy",
}

/// The value of `variable`; `None` when it is unset or empty.
#[must_use]
pub fn read(variable: Variable) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    std::env::var_os(variable.name()).filter(|value| !value.is_empty())
}

/// The user's cache folder: `$XDG_CACHE_HOME`, else `$HOME/.cache`; `None` when neither is an absolute path.
#[must_use]
pub fn cache_home() -> Option<PathBuf> {
    user_folder(Variable::CacheHome, ".cache")
}

/// The user's settings folder: `$XDG_CONFIG_HOME`, else `$HOME/.config`; `None` when neither is an absolute path.
#[must_use]
pub fn config_home() -> Option<PathBuf> {
    user_folder(Variable::ConfigHome, ".config")
}

fn user_folder(variable: Variable, in_home: &str) -> Option<PathBuf> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    read(variable).and_then(absolute).or_else(|| read(Variable::Home).and_then(absolute).map(|home| home.join(in_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_each_variable_once() {
        let mut names: Vec<_> = Variable::ALL.iter().map(|variable| variable.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Variable::ALL.len());
        assert!(Variable::ALL.iter().all(|variable| variable.meaning().ends_with('.')));
    }
}
