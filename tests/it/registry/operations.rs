//! UpdateArtifact, DeleteArtifact and the tag operations: what they change, and what they refuse.

use serde_json::{Value, json};

use crate::support::{Served, folder};

const GONE: &str = "arn:aws:sagemaker:eu-west-1:000000000000:artifact/0";

fn create(served: &Served, input: &Value) -> String {
    let (status, answer) = served.ask("CreateArtifact", input);
    assert_eq!(status, 200, "{answer}");
    answer["ArtifactArn"].as_str().unwrap().to_owned()
}

fn refused(served: &Served, operation: &str, input: &Value) -> (String, String) {
    let (status, answer) = served.ask(operation, input);
    assert_eq!(status, 400, "{answer}");
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    (text("__type").unwrap(), text("message").or_else(|| text("Message")).unwrap())
}

#[test]
fn an_update_changes_name_and_properties_and_nothing_else() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let arn = create(
        &served,
        &json!({"ArtifactName": "first", "ArtifactType": "DataSet",
            "Source": {"SourceUri": "s3://x", "SourceTypes": [{"SourceIdType": "Custom", "Value": "1"}]},
            "Properties": {"keep": "1", "change": "1", "remove": "1"},
            "MetadataProperties": {"CommitId": "c"}}),
    );
    let before = served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn })).1;
    let change = json!({"ArtifactArn": arn, "ArtifactName": "second",
        "Properties": {"change": "2", "add": "2"}, "PropertiesToRemove": ["remove", "never-there"]});
    assert_eq!(served.ask("UpdateArtifact", &change), (200, json!({ "ArtifactArn": arn })));
    let mut after = served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn })).1;
    assert_eq!(after["ArtifactName"], "second");
    assert_eq!(after["Properties"], json!({"keep": "1", "change": "2", "add": "2"}));
    assert!(after["LastModifiedTime"].as_f64() >= before["LastModifiedTime"].as_f64());
    for changed in ["ArtifactName", "Properties", "LastModifiedTime"] {
        after[changed] = before[changed].clone();
    }
    assert_eq!(after, before);
    // A name that is given up is free, a name that is held is not, and one's own is no conflict.
    let other = create(
        &served,
        &json!({"ArtifactName": "first", "ArtifactType": "x", "Source": {"SourceUri": "s3://y"}}),
    );
    let steal = json!({"ArtifactArn": other, "ArtifactName": "second"});
    assert_eq!(refused(&served, "UpdateArtifact", &steal).0, "ConflictException");
    let own = json!({"ArtifactArn": other, "ArtifactName": "first"});
    assert_eq!(served.ask("UpdateArtifact", &own).0, 200);
    let many: Value = (0..28).map(|at| (format!("p{at}"), json!("v"))).collect();
    let many = json!({"ArtifactArn": arn, "Properties": many});
    assert_eq!(refused(&served, "UpdateArtifact", &many).0, "ValidationException");
    let gone = json!({"ArtifactArn": GONE, "ArtifactName": "z"});
    assert_eq!(refused(&served, "UpdateArtifact", &gone).0, "ResourceNotFound");
}

#[test]
fn an_artifact_is_deleted_by_its_arn_or_its_source() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let typed = json!({"SourceUri": "s3://x",
        "SourceTypes": [{"SourceIdType": "MD5Hash", "Value": "a"}, {"SourceIdType": "Custom", "Value": "b"}]});
    let plain = create(&served, &json!({"ArtifactType": "x", "Source": {"SourceUri": "s3://x"}}));
    let with_types = create(
        &served,
        &json!({"ArtifactType": "x", "Source": typed, "Tags": [{"Key": "k", "Value": "v"}]}),
    );
    // The set of source types distinguishes the two, in any order.
    let reversed = json!({"Source": {"SourceUri": "s3://x",
        "SourceTypes": [{"SourceIdType": "Custom", "Value": "b"}, {"SourceIdType": "MD5Hash", "Value": "a"}]}});
    assert_eq!(
        served.ask("DeleteArtifact", &reversed),
        (200, json!({ "ArtifactArn": with_types }))
    );
    assert_eq!(refused(&served, "DeleteArtifact", &reversed).0, "ResourceNotFound");
    let by_arn = json!({ "ArtifactArn": plain });
    assert_eq!(served.ask("DeleteArtifact", &by_arn), (200, by_arn.clone()));
    assert_eq!(refused(&served, "DeleteArtifact", &by_arn).0, "ResourceNotFound");
    assert_eq!(refused(&served, "DescribeArtifact", &by_arn).0, "ResourceNotFound");
    assert_eq!(refused(&served, "DeleteArtifact", &json!({})).0, "ValidationException");
    assert_eq!(served.artifacts(), Vec::<Value>::new());
    // Its tags went with it: the same source again has none.
    let again = create(&served, &json!({"ArtifactType": "x", "Source": typed}));
    assert_eq!(served.ask("ListTags", &json!({ "ResourceArn": again })).1, json!({"Tags": []}));
}

