//! The page as a browser gets it. What it looks like is for eyes.

use serde_json::{Value, json};

use crate::support::{Served, folder};

/// Status, headers in small letters, and the document.
fn get(served: &Served, path: &str) -> (u16, String, String) {
    served.whole(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

fn create(served: &Served, input: &Value) -> String {
    let (status, answer) = served.ask("CreateArtifact", input);
    assert_eq!(status, 200, "{answer}");
    answer["ArtifactArn"].as_str().unwrap().to_owned()
}

/// The addresses of links with this in them, as a browser reads them.
fn links(page: &str, part: &str) -> Vec<String> {
    let all = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    all.filter(|link| link.contains(part)).map(|link| link.replace("&amp;", "&")).collect()
}

#[test]
fn every_artifact_is_on_one_page_of_the_list() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    for at in 0..60 {
        let source = json!({ "SourceUri": format!("s3://lake/{at}") });
        create(
            &served,
            &json!({"ArtifactType": "x", "ArtifactName": format!("n{at}"), "Source": source}),
        );
    }
    let mut path = "/".to_owned();
    let mut pages = Vec::new();
    loop {
        let (status, _, page) = get(&served, &path);
        assert_eq!(status, 200);
        pages.push(links(&page, "/_lineload/artifact?arn="));
        let Some(next) = links(&page, "after=").into_iter().find(|link| !link.contains("refresh"))
        else {
            break;
        };
        path = next;
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10]);
    let mut all: Vec<_> = pages.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
    // The search is in any case, in the name, the type, the URI and the ARN.
    for (text, count) in [("N59", 1), ("LAKE%2F1", 11), ("nowhere", 0)] {
        let page = get(&served, &format!("/?q={text}")).2;
        assert_eq!(links(&page, "/_lineload/artifact").len(), count, "{text}");
    }
    assert_eq!(get(&served, "/?after=x").0, 400);
    assert_eq!(get(&served, "/_lineload/artifact?arn=gone").0, 404);
    assert_eq!(get(&served, "/elsewhere").0, 404);
    assert!(get(&served, "/?refresh=2").1.contains("\r\nrefresh: 2"));
    assert!(!get(&served, "/?refresh=0").1.contains("\r\nrefresh:"));
}

#[test]
fn no_text_of_an_artifact_is_markup() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let evil = "</style></td>'\"><script>alert(1)</script><img src=x onerror=alert(1)>\u{0}\u{1b}[31m\u{202e}&lt;";
    let arn = create(
        &served,
        &json!({"ArtifactType": format!("{evil}\nnext"),
            "Source": {"SourceUri": evil, "SourceTypes": [{"SourceIdType": "Custom", "Value": evil}]},
            "Properties": {evil: evil}, "MetadataProperties": {"CommitId": evil}}),
    );
    let encoded = arn.replace(':', "%3A").replace('/', "%2F");
    let attack = "%3C%2Fscript%3E%22%3E%3Cscript%3Ealert(2)%3C%2Fscript%3E%00";
    for path in [
        "/".to_owned(),
        format!("/_lineload/artifact?arn={encoded}"),
        format!("/?q={attack}"),
        format!("/_lineload/artifact?arn={attack}"),
        "/?q=%FF%FE".to_owned(),
    ] {
        let (status, head, page) = get(&served, &path);
        assert!(matches!(status, 200 | 404), "{path}: {status}");
        for mark in ["<script", "<img", "onerror=alert(1)>", "'\"", "\0", "\u{1b}", "\u{202e}"] {
            assert!(!page.contains(mark), "{path}: {mark:?}");
        }
        // One style, which the policy names; nothing else is loaded or run.
        assert_eq!(page.matches("<style").count(), 1);
        let policy =
            head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(page.contains(&format!("<style nonce=\"{nonce}\">")));
        assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!page.contains("style=\"") && !page.contains("http-equiv"), "{path}");
    }
    let detail = get(&served, &format!("/_lineload/artifact?arn={encoded}")).2;
    assert!(detail.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(detail.contains(r#"<span class="c">\u{202e}</span>"#));
    // URI, type, the value of the source type, key and value of the property, the commit.
    assert_eq!(detail.matches("&lt;img src=x").count(), 6);
}

#[test]
fn rates_and_what_was_throttled_or_faulted_are_shown() {
    let folder = folder(&[]);
    let served = Served::start(
        folder.path(),
        &[
            "--tps=ListTags=0.01",
            "--fault=ListArtifacts:garbage=1",
            "--max-artifacts=0",
            "--tag-lag=1s",
            "--unique-names=off",
            "--unique-sources=off",
        ],
    );
    let arn = json!({"ResourceArn": "arn:aws:sagemaker:eu-west-1:000000000000:artifact/0"});
    served.ask("ListTags", &arn);
    served.ask("ListTags", &arn);
    served.ask("ListArtifacts", &json!({}));
    served.ask("CreateArtifact", &json!({"ArtifactType": "x", "Source": {"SourceUri": "u"}}));
    served.ask("<b>", &json!({}));
    let page = get(&served, "/").2;
    for part in [
        "ListTags: at most 0.01 per second",
        "at most 0 artifacts",
        "ListTags lags 1,000 ms behind",
        "several artifacts may have the same name",
        "several artifacts may have the same SourceUri",
        "ListArtifacts: <code>garbage</code> with a probability of 1",
        "<td>throttled</td><td><code>ThrottlingException</code>",
        "<td>faulted</td><td><code>garbage</code>",
        "<td>limited</td><td><code>ResourceLimitExceeded</code>",
        "<td>anything else</td><td>refused</td><td><code>UnknownOperationException</code>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
