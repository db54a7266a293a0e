//! Which reader an inventory gets: by `--from`, or by its name and its first bytes.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::{Asked, Inventory, unread};
use crate::cli::generate::From;
use crate::commands::failure::Failure;
use crate::generate::Input;
use crate::generate::answers::Answers;
use crate::generate::cloudformation;
use crate::generate::dvc;
use crate::generate::json::Lines;
use crate::generate::known::{self, Listing};
use crate::generate::open::{self, Opened};
use crate::generate::s3;
use crate::generate::table::{Form, Table};

/// Returns whether the inventory is a repository of DVC, or a file of one.
pub(super) fn is_dvc(asked: Asked<'_>) -> bool {
    match asked.form.from {
        Some(from) => from == From::Dvc,
        None => asked.path.is_dir() || dvc::is_file(asked.path),
    }
}

/// Returns whether the inventory is a directory of CloudFormation templates.
pub(super) fn is_templates(asked: Asked<'_>) -> bool {
    asked.form.from == Some(From::Cloudformation) && asked.path.is_dir()
}

/// Chooses the reader of `opened`.
pub(super) fn choose(asked: Asked<'_>, opened: Opened) -> Result<Inventory, Failure> {
    let form = asked.form;
    let from = form.from.unwrap_or_else(|| recognized(&opened));
    let grouped = form.group.is_some();
    let mut names = vec![asked.name()];
    let mut template = None;
    let input: Box<dyn Input> = match from {
        From::Csv | From::Tsv => {
            let delimiter = form.delimiter.or((from == From::Tsv).then_some(b'\t'));
            let form = Form { delimiter, columns: form.columns.clone() };
            Box::new(Table::new(opened.reader, form))
        }
        // Its files are read one by one.
        From::Dvc => return super::dvc::inventory(asked),
        From::Cloudformation => {
            return super::cloudformation::inventory(asked, Some(opened.reader));
        }
        From::Parquet => {
            let rows = open::parquet(asked.path, opened, false);
            Box::new(Lines::new(rows.map_err(|error| unread(asked.path, &error))?))
        }
        From::Jsonl => Box::new(Lines::new(opened.reader)),
        From::Json => {
            Box::new(Answers::new(opened.reader, form.rows.clone().into_iter().collect()))
        }
        From::MlflowRuns if known::is_mlflow_table(&String::from_utf8_lossy(&opened.head)) => {
            template = Some(known::MLFLOW_TABLE_TEMPLATE);
            let form = Form { delimiter: Some(b','), columns: None };
            Box::new(Table::new(opened.reader, form))
        }
        From::S3Inventory => {
            template = Some(if grouped {
                known::INVENTORY_GROUPS_TEMPLATE
            } else {
                known::INVENTORY_TEMPLATE
            });
            if form.columns.is_some() {
                // One of its files, without its manifest.
                let form = Form { delimiter: Some(b','), columns: form.columns.clone() };
                Box::new(Table::new(opened.reader, form))
            } else {
                let inventory = manifest(asked.path, opened)?;
                let shown = inventory.files().iter().map(|file| file.display().to_string());
                names = shown.map(Arc::from).collect();
                Box::new(inventory)
            }
        }
        From::S3Objects
        | From::GlueTables
        | From::SagemakerModels
        | From::EcrImages
        | From::MlflowRuns
        | From::Croissant
        | From::Datapackage => {
            let listing = listing(from);
            template = listing.groups.filter(|_| grouped).or(Some(listing.template));
            if is_lines(&opened, listing.rows) {
                // Rows one behind the other, each on a line.
                Box::new(Lines::new(opened.reader))
            } else {
                let own = listing.rows.iter().map(|rows| (*rows).to_owned()).collect();
                let rows = form.rows.clone().map_or(own, |rows| vec![rows]);
                Box::new(Answers::new(opened.reader, rows))
            }
        }
    };
    Ok(Inventory { input, names, template, size: None, fault: None })
}

fn manifest(path: &Path, mut opened: Opened) -> Result<s3::Inventory, Failure> {
    let mut text = Vec::new();
    opened.reader.read_to_end(&mut text).map_err(|error| unread(path, &error))?;
    s3::Inventory::new(path, &text).map_err(|error| {
        unread(path, &error).help(
            "name the `manifest.json` of an inventory in CSV or Parquet, with its files beside it; or one of \
             the files, with `--columns`",
        )
    })
}

/// The listings that are known.
const LISTINGS: [(From, Listing); 7] = [
    (From::S3Objects, known::S3_OBJECTS),
    (From::GlueTables, known::GLUE_TABLES),
    (From::SagemakerModels, known::SAGEMAKER_MODELS),
    (From::EcrImages, known::ECR_IMAGES),
    (From::MlflowRuns, known::MLFLOW_RUNS),
    (From::Croissant, known::CROISSANT),
    (From::Datapackage, known::DATAPACKAGE),
];

fn listing(from: From) -> Listing {
    let found = LISTINGS.iter().find(|(one, _)| *one == from);
    found.map_or(known::S3_OBJECTS, |(_, listing)| *listing)
}

/// Returns whether the first line is a row, with none at `pointers` within it, and others follow.
fn is_lines(opened: &Opened, pointers: &[&str]) -> bool {
    let head = String::from_utf8_lossy(&opened.head);
    let Some((line, rest)) = head.trim_start_matches('\u{FEFF}').split_once('\n') else {
        return false;
    };
    let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { return false };
    let has_rows =
        pointers.iter().any(|pointer| !pointer.is_empty() && row.pointer(pointer).is_some());
    row.is_object() && !has_rows && !rest.trim().is_empty()
}

/// Returns the kind of an inventory, by its name and its first bytes.
fn recognized(opened: &Opened) -> From {
    let head = String::from_utf8_lossy(&opened.head);
    let has = |words: &[&str]| words.iter().all(|word| head.contains(word));
    let start = head.trim_start_matches('\u{FEFF}').trim_start();
    let ends = |endings: &[&str]| endings.iter().any(|ending| opened.name.ends_with(ending));
    let listing = known::listing(&head, &opened.name);
    if opened.head.starts_with(open::PARQUET) {
        From::Parquet
    } else if start.starts_with('{') && has(&["\"fileSchema\"", "\"fileFormat\""]) {
        From::S3Inventory
    } else if let Some((from, _)) =
        LISTINGS.iter().find(|(_, known)| listing.as_ref() == Some(known))
    {
        *from
    } else if known::is_mlflow_table(&head) {
        From::MlflowRuns
    } else if cloudformation::is_template(&head) {
        From::Cloudformation
    } else if ends(&[".tsv", ".tab"]) {
        From::Tsv
    } else if ends(&[".csv"]) {
        From::Csv
    } else if ends(&[".jsonl", ".ndjson"]) {
        From::Jsonl
    } else if ends(&[".json"]) {
        From::Json
    } else if start.starts_with('{') {
        // An object on a line of its own is a row; one that goes on is a document.
        let line = start.lines().next().unwrap_or_default();
        let is_row =
            serde_json::from_str::<serde_json::Value>(line).is_ok_and(|row| row.is_object());
        if is_row { From::Jsonl } else { From::Json }
    } else if start.starts_with('[') {
        From::Json
    } else {
        From::Csv
    }
}
