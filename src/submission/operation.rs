//! The operations of the service that a run uses.

use std::fmt;

/// An operation of the service. Each has a rate limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// CreateArtifact.
    Create,
    /// ListArtifacts.
    List,
    /// DescribeArtifact.
    Describe,
    /// ListTags.
    ListTags,
    /// UpdateArtifact.
    Update,
    /// AddTags.
    AddTags,
    /// DeleteTags.
    DeleteTags,
    /// DeleteArtifact.
    Delete,
}

impl Operation {
    /// Every operation, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::List,
        Self::Describe,
        Self::ListTags,
        Self::Update,
        Self::AddTags,
        Self::DeleteTags,
        Self::Delete,
    ];

    /// Returns the name by which the API, `serve --tps` and AWS's documentation call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CreateArtifact",
            Self::List => "ListArtifacts",
            Self::Describe => "DescribeArtifact",
            Self::ListTags => "ListTags",
            Self::Update => "UpdateArtifact",
            Self::AddTags => "AddTags",
            Self::DeleteTags => "DeleteTags",
            Self::Delete => "DeleteArtifact",
        }
    }

    /// Returns the IAM action that a caller needs for it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Create => "sagemaker:CreateArtifact",
            Self::List => "sagemaker:ListArtifacts",
            Self::Describe => "sagemaker:DescribeArtifact",
            Self::ListTags => "sagemaker:ListTags",
            Self::Update => "sagemaker:UpdateArtifact",
            Self::AddTags => "sagemaker:AddTags",
            Self::DeleteTags => "sagemaker:DeleteTags",
            Self::Delete => "sagemaker:DeleteArtifact",
        }
    }

    /// Returns whether each attempt is recorded in the journal before it leaves: after it, nobody but the
    /// target knows whether an artifact exists.
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        matches!(self, Self::Create | Self::Delete)
    }

    /// Returns whether it changes the target.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::AddTags | Self::DeleteTags | Self::Delete
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_place_and_its_action() {
        for (at, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, at);
            assert_eq!(operation.action().strip_prefix("sagemaker:"), Some(operation.name()));
        }
        let writes = Operation::ALL.into_iter().filter(|operation| operation.is_write());
        let names: Vec<_> = writes.map(Operation::name).collect();
        assert_eq!(
            names,
            ["CreateArtifact", "UpdateArtifact", "AddTags", "DeleteTags", "DeleteArtifact"]
        );
    }
}
