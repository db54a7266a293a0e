//! Tests of durability: what was acknowledged exists after `kill -9`.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Served, ask, folder};

/// The acknowledged writes.
#[derive(Default)]
struct Told {
    /// ARN and name of what was made, and of what was renamed.
    there: Vec<(Value, Value)>,
    gone: Vec<Value>,
    tagged: Vec<Value>,
}

/// Creates, and renames, tags or deletes some of it, until the server is gone.
fn write(endpoint: &str, writer: &str, told: &Mutex<Told>) {
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
                    Ok((200, _)) => told.lock().unwrap().gone.push(arn),
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
                    told.lock().unwrap().there.push(entry);
                    return;
                };
                told.lock().unwrap().tagged.push(arn);
            }
            _ => {}
        }
        told.lock().unwrap().there.push(entry);
    }
}

#[test]
fn what_was_answered_survives_any_number_of_kills() {
    let folder = folder(&[]);
    let told = Mutex::new(Told::default());
    for round in 0..12 {
        let served = Served::start(folder.path(), &[]);
        let endpoint = served.endpoint.clone();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (endpoint, told) = (&endpoint, &told);
                scope.spawn(move || write(endpoint, &format!("r{round}w{writer}"), told));
            }
            // Another moment each round.
            std::thread::sleep(Duration::from_millis(20 + round * 17));
            served.kill();
        });
    }
    let told = told.into_inner().unwrap();
    assert!(told.there.len() > 50 && told.gone.len() > 10 && told.tagged.len() > 10);
    let served = Served::start(folder.path(), &[]);
    for (arn, name) in &told.there {
        let (status, answer) = served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn }));
        assert_eq!((status, &answer["ArtifactName"]), (200, name), "{answer}");
    }
    for arn in &told.gone {
        assert_eq!(served.ask("DescribeArtifact", &json!({ "ArtifactArn": arn })).0, 400);
    }
    for arn in &told.tagged {
        let tags = served.ask("ListTags", &json!({ "ResourceArn": arn })).1;
        assert_eq!(tags, json!({"Tags": [{"Key": "k", "Value": "v"}]}));
    }
    // What was under way at a kill may be there besides, one artifact a writer and round.
    let all = served.artifacts().len();
    assert!((told.there.len()..=told.there.len() + 48).contains(&all), "{all}");
}
