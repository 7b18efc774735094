use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use spec::{Dependency, Evaluated, Gaps, Subpackage, Undefined};

use super::each::each;
use super::inputs::{Inputs, Macros, SpecFile};
use super::problem::Problem;
use super::setting::Setting;
use crate::context::Context;
use crate::explain::Failure;

/// Show what specs say: packages, versions, dependencies, sources
///
/// With `--field`, each value is a line: the spec's name where there are several specs, the package's where the field is one of packages, the field where several are asked for, and the value, with tabs between. Specs that cannot be evaluated are reported at the end, and the exit code is then 1.
#[derive(Args)]
#[command(after_help = "Example: slipway spec query specs --field build-requires | grep cmake")]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    macros: Macros,
    /// Only these facts, in this order.
    #[arg(short, long, value_name = "FIELD", value_delimiter = ',')]
    field: Vec<Field>,
    /// Leave macros that nobody defined as they are in tags, as rpm does, instead of refusing the spec.
    #[arg(long)]
    keep_undefined: bool,
}

/// A fact about a spec or about its packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Field {
    /// Name, epoch, version, release and `src` of the source package
    Source,
    /// The package files that a build makes
    Binaries,
    /// The spec's name
    Name,
    /// Epoch, version and release
    Version,
    Summary,
    License,
    Url,
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
    BuildRequires,
    BuildConflicts,
    /// Whether the build adds to the build requirements
    DynamicBuildRequires,
    /// File names of sources, with their numbers
    Sources,
    /// File names of patches, with their numbers
    Patches,
    ExclusiveArch,
    ExcludeArch,
    /// Whether the spec is for the target
    IsForTarget,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Field::Source => "source",
            Field::Binaries => "binaries",
            Field::Name => "name",
            Field::Version => "version",
            Field::Summary => "summary",
            Field::License => "license",
            Field::Url => "url",
            Field::Provides => "provides",
            Field::Requires => "requires",
            Field::Conflicts => "conflicts",
            Field::Obsoletes => "obsoletes",
            Field::Recommends => "recommends",
            Field::Suggests => "suggests",
            Field::Supplements => "supplements",
            Field::Enhances => "enhances",
            Field::BuildRequires => "build_requires",
            Field::BuildConflicts => "build_conflicts",
            Field::DynamicBuildRequires => "dynamic_build_requires",
            Field::Sources => "sources",
            Field::Patches => "patches",
            Field::ExclusiveArch => "exclusive_arch",
            Field::ExcludeArch => "exclude_arch",
            Field::IsForTarget => "is_for_target",
        }
    }

    /// The value for the spec as a whole; nothing for facts of packages.
    fn of_spec(self, spec: &Evaluated) -> Option<Value> {
        let located = |list: &[spec::Located<pkg::Relation>]| -> Value {
            list.iter().map(|found| json!({ "relation": found.value.to_string(), "at": found.position })).collect()
        };
        let sources = |list: &[spec::Source]| -> Value {
            let one =
                |source: &spec::Source| json!({ "number": source.number, "file": source.file_name, "url": source.url });
            list.iter().map(one).collect()
        };
        Some(match self {
            Field::Source => json!(spec.source.to_string()),
            Field::Binaries => spec.binaries().map(|nevra| nevra.to_string()).collect(),
            Field::Name => json!(spec.name),
            Field::Version => json!(spec.evr.to_string()),
            Field::BuildRequires => located(&spec.build_requires),
            Field::BuildConflicts => located(&spec.build_conflicts),
            Field::DynamicBuildRequires => json!(spec.dynamic_build_requires),
            Field::Sources => sources(&spec.sources),
            Field::Patches => sources(&spec.patches),
            Field::ExclusiveArch => json!(spec.exclusive_arch),
            Field::ExcludeArch => json!(spec.exclude_arch),
            Field::IsForTarget => json!(spec.is_for_target),
            _ => return None,
        })
    }

    /// The value for one package; nothing for facts of specs.
    fn of_package(self, package: &Subpackage) -> Option<Value> {
        let list = match self {
            Field::Summary => return Some(json!(package.summary)),
            Field::License => return Some(json!(package.license)),
            Field::Url => return Some(json!(package.url)),
            Field::Provides => &package.provides,
            Field::Requires => &package.requires,
            Field::Conflicts => &package.conflicts,
            Field::Obsoletes => &package.obsoletes,
            Field::Recommends => &package.recommends,
            Field::Suggests => &package.suggests,
            Field::Supplements => &package.supplements,
            Field::Enhances => &package.enhances,
            _ => return None,
        };
        Some(list.iter().map(dependency).collect())
    }
}

