use crate::FileFlags;

/// What a file of a package holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Bytes.
    Regular(Vec<u8>),
    /// Another name of the regular file at this path.
    HardLink(String),
    /// A directory.
    Directory,
    /// A symlink that leads here.
    Symlink(String),
    /// A character device: major and minor number.
    CharDevice(u8, u8),
    /// A named pipe.
    Fifo,
}

/// A file to be packed.
#[derive(Clone, Debug)]
pub struct NewFile {
    pub(crate) content: Content,
    pub(crate) permissions: u32,
    pub(crate) user: String,
    pub(crate) group: String,
    pub(crate) flags: FileFlags,
    pub(crate) verify: u32,
    pub(crate) capabilities: String,
    pub(crate) color: u32,
    pub(crate) class: String,
    pub(crate) languages: String,
    pub(crate) mtime: Option<u64>,
}

impl NewFile {
    /// A file of root's with the usual mode of its kind.
    pub fn new(content: Content) -> NewFile {
        let (permissions, class) = match &content {
            Content::Directory => (0o755, "directory"),
            Content::Symlink(_) => (0o777, ""),
            _ => (0o644, ""),
        };
        NewFile {
            content,
            permissions,
            user: "root".to_owned(),
            group: "root".to_owned(),
            flags: FileFlags::default(),
            verify: u32::MAX,
            capabilities: String::new(),
            color: 0,
            class: class.to_owned(),
            languages: String::new(),
            mtime: None,
        }
    }

    /// A regular file.
    pub fn regular(bytes: impl AsRef<[u8]>) -> NewFile {
        NewFile::new(Content::Regular(bytes.as_ref().to_vec()))
    }

    /// A directory.
    pub fn directory() -> NewFile {
        NewFile::new(Content::Directory)
    }

    /// A symlink.
    pub fn symlink(target: &str) -> NewFile {
        NewFile::new(Content::Symlink(target.to_owned()))
    }

    /// Another name of the regular file at `path`, whose owner, mode and flags it shares.
    pub fn hard_link(path: &str) -> NewFile {
        NewFile::new(Content::HardLink(path.to_owned()))
    }

    /// A path that the package owns without holding the file.
    pub fn ghost() -> NewFile {
        NewFile::regular("").flags(FileFlags::GHOST)
    }

    /// Permission bits, set-id and sticky bits included.
    pub fn mode(mut self, permissions: u32) -> NewFile {
        self.permissions = permissions & 0o7777;
        self
    }

    /// Owner and group by name.
    pub fn owner(mut self, user: &str, group: &str) -> NewFile {
        user.clone_into(&mut self.user);
        group.clone_into(&mut self.group);
        self
    }

    /// Adds flags.
    pub fn flags(mut self, flags: FileFlags) -> NewFile {
        self.flags = self.flags.and(flags);
        self
    }

    /// Capabilities as cap_to_text(3) writes them: `cap_net_raw=ep`.
    pub fn capabilities(mut self, text: &str) -> NewFile {
        text.clone_into(&mut self.capabilities);
        self
    }

    /// Which attributes `rpm -V` compares (rpm's `rpmVerifyAttrs`); all when not set.
    pub fn verify(mut self, attributes: u32) -> NewFile {
        self.verify = attributes;
        self
    }

    /// 1 for 32-bit and 2 for 64-bit ELF.
    pub fn color(mut self, color: u32) -> NewFile {
        self.color = color;
        self
    }

    /// Languages that the file is for, such as `de`.
    pub fn languages(mut self, languages: &str) -> NewFile {
        languages.clone_into(&mut self.languages);
        self
    }

    /// Seconds since 1970; the package's build time when not set.
    pub fn mtime(mut self, seconds: u64) -> NewFile {
        self.mtime = Some(seconds);
        self
    }

    /// Bytes, as the header states them.
    pub(crate) fn size(&self) -> u64 {
        match &self.content {
            Content::Regular(bytes) => bytes.len() as u64,
            Content::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    /// Type and permission bits; of a hard link its own, which the writer replaces by its target's.
    pub(crate) fn full_mode(&self) -> u32 {
        let kind = match self.content {
            Content::Regular(_) | Content::HardLink(_) => 0o100_000,
            Content::Directory => 0o040_000,
            Content::Symlink(_) => 0o120_000,
            Content::CharDevice(..) => 0o020_000,
            Content::Fifo => 0o010_000,
        };
        kind | self.permissions
    }
}
