//! comps: groups of packages, environments of groups, categories, language packs. In the index it is called `group`.
//!
//! ```text
//! <comps>
//!   <group> id, name, name xml:lang=.., description.., default, uservisible, langonly, display_order,
//!     <packagelist> <packagereq type= requires=>..
//!   <category> id, name.., description.., display_order, <grouplist> groupid..
//!   <environment> id, name.., description.., display_order, <grouplist> groupid.., <optionlist> groupid default=..
//!   <langpacks> <match name= install=/>..
//! ```
//!
//! Source: Fedora's comps, and what libcomps writes.

use std::fmt::Write as _;
use std::io::BufRead;

use crate::ReadError;
use crate::xml::{DECLARATION, Document, Step, push_attribute, push_text};

/// Entries that one list may have.
const MAX_LIST: usize = 1 << 20;

/// The whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comps {
    /// Groups of packages.
    pub groups: Vec<Group>,
    /// Groups of groups, for showing.
    pub categories: Vec<Category>,
    /// Groups of groups, for installing.
    pub environments: Vec<Environment>,
    /// Packages of languages: the name of what they belong to, and their own name with `%s` for the language.
    pub langpacks: Vec<(String, String)>,
}

/// What people read of a group, category or environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The name for programs.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// It in other languages: language and name.
    pub names: Vec<(String, String)>,
    /// A sentence.
    pub description: String,
    /// It in other languages: language and sentence.
    pub descriptions: Vec<(String, String)>,
    /// Lower ones are shown first.
    pub display_order: Option<u32>,
}

/// A group of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What people read of it.
    pub label: Label,
    /// Whether it is installed if nobody chooses.
    pub is_default: bool,
    /// Whether it is shown.
    pub is_visible: bool,
    /// The language without which it is of no use; empty for all.
    pub lang_only: String,
    /// Its packages.
    pub packages: Vec<GroupPackage>,
}

/// A package of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPackage {
    /// Its name.
    pub name: String,
    /// When it is installed.
    pub kind: PackageKind,
}

/// When a package of a group is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageKind {
    /// Always.
    Mandatory,
    /// If nobody says otherwise.
    Default,
    /// If somebody says so.
    Optional,
    /// If this package is there.
    Conditional(String),
}

/// Groups that are shown together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// What people read of it.
    pub label: Label,
    /// The groups' ids.
    pub groups: Vec<String>,
}

/// Groups that are installed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// What people read of it.
    pub label: Label,
    /// The ids of groups that belong to it.
    pub groups: Vec<String>,
    /// The ids of groups that may be added, and whether they are if nobody chooses.
    pub options: Vec<(String, bool)>,
}

impl Comps {
    /// The document.
    pub fn to_xml(&self) -> String {
        let mut out = format!("{DECLARATION}<comps>\n");
        for group in &self.groups {
            out.push_str("  <group>\n");
            write_label(&mut out, &group.label);
            element(&mut out, "    ", "default", &[], &group.is_default.to_string());
            element(&mut out, "    ", "uservisible", &[], &group.is_visible.to_string());
            if !group.lang_only.is_empty() {
                element(&mut out, "    ", "langonly", &[], &group.lang_only);
            }
            write_order(&mut out, &group.label);
            out.push_str("    <packagelist>\n");
            for package in &group.packages {
                let attributes: &[(&str, &str)] = match &package.kind {
                    PackageKind::Mandatory => &[("type", "mandatory")],
                    PackageKind::Default => &[("type", "default")],
                    PackageKind::Optional => &[("type", "optional")],
                    PackageKind::Conditional(other) => &[("type", "conditional"), ("requires", other)],
                };
                element(&mut out, "      ", "packagereq", attributes, &package.name);
            }
            out.push_str("    </packagelist>\n  </group>\n");
        }
        for category in &self.categories {
            out.push_str("  <category>\n");
            write_label(&mut out, &category.label);
            write_order(&mut out, &category.label);
            write_groups(&mut out, &category.groups);
            out.push_str("  </category>\n");
        }
        for environment in &self.environments {
            out.push_str("  <environment>\n");
            write_label(&mut out, &environment.label);
            write_order(&mut out, &environment.label);
            write_groups(&mut out, &environment.groups);
            out.push_str("    <optionlist>\n");
            for (group, is_default) in &environment.options {
                let attributes: &[(&str, &str)] = if *is_default { &[("default", "true")] } else { &[] };
                element(&mut out, "      ", "groupid", attributes, group);
            }
            out.push_str("    </optionlist>\n  </environment>\n");
        }
        if !self.langpacks.is_empty() {
            out.push_str("  <langpacks>\n");
            for (name, install) in &self.langpacks {
                out.push_str("    <match name=\"");
                push_attribute(&mut out, name);
                out.push_str("\" install=\"");
                push_attribute(&mut out, install);
                out.push_str("\"/>\n");
            }
            out.push_str("  </langpacks>\n");
        }
        out.push_str("</comps>\n");
        out
    }

