//! The registry over HTTP, as any client sees it.

mod admin;
mod durability;
mod operations;
mod page;

use serde_json::json;

use crate::support::{Served, folder, run};

#[test]
fn what_exists_is_a_validation_error_and_makes_nothing() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let input =
        json!({"ArtifactName": "a", "ArtifactType": "x", "Source": {"SourceUri": "s3://lake"}});
    assert_eq!(served.ask("CreateArtifact", &input).0, 200);
    let (status, answer) = served.ask("CreateArtifact", &input);
    assert_eq!((status, answer["__type"].as_str()), (400, Some("ValidationException")));
    assert_eq!(served.artifacts().len(), 1);
}

#[test]
fn requests_that_are_not_right_are_refused_as_the_service_does() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let code = |operation: &str, input| {
        let (status, answer) = served.ask(operation, &input);
        (status, answer["__type"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code("CreateEverything", json!({})), (400, "UnknownOperationException".into()));
    assert_eq!(code("CreateArtifact", json!([])), (400, "SerializationException".into()));
    assert_eq!(code("CreateArtifact", json!({})), (400, "ValidationException".into()));
    assert_eq!(
        code("ListArtifacts", json!({"MaxResults": 101})),
        (400, "ValidationException".into())
    );
    assert_eq!(
        code("ListArtifacts", json!({"NextToken": "x"})),
        (400, "ValidationException".into())
    );
    let gone = "arn:aws:sagemaker:eu-west-1:000000000000:artifact/0";
    assert_eq!(
        code("DescribeArtifact", json!({ "ArtifactArn": gone })),
        (400, "ResourceNotFound".into())
    );
    let unsigned = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(served.raw(unsigned).0, 403);
    // Nothing that is sent may take the server down.
    for request in ["", "\0\0\0\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"]
    {
        let address = served.endpoint.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    }
    assert_eq!(served.artifacts().len(), 0);
}

#[test]
fn limits_and_faults_are_as_they_were_asked_for() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--max-artifacts", "3", "--tps", "ListTags=0.01"]);
    for at in 0..5 {
        let input = json!({"ArtifactType": "x", "Source": {"SourceUri": format!("s3://{at}")}});
        let (status, answer) = served.ask("CreateArtifact", &input);
        let expected = if at < 3 { (200, None) } else { (400, Some("ResourceLimitExceeded")) };
        assert_eq!((status, answer["__type"].as_str()), expected);
    }
    let arn = json!({"ResourceArn": served.artifacts()[0]["ArtifactArn"]});
    assert_eq!(served.ask("ListTags", &arn).0, 200);
    let (status, answer) = served.ask("ListTags", &arn);
    assert_eq!((status, answer["__type"].as_str()), (400, Some("ThrottlingException")));
    drop(served);
    let served = Served::start(folder.path(), &["--fault", "drop-after-commit=1"]);
    let input = json!({"ArtifactType": "x", "Source": {"SourceUri": "s3://dropped"}});
    assert_eq!(served.ask("CreateArtifact", &input).0, 0);
    drop(served);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.artifacts().len(), 4);
}

#[test]
fn a_file_that_is_no_registry_is_left_alone() {
    let folder = folder(&[("notes.txt", "these are my notes, and they are longer than a header")]);
    let ran = run(folder.path(), &["serve", "--db", "notes.txt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`notes.txt` is no registry of lineload"), "{}", ran.err);
    let kept = std::fs::read_to_string(folder.path().join("notes.txt")).unwrap();
    assert!(kept.starts_with("these are my notes"));
}
