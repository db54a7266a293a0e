//! The registry over HTTP, as any client sees it.

mod admin;
mod durability;
mod half_open;
mod lag;
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
    // AWS's own clients look for these words.
    assert!(answer["message"].as_str().unwrap().contains("already exists"), "{answer}");
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
    let unsigned =
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
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
    assert!(ran.err.contains("`notes.txt` is not a lineload registry"), "{}", ran.err);
    let kept = std::fs::read_to_string(folder.path().join("notes.txt")).unwrap();
    assert!(kept.starts_with("these are my notes"));
}

#[test]
fn a_directory_that_does_not_exist_is_not_made_but_for_that_of_the_default() {
    let folder = folder(&[]);
    let ran = run(folder.path(), &["serve", "--db", "no where/registry.sqlite3"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("error: the directory `no where` does not exist"), "{}", ran.err);
    assert!(ran.err.contains("help: create it with `mkdir -p 'no where'`"), "{}", ran.err);
    assert!(!folder.path().join("no where").exists());
    let served = Served::start_on(folder.path(), ".lineload/registry.sqlite3", &[]);
    assert_eq!(served.artifacts().len(), 0);
    assert!(folder.path().join(".lineload/.gitignore").exists());
    let ran = run(folder.path(), &["serve", "--db", "gone/.lineload/registry.sqlite3"]);
    assert_eq!((ran.code, folder.path().join("gone").exists()), (2, false), "{}", ran.err);
}

#[test]
fn a_registry_in_memory_leaves_nothing_behind_and_is_one_for_all_connections() {
    let folder = folder(&[]);
    let served = Served::start_on(folder.path(), ":memory:", &[]);
    let other = Served::start_on(folder.path(), ":memory:", &[]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let served = &served;
            scope.spawn(move || {
                for at in 0..10 {
                    let uri = format!("s3://{thread}/{at}");
                    let input = json!({"ArtifactType": "x", "Source": {"SourceUri": uri}});
                    let (status, made) = served.ask("CreateArtifact", &input);
                    assert_eq!(status, 200, "{made}");
                    let arn = json!({ "ArtifactArn": made["ArtifactArn"] });
                    let described = served.ask("DescribeArtifact", &arn).1;
                    assert_eq!(described["Source"]["SourceUri"], uri);
                }
            });
        }
    });
    assert_eq!((served.artifacts().len(), other.artifacts().len()), (40, 0));
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(
        left.map(|entry| entry.unwrap().path()).collect::<Vec<_>>(),
        [] as [std::path::PathBuf; 0]
    );
    served.kill();
    let served = Served::start_on(folder.path(), ":memory:", &[]);
    assert_eq!(served.artifacts().len(), 0);
}

#[test]
fn what_is_unique_is_as_it_was_asked_for() {
    let folder = folder(&[]);
    let create = |served: &Served, name: &str, uri: &str| {
        let input =
            json!({"ArtifactName": name, "ArtifactType": "x", "Source": {"SourceUri": uri}});
        served.ask("CreateArtifact", &input).0
    };
    let served = Served::start(folder.path(), &["--unique-names", "off"]);
    let asked = ["a", "b"].map(|uri| create(&served, "one", uri));
    assert_eq!((asked, create(&served, "two", "a")), ([200, 200], 400));
    drop(served);
    let served = Served::start(folder.path(), &["--unique-sources", "off", "--max-artifacts", "5"]);
    assert_eq!(
        [("x", "a"), ("y", "a"), ("one", "c")].map(|(n, u)| create(&served, n, u)),
        [200, 200, 400]
    );
    assert_eq!(served.artifacts().len(), 4);
    // By its source the oldest goes first.
    let source = json!({"Source": {"SourceUri": "a"}});
    let oldest = served.artifacts().last().unwrap()["ArtifactArn"].clone();
    assert_eq!(served.ask("DeleteArtifact", &source), (200, json!({ "ArtifactArn": oldest })));
    // An update takes a name that is held, or does not, by the same switch.
    let arn = served.artifacts()[0]["ArtifactArn"].clone();
    let update = json!({"ArtifactArn": arn, "ArtifactName": "one"});
    assert_eq!(served.ask("UpdateArtifact", &update).1["__type"], "ConflictException");
    drop(served);
    let served = Served::start(folder.path(), &["--unique-names", "off"]);
    assert_eq!(served.ask("UpdateArtifact", &update).0, 200);
}

#[test]
fn a_fault_after_the_commit_has_left_the_artifact_and_one_before_it_has_not() {
    let folder = folder(&[]);
    let faults = [
        ("drop-before-commit", 0, false),
        ("drop-after-commit", 0, true),
        ("error-500-before-commit", 500, false),
        ("error-500-after-commit", 500, true),
        ("garbage", 200, true),
    ];
    let served = Served::start_on(folder.path(), ":memory:", &[]);
    for (kind, status, there) in faults {
        let settings =
            json!({"faults": [{"kind": kind, "probability": 1, "operation": "CreateArtifact"}]});
        let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
        let body = settings.to_string();
        let put = format!(
            "PUT /_lineload/misbehaviour HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(served.raw(&put).0, 200);
        let input = json!({"ArtifactType": "x", "Source": {"SourceUri": kind}});
        for second in [false, true] {
            let (answered, answer) = served.ask("CreateArtifact", &input);
            // A request that is refused has nothing to commit, and is answered.
            let expected = if second && there { 400 } else { status };
            assert_eq!(answered, expected, "{kind}: {answer}");
            let found = served.ask("ListArtifacts", &json!({"SourceUri": kind})).1;
            let found = found["ArtifactSummaries"].as_array().unwrap().len();
            assert_eq!(found, usize::from(there), "{kind}");
        }
    }
}
