//! The inventory of a command line, and the template for it.

mod dvc;
mod source;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use crate::cli::generate::{Form, Made};
use crate::diagnostic::{Code, Diagnostic};
use crate::generate::rows::{INVENTORY, TEMPLATE};
use crate::generate::{Input, open};
use crate::source::{EncodingFault, SourceFile};
use crate::text::{escaped, reason};
use crate::walk::STDIN;

/// An inventory and a template, as options name them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The inventory.
    pub(super) path: &'a Path,
    /// Its form.
    pub(super) form: &'a Form,
    /// The template and what belongs to it.
    pub(super) made: &'a Made,
    /// True if a template is to be written, and none needed.
    pub(super) init: bool,
}

impl Asked<'_> {
    /// The name of the inventory as it is shown.
    pub(super) fn name(&self) -> Arc<str> {
        if self.path.as_os_str() == "-" {
            Arc::from(STDIN)
        } else {
            Arc::from(self.path.display().to_string())
        }
    }
}

/// An inventory, ready to be read.
pub(super) struct Inventory {
    pub(super) input: Box<dyn Input>,
    /// Its files as they are shown.
    pub(super) names: Vec<Arc<str>>,
    /// The template that its source comes with.
    pub(super) template: Option<&'static str>,
    /// Its size in bytes, if known.
    pub(super) size: Option<u64>,
    /// The finding that it cannot be read at all.
    pub(super) fault: Option<Diagnostic>,
}

impl Inventory {
    /// Opens the inventory that is asked for.
    pub(super) fn open(asked: Asked<'_>) -> Result<Self, Failure> {
        if source::is_dvc(asked) {
            return dvc::inventory(asked);
        }
        let opened = open::open(asked.path).map_err(|error| unread(asked.path, &error))?;
        let fault = wide(&opened.head);
        let size = opened.size;
        let inventory = source::choose(asked, opened)?;
        Ok(Self { size, fault, ..inventory })
    }

    /// Returns the template to use.
    pub(super) fn template(&self, asked: Asked<'_>) -> Result<SourceFile, Failure> {
        match (&asked.made.template, self.template) {
            (Some(file), _) => {
                let bytes = std::fs::read(file).map_err(|error| unread(file, &error))?;
                let name = Arc::from(file.display().to_string());
                Ok(SourceFile::new(TEMPLATE, name, bytes))
            }
            (None, Some(own)) => {
                Ok(SourceFile::new(TEMPLATE, Arc::from("(own template)"), own.into()))
            }
            (None, None) => Err(Failure::usage("there is no template")
                .help("name one with `--template`; `lineload generate --init` writes a first one")),
        }
    }
}

/// Returns the finding that an inventory is not UTF-8, judged by its first bytes.
fn wide(head: &[u8]) -> Option<Diagnostic> {
    let source = SourceFile::new(INVENTORY, Arc::from(""), head.to_vec());
    let name = match source.fault()? {
        EncodingFault::Utf16 => "UTF-16",
        EncodingFault::Utf32 => "UTF-32",
        EncodingFault::Invalid { .. } => return None,
    };
    let message = format!("the inventory is {name}; inventories are UTF-8");
    let help = format!("save it as UTF-8, as with `iconv -f {name} -t UTF-8`");
    Some(Diagnostic::of_file(Code::Encoding, INVENTORY, message).with_help(help))
}

/// Returns the failure of reading `path`.
pub(super) fn unread(path: &Path, error: &io::Error) -> Failure {
    let path = escaped(&path.display().to_string());
    Failure::usage(format!("{path} cannot be read: {}", reason(error)))
}
