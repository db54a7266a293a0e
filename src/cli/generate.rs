//! `lineload generate`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::OutputFile;
use crate::config::{FailOn, Format};
use crate::generate::OnDuplicate;

/// `lineload generate`
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A template is a manifest with Jinja expressions in its strings, such as '{{ row.location }}'.
`--init` writes a starter template. Besides fields, a template can have these keys:
  $when        keeps a row, property, tag or source type only where this is true
  $for         makes a property, tag or source type for each item, as in `tag in row.tags`
  $value       the value of a property that has one of these
  $skip_empty  with `true`, leaves out what has an empty value
Filters besides those of Jinja: artifact_name, basename, date, md5_hex, one_line, parent,
sha256_hex, strip_prefix, strip_suffix, truncate_chars, url_decode.

Examples:
  lineload generate --init inventory.csv > template.yaml
                                     a starter template from the columns
  lineload generate inventory.csv -t template.yaml
                                     check the rows, write nothing
  lineload generate inventory.csv -t template.yaml -o manifests \\
    --file '{{ row.dataset | artifact_name }}.yaml'
                                     one file per dataset
  lineload generate inventory.csv -t template.yaml -o manifests --update --prune
                                     after the inventory changed
  lineload generate inventory.csv -t template.yaml -o manifests --check
                                     in CI: exit 1 unless the manifests are current"
)]
pub struct Generate {
    /// The inventory: a file, compressed with gzip or zstd or not, `-` for standard input, or the
    /// directory of a DVC repository or of CloudFormation templates
    #[arg(value_name = "INVENTORY")]
    pub inventory: PathBuf,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub form: Form,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub what: What,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub files: Files,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reported: Reported,
}

impl Generate {
    /// Returns whether manifests go to standard output.
    #[must_use]
    pub fn writes_to_stdout(&self) -> bool {
        self.files.output.as_ref().is_some_and(|output| output.as_os_str() == "-")
    }

    /// The directory that manifests go to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.files.output.as_deref().unwrap_or(Path::new(""))
    }
}

/// The form of the inventory.
#[derive(Debug, Clone, Default, Args)]
pub struct Form {
    /// The format of the inventory [default: detected from its name and content]
    #[arg(long, value_name = "SOURCE", requires = "inventory", help_heading = "Inventory")]
    pub from: Option<From>,
    /// The character between cells, or `tab` [default: detected from the first line]
    #[arg(long, value_name = "CHARACTER", requires = "inventory", help_heading = "Inventory", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// The array of rows in a JSON document, as a JSON Pointer such as `/items` [default: the
    /// document, or its only array]
    #[arg(long, value_name = "POINTER", requires = "inventory", help_heading = "Inventory")]
    pub rows: Option<String>,
    /// Group rows by the text of this template, such as a prefix. A group is one row with
    /// `row.group`, `row.objects`, `row.bytes` and `row.last_modified`, and the cells of its first
    /// row
    #[arg(long, value_name = "TEMPLATE", requires = "inventory", help_heading = "Inventory")]
    pub group: Option<String>,
    /// The names of the columns, for a table without a header
    #[arg(
        long,
        value_name = "NAMES",
        requires = "inventory",
        help_heading = "Inventory",
        value_delimiter = ','
    )]
    pub columns: Option<Vec<String>>,
}

/// How rows become artifacts.
#[derive(Debug, Clone, Default, Args)]
pub struct Made {
    /// The template [default: that of the source, if it has one]
    #[arg(short, long, value_name = "FILE", requires = "inventory", help_heading = "Artifacts")]
    pub template: Option<PathBuf>,
    /// A value that the template reads as `var.NAME`; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = var, requires = "inventory", help_heading = "Artifacts")]
    pub vars: Vec<(String, String)>,
    /// How to treat rows that make the same artifact: report an error, keep the first, or merge the
    /// source types of all rows with one SourceUri
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "error",
        requires = "inventory",
        help_heading = "Artifacts"
    )]
    pub on_duplicate: Duplicate,
}

/// The artifacts to generate.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Artifacts")]
pub struct What {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub made: Made,
    /// Print a starter template for this inventory, or write it to the file of --template
    #[arg(long, conflicts_with_all = ["output", "check", "diff"])]
    pub init: bool,
    /// Write rows without a valid artifact to this file, to fix and use as an inventory
    #[arg(long, value_name = "FILE")]
    pub invalid: Option<PathBuf>,
    /// Write nothing if any row is invalid
    #[arg(long)]
    pub require_valid: bool,
}

/// An inventory in the place of manifests.
#[derive(Debug, Clone, Default, Args)]
pub struct Rows {
    /// Take artifacts from this inventory instead of manifests, as `lineload generate` would make
    /// them; the options below apply to it
    #[arg(long, value_name = "INVENTORY", conflicts_with = "paths", help_heading = "Inventory")]
    pub inventory: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub form: Form,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub made: Made,
}

/// The files that are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifests")]
pub struct Files {
    /// Write manifests to this directory, or `-` for standard output [default: check only]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// A template for the path of an artifact's file below the directory; rows with the same path
    /// share a file, wherever they stand in the inventory
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "per_file")]
    pub file: Option<String>,
    /// The number of artifacts in a file [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub per_file: Option<u32>,
    /// Replace generated files that are out of date
    #[arg(long)]
    pub update: bool,
    /// Remove generated files without a row
    #[arg(long)]
    pub prune: bool,
    /// Also replace, or with `--prune` remove, files that were edited by hand
    #[arg(long)]
    pub force: bool,
    /// Write nothing; exit with 1 if a file is out of date
    #[arg(long, requires = "output", conflicts_with_all = ["update", "prune", "force"])]
    pub check: bool,
    /// Write nothing; show what would change
    #[arg(long, requires = "output")]
    pub diff: bool,
}

/// The report of findings.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Findings")]
pub struct Reported {
    /// The format of findings on standard output [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Also write findings to a file, in this format; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    pub findings: Vec<OutputFile>,
    /// Show every finding, however many there are
    #[arg(long)]
    pub all: bool,
    /// The lowest severity that ends with exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// The number of threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// The kind of an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum From {
    Csv,
    Tsv,
    Jsonl,
    Json,
    Parquet,
    S3Inventory,
    S3Objects,
    Dvc,
    GlueTables,
    SagemakerModels,
    EcrImages,
    MlflowRuns,
    Croissant,
    Datapackage,
    Cloudformation,
}

/// The treatment of duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum Duplicate {
    #[default]
    Error,
    First,
    MergeSourceTypes,
}

impl std::convert::From<Duplicate> for OnDuplicate {
    fn from(duplicate: Duplicate) -> Self {
        match duplicate {
            Duplicate::Error => Self::Error,
            Duplicate::First => Self::First,
            Duplicate::MergeSourceTypes => Self::MergeSourceTypes,
        }
    }
}

fn var(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err("a name has ASCII letters, digits and `_`".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("expected one character of ASCII, or `tab`".to_owned()),
    }
}
