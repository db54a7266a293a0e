//! Which reader an inventory gets: by `--from`, or by its name and its first bytes.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::unread;
use crate::cli::generate::{From, Generate};
use crate::commands::failure::Failure;
use crate::generate::Input;
use crate::generate::json::{Document, Lines};
use crate::generate::open::Opened;
use crate::generate::s3;
use crate::generate::table::{Form, Table};

/// An inventory, ready to be read.
pub(super) struct Chosen {
    pub(super) input: Box<dyn Input>,
    /// Its files as they are shown.
    pub(super) names: Vec<Arc<str>>,
    /// The template that its source comes with.
    pub(super) template: Option<&'static str>,
}

/// Chooses the reader of `opened`, which is shown as `name`.
pub(super) fn choose(args: &Generate, opened: Opened, name: &Arc<str>) -> Result<Chosen, Failure> {
    let form = &args.form;
    let from = form.from.unwrap_or_else(|| recognized(&opened));
    let grouped = form.group.is_some();
    let mut names = vec![Arc::clone(name)];
    let mut template = None;
    let input: Box<dyn Input> = match from {
        From::Csv | From::Tsv => {
            let delimiter = form.delimiter.or((from == From::Tsv).then_some(b'\t'));
            let form = Form { delimiter, columns: form.columns.clone() };
            Box::new(Table::new(opened.reader, form))
        }
        From::Jsonl => Box::new(Lines::new(opened.reader)),
        From::Json => Box::new(Document::new(opened.reader, form.rows.clone())),
        From::S3Objects => {
            let own = if grouped { s3::OBJECTS_GROUPS_TEMPLATE } else { s3::OBJECTS_TEMPLATE };
            template = Some(own);
            let rows = form.rows.clone().unwrap_or_else(|| "/Contents".to_owned());
            Box::new(Document::new(opened.reader, Some(rows)))
        }
        From::S3Inventory => {
            let own = if grouped { s3::INVENTORY_GROUPS_TEMPLATE } else { s3::INVENTORY_TEMPLATE };
            template = Some(own);
            if form.columns.is_some() {
                // One of its files, without its manifest.
                let form = Form { delimiter: Some(b','), columns: form.columns.clone() };
                Box::new(Table::new(opened.reader, form))
            } else {
                let inventory = manifest(&args.inventory, opened)?;
                let shown = inventory.files().iter().map(|file| file.display().to_string());
                names = shown.map(Arc::from).collect();
                Box::new(inventory)
            }
        }
    };
    Ok(Chosen { input, names, template })
}

fn manifest(path: &Path, mut opened: Opened) -> Result<s3::Inventory, Failure> {
    let mut text = Vec::new();
    opened.reader.read_to_end(&mut text).map_err(|error| unread(path, &error))?;
    s3::Inventory::new(path, &text).map_err(|error| {
        unread(path, &error).help(
            "name the `manifest.json` of an inventory in CSV, with its files beside it; or one of \
             the files, with `--columns`",
        )
    })
}

/// Returns the kind of an inventory, by its name and its first bytes.
fn recognized(opened: &Opened) -> From {
    let head = String::from_utf8_lossy(&opened.head);
    let has = |words: &[&str]| words.iter().all(|word| head.contains(word));
    let start = head.trim_start_matches('\u{FEFF}').trim_start();
    let ends = |endings: &[&str]| endings.iter().any(|ending| opened.name.ends_with(ending));
    if start.starts_with('{') && has(&["\"fileSchema\"", "\"fileFormat\""]) {
        From::S3Inventory
    } else if start.starts_with('{') && has(&["\"Contents\"", "\"Key\"", "\"LastModified\""]) {
        From::S3Objects
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
