//! Templates of CloudFormation as an inventory.

use std::sync::Arc;

use super::{Asked, Inventory, unread};
use crate::commands::failure::Failure;
use crate::generate::cloudformation::{self, Resources};
use crate::generate::open::Reader;
use crate::generate::{Listed, known};
use crate::text::escaped;

/// Returns the resources of the template that `reader` has, or of those in the directory that is asked for.
pub(super) fn inventory(asked: Asked<'_>, reader: Option<Reader>) -> Result<Inventory, Failure> {
    let path = asked.path;
    let files = if reader.is_some() {
        vec![Listed { name: asked.name().to_string(), path: path.to_owned() }]
    } else {
        cloudformation::files(path).map_err(|error| unread(path, &error))?
    };
    if files.is_empty() {
        let shown = escaped(&path.display().to_string());
        return Err(Failure::usage(format!("{shown} has no CloudFormation template")).help(
            "name a file, or end its name with `.template`, `.template.json` or `.template.yaml`",
        ));
    }
    let names = if reader.is_some() {
        vec![asked.name()]
    } else {
        files.iter().map(|file| Arc::from(file.path.display().to_string())).collect()
    };
    let resources: Resources = cloudformation::resources(files, reader, asked.made.vars.clone());
    let template = Some(known::CLOUDFORMATION_TEMPLATE);
    Ok(Inventory { input: Box::new(resources), names, template, size: None, fault: None })
}
