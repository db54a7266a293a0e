"""Artifacts without a finding, to measure with."""

ARTIFACT = """\
ArtifactName: dataset-{at}
ArtifactType: DataSet
Source:
  SourceUri: s3://bucket-{bucket}/prefix/{at}
  SourceTypes:
  - SourceIdType: S3ETag
    Value: c0ffee{at:026x}
Properties:
  Title: Dataset number {at} of a lake
  Owner: 'team: {team}'
  Format: parquet
MetadataProperties:
  CommitId: c{at:07x}
Tags:
- Key: team
  Value: team-{team}
- Key: stage
  Value: prod
"""


def artifact(at):
    """Returns the artifact with this number as a document."""
    return ARTIFACT.format(at=at, bucket=at % 97, team=at % 31)


def item(at):
    """Returns it as an item of a list."""
    return "- " + artifact(at).rstrip().replace("\n", "\n  ") + "\n"
