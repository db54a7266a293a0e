//! Connections of clients that never send a request.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::json;

use crate::support::{Served, folder};

#[test]
fn thousands_of_half_open_connections_do_not_stop_others() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let address = served.endpoint.strip_prefix("http://").unwrap();
    // A process may have 1,024 files; so a part of them is held at a time by this one.
    let mut held = std::collections::VecDeque::new();
    for at in 0..2_100 {
        let mut stream = TcpStream::connect(address).unwrap();
        match at % 3 {
            0 => {}
            1 => stream.write_all(b"POST / HTTP/1.1\r\nHost: loc").unwrap(),
            // A body that does not come.
            _ => {
                let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
                stream.write_all(head.as_bytes()).unwrap();
            }
        }
        held.push_back(stream);
        if held.len() > 700 {
            held.pop_front();
        }
        if at % 300 == 299 {
            let begun = std::time::Instant::now();
            let input = json!({"ArtifactType": "x", "Source": {"SourceUri": format!("s3://{at}")}});
            assert_eq!(served.ask("CreateArtifact", &input).0, 200);
            // Far less than a header may take.
            assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
        }
    }
    assert_eq!(served.artifacts().len(), 7);
}
