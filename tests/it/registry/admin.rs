//! The admin endpoint, and who may use it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Served, folder, run};

const SETTINGS: &str = "/_lineload/misbehaviour";

/// Asks with these headers besides; the status and the answer.
fn http(served: &Served, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: \
         {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let (status, body) = served.raw(&request);
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn put(served: &Served, settings: &Value) -> (u16, Value) {
    let headers = "Host: localhost\r\nContent-Type: application/json; charset=utf-8\r\n";
    http(served, "PUT", SETTINGS, headers, &settings.to_string())
}

fn get(served: &Served, path: &str) -> Value {
    let (status, answer) = http(served, "GET", path, "Host: 127.0.0.1\r\n", "");
    assert_eq!(status, 200, "{answer}");
    answer
}

fn create(served: &Served, at: usize) -> (u16, String) {
    let input = json!({"ArtifactType": "x", "Source": {"SourceUri": format!("s3://{at}")}});
    let (status, answer) = served.ask("CreateArtifact", &input);
    (status, answer["__type"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn misbehaviour_is_changed_while_it_runs() {
    let folder = folder(&[]);
    let served = Served::start(
        folder.path(),
        &["--max-artifacts", "1", "--fault", "AddTags:garbage=0.5", "--tps", "7"],
    );
    let begun = json!({"tps": {"CreateArtifact": 7.0}, "max_artifacts": 1, "latency_ms": 0,
        "list_lag_ms": 0, "tag_lag_ms": 0, "unique_names": true, "unique_sources": true,
        "faults": [{"kind": "garbage", "probability": 0.5, "operation": "AddTags"}]});
    assert_eq!(get(&served, SETTINGS), begun);
    assert_eq!(create(&served, 0).0, 200);
    assert_eq!(create(&served, 1), (400, "ResourceLimitExceeded".into()));
    // What is left out ends.
    let (status, now) = put(&served, &json!({"tps": {"CreateArtifact": 0.001}}));
    assert_eq!(
        (status, now),
        (
            200,
            json!({"tps": {"CreateArtifact": 0.001}, "max_artifacts": null, "latency_ms": 0,
                "list_lag_ms": 0, "tag_lag_ms": 0, "unique_names": true, "unique_sources": true,
                "faults": []})
        )
    );
    assert_eq!(create(&served, 1).0, 200);
    assert_eq!(create(&served, 2), (400, "ThrottlingException".into()));
    let fault = |operation: &str| json!({"faults": [{"kind": "error-500", "probability": 1, "operation": operation}]});
    assert_eq!(put(&served, &fault("CreateArtifact")).0, 200);
    assert_eq!(create(&served, 2), (500, "InternalFailure".into()));
    assert_eq!(served.ask("ListArtifacts", &json!({})).0, 200);
    assert_eq!(put(&served, &fault("ListArtifacts")).0, 200);
    assert_eq!(create(&served, 3).0, 200);
    assert_eq!(served.ask("ListArtifacts", &json!({})).0, 500);
    // What makes no sense changes nothing.
    for wrong in [json!({"tps": {"x": 1}}), json!({"typo": 1}), json!([]), fault("x")] {
        let (status, answer) = put(&served, &wrong);
        assert_eq!(status, 400, "{wrong}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert_eq!(served.ask("ListArtifacts", &json!({})).0, 500);
    let seen = get(&served, "/_lineload/activity");
    let of = |name: &str| {
        let all = seen["operations"].as_array().unwrap();
        all.iter().find(|one| one["operation"] == name).unwrap().clone()
    };
    let creates = of("CreateArtifact");
    let counts = ["answered", "limited", "throttled", "faulted", "refused"]
        .map(|key| creates[key].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 1, 1, 0], "{creates}");
    assert_eq!(of("ListArtifacts")["faulted"], 2);
    let newest = &seen["recent"][0];
    assert_eq!((&newest["outcome"], &newest["what"]), (&json!("faulted"), &json!("error-500")));
}

#[test]
fn pages_of_other_sites_can_do_nothing() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let harm = r#"{"max_artifacts": 0}"#;
    let json_type = "Content-Type: application/json\r\n";
    for headers in [
        format!("Host: evil.example\r\n{json_type}"),
        format!("Host: 127.0.0.1.nip.io\r\n{json_type}"),
        format!("Host: localhost\r\nOrigin: http://evil.example\r\n{json_type}"),
        format!("Host: localhost\r\nOrigin: null\r\n{json_type}"),
    ] {
        let (status, answer) = http(&served, "PUT", SETTINGS, &headers, harm);
        assert_eq!(status, 403, "{headers}: {answer}");
    }
    for content_type in ["", "Content-Type: text/plain\r\n"] {
        let headers = format!("Host: localhost\r\n{content_type}");
        assert_eq!(http(&served, "PUT", SETTINGS, &headers, harm).0, 415);
    }
    // The leave that a browser asks for is not given, nor is there another way to send it.
    let asks =
        "Host: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: PUT\r\n";
    let request = format!("OPTIONS {SETTINGS} HTTP/1.1\r\nConnection: close\r\n{asks}\r\n");
    let (status, head, _) = served.whole(&request);
    assert_eq!((status, head.contains("access-control")), (405, false), "{head}");
    assert_eq!(http(&served, "POST", SETTINGS, "Host: localhost\r\n", harm).0, 405);
    assert_eq!(get(&served, SETTINGS)["max_artifacts"], Value::Null);
    for path in ["/", "/_lineload/artifact?arn=x", "/_lineload/activity", SETTINGS] {
        assert_eq!(http(&served, "GET", path, "Host: evil.example\r\n", "").0, 403, "{path}");
    }
    // The API as well: with a name that leads here (DNS rebinding) a page could sign, too.
    let (evil, localhost) = ("Host: evil.example\r\n", "Host: localhost\r\n");
    let access = "AccessDeniedException";
    for (headers, code) in [
        (evil.to_owned(), access),
        (format!("{evil}Origin: http://evil.example\r\n"), access),
        (format!("{localhost}Origin: http://evil.example\r\n"), access),
        (format!("{evil}{localhost}"), "BadRequestException"),
        (format!("{localhost}{localhost}"), "BadRequestException"),
        (String::new(), "BadRequestException"),
    ] {
        let signature = "0".repeat(64);
        let signed = format!(
            "{headers}X-Amz-Target: SageMaker.CreateArtifact\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=a/20260101/eu-west-1/sagemaker/aws4_request, SignedHeaders=host, \
             Signature={signature}\r\n"
        );
        let input = r#"{"ArtifactType": "x", "Source": {"SourceUri": "s3://evil"}}"#;
        let (status, answer) = http(&served, "POST", "/", &signed, input);
        assert_eq!((status, &answer["__type"]), (400, &json!(code)), "{headers}");
    }
    for headers in ["", "Host: localhost\r\nHost: localhost\r\n", "Host: localhost:x\r\n"] {
        for path in ["/", "/_lineload/health", SETTINGS] {
            assert_eq!(http(&served, "GET", path, headers, "").0, 400, "{path} {headers}");
        }
    }
    assert_eq!(served.artifacts().len(), 0);
}

#[test]
fn a_registry_says_that_it_works_and_is_emptied_on_request() {
    let folder = folder(&[]);
    for file in ["registry.sqlite3", ":memory:"] {
        let served = Served::start_on(folder.path(), file, &[]);
        for at in 0..3 {
            assert_eq!(create(&served, at).0, 200);
        }
        let before = get(&served, "/_lineload/health");
        assert_eq!((&before["status"], &before["artifacts"]), (&json!("ok"), &json!(3)));
        assert_eq!(before["version"], env!("CARGO_PKG_VERSION"));
        let json_type = "Content-Type: application/json\r\n";
        let reset =
            |headers: &str, body: &str| http(&served, "POST", "/_lineload/reset", headers, body);
        for (status, headers, body) in [
            (415, "Host: localhost\r\n".to_owned(), "{}"),
            (403, format!("Host: evil.example\r\n{json_type}"), "{}"),
            (403, format!("Host: localhost\r\nOrigin: http://evil.example\r\n{json_type}"), "{}"),
            (400, json_type.to_owned(), "{}"),
            (400, format!("Host: localhost\r\n{json_type}"), "[]"),
            (400, format!("Host: localhost\r\n{json_type}"), r#"{"only": "tags"}"#),
        ] {
            assert_eq!(reset(&headers, body).0, status, "{headers} {body}");
        }
        assert_eq!(http(&served, "GET", "/_lineload/reset", "Host: localhost\r\n", "").0, 405);
        assert_eq!(served.artifacts().len(), 3);
        let (status, answer) = reset(&format!("Host: localhost\r\n{json_type}"), "{}");
        assert_eq!((status, &answer["removed"]), (200, &json!(3)), "{answer}");
        let after = get(&served, "/_lineload/health");
        assert_eq!((&after["artifacts"], &after["registry"]), (&json!(0), &answer["registry"]));
        // What somebody knows of the old one does not hold for the new one.
        assert_ne!(after["registry"], before["registry"]);
        let id = after["registry"].as_str().unwrap().to_owned();
        let (_, head, _) =
            served.whole("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(head.contains(&format!("x-lineload-registry: {id}")), "{head}");
        assert_eq!((served.artifacts().len(), create(&served, 0).0), (0, 200));
        served.kill();
        let served = Served::start_on(folder.path(), file, &[]);
        let kept = get(&served, "/_lineload/health");
        assert_eq!(kept["registry"] == after["registry"], file != ":memory:");
    }
}

#[test]
fn where_others_are_let_in_only_this_machine_empties_it() {
    let folder = folder(&[]);
    let served = Served::start_on(folder.path(), ":memory:", &["--listen", "0.0.0.0"]);
    let json_type = "Content-Type: application/json\r\n";
    for (host, status) in [("registry", 403), ("10.0.0.7:80", 403), ("127.0.0.1", 200)] {
        let headers = format!("Host: {host}\r\n{json_type}");
        assert_eq!(http(&served, "POST", "/_lineload/reset", &headers, "{}").0, status, "{host}");
        let health = http(&served, "GET", "/_lineload/health", &format!("Host: {host}\r\n"), "");
        assert_eq!(health.0, 200, "{host}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let large = " ".repeat((4 << 20) + 1);
    let (status, answer) = http(&served, "POST", "/", "Host: localhost\r\n", &large);
    assert_eq!((status, &answer["__type"]), (413, &json!("RequestEntityTooLargeException")));
    let json_type = "Host: localhost\r\nContent-Type: application/json\r\n";
    assert_eq!(http(&served, "PUT", SETTINGS, json_type, &large).0, 413);
    let header = |bytes: usize| format!("Host: localhost\r\nX-Large: {}\r\n", "x".repeat(bytes));
    assert_eq!(http(&served, "GET", "/", &header(30 << 10), "").0, 200);
    let address = served.endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    // It need not wait for all of it, and closes then.
    let _ = write!(stream, "GET / HTTP/1.1\r\n{}\r\n", header(1 << 20));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(served.artifacts().len(), 0);
}

#[test]
fn other_machines_are_let_in_only_with_a_warning() {
    let folder = folder(&[]);
    let mut command = crate::support::lineload(folder.path());
    command.args(["serve", "--listen", "0.0.0.0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    child.kill().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    child.wait().unwrap();
    // The address is one that a client can use.
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    assert!(err.contains("warning: anyone who can reach 0.0.0.0"), "{err}");
    let ran = run(folder.path(), &["serve", "--listen", "192.0.2.1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot listen on 192.0.2.1:0"), "{}", ran.err);
}