fn dependency(dependency: &Dependency) -> Value {
    let mut value = json!({ "relation": dependency.relation.to_string(), "at": dependency.position });
    if !dependency.qualifiers.is_empty() {
        value["qualifiers"] = json!(dependency.qualifiers.names());
    }
    value
}

/// What is printed of one spec, and whether it is whole.
type Answer = Result<(String, bool), Problem>;

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let specs = arguments.inputs.specs(context)?;
    let setting = Setting::new(&arguments.macros, context)?;
    let undefined = if arguments.keep_undefined { Undefined::Warn } else { Undefined::Refuse };
    let is_json = context.ui.json;
    let has_many = specs.len() > 1;
    let work = |spec: &SpecFile, evaluator: &mut spec::Evaluator| -> Answer {
        let text = spec.text().map_err(|error| Problem::unreadable(spec, &error))?;
        let mut environment = setting.of(spec, undefined);
        if setting.may_have_gaps() {
            environment.undefined = Undefined::Warn;
            environment.gaps = Gaps::Note;
        }
        let found = evaluator
            .evaluate(&text, &spec::Origin::new(spec.name()), &environment)
            .map_err(|error| Problem::of(&spec.name(), &text, &error))?;
        let text = match (is_json, arguments.field.as_slice()) {
            (true, fields) => answer(&spec.name(), &found, fields).to_string(),
            (false, []) => page(&spec.name(), &found),
            (false, fields) => lines(&found, fields, has_many),
        };
        Ok((text, found.gaps.is_empty()))
    };
    let mut incomplete = 0;
    let mut problems = Vec::new();
    let mut printed = 0;
    if is_json {
        context.ui.data("{\"specs\":[");
    }
    each(&specs, "specs", context, work, |answer| match answer {
        Ok((text, is_whole)) => {
            incomplete += usize::from(!is_whole);
            let text = match (is_json, printed > 0) {
                (true, true) => format!(",{text}"),
                (false, true) if arguments.field.is_empty() => format!("\n{text}"),
                _ => text,
            };
            printed += 1;
            if !text.is_empty() {
                context.ui.data(&text);
            }
        }
        Err(problem) => problems.push(problem),
    })?;
    if is_json {
        let failures: Vec<&Value> = problems.iter().map(|problem| &problem.json).collect();
        context.ui.data(&format!("],\"failures\":{}}}", failures.into_iter().cloned().collect::<Value>()));
    }
    if incomplete > 0 {
        context
            .ui
            .note(&format!("{incomplete} of {} answers are incomplete; `--json` says what is missing", specs.len()));
    }
    report(&problems, specs.len(), context)
}

/// Says which specs have no answer, behind all answers.
pub(super) fn report(problems: &[Problem], total: usize, context: &Context) -> Result<(), Failure> {
    let Some((last, before)) = problems.split_last() else { return Ok(()) };
    if context.ui.json {
        return Err(Failure::work(format!("{} of {total} specs cannot be evaluated", problems.len())));
    }
    if total == 1 {
        return Err(Failure::work(last.text.clone()));
    }
    for problem in before.iter().chain([last]) {
        context.ui.error(&problem.text);
    }
    Err(Failure::work(format!("{} of {total} specs cannot be evaluated", problems.len())))
}

