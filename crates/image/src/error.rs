/// Why an image could not be made. Nothing that existed before was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Filling a root failed.
    #[error(transparent)]
    Install(#[from] install::InstallError),
    /// Something that every bootable image needs is in none of its packages.
    #[error("image `{image}` has no {what}: none of its packages brings {path}")]
    Missing {
        /// The image.
        image: String,
        /// What is missing.
        what: &'static str,
        /// Where it was looked for.
        path: String,
    },
    /// The image has several kernels, and no rule says which one boots.
    #[error("image `{image}` has more than one kernel: {}", versions.join(", "))]
    Kernels {
        /// The image.
        image: String,
        /// Their versions.
        versions: Vec<String>,
    },
    /// A kernel module is named that the kernel does not have.
    #[error("the initrd of `{image}` names the kernel module `{module}`, which kernel {kernel} does not have")]
    Module {
        /// The image.
        image: String,
        /// The module.
        module: String,
        /// The kernel's version.
        kernel: String,
    },
    /// A setting cannot be applied to the root.
    #[error("`{path}` cannot be set in the root: {problem}")]
    Setting {
        /// The path.
        path: String,
        /// Why not.
        problem: String,
    },
    /// A command that finishes the root failed.
    #[error("`{command}` failed in the root of `{image}` ({outcome})\n{output}")]
    Command {
        /// The image.
        image: String,
        /// The command.
        command: String,
        /// How it ended.
        outcome: String,
        /// What it printed.
        output: String,
    },
    /// The definition asks for something that this kind of image has not.
    #[error("image `{image}`: {problem}")]
    Definition {
        /// The image.
        image: String,
        /// What is wrong.
        problem: String,
    },
    /// A file system or disk could not be laid out.
    #[error("the disk of `{image}` cannot be written: {cause}")]
    Disk {
        /// The image.
        image: String,
        /// Why not.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The operating system refused something; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
