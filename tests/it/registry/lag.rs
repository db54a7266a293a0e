//! Reads that lag behind writes, over HTTP. Only lower bounds of time are held, so that a slow machine
//! changes nothing; what is seen of an exact moment is tested at the store.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Served, folder};

const LAG: Duration = Duration::from_millis(700);

fn create(served: &Served) -> Value {
    let input = json!({"ArtifactName": "first", "ArtifactType": "x", "Source": {"SourceUri": "s3://x"},
        "Tags": [{"Key": "k", "Value": "1"}]});
    let (status, answer) = served.ask("CreateArtifact", &input);
    assert_eq!(status, 200, "{answer}");
    answer["ArtifactArn"].clone()
}

/// The names in the list, by every way to ask for it.
fn names(served: &Served) -> Vec<Value> {
    let ask = |input: Value| {
        let (status, page) = served.ask("ListArtifacts", &input);
        assert_eq!(status, 200, "{page}");
        let all = page["ArtifactSummaries"].as_array().unwrap();
        all.iter().map(|one| one["ArtifactName"].clone()).collect::<Vec<_>>()
    };
    ask(json!({"SourceUri": "s3://x", "ArtifactType": "x"}))
}

fn tags(served: &Served, arn: &Value) -> Value {
    let (status, answer) = served.ask("ListTags", &json!({ "ResourceArn": arn }));
    assert_eq!(status, 200, "{answer}");
    answer["Tags"].as_array().unwrap().iter().map(|tag| tag["Value"].clone()).collect()
}

/// Waits until a read shows something else than before `since`, which must not be too early; what it
/// shows.
fn changed<T: PartialEq + std::fmt::Debug>(since: Instant, before: &T, read: impl Fn() -> T) -> T {
    for _ in 0..2_000 {
        let seen = read();
        if seen != *before {
            assert!(since.elapsed() >= LAG, "{seen:?} after {:?}", since.elapsed());
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it is never shown");
}

#[test]
fn a_list_shows_creates_updates_and_deletes_after_the_lag_and_a_description_at_once() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--list-lag", "700ms"]);
    let begun = Instant::now();
    let arn = create(&served);
    let describe = || served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn }));
    assert_eq!(describe().1["ArtifactName"], "first");
    assert_eq!(tags(&served, &arn), json!(["1"]));
    assert_eq!(changed(begun, &vec![], || names(&served)), ["first"]);
    let begun = Instant::now();
    let update = json!({"ArtifactArn": arn, "ArtifactName": "second"});
    assert_eq!(served.ask("UpdateArtifact", &update).0, 200);
    assert_eq!(describe().1["ArtifactName"], "second");
    assert_eq!(changed(begun, &vec![json!("first")], || names(&served)), ["second"]);
    let begun = Instant::now();
    assert_eq!(served.ask("DeleteArtifact", &json!({ "ArtifactArn": arn })).0, 200);
    assert_eq!(describe().1["__type"], "ResourceNotFound");
    assert!(changed(begun, &vec![json!("second")], || names(&served)).is_empty());
}

#[test]
fn tags_are_shown_after_their_lag_and_the_list_is_not_concerned() {
    let folder = folder(&[]);
    let served = Served::start_on(folder.path(), ":memory:", &["--tag-lag", "700ms"]);
    let begun = Instant::now();
    let arn = create(&served);
    assert_eq!(names(&served), ["first"]);
    assert_eq!(changed(begun, &json!([]), || tags(&served, &arn)), json!(["1"]));
    let begun = Instant::now();
    let add = json!({"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "2"}]});
    // The answer to a change is not a read.
    assert_eq!(served.ask("AddTags", &add).1["Tags"][0]["Value"], "2");
    assert_eq!(changed(begun, &json!(["1"]), || tags(&served, &arn)), json!(["2"]));
    let begun = Instant::now();
    let remove = json!({"ResourceArn": arn, "TagKeys": ["k"]});
    assert_eq!(served.ask("DeleteTags", &remove).0, 200);
    assert_eq!(changed(begun, &json!(["2"]), || tags(&served, &arn)), json!([]));
}

#[test]
fn a_lag_outlives_the_process_and_ends_when_it_is_set_so() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--list-lag", "1h", "--tag-lag", "1h"]);
    let arn = create(&served);
    served.kill();
    let served = Served::start(folder.path(), &["--list-lag", "1h", "--tag-lag", "1h"]);
    assert_eq!((names(&served), tags(&served, &arn)), (vec![], json!([])));
    let page = served.raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").1;
    assert!(page.contains("ListArtifacts lags 3,600,000 ms behind; this page does not"), "{page}");
    let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
    let put = |body: &str| {
        let length = body.len();
        served.raw(&format!(
            "PUT /_lineload/misbehaviour HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    };
    assert_eq!(put("{}").0, 200);
    assert_eq!((names(&served), tags(&served, &arn)), (vec![json!("first")], json!(["1"])));
    assert_eq!(put(r#"{"list_lag_ms": 3600000}"#).0, 200);
    assert_eq!((names(&served), tags(&served, &arn)), (vec![], json!(["1"])));
}