#[test]
fn tags_are_merged_listed_and_removed() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let arn = create(
        &served,
        &json!({"ArtifactType": "x", "Source": {"SourceUri": "s3://x"},
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]}),
    );
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let add = json!({"ResourceArn": arn, "Tags": [tag("b", "2"), tag("c", "")]});
    let all = json!({"Tags": [tag("a", "1"), tag("b", "2"), tag("c", "")]});
    assert_eq!(served.ask("AddTags", &add), (200, all.clone()));
    assert_eq!(served.ask("ListTags", &json!({"ResourceArn": arn, "MaxResults": 50})), (200, all));
    // 50 after the merge, not 50 a request: 48 more than there are do not fit, 47 do.
    let more = |count: usize| {
        let tags: Vec<_> = (0..count).map(|at| tag(&format!("t{at}"), "v")).collect();
        json!({"ResourceArn": arn, "Tags": tags})
    };
    let (code, message) = refused(&served, "AddTags", &more(48));
    assert_eq!((code.as_str(), message.contains("50")), ("ValidationException", true), "{message}");
    assert_eq!(served.ask("AddTags", &more(47)).1["Tags"].as_array().unwrap().len(), 50);
    let remove = json!({"ResourceArn": arn, "TagKeys": ["a", "never-there"]});
    assert_eq!(served.ask("DeleteTags", &remove), (200, json!({})));
    let left = served.ask("ListTags", &json!({ "ResourceArn": arn })).1;
    assert_eq!(left["Tags"].as_array().unwrap().len(), 49);
    let twice = json!({"ResourceArn": arn, "Tags": [tag("x", "1"), tag("x", "2")]});
    assert_eq!(refused(&served, "AddTags", &twice).0, "ValidationException");
    let reserved = json!({"ResourceArn": arn, "Tags": [tag("AWS:x", "1")]});
    assert_eq!(refused(&served, "AddTags", &reserved).0, "ValidationException");
    for (operation, rest) in [
        ("AddTags", json!({"Tags": []})),
        ("ListTags", json!({})),
        ("DeleteTags", json!({"TagKeys": ["a"]})),
    ] {
        let mut input = rest;
        input["ResourceArn"] = json!(GONE);
        // The model names no error of these operations.
        let (code, message) = refused(&served, operation, &input);
        assert_eq!(code, "ValidationException");
        assert!(message.contains(GONE), "{message}");
    }
    let token = json!({"ResourceArn": arn, "NextToken": "x"});
    assert_eq!(refused(&served, "ListTags", &token).0, "ValidationException");
}

#[test]
fn every_broken_constraint_is_named_in_the_words_of_the_service() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let said = |operation: &str, input| refused(&served, operation, &input).1;
    assert_eq!(
        said("UpdateArtifact", json!({"ArtifactName": "-a"})),
        "2 validation errors detected: Value null at 'artifactArn' failed to satisfy constraint: Member \
         must not be null; Value '-a' at 'artifactName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}"
    );
    assert_eq!(
        said("DeleteTags", json!({"ResourceArn": GONE, "TagKeys": []})),
        "1 validation error detected: Value '[]' at 'tagKeys' failed to satisfy constraint: Member must \
         have length greater than or equal to 1"
    );
    assert_eq!(
        said("AddTags", json!({"ResourceArn": "x", "Tags": [{"Key": ""}]})),
        "3 validation errors detected: Value 'x' at 'resourceArn' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+; Value \
         '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or \
         equal to 1; Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be \
         null"
    );
    assert_eq!(
        said("ListTags", json!({"ResourceArn": GONE, "MaxResults": 49})),
        "1 validation error detected: Value '49' at 'maxResults' failed to satisfy constraint: Member \
         must have value greater than or equal to 50"
    );
}
