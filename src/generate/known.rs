//! Listings of rows in JSON whose members are known, and the templates of all known inventories.
//!
//! In: the first bytes of an inventory. Out: which listing it is, where its rows are, and a template that
//! works for it as it stands.

/// A listing in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The JSON Pointers of its rows; the first that the document has counts.
    pub rows: &'static [&'static str],
    /// The template.
    pub template: &'static str,
    /// The template where rows are in groups, if that is another.
    pub groups: Option<&'static str>,
}

/// `aws s3api list-objects-v2`.
pub const S3_OBJECTS: Listing = Listing {
    rows: &["/Contents"],
    template: include_str!("templates/s3-objects.yaml"),
    groups: Some(include_str!("templates/s3-objects-groups.yaml")),
};

/// `aws glue get-tables`, `aws glue get-table`.
pub const GLUE_TABLES: Listing = Listing {
    rows: &["/TableList", "/Table"],
    template: include_str!("templates/glue-tables.yaml"),
    groups: None,
};

/// `aws sagemaker list-model-packages`, `aws sagemaker describe-model-package`.
pub const SAGEMAKER_MODELS: Listing = Listing {
    rows: &["/ModelPackageSummaryList", ""],
    template: include_str!("templates/sagemaker-models.yaml"),
    groups: None,
};

/// `aws ecr describe-images`.
pub const ECR_IMAGES: Listing = Listing {
    rows: &["/imageDetails"],
    template: include_str!("templates/ecr-images.yaml"),
    groups: None,
};

/// The answer of MLflow's REST API to `runs/search`, and `mlflow runs describe`.
pub const MLFLOW_RUNS: Listing = Listing {
    rows: &["/runs", ""],
    template: include_str!("templates/mlflow-runs.yaml"),
    groups: None,
};

/// Metadata of a dataset in Croissant, of MLCommons.
pub const CROISSANT: Listing = Listing {
    rows: &["/distribution"],
    template: include_str!("templates/croissant.yaml"),
    groups: None,
};

/// `datapackage.json` of Frictionless.
pub const DATAPACKAGE: Listing = Listing {
    rows: &["/resources"],
    template: include_str!("templates/datapackage.yaml"),
    groups: None,
};

/// The template of `mlflow experiments csv`.
pub const MLFLOW_TABLE_TEMPLATE: &str = include_str!("templates/mlflow-runs-csv.yaml");
/// The template of an S3 Inventory: an artifact for each object that is there.
pub const INVENTORY_TEMPLATE: &str = include_str!("templates/s3-inventory.yaml");
/// The template of an S3 Inventory in groups.
pub const INVENTORY_GROUPS_TEMPLATE: &str = include_str!("templates/s3-inventory-groups.yaml");
/// The template of the outputs of a DVC repository.
pub const DVC_TEMPLATE: &str = include_str!("templates/dvc.yaml");
/// The template of the resources of CloudFormation.
pub const CLOUDFORMATION_TEMPLATE: &str = include_str!("templates/cloudformation.yaml");

/// The first columns of `mlflow experiments csv`.
const MLFLOW_COLUMNS: &str = "run_id,experiment_id,status,artifact_uri,";

/// Returns the listing whose text begins with `head`, if it surely is one.
#[must_use]
pub fn listing(head: &str, name: &str) -> Option<Listing> {
    let object = head.trim_start_matches('\u{FEFF}').trim_start().strip_prefix('{')?.trim_start();
    let first = object.strip_prefix('"')?.split('"').next()?;
    let has = |words: &[&str]| words.iter().all(|word| object.contains(&format!("\"{word}\"")));
    match first {
        "Contents" | "IsTruncated" | "ResponseMetadata" if has(&["Contents", "Key"]) => {
            Some(S3_OBJECTS)
        }
        "TableList" | "Table" if has(&["Name", "DatabaseName"]) => Some(GLUE_TABLES),
        "ModelPackageSummaryList" => Some(SAGEMAKER_MODELS),
        _ if has(&["ModelPackageArn", "ModelPackageStatus"]) => Some(SAGEMAKER_MODELS),
        "imageDetails" if has(&["imageDigest"]) => Some(ECR_IMAGES),
        "runs" | "info" if has(&["artifact_uri", "run_id"]) => Some(MLFLOW_RUNS),
        "@context" if object.contains("mlcommons.org/croissant") => Some(CROISSANT),
        _ if name.ends_with("datapackage.json") && has(&["resources"]) => Some(DATAPACKAGE),
        _ => None,
    }
}

/// Returns whether a table that begins with `head` is one of MLflow's runs.
#[must_use]
pub fn is_mlflow_table(head: &str) -> bool {
    head.trim_start_matches('\u{FEFF}').starts_with(MLFLOW_COLUMNS)
}
