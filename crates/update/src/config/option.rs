//! The options of `dnf.conf` and of repository sections: a closed list.

use crate::config::Kind;

/// Where an option may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `[main]` only.
    Main,
    /// In a repository's section only.
    Repository,
    /// In both; `[main]` then gives the default of all repositories.
    Both,
}

macro_rules! options {
    ($($variant:ident = $name:literal $kind:ident $place:ident $default:literal, $doc:literal;)+) => {
        /// An option. A new one is a line in the list below and a reader of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is named after its option")]
        pub enum Key { $($variant,)+ }

        impl Key {
            /// Every option.
            pub const ALL: &[Key] = &[$(Key::$variant,)+];

            /// Its name in the files.
            pub fn name(self) -> &'static str {
                match self { $(Key::$variant => $name,)+ }
            }

            /// What kind of value it has.
            pub fn kind(self) -> Kind {
                match self { $(Key::$variant => Kind::$kind,)+ }
            }

            /// Where it may stand.
            pub fn place(self) -> Place {
                match self { $(Key::$variant => Place::$place,)+ }
            }

            /// Its value where no file says one.
            pub fn default(self) -> &'static str {
                match self { $(Key::$variant => $default,)+ }
            }

            /// What it does.
            pub fn meaning(self) -> &'static str {
                match self { $(Key::$variant => $doc,)+ }
            }
        }
    };
}

options! {
    Allow = "allow_vendor_change" Boolean Main "1", "packages may be replaced by those of another vendor";
    Arch = "arch" Text Main "", "the machine's architecture, where it is not this one's";
    AssumeNo = "assumeno" Boolean Main "0", "answer every question with no";
    AssumeYes = "assumeyes" Boolean Main "0", "answer every question with yes";
    BaseUrl = "baseurl" List Repository "", "where the repository is; several are tried in turn";
    Best = "best" Boolean Main "1", "the best version, or an error";
    CacheDir = "cachedir" Text Main "/var/cache/slipway/dnf", "folder of what was fetched; processes share it";
    CacheOnly = "cacheonly" Boolean Main "0", "use what was fetched before, and nothing else";
    CleanRequirements = "clean_requirements_on_remove" Boolean Main "1", "what nothing needs any more is removed too";
    Cost = "cost" Number Repository "1000", "of equal packages that of the lower cost is taken";
    DefaultYes = "defaultyes" Boolean Main "0", "an empty answer is yes";
    Enabled = "enabled" Boolean Repository "1", "whether the repository is used";
    Exclude = "excludepkgs" List Both "", "packages that are not seen; also written `exclude`";
    GpgCheck = "gpgcheck" Boolean Both "1", "packages must be signed by an accepted key";
    GpgKey = "gpgkey" List Repository "", "where the repository's keys are; each is imported with consent only";
    IncludePackages = "includepkgs" List Both "", "the only packages that are seen";
    InstallOnly = "installonlypkgs" List Main "kernel kernel-core kernel-modules kernel-modules-core kernel-devel installonlypkg(kernel)", "packages of which several versions are kept";
    InstallOnlyLimit = "installonly_limit" Number Main "3", "how many versions of these";
    InstallRoot = "installroot" Text Main "/", "the root that is changed";
    KeepCache = "keepcache" Boolean Main "0", "keep packages after they were installed";
    LocalPackageCheck = "localpkg_gpgcheck" Boolean Main "0", "packages given as files must be signed too";
    MaxDownloads = "max_parallel_downloads" Number Main "3", "packages that are fetched at once, 1 to 20";
    MetadataExpire = "metadata_expire" Seconds Both "172800", "age after which metadata is asked for again";
    Metalink = "metalink" Text Repository "", "where a metalink to `repomd.xml` is";
    MinRate = "minrate" Bytes Both "1000", "bytes a second below which a transfer counts as stalled";
    MirrorList = "mirrorlist" Text Repository "", "where a list of base addresses is";
    Name = "name" Text Repository "", "the repository's name for people";
    Password = "password" Text Both "", "password for the server";
    PersistDir = "persistdir" Text Main "/var/lib/slipway/dnf", "folder of what is remembered: reasons, history, keys";
    Priority = "priority" Number Repository "99", "packages of the lower number hide others of the same name";
    Protected = "protected_packages" List Main "slipway dnf5 systemd", "packages that are not removed";
    Proxy = "proxy" Text Both "", "proxy for transfers; `_none_` is none";
    ProxyPassword = "proxy_password" Text Both "", "password for the proxy";
    ProxyUser = "proxy_username" Text Both "", "user of the proxy";
    ReposDir = "reposdir" List Main "/etc/yum.repos.d /etc/distro.repos.d /usr/share/dnf5/repos.d", "folders of `*.repo` files; of two files of a name the first folder's is read";
    RepoGpgCheck = "repo_gpgcheck" Boolean Both "0", "the index must be signed by an accepted key";
    Retries = "retries" Number Both "10", "how often a transfer is tried, over all mirrors";
    SkipBroken = "skip_broken" Boolean Main "0", "leave out what cannot be installed";
    SkipIfUnavailable = "skip_if_unavailable" Boolean Both "0", "go on without the repository when it cannot be reached or verified";
    SkipUnavailable = "skip_unavailable" Boolean Main "0", "leave out what there is not";
    SslCaCert = "sslcacert" Text Both "", "file of certificates that servers are checked with";
    SslClientCert = "sslclientcert" Text Both "", "file of our certificate";
    SslClientKey = "sslclientkey" Text Both "", "file of our certificate's key";
    SslVerify = "sslverify" Boolean Both "1", "check the server's certificate";
    Strict = "strict" Boolean Main "1", "old name: off means both `skip_broken` and `skip_unavailable`";
    Timeout = "timeout" Seconds Both "30", "seconds without an answer after which a transfer is given up";
    TsFlags = "tsflags" List Main "", "`nodocs` leaves out documentation, `test` stops before anything changes";
    UserAgent = "user_agent" Text Both "slipway", "what servers are told that we are";
    User = "username" Text Both "", "user for the server";
    VarsDir = "varsdir" List Main "/usr/share/dnf5/vars.d /etc/dnf/vars", "folders of variables, a file each";
    WeakDeps = "install_weak_deps" Boolean Main "1", "install what is recommended, too";
}

