//! A repository of DVC as an inventory.

use std::path::Path;
use std::sync::Arc;

use super::{Asked, Inventory, unread};
use crate::commands::failure::Failure;
use crate::commands::git;
use crate::generate::dvc::{self, Config, Outputs};
use crate::generate::{Listed, known, slashed};
use crate::text::escaped;

/// Returns the outputs of the repository, the directory or the file at `path`.
pub(super) fn inventory(asked: Asked<'_>) -> Result<Inventory, Failure> {
    let path = asked.path;
    let here = std::fs::canonicalize(path).map_err(|error| unread(path, &error))?;
    let directory = if here.is_dir() { here.as_path() } else { here.parent().unwrap_or(&here) };
    let root = dvc::root(directory).unwrap_or(directory);
    let mut files = if here.is_dir() {
        dvc::files(path).map_err(|error| unread(path, &error))?
    } else {
        let name = here.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        vec![Listed { name, path: path.to_owned() }]
    };
    // Their names are those below the root, wherever the inventory begins.
    let below = directory.strip_prefix(root).map(slashed).unwrap_or_default();
    if !below.is_empty() {
        files.iter_mut().for_each(|file| file.name = format!("{below}/{}", file.name));
    }
    let shown = escaped(&path.display().to_string());
    if files.is_empty() {
        return Err(Failure::usage(format!("{shown} has no `.dvc` file and no `dvc.lock`"))
            .help("name the directory of a DVC repository, or one of these files"));
    }
    let config = read_config(root)?;
    if config.is_empty() && asked.made.template.is_none() && !asked.init {
        return Err(Failure::usage(format!("{shown}: `.dvc/config` names no remote")).help(
            "set one with `dvc remote add --default`, or write where the data is in a template of \
             your own: `--init` writes the first",
        ));
    }
    let shown = |file: &Listed| {
        let path = file.path.strip_prefix(".").unwrap_or(&file.path);
        Arc::from(path.display().to_string())
    };
    let names = files.iter().map(shown).collect();
    let history = git::history(root);
    let outputs: Outputs = dvc::outputs(files, config, history);
    let template = Some(known::DVC_TEMPLATE);
    Ok(Inventory { input: Box::new(outputs), names, template, size: None, fault: None })
}

fn read_config(root: &Path) -> Result<Config, Failure> {
    let directory = root.join(".dvc");
    let path = directory.join("config");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Config::read(&text, &directory)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(unread(&path, &error)),
    }
}
