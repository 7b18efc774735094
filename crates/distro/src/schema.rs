//! JSON Schema of definition files, made from the [reference](mod@crate::reference): for editors, and for who checks files
//! without Slipway.

use serde_json::{Map, Value, json};

use crate::overlay::{CATEGORIES, OVERLAY_TYPES, UPSTREAM_STATUSES};
use crate::reference::{Key, TABLES, TableReference};

/// The schemas by file name.
pub fn files() -> [(&'static str, String); 2] {
    let file = |table: &str, title: &str| {
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "$defs": TABLES.iter().map(|table| (table.name.to_owned(), object(table))).collect::<Map<_, _>>(),
        });
        if let (Some(schema), Some(table)) = (schema.as_object_mut(), find(table))
            && let Value::Object(top) = object(table)
        {
            schema.extend(top);
        }
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    };
    [
        ("definition.schema.json", file("top level", "A file of a definition")),
        ("overlay-file.schema.json", file("overlay file, top level", "A file of overlays")),
    ]
}

fn find(name: &str) -> Option<&'static TableReference> {
    TABLES.iter().find(|table| table.name == name)
}

fn object(table: &TableReference) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("description".to_owned(), json!(table.doc));
    let properties = table.keys.iter().map(|key| {
        let mut value = shape(table, key);
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), json!(key.doc));
        }
        (key.name.to_owned(), value)
    });
    schema.insert("properties".to_owned(), Value::Object(properties.collect()));
    schema.insert("additionalProperties".to_owned(), json!(false));
    let required = required(table.name);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

/// Keys without which a table means nothing, whatever it inherits.
fn required(table: &str) -> &'static [&'static str] {
    match table {
        "project.default-distro" => &["name"],
        "[distros.NAME.versions.VERSION]" => &["release-ver"],
        "[[distros.NAME.repos]]" => &["base-uri"],
        "[[components.NAME.overlays]]" | "source-files.origin" | "[test-suites.NAME]" => &["type"],
        "[[components.NAME.source-files]]" => &["filename"],
        "overlays.metadata" => &["category", "upstream-status"],
        "metadata.commits and bugs" => &["url"],
        "overlay file, top level" => &["metadata", "overlays"],
        "lisa.framework" => &["git-url", "ref"],
        "test-suites.NAME.lisa" => &["framework", "test-cases"],
        "[[images.NAME.tests.test-suites]]" => &["name"],
        "[resources.rpm-repo-sets.NAME]" => &["template", "base-uri"],
        "[resources.rpm-repo-set-templates.NAME]" => &["subrepos"],
        "[[rpm-repo-set-templates.NAME.subrepos]]" => &["name", "subpath"],
        _ => &[],
    }
}

/// The schema of a value, from the words of the reference: `list of names`, `table` with `See` its table, `` `a` or `b` ``.
fn shape(table: &TableReference, key: &Key) -> Value {
    let link = || match linked(key) {
        Some(table) => json!({ "$ref": format!("#/$defs/{}", pointer(table.name)) }),
        None => json!({ "type": "object" }),
    };
    if let Some(words) = words_of(table.name, key.name) {
        return json!({ "enum": words });
    }
    match key.shape {
        "table" => json!({ "allOf": [link()] }),
        "list of tables" => json!({ "type": "array", "items": link() }),
        "tables by name" | "tables by version" => json!({ "type": "object", "additionalProperties": link() }),
        "table of strings" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "table of lists" => {
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } })
        }
        "true or false" => json!({ "type": "boolean" }),
        "whole number" => json!({ "type": "integer", "minimum": 0 }),
        "1" => json!({ "const": 1 }),
        "hexadecimal digits" => json!({ "type": "string", "pattern": "^[0-9a-fA-F]*$" }),
        shape if shape.starts_with("list of ") => {
            let words = quoted(shape);
            let item = if words.is_empty() { json!({ "type": "string" }) } else { json!({ "enum": words }) };
            json!({ "type": "array", "items": item })
        }
        shape if shape.starts_with('`') => json!({ "enum": quoted(shape) }),
        _ => json!({ "type": "string" }),
    }
}

/// Words that are more than the reference's column holds, and those where an empty text counts as not said.
fn words_of(table: &str, key: &str) -> Option<Vec<&'static str>> {
    match (table, key) {
        ("[[components.NAME.overlays]]", "type") => Some(OVERLAY_TYPES.to_vec()),
        ("[[components.NAME.overlays]]" | "overlays.metadata", "category") => Some(CATEGORIES.to_vec()),
        ("overlays.metadata", "upstream-status") => Some(UPSTREAM_STATUSES.to_vec()),
        ("components.NAME.spec", "type") => Some(vec!["local", "upstream", ""]),
        _ => None,
    }
}

fn quoted(shape: &'static str) -> Vec<&'static str> {
    shape.split('`').skip(1).step_by(2).collect()
}

/// The table that a key's explanation names after `see`.
fn linked(key: &Key) -> Option<&'static TableReference> {
    let (_, behind) = key.doc.split_once("ee `")?;
    find(behind.split('`').next()?)
}

/// A name inside of a JSON pointer, which stands in an address.
fn pointer(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '~' => text.push_str("~0"),
            '/' => text.push_str("~1"),
            ' ' => text.push_str("%20"),
            '[' => text.push_str("%5B"),
            ']' => text.push_str("%5D"),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_a_key_is_in_the_reference() {
        for table in TABLES {
            for key in table.keys {
                if key.shape.starts_with("table") && !key.shape.starts_with("table of") || key.shape == "list of tables"
                {
                    assert!(linked(key).is_some(), "{}.{}: `{}` names no table", table.name, key.name, key.doc);
                }
            }
        }
    }

    #[test]
    fn schemas_are_json_with_all_types_of_overlays() {
        for (name, text) in files() {
            let schema: Value = serde_json::from_str(&text).unwrap();
            let overlay = &schema["$defs"]["[[components.NAME.overlays]]"];
            let types = overlay["properties"]["type"]["enum"].as_array().map(Vec::len);
            assert_eq!(types, Some(OVERLAY_TYPES.len()), "{name}");
            assert_eq!(schema["additionalProperties"], json!(false), "{name}");
        }
    }
}