/// Options of dnf, yum and tdnf that are read without effect: what they speak of is done in one way here.
pub(crate) const WITHOUT_EFFECT: &[&str] = &[
    "autocheck_running_kernel",
    "bandwidth",
    "build_cache",
    "bugtracker_url",
    "check_config_file_age",
    "color",
    "comment",
    "countme",
    "debuglevel",
    "debug_solver",
    "deltarpm",
    "deltarpm_percentage",
    "diskspacecheck",
    "errorlevel",
    "fastestmirror",
    "failovermethod",
    "group_package_types",
    "history_record",
    "history_record_packages",
    "http_caching",
    "ip_resolve",
    "keepalive",
    "log_compress",
    "log_rotate",
    "log_size",
    "logdir",
    "logfilelevel",
    "max_parallel_connections",
    "mdpolicy",
    "metadata_timer_sync",
    "module_hotfixes",
    "module_obsoletes",
    "module_platform_id",
    "module_stream_switch",
    "multilib_policy",
    "obsoletes",
    "optional_metadata_types",
    "plugin_conf_dir",
    "pluginconfpath",
    "pluginpath",
    "plugins",
    "protect_running_kernel",
    "proxy_auth_method",
    "reset_nice",
    "responsefile",
    "rpmverbosity",
    "showdupesfromrepos",
    "system_cachedir",
    "system_state_dir",
    "throttle",
    "transformdb",
    "type",
    "upgrade_group_objects_upgrade",
    "username_file",
    "usercache",
    "zchunk",
    "distroverpkg",
    "exit_on_lock",
    "best_effort",
    "repodir",
    "enabled_metadata",
];

impl Key {
    /// The option of a name, or of an older name for it.
    pub fn find(name: &str) -> Option<Key> {
        let name = match name {
            "exclude" => "excludepkgs",
            "yum_vars" | "vars" => "varsdir",
            "repodir" => "reposdir",
            "arch" => "arch",
            name => name,
        };
        Key::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// Whether the value must not be shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Key::Password | Key::ProxyPassword | Key::User | Key::ProxyUser | Key::Proxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_values_of_their_kind() {
        for key in Key::ALL {
            assert!(key.kind().accepts(key.default()), "{}", key.name());
            assert_eq!(Key::find(key.name()), Some(*key));
            assert!(!key.meaning().is_empty());
        }
    }
}