/// One spec as JSON: the whole, or some fields.
fn answer(name: &str, spec: &Evaluated, fields: &[Field]) -> Value {
    let fields = if fields.is_empty() { Field::value_variants() } else { fields };
    let mut all = Map::new();
    all.insert("spec".to_owned(), json!(name));
    for field in fields {
        if let Some(value) = field.of_spec(spec) {
            all.insert(field.name().to_owned(), value);
        }
    }
    if fields.iter().any(|field| field.of_package(&spec.packages[0]).is_some()) {
        let package = |package: &Subpackage| {
            let mut all = Map::new();
            all.insert("nevra".to_owned(), json!(package.nevra().to_string()));
            all.insert("is_built".to_owned(), json!(package.files.is_some()));
            for field in fields {
                if let Some(value) = field.of_package(package) {
                    all.insert(field.name().to_owned(), value);
                }
            }
            Value::Object(all)
        };
        all.insert("packages".to_owned(), spec.packages.iter().map(package).collect());
    }
    if !spec.gaps.is_empty() {
        all.insert("incomplete".to_owned(), json!(spec.gaps));
    }
    if spec.makes_packages_while_building {
        all.insert("makes_packages_while_building".to_owned(), json!(true));
    }
    Value::Object(all)
}

/// A value as lines of text.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        Value::Object(parts) => {
            if let Some(relation) = parts.get("relation").and_then(Value::as_str) {
                let names: Vec<&str> = parts
                    .get("qualifiers")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let names = if names.is_empty() { String::new() } else { format!(" [{}]", names.join(",")) };
                return vec![format!("{relation}{names}")];
            }
            vec![format!("{} {}", parts["number"], parts["file"].as_str().unwrap_or_default())]
        }
        other => vec![other.to_string()],
    }
}

fn lines(spec: &Evaluated, fields: &[Field], has_many: bool) -> String {
    let mut text = String::new();
    let mut line = |package: Option<&str>, field: &Field, value: &str| {
        let mut cells = Vec::new();
        if has_many {
            cells.push(spec.name.as_str());
        }
        cells.extend(package);
        if fields.len() > 1 {
            cells.push(field.name());
        }
        cells.push(value);
        text.push_str(&cells.join("\t"));
        text.push('\n');
    };
    for field in fields {
        for value in field.of_spec(spec).iter().flat_map(texts) {
            line(None, field, &value);
        }
        for package in &spec.packages {
            for value in field.of_package(package).iter().flat_map(texts) {
                line(Some(&package.name), field, &value);
            }
        }
    }
    text
}

/// One spec for people.
fn page(name: &str, spec: &Evaluated) -> String {
    let mut text = format!("{}  ({name})\n", spec.source);
    let mut rows: Vec<(String, String)> = Vec::new();
    let several = |label: &str, values: Vec<String>, rows: &mut Vec<(String, String)>| {
        for (index, value) in values.into_iter().enumerate() {
            rows.push((if index == 0 { label.to_owned() } else { String::new() }, value));
        }
    };
    for field in [
        Field::BuildRequires,
        Field::BuildConflicts,
        Field::Sources,
        Field::Patches,
        Field::ExclusiveArch,
        Field::ExcludeArch,
    ] {
        several(&label(field), field.of_spec(spec).iter().flat_map(texts).collect(), &mut rows);
    }
    if spec.dynamic_build_requires {
        rows.insert(spec.build_requires.len(), (String::new(), "and what `%generate_buildrequires` adds".to_owned()));
    }
    if !spec.is_for_target {
        rows.push(("not for".to_owned(), "this target".to_owned()));
    }
    for package in &spec.packages {
        let is_built = if package.files.is_some() { "" } else { "  (no `%files`: not built)" };
        rows.push(("package".to_owned(), format!("{}{is_built}", package.nevra())));
        for field in [
            Field::Summary,
            Field::License,
            Field::Url,
            Field::Provides,
            Field::Requires,
            Field::Conflicts,
            Field::Obsoletes,
            Field::Recommends,
            Field::Suggests,
            Field::Supplements,
            Field::Enhances,
        ] {
            several(
                &format!("  {}", label(field)),
                field.of_package(package).iter().flat_map(texts).collect(),
                &mut rows,
            );
        }
    }
    if spec.makes_packages_while_building {
        rows.push(("package".to_owned(), "more may come to be during the build".to_owned()));
    }
    for gap in &spec.gaps {
        rows.push(("incomplete".to_owned(), gap.to_string()));
    }
    for (label, value) in rows {
        text.push_str(format!("  {label:<18}{value}").trim_end());
        text.push('\n');
    }
    text
}

fn label(field: Field) -> String {
    field.name().replace('_', " ")
}
