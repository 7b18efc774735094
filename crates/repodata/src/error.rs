/// Why a document is not repository metadata.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is no well-formed XML, or what it was decompressed from is damaged.
    #[error("{document} is damaged at byte {position}: {cause}")]
    Syntax {
        /// `primary`, `filelists`, `other` or `repomd`.
        document: &'static str,
        /// Where in the decompressed text.
        position: u64,
        /// The parser's words.
        cause: String,
    },
    /// Well-formed, but an element or attribute is missing or holds something else.
    #[error("{document} has {fact} at byte {position}")]
    Fact {
        /// `primary`, `filelists`, `other` or `repomd`.
        document: &'static str,
        /// Where in the decompressed text.
        position: u64,
        /// What is not as it should be.
        fact: String,
    },
    /// Two documents of one repository tell of other packages.
    #[error("{document} tells of package {checksum}, which primary does not list")]
    Stranger {
        /// `filelists` or `other`.
        document: &'static str,
        /// The package's id.
        checksum: String,
    },
    /// Compressed by none of gzip, zstd, xz and bzip2, or not to be opened.
    #[error("the document cannot be decompressed: {0}")]
    Compression(std::io::Error),
}
