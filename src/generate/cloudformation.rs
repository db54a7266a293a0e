//! CloudFormation: the `AWS::SageMaker::Artifact` resources of templates.
//!
//! In: templates in JSON or YAML, and values for their parameters. Out: a row for each resource, whose
//! functions are replaced by their values. A function that only a stack can evaluate is a fault at its
//! place.

mod functions;

use std::io;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

use super::documents::{self, Documents, Listed, Made, MadeRow, Source};
use super::json;
use super::open::Reader;
use super::places::Places;
use super::rows::Fault;
use crate::diagnostic::Code;
use crate::model::{ARTIFACT, CLOUDFORMATION_TYPE};
use crate::source::Span;
use crate::text::{counted, quoted};
use functions::{At, Functions};

/// The columns of a row that are not of the template's resource.
const OF_TEMPLATE: [&str; 2] = ["LogicalId", "Condition"];

/// The columns of a row: those of the template, then the properties of the resource.
static COLUMNS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let properties = ARTIFACT.fields.iter().map(|field| field.name);
    OF_TEMPLATE.into_iter().chain(properties).collect()
});

/// The resources of some templates.
pub type Resources = Documents<Templates>;

/// Templates, and the values that their parameters have.
#[derive(Debug)]
pub struct Templates {
    vars: Vec<(String, String)>,
}

/// Returns the resources of the template that `reader` has, or else of the `files`. Parameters have the
/// values of `vars`; `region`, `account`, `stack` and `partition` among them are pseudo parameters.
#[must_use]
pub fn resources(
    files: Vec<Listed>,
    reader: Option<Reader>,
    vars: Vec<(String, String)>,
) -> Resources {
    Documents::with_reader(Templates { vars }, files, reader)
}

/// Returns the templates below `directory`, in order: files such as `orders.template` and
/// `orders.template.json`.
///
/// # Errors
/// If a directory cannot be read.
pub fn files(directory: &Path) -> io::Result<Vec<Listed>> {
    let is_template = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        ["", ".json", ".yaml", ".yml"]
            .iter()
            .any(|ending| name.strip_suffix(ending).is_some_and(|bare| bare.ends_with(".template")))
    };
    documents::listed(directory, is_template)
}

/// Returns whether the text that begins with `head` is a template.
#[must_use]
pub fn is_template(head: &str) -> bool {
    let head = head.trim_start_matches('\u{FEFF}').trim_start();
    if head.starts_with('{') {
        let has = |word: &str| head.contains(&format!("\"{word}\""));
        return has("AWSTemplateFormatVersion")
            || has("Resources") && has("Type") && head.contains("\"AWS::");
    }
    let has_key = |key: &str| {
        head.lines().any(|line| {
            line.trim_start_matches(['"', '\'']).strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':')
            })
        })
    };
    has_key("AWSTemplateFormatVersion") || has_key("Resources") && head.contains("Type: AWS::")
}

impl Source for Templates {
    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn rows(&self, _: &Listed, text: &str) -> Result<Vec<MadeRow>, Fault> {
        let root = read(text)?;
        let places = Places::read(text);
        let Some(resources) = root.get("Resources").and_then(Yaml::as_mapping) else {
            return Err(at_start(text, "not a CloudFormation template: it has no `Resources`"));
        };
        let resources_at = At::of(&places).key("Resources");
        let mut functions = Functions::new(&root, text, &places, &self.vars);
        let mut rows = Vec::new();
        for (id, resource) in resources {
            let id = id.as_str().unwrap_or_default();
            let at = resources_at.key(id);
            let Some(resource) = resource.as_mapping().filter(|_| !id.starts_with("Fn::")) else {
                // A loop of a transform, which may make artifacts.
                functions.unresolved(&at, &quoted(id));
                let faults = functions.take_faults();
                rows.push(MadeRow { span: at.span(), cells: Vec::new(), faults });
                continue;
            };
            if resource.get("Type").and_then(Yaml::as_str) == Some(CLOUDFORMATION_TYPE) {
                rows.push(row(id, resource, &at, &mut functions));
            }
        }
        if rows.is_empty() {
            let among = counted(resources.len(), "resource");
            let message = format!("no `{CLOUDFORMATION_TYPE}` among {among}");
            return Err(at_start(text, &message));
        }
        Ok(rows)
    }
}

/// Returns the row of the resource `id` at `at`.
fn row(
    id: &str,
    resource: &serde_yaml::Mapping,
    at: &At<'_>,
    functions: &mut Functions<'_>,
) -> MadeRow {
    let condition = resource.get("Condition").and_then(Yaml::as_str);
    let exists = condition.is_none_or(|name| functions.condition(name, &at.key("Condition")));
    let mut cells = vec![
        Made::new("LogicalId", id, None),
        Made::new("Condition", exists, at.key("Condition").places()),
    ];
    let none = serde_yaml::Mapping::new();
    let given = resource.get("Properties").and_then(Yaml::as_mapping).unwrap_or(&none);
    let at_properties = at.key("Properties");
    // What is not created needs no values.
    for (name, value) in given.iter().filter(|_| exists) {
        let name = name.as_str().unwrap_or_default();
        let at = at_properties.key(name);
        let Some(field) = ARTIFACT.field(name) else {
            functions.fault(&at, Code::UnknownField, unknown(name));
            continue;
        };
        match functions.value(value, &at) {
            Json::Null => {}
            value => cells.push(Made::new(field.name, json::value(&value), at.places())),
        }
    }
    MadeRow { span: at.span(), cells, faults: functions.take_faults() }
}

fn unknown(name: &str) -> (String, String) {
    let names = ARTIFACT.fields.iter().map(|field| field.name);
    let message = format!("unknown property {} of `{CLOUDFORMATION_TYPE}`", quoted(name));
    (message, format!("expected one of {}", crate::text::either(names)))
}

/// Reads a template. JSON is read as JSON: not all of it is YAML to every reader, and not every fault of it
/// is one in YAML.
fn read(text: &str) -> Result<Yaml, Fault> {
    let bare = text.trim_start_matches('\u{FEFF}');
    let inner = bare.trim_start().strip_prefix('{');
    if inner.is_some_and(|inner| inner.trim_start().starts_with('"')) {
        return serde_json::from_str(bare).map_err(|error| json::fault(text, bare, &error));
    }
    serde_yaml::from_str(bare)
        .map_err(|error| documents::fault(text, "a CloudFormation template", &error))
}

fn at_start(text: &str, message: &str) -> Fault {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    Fault {
        code: Code::InventorySyntax,
        span: Span::new(0..end),
        message: message.to_owned(),
        help: format!("name a template with resources of the type `{CLOUDFORMATION_TYPE}`"),
    }
}
