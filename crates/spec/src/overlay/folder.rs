use std::collections::BTreeMap;

/// A spec and the files beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The spec's name, as in `less.spec`.
    pub spec_name: String,
    /// The spec's text.
    pub spec: String,
    /// The other files by their path in the folder, with `/` between its parts; the spec is not among them.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    /// A folder with nothing but a spec.
    pub fn new(spec_name: impl Into<String>, spec: impl Into<String>) -> Folder {
        Folder { spec_name: spec_name.into(), spec: spec.into(), files: BTreeMap::new() }
    }
}
