//! Listings of S3: an inventory with its manifest, and the answers of `list-objects-v2`.
//!
//! In: the manifest of an S3 Inventory, and the files that lie beside it. Out: the rows of all of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::open::{self, Reader};
use super::rows::{Block, Columns};
use super::table::{Form, Table};
use super::{Frame, Input};
use crate::source::FileId;

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
    columns: Vec<String>,
    next: usize,
    table: Option<Table<Reader>>,
}

impl Inventory {
    /// The inventory whose manifest is `text`, at `path`.
    ///
    /// # Errors
    /// If it is no manifest of an S3 Inventory in CSV, or one of its files is not there.
    pub fn new(path: &Path, text: &[u8]) -> io::Result<Self> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        let manifest: Manifest = serde_json::from_slice(text)
            .map_err(|error| invalid(format!("not a manifest of an S3 Inventory: {error}")))?;
        if !manifest.file_format.eq_ignore_ascii_case("csv") {
            let format = &manifest.file_format;
            return Err(invalid(format!("an S3 Inventory in {format}; only CSV is read")));
        }
        let columns = manifest.file_schema.split(',').map(|name| name.trim().to_owned()).collect();
        let find = |listed: &Listed| {
            found(path, &listed.key).ok_or_else(|| {
                let key = crate::text::escaped(&listed.key);
                invalid(format!("its file `{key}` is neither beside it nor above it"))
            })
        };
        let files = manifest.files.iter().map(find).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { files, columns, next: 0, table: None })
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
        let form = Form { delimiter: Some(b','), columns: Some(self.columns.clone()) };
        let mut table = Table::new(opened.reader, form);
        table.start()?;
        self.table = Some(table);
        Ok(true)
    }
}

/// Returns the path of the file with `key`, for a manifest at `path`: as it lies in the bucket, or copied with
/// fewer folders.
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

/// The number of the file with the index `at` among the sources of a run: the template is between the
/// first and the second.
fn id(at: usize) -> FileId {
    FileId(if at == 0 { 0 } else { u32::try_from(at + 1).unwrap_or(u32::MAX) })
}

impl Input for Inventory {
    fn start(&mut self) -> io::Result<()> {
        self.open().map(|_| ())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        let mut columns = Columns::default();
        self.columns.iter().for_each(|name| {
            columns.add(name);
        });
        Some(Arc::new(columns))
    }

    fn frame(&self) -> Frame {
        Frame { before: String::new(), between: "\n", behind: "\n" }
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        loop {
            let Some(table) = &mut self.table else { return Ok(None) };
            if let Some(mut block) = table.next_block()? {
                block.file = id(self.next - 1);
                return Ok(Some(block));
            }
            if !self.open()? {
                self.table = None;
            }
        }
    }
}

/// The template of an S3 Inventory: an artifact for each object that is there.
pub const INVENTORY_TEMPLATE: &str = r#"# Made by `lineload generate --init`: one artifact for each object of an S3 Inventory.
# Old versions and delete markers are left out. For one artifact for each prefix, add
# --group '{{ row.Key | url_decode | parent(2) }}' also to --init.
$when: (row.IsLatest | default('true')) != 'false' and (row.IsDeleteMarker | default('false')) != 'true'
ArtifactName: '{{ row.Key | url_decode | artifact_name(unique=row.Bucket ~ "/" ~ row.Key) }}'
ArtifactType: DataSet
Source:
  # Listings encode keys as URLs do.
  SourceUri: 's3://{{ row.Bucket }}/{{ row.Key | url_decode }}'
  SourceTypes:
  - $when: row.ETag is defined and row.ETag
    SourceIdType: S3ETag
    Value: '{{ row.ETag | default("") | replace("\"", "") }}'
  - $when: row.VersionId is defined and row.VersionId
    SourceIdType: S3Version
    Value: '{{ row.VersionId | default("") }}'
Properties:
  $skip_empty: true
  Size: '{{ row.Size | default("") }}'
  LastModified: '{{ row.LastModifiedDate | default("") }}'
  StorageClass: '{{ row.StorageClass | default("") }}'
"#;

/// The template of an S3 Inventory in groups.
pub const INVENTORY_GROUPS_TEMPLATE: &str = r#"# Made by `lineload generate --init`: one artifact for each group of objects of an S3 Inventory.
# Old versions and delete markers are left out.
$when: (row.IsLatest | default('true')) != 'false' and (row.IsDeleteMarker | default('false')) != 'true'
ArtifactName: '{{ (row.group or "root") | artifact_name(unique=row.Bucket ~ "/" ~ row.group) }}'
ArtifactType: DataSet
Source:
  SourceUri: 's3://{{ row.Bucket }}/{{ row.group }}'
Properties:
  $skip_empty: true
  Objects: '{{ row.objects }}'
  Bytes: '{{ row.bytes }}'
  LastModified: '{{ row.last_modified }}'
"#;

/// The template of `aws s3api list-objects-v2`: an artifact for each object.
pub const OBJECTS_TEMPLATE: &str = r#"# Made by `lineload generate --init`: one artifact for each object of `aws s3api list-objects-v2`.
# The answer does not name its bucket: add --var bucket=NAME. For one artifact for each prefix, add
# --group '{{ row.Key | parent(2) }}' also to --init.
$when: row.Key is not endingwith('/')
ArtifactName: '{{ row.Key | artifact_name(unique=row.Key) }}'
ArtifactType: DataSet
Source:
  SourceUri: 's3://{{ var.bucket }}/{{ row.Key }}'
  SourceTypes:
  - $when: row.ETag is defined
    SourceIdType: S3ETag
    Value: '{{ row.ETag | default("") | replace("\"", "") }}'
Properties:
  $skip_empty: true
  Size: '{{ row.Size | default("") }}'
  LastModified: '{{ row.LastModified | default("") }}'
  StorageClass: '{{ row.StorageClass | default("") }}'
"#;

/// The template of `aws s3api list-objects-v2` in groups.
pub const OBJECTS_GROUPS_TEMPLATE: &str = r#"# Made by `lineload generate --init`: one artifact for each group of objects of
# `aws s3api list-objects-v2`. The answer does not name its bucket: add --var bucket=NAME.
$when: row.Key is not endingwith('/')
ArtifactName: '{{ (row.group or "root") | artifact_name(unique=row.group) }}'
ArtifactType: DataSet
Source:
  SourceUri: 's3://{{ var.bucket }}/{{ row.group }}'
Properties:
  $skip_empty: true
  Objects: '{{ row.objects }}'
  Bytes: '{{ row.bytes }}'
  LastModified: '{{ row.last_modified }}'
"#;
