//! Listings of S3: an inventory with its manifest, and the answers of `list-objects-v2`.
//!
//! In: the manifest of an S3 Inventory, and the files that lie beside it. Out: the rows of all of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::json::Lines;
use super::open;
use super::rows::{Block, Columns, inventory_file};
use super::table::{Form, Table};
use super::{Frame, Input};

/// Folders above a manifest in which its files are looked for.
const ABOVE: usize = 6;

/// `manifest.json` of an S3 Inventory.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    file_format: String,
    file_schema: String,
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key: String,
}

/// The rows of an S3 Inventory.
pub struct Inventory {
    files: Vec<PathBuf>,
    /// The names in its schema, which the files do not have; `None` if they have.
    columns: Option<Vec<String>>,
    next: usize,
    file: Option<Box<dyn Input>>,
}

impl Inventory {
    /// The inventory whose manifest is `text`, at `path`.
    ///
    /// # Errors
    /// If it is no manifest of an S3 Inventory in CSV or Parquet, or one of its files is not there.
    pub fn new(path: &Path, text: &[u8]) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        let manifest: Manifest = serde_json::from_slice(text)
            .map_err(|error| invalid(format!("not a manifest of an S3 Inventory: {error}")))?;
        let is_format = |name: &str| manifest.file_format.eq_ignore_ascii_case(name);
        if !is_format("csv") && !is_format("parquet") {
            let format = crate::text::escaped(&manifest.file_format);
            return Err(invalid(format!("an S3 Inventory in {format}; expected CSV or Parquet")));
        }
        if manifest.files.is_empty() {
            return Err(invalid("an S3 Inventory without files".to_owned()));
        }
        let columns = manifest.file_schema.split(',').map(|name| name.trim().to_owned());
        let columns = is_format("csv").then(|| columns.collect());
        let find = |listed: &Listed| {
            found(path, &listed.key).ok_or_else(|| {
                let key = crate::text::escaped(&listed.key);
                invalid(format!("its file `{key}` is neither beside it nor above it"))
            })
        };
        let files = manifest.files.iter().map(find).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { files, columns, next: 0, file: None })
    }

    /// The files, in order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    fn open(&mut self) -> io::Result<bool> {
        let Some(path) = self.files.get(self.next) else { return Ok(false) };
        self.next += 1;
        let opened = open::open(path)?;
        let mut file: Box<dyn Input> = match &self.columns {
            Some(columns) => {
                let form = Form { delimiter: Some(b','), columns: Some(columns.clone()) };
                Box::new(Table::new(opened.reader, form))
            }
            None => Box::new(Lines::new(open::parquet(path, opened, true)?)),
        };
        file.start()?;
        self.file = Some(file);
        Ok(true)
    }
}

/// Returns the path of the file with `key`, for a manifest at `path`: as it lies in the bucket, or copied with
/// fewer directories.
fn found(path: &Path, key: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = key.split('/').filter(|part| !part.is_empty()).collect();
    if parts.contains(&"..") {
        return None;
    }
    let directories = path.parent()?.ancestors().take(ABOVE);
    let directories: Vec<_> = directories.collect();
    (0..parts.len()).find_map(|from| {
        let below: PathBuf = parts.get(from..)?.iter().collect();
        directories.iter().map(|directory| directory.join(&below)).find(|path| path.is_file())
    })
}

impl Input for Inventory {
    fn start(&mut self) -> io::Result<()> {
        self.open().map(|_| ())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        let mut columns = Columns::default();
        self.columns.as_ref()?.iter().for_each(|name| {
            columns.add(name);
        });
        Some(Arc::new(columns))
    }

    fn frame(&self) -> Option<Frame> {
        Some(Frame { before: String::new(), between: "\n", behind: "\n".to_owned() })
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        loop {
            let Some(file) = &mut self.file else { return Ok(None) };
            if let Some(mut block) = file.next_block()? {
                block.file = inventory_file(self.next - 1);
                return Ok(Some(block));
            }
            if !self.open()? {
                self.file = None;
            }
        }
    }
}
