//! Tests of durability: what was acknowledged exists after `kill -9`.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Served, ask, folder};

/// The acknowledged writes.
#[derive(Default)]
struct Confirmed {
    /// ARN and name of what was made, and of what was renamed.
    there: Vec<(Value, Value)>,
    gone: Vec<Value>,
    tagged: Vec<Value>,
}

/// Creates, and renames, tags or deletes some of it, until the server is gone.
fn write(endpoint: &str, writer: &str, confirmed: &Mutex<Confirmed>) {
    for at in 0.. {
        let name = format!("{writer}-{at}");
        let source = json!({ "SourceUri": format!("s3://{name}") });
        let input = json!({"ArtifactName": name, "ArtifactType": "DataSet", "Source": source});
        let Ok((200, made)) = ask(endpoint, "CreateArtifact", &input) else { return };
        let arn = made["ArtifactArn"].clone();
        if arn.is_null() {
            return;
        }
        let mut entry = (arn.clone(), json!(name));
        match at % 4 {
            0 => {
                let done = ask(endpoint, "DeleteArtifact", &json!({ "Source": source }));
                match done {
                    Ok((200, _)) => confirmed.lock().unwrap().gone.push(arn),
                    // It may be there, or not: nothing was answered.
                    _ => return,
                }
                continue;
            }
            1 => {
                let renamed = format!("{name}-renamed");
                let input = json!({"ArtifactArn": arn, "ArtifactName": renamed});
                let Ok((200, _)) = ask(endpoint, "UpdateArtifact", &input) else { return };
                entry.1 = json!(renamed);
            }
            2 => {
                let input = json!({"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]});
                let Ok((200, _)) = ask(endpoint, "AddTags", &input) else {
                    confirmed.lock().unwrap().there.push(entry);
                    return;
                };
                confirmed.lock().unwrap().tagged.push(arn);
            }
            _ => {}
        }
        confirmed.lock().unwrap().there.push(entry);
    }
}

#[test]
fn what_was_answered_survives_any_number_of_kills() {
    let folder = folder(&[]);
    let confirmed = Mutex::new(Confirmed::default());
    for round in 0..12 {
        let served = Served::start(folder.path(), &[]);
        let endpoint = served.endpoint.clone();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (endpoint, confirmed) = (&endpoint, &confirmed);
                scope.spawn(move || write(endpoint, &format!("r{round}w{writer}"), confirmed));
            }
            // Another moment each round.
            std::thread::sleep(Duration::from_millis(20 + round * 17));
            served.kill();
        });
    }
    let confirmed = confirmed.into_inner().unwrap();
    assert!(confirmed.there.len() > 50 && confirmed.gone.len() > 10 && confirmed.tagged.len() > 10);
    let served = Served::start(folder.path(), &[]);
    for (arn, name) in &confirmed.there {
        let (status, answer) = served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn }));
        assert_eq!((status, &answer["ArtifactName"]), (200, name), "{answer}");
    }
    for arn in &confirmed.gone {
        assert_eq!(served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn })).0, 400);
    }
    for arn in &confirmed.tagged {
        let tags = served.ask("ListTags", &json!({ "ResourceArn": arn })).1;
        assert_eq!(tags, json!({"Tags": [{"Key": "k", "Value": "v"}]}));
    }
    // Requests in flight at a kill may also have created artifacts, one for each writer and round.
    let all = served.artifacts().len();
    assert!((confirmed.there.len()..=confirmed.there.len() + 48).contains(&all), "{all}");
}
