//! The table of an artifact: a request of `CreateArtifact`.

use super::limits::{
    ARTIFACT_NAME, ARTIFACT_TYPE, METADATA_VALUE, PROPERTIES_MAX, PROPERTY_KEY, PROPERTY_VALUE,
    SOURCE_ID_TYPES, SOURCE_TYPE_VALUE, SOURCE_URI, TAG_KEY, TAG_VALUE, TAGS_MAX,
};
use super::shape::{Change, Field, Mapping, Sense};

/// An artifact.
pub static ARTIFACT: Mapping = Mapping {
    name: "an artifact",
    main: None,
    form: "write each artifact as `- ArtifactType: …`",
    // `ResponseMetadata` is what boto3 adds to every answer.
    read_only: &[
        "ArtifactArn",
        "CreatedBy",
        "CreationTime",
        "LastModifiedBy",
        "LastModifiedTime",
        "LineageGroupArn",
        "ResponseMetadata",
    ],
    fields: &[
        Field::text("ArtifactName", ARTIFACT_NAME)
            .sense(Sense::Name)
            .change(Change::Update)
            .nicknames(&["name"])
            .about(
                "What the artifact is called: letters and digits of ASCII, with hyphens between \
                 them. No two artifacts of an account and Region have the same name. Optional.",
            )
            .examples(&["churn-training-set"])
            .when_empty("write a name, or remove the line"),
        Field::mapping("Source", &SOURCE).required().about("Where the artifact comes from."),
        Field::text("ArtifactType", ARTIFACT_TYPE)
            .sense(Sense::Type)
            .required()
            .shared()
            .nicknames(&["type", "kind"])
            .about(
                "What kind of thing the artifact is. Any text will do; those that AWS's own tools \
                 write are found by more people.",
            )
            .examples(&["DataSet", "Model", "Image"])
            .when_empty("write a type, such as `DataSet` or `Model`")
            .when_missing("add `ArtifactType: DataSet`, or `Model`, `Image` or another type"),
        Field::map("Properties", PROPERTY_KEY, PROPERTY_VALUE, PROPERTIES_MAX)
            .shared()
            .change(Change::Update)
            .entries("property", "properties", "property-count")
            .about(
                "What else is to be known of the artifact, as text by key: at most {max} keys. \
                 Numbers, booleans and null have to be quoted.",
            ),
        Field::mapping("MetadataProperties", &METADATA)
            .shared()
            .nicknames(&["metadata"])
            .about("The code and the project that the artifact was made by."),
        Field::keyed("Tags", &TAG, TAGS_MAX)
            .sense(Sense::Tags)
            .shared()
            .change(Change::Tagging)
            .nicknames(&["labels"])
            .entries("tag", "tags", "tag-count")
            .about(
                "Tags of the AWS resource, by which access and cost can be separated: at most \
                 {max}.",
            ),
    ],
};

/// The source of an artifact.
pub static SOURCE: Mapping = Mapping {
    name: "`Source`",
    main: Some("SourceUri"),
    form: "",
    read_only: &[],
    fields: &[
        Field::text("SourceUri", SOURCE_URI)
            .sense(Sense::Uri)
            .required()
            .nicknames(&["uri", "url"])
            .about(
                "Where the artifact is: an object or a prefix in S3, an image in a registry, or \
                 any other URI.",
            )
            .examples(&["s3://example-lake/churn/train.parquet"])
            .when_empty("write the URI of the source"),
        Field::pairs("SourceTypes", &SOURCE_TYPE)
            .sense(Sense::SourceIds)
            .nicknames(&["types"])
            .about(
                "Ids of what is at the URI. Artifacts with the same URI are different ones if \
                 these differ.",
            ),
    ],
};

/// One id of a source.
pub static SOURCE_TYPE: Mapping = Mapping {
    name: "a source type",
    main: None,
    form: "write each as `- SourceIdType: Custom` and below it `Value: …`",
    read_only: &[],
    fields: &[
        Field::choice("SourceIdType", &SOURCE_ID_TYPES)
            .required()
            .nicknames(&["type"])
            .about(
                "What `Value` is: an MD5 digest, the ETag or the version of an S3 object, or an id \
                 of your own.",
            )
            .when_empty("write one of `MD5Hash`, `S3ETag`, `S3Version` or `Custom`"),
        Field::text("Value", SOURCE_TYPE_VALUE)
            .required()
            .nicknames(&["id"])
            .about("The digest, the ETag, the version or another id.")
            .when_empty("write a value, or `''` for an empty string"),
    ],
};

/// The origin of an artifact.
pub static METADATA: Mapping = Mapping {
    name: "`MetadataProperties`",
    main: None,
    form: "",
    read_only: &[],
    fields: &[
        Field::text("CommitId", METADATA_VALUE)
            .nicknames(&["commit"])
            .about("The commit of the code that made it."),
        Field::text("Repository", METADATA_VALUE)
            .nicknames(&["repo"])
            .about("The repository of the code that made it."),
        Field::text("GeneratedBy", METADATA_VALUE)
            .nicknames(&["creator"])
            .about("Who or what made it: a person, a job or a tool."),
        Field::text("ProjectId", METADATA_VALUE)
            .nicknames(&["project"])
            .about("The project that it belongs to."),
    ],
};

/// A tag.
pub static TAG: Mapping = Mapping {
    name: "a tag",
    main: None,
    form: "write each tag as `- Key: …` and below it `Value: …`",
    read_only: &[],
    fields: &[
        Field::text("Key", TAG_KEY)
            .sense(Sense::TagKey)
            .required()
            .nicknames(&["name"])
            .about(
                "The key, once in an artifact. One that begins with `aws:`, in any case, only AWS \
                 may write.",
            )
            .examples(&["team"])
            .when_empty("write a key, or remove the tag"),
        Field::text("Value", TAG_VALUE)
            .required()
            .about("The value; an empty one is legal.")
            .when_empty("write a value, or `''` for an empty string"),
    ],
};
