//! The names of the operations.

/// The operations that there are.
pub(super) const NAMES: [&str; 8] = [
    "CreateArtifact",
    "DescribeArtifact",
    "ListArtifacts",
    "UpdateArtifact",
    "DeleteArtifact",
    "AddTags",
    "ListTags",
    "DeleteTags",
];

/// Returns the operation of this name.
pub(super) fn named(name: &str) -> Result<&'static str, String> {
    let known = NAMES.into_iter().find(|known| *known == name);
    known.ok_or_else(|| format!("unknown operation `{name}`; expected one of {}", NAMES.join(", ")))
}

/// Returns the operation that a header such as `SageMaker.CreateArtifact` names.
pub(super) fn targeted(target: Option<&str>) -> Option<&'static str> {
    let name = target?.strip_prefix("SageMaker.")?;
    NAMES.into_iter().find(|known| *known == name)
}