    /// Reads a document, decompressed. Unknown elements are passed over.
    ///
    /// # Errors
    /// [`ReadError`] when it is no XML, or a group has no id.
    pub fn read(reader: impl BufRead) -> Result<Comps, ReadError> {
        let mut document = Document::new("comps", reader);
        let mut comps = Comps::default();
        loop {
            match document.step()? {
                Step::Open if document.depth() == 1 && document.name() != "comps" => {
                    return Err(document.fact(format!("`{}` as its root", document.name())));
                }
                Step::Open if document.depth() == 2 && document.name() == "group" => {
                    let Parts { label, group, .. } = read_parts(&mut document, "group")?;
                    comps.groups.push(Group { label, ..group });
                }
                Step::Open if document.depth() == 2 && document.name() == "category" => {
                    let Parts { label, groups, .. } = read_parts(&mut document, "category")?;
                    comps.categories.push(Category { label, groups });
                }
                Step::Open if document.depth() == 2 && document.name() == "environment" => {
                    let Parts { label, groups, options, .. } = read_parts(&mut document, "environment")?;
                    comps.environments.push(Environment { label, groups, options });
                }
                Step::Open if document.name() == "match" => {
                    comps.langpacks.push((document.expect_attribute("name")?, document.expect_attribute("install")?));
                }
                Step::Open | Step::Close => {}
                Step::End => return Ok(comps),
            }
            let longest = [comps.groups.len(), comps.categories.len(), comps.environments.len(), comps.langpacks.len()];
            if longest.into_iter().any(|length| length > MAX_LIST) {
                return Err(document.fact(format!("a list of more than {MAX_LIST} entries")));
            }
        }
    }
}

/// What groups, categories and environments are made of.
#[derive(Default)]
struct Parts {
    label: Label,
    group: Group,
    groups: Vec<String>,
    options: Vec<(String, bool)>,
}

/// Reads up to the end of the element `root` that is open.
fn read_parts<R: BufRead>(document: &mut Document<R>, root: &str) -> Result<Parts, ReadError> {
    let mut parts = Parts { group: Group { is_visible: true, ..Group::default() }, ..Parts::default() };
    let (mut language, mut kind, mut requires) = (None, String::new(), String::new());
    let (mut is_option, mut is_default) = (false, false);
    let is_true = |text: &str| matches!(text.trim(), "true" | "True" | "1");
    loop {
        match document.step()? {
            Step::Open => match document.name() {
                "name" | "description" => language = document.attribute("lang")?,
                "packagereq" => {
                    kind = document.attribute("type")?.unwrap_or_default();
                    requires = document.attribute("requires")?.unwrap_or_default();
                }
                "optionlist" => is_option = true,
                "groupid" => is_default = document.attribute("default")?.is_some_and(|text| is_true(&text)),
                _ => {}
            },
            Step::Close => {
                let text = document.text().to_owned();
                match document.name() {
                    "id" => parts.label.id = text,
                    "name" => match language.take() {
                        Some(language) => parts.label.names.push((language, text)),
                        None => parts.label.name = text,
                    },
                    "description" => match language.take() {
                        Some(language) => parts.label.descriptions.push((language, text)),
                        None => parts.label.description = text,
                    },
                    "display_order" => {
                        let order = u32::try_from(document.number(&text)?);
                        parts.label.display_order =
                            Some(order.map_err(|_| document.fact(format!("`{text}` as an order")))?);
                    }
                    "default" => parts.group.is_default = is_true(&text),
                    "uservisible" => parts.group.is_visible = is_true(&text),
                    "langonly" => parts.group.lang_only = text,
                    "packagereq" => {
                        let kind = match kind.as_str() {
                            "default" => PackageKind::Default,
                            "optional" => PackageKind::Optional,
                            "conditional" => PackageKind::Conditional(std::mem::take(&mut requires)),
                            _ => PackageKind::Mandatory,
                        };
                        parts.group.packages.push(GroupPackage { name: text.trim().to_owned(), kind });
                    }
                    "optionlist" => is_option = false,
                    "groupid" if is_option => parts.options.push((text.trim().to_owned(), is_default)),
                    "groupid" => parts.groups.push(text.trim().to_owned()),
                    name if name == root => {
                        return match parts.label.id.is_empty() {
                            false => Ok(parts),
                            true => Err(document.fact(format!("a `{root}` without `id`"))),
                        };
                    }
                    _ => {}
                }
                let lengths = [parts.group.packages.len(), parts.groups.len(), parts.options.len()];
                if lengths.into_iter().any(|length| length > MAX_LIST) {
                    return Err(document.fact(format!("a list of more than {MAX_LIST} entries")));
                }
            }
            Step::End => return Err(document.fact(format!("an end inside a `{root}`"))),
        }
    }
}

fn element(out: &mut String, indent: &str, name: &str, attributes: &[(&str, &str)], text: &str) {
    let _ = write!(out, "{indent}<{name}");
    for (attribute, value) in attributes {
        let _ = write!(out, " {attribute}=\"");
        push_attribute(out, value);
        out.push('"');
    }
    out.push('>');
    push_text(out, text);
    let _ = writeln!(out, "</{name}>");
}

fn write_label(out: &mut String, label: &Label) {
    element(out, "    ", "id", &[], &label.id);
    for (name, text, others) in
        [("name", &label.name, &label.names), ("description", &label.description, &label.descriptions)]
    {
        element(out, "    ", name, &[], text);
        for (language, text) in others {
            element(out, "    ", name, &[("xml:lang", language)], text);
        }
    }
}

fn write_order(out: &mut String, label: &Label) {
    if let Some(order) = label.display_order {
        element(out, "    ", "display_order", &[], &order.to_string());
    }
}

fn write_groups(out: &mut String, groups: &[String]) {
    out.push_str("    <grouplist>\n");
    groups.iter().for_each(|group| element(out, "      ", "groupid", &[], group));
    out.push_str("    </grouplist>\n");
}
