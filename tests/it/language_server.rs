//! Tests of `lineload language-server`: an editor that speaks to the real binary on its standard input
//! and output.

mod editor;

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{artifact, folder, write};
use editor::{Editor, at, range};

/// What the manifest of `name` is, at the source of `number`.
fn named(name: &str, number: u32) -> String {
    format!(
        "ArtifactName: {name}\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/{number}\n"
    )
}

/// The codes of findings, and where each begins.
fn places(diagnostics: &[Value]) -> Vec<(&str, u64, u64)> {
    let place = |one: &'_ Value| {
        let start = &one["range"]["start"];
        (start["line"].as_u64().unwrap(), start["character"].as_u64().unwrap())
    };
    let mut places: Vec<_> = Vec::new();
    for one in diagnostics {
        let (line, character) = place(one);
        places.push((one["code"].as_str().unwrap(), line, character));
    }
    places
}

#[test]
fn findings_follow_what_is_typed() {
    let folder = folder(&[("manifests/a.yaml", "")]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor
        .open("manifests/a.yaml", "ArtifactType: DataSet\nSource: {SourceUri: https://lake/x y}\n");
    assert_eq!(places(&editor.findings("manifests/a.yaml", 1)), [("uri-blank", 1, 34)]);
    // A letter at a time: the space goes, and the type becomes another.
    editor.change("manifests/a.yaml", 2, &[(range(1, 34, 1, 35), "")]);
    assert_eq!(places(&editor.findings("manifests/a.yaml", 2)), []);
    editor.change("manifests/a.yaml", 3, &[(range(0, 14, 0, 15), "d")]);
    editor.change("manifests/a.yaml", 4, &[(range(0, 18, 0, 18), "\n"), (range(0, 18, 1, 0), "")]);
    let found = editor.findings("manifests/a.yaml", 4);
    assert_eq!(places(&found), [("type-case", 0, 14)]);
    assert_eq!(
        found[0]["message"],
        "`dataSet` differs from the usual `DataSet` only in case\nhelp: write `DataSet`: lists \
         filtered by type are case-sensitive"
    );
    assert_eq!((&found[0]["severity"], &found[0]["source"]), (&json!(2), &json!("lineload")));
    // What is no YAML any more, and what never was a manifest.
    editor.change("manifests/a.yaml", 5, &[(range(1, 8, 1, 8), "[")]);
    let found = editor.findings("manifests/a.yaml", 5);
    assert_eq!(found.last().unwrap()["code"], "syntax", "{found:?}");
    editor.open("compose.yaml", "services: {}\n");
    assert_eq!(editor.ask("textDocument/hover", &at("compose.yaml", 0, 0)), Value::Null);
    editor.close("manifests/a.yaml");
    assert_eq!(editor.findings("manifests/a.yaml", 0), Vec::<Value>::new());
    assert_eq!(editor.end(), 0);
}

#[test]
fn columns_are_counted_as_the_editor_does() {
    let text = "\u{FEFF}ArtifactName: a_b\r\nArtifactType: DataSet\r\nSource: {SourceUri: s3://lake/x}\r\n\
                Properties:\r\n  é😀: yes\r\n";
    for (encoding, [name, value]) in [("utf-16", [16, 7]), ("utf-8", [18, 10])] {
        let folder = folder(&[("manifests/a.yaml", text)]);
        let mut editor = Editor::start(folder.path(), &[]);
        assert_eq!(editor.initialize(encoding)["capabilities"]["positionEncoding"], encoding);
        editor.open("manifests/a.yaml", text);
        let wanted = [("name-pattern", 0, name), ("ambiguous-scalar", 4, value)];
        assert_eq!(places(&editor.findings("manifests/a.yaml", 1)), wanted);
        // Behind the emoji.
        editor.change("manifests/a.yaml", 2, &[(range(4, value, 4, value + 3), "no")]);
        let found = editor.findings("manifests/a.yaml", 2);
        assert!(found[1]["message"].as_str().unwrap().contains("`no`"), "{found:?}");
        assert_eq!(editor.end(), 0);
    }
}

#[test]
fn duplicates_are_found_across_the_workspace_as_it_changes() {
    let files = [("manifests/a.yaml", named("one", 1)), ("manifests/b.yaml", named("two", 2))];
    let folder = folder(&[]);
    for (name, text) in &files {
        write(&folder.path().join(name), text);
    }
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.scanned();
    editor.open("manifests/c.yaml", &named("one", 2));
    let found = editor.findings("manifests/c.yaml", 1);
    assert_eq!(places(&found), [("duplicate-name", 0, 14), ("duplicate-source", 3, 13)]);
    let other = &found[0]["relatedInformation"][0];
    assert_eq!(other["message"], "first used here");
    assert_eq!(other["location"]["uri"], editor.uri("manifests/a.yaml"));
    let places_of = |editor: &mut Editor, line, character| {
        editor.ask("textDocument/definition", &at("manifests/c.yaml", line, character))
    };
    let there = places_of(&mut editor, 3, 20);
    assert_eq!(there[0]["uri"], editor.uri("manifests/b.yaml"));
    assert_eq!(there[0]["range"], range(3, 13, 3, 24));
    assert_eq!(places_of(&mut editor, 1, 3), json!([]));
    // One of them is edited, the other one changes on the disk.
    editor.open("manifests/a.yaml", &named("one", 1));
    assert_eq!(places(&editor.findings("manifests/a.yaml", 1)), []);
    editor.change("manifests/a.yaml", 2, &[(range(0, 14, 0, 17), "three")]);
    let source = |editor: &mut Editor| {
        let wanted = |found: &[Value]| places(found) == [("duplicate-source", 3, 13)];
        editor.findings_until("manifests/c.yaml", wanted);
    };
    let none = |editor: &mut Editor| {
        editor.findings_until("manifests/c.yaml", <[Value]>::is_empty);
    };
    source(&mut editor);
    write(&folder.path().join("manifests/b.yaml"), named("two", 7));
    editor.changed_on_disk("manifests/b.yaml", 2);
    none(&mut editor);
    // A new file that comes before it.
    write(&folder.path().join("manifests/aa.yaml"), named("new", 2));
    editor.changed_on_disk("manifests/aa.yaml", 1);
    editor.scanned();
    source(&mut editor);
    fs::remove_file(folder.path().join("manifests/aa.yaml")).unwrap();
    editor.changed_on_disk("manifests/aa.yaml", 3);
    editor.scanned();
    none(&mut editor);
    assert_eq!(editor.end(), 0);
}

#[test]
fn fixes_are_offered_and_one_applies_all_that_are_safe() {
    let text = "ArtifactName: a_b\nArtifactType: dataset\nSource: {SourceUri: s3://lake/x}\n\
                Properties:\n  a: yes\n  b: |\n    c\n";
    let folder = folder(&[("manifests/a.yaml", text)]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.open("manifests/a.yaml", text);
    let whole = range(0, 0, 9, 0);
    let actions = editor.actions("manifests/a.yaml", &whole, &[]);
    let titles: Vec<_> = actions.iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "Fix name-pattern: use ASCII letters and digits, with hyphens between them, such as \
             `a-b` (unsafe)",
            "Fix type-case: write `DataSet`: lists filtered by type are case-sensitive (unsafe)",
            "Fix ambiguous-scalar: quote it: `'yes'`",
            "Fix line-break: write `|-` instead of `|` to drop the final line break",
            "Allow type-case here",
            "Allow ambiguous-scalar here",
            "Allow line-break here",
            "Apply all safe fixes of this file",
        ]
    );
    assert_eq!(
        (&actions[1]["isPreferred"], &actions[2]["isPreferred"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(actions[2]["diagnostics"][0]["code"], "ambiguous-scalar");
    assert_eq!(editor.applied(&actions[1], text), text.replace("dataset", "DataSet"));
    // Comments stand above the value, outside of a block.
    let allowed = editor.applied(&actions[4], text);
    assert_eq!(allowed, text.replace("ArtifactType", "# lineload: allow type-case\nArtifactType"));
    let allowed = editor.applied(&actions[6], text);
    assert!(allowed.contains("  a: yes\n  # lineload: allow line-break\n  b: |\n"), "{allowed}");
    let all = editor.ask("codeAction/resolve", &actions[7]);
    assert_eq!(
        editor.applied(&all, text),
        text.replace("yes", "'yes'").replace("b: |\n", "b: |-\n"),
    );
    // Of one line, and of the kinds that are asked for.
    let one = editor.actions("manifests/a.yaml", &range(1, 15, 1, 15), &["quickfix"]);
    assert_eq!(one.len(), 2, "{one:?}");
    let on_save = editor.actions("manifests/a.yaml", &whole, &["source.fixAll"]);
    assert_eq!(on_save.len(), 1, "{on_save:?}");
    // A rule is added to a comment that is there, before its reason.
    let text = "ArtifactType: dataset # lineload: allow type-case, since it is old\n\
                Source: {SourceUri: warehouse/allow x} # lineload: allow uri-blank\n";
    editor.change("manifests/a.yaml", 2, &[(whole, text)]);
    let actions = editor.actions("manifests/a.yaml", &range(1, 0, 1, 0), &["quickfix"]);
    let allow = actions.iter().find(|one| one["title"] == "Allow uri-scheme here").unwrap();
    let allowed = editor.applied(allow, text);
    assert!(
        allowed
            .ends_with("{SourceUri: warehouse/allow x} # lineload: allow uri-scheme, uri-blank\n"),
        "{allowed}"
    );
    assert_eq!(editor.end(), 0);
}

#[test]
fn no_fix_gives_an_artifact_what_another_one_has() {
    let folder = folder(&[("manifests/a.yaml", "")]);
    write(&folder.path().join("manifests/b.yaml"), named("x-y", 2));
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.scanned();
    let text = named("x_y", 1);
    editor.open("manifests/a.yaml", &text);
    let found = editor.findings("manifests/a.yaml", 1);
    assert!(found[0]["message"].as_str().unwrap().ends_with("`x-y` is already used"), "{found:?}");
    assert_eq!(editor.actions("manifests/a.yaml", &range(0, 0, 9, 0), &[]), Vec::<Value>::new());
    // As soon as the other one has another name, it is one.
    editor.open("manifests/b.yaml", &named("x-y", 2));
    editor.findings("manifests/b.yaml", 1);
    editor.change("manifests/b.yaml", 2, &[(range(0, 16, 0, 17), "z")]);
    let offered =
        |found: &[Value]| found[0]["message"].as_str().unwrap().ends_with("such as `x-y`");
    editor.findings_until("manifests/a.yaml", offered);
    assert_eq!(editor.end(), 0);
}

#[test]
fn hovers_explain_rules_and_fields() {
    let text = "- ArtifactName: one\n  ArtifactType: dataset # lineload: allow uri-blank\n  Source:\n    \
                SourceUri: s3://lake/x\n";
    let folder = folder(&[("manifests/a.yaml", text)]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.open("manifests/a.yaml", text);
    let mut hover = |line, character| {
        let hover = editor.ask("textDocument/hover", &at("manifests/a.yaml", line, character));
        hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    let name = hover(0, 4);
    assert!(name.starts_with("**ArtifactName** (optional)\n"), "{name}");
    assert!(name.contains("- 1 to 120 characters that match `"), "{name}");
    let uri = hover(3, 20);
    assert!(uri.starts_with("**SourceUri** (required)\n"), "{uri}");
    assert!(uri.contains("- 1 to 2,048 characters on one line\n"), "{uri}");
    let finding = hover(1, 18);
    assert!(finding.starts_with("**type-case** (warning): `dataset` differs"), "{finding}");
    assert!(finding.contains("types that differ in case are different types"), "{finding}");
    assert!(finding.contains("Right:\n\n```yaml\nArtifactType: DataSet\n"), "{finding}");
    assert!(finding.contains("**ArtifactType** (required)"), "{finding}");
    // The end of the comment's only rule.
    assert!(hover(1, 51).contains("**uri-blank**"));
    let rule = hover(1, 50);
    assert!(rule.contains("**uri-blank** (warning): a `SourceUri` contains a space"), "{rule}");
    assert_eq!(editor.end(), 0);
}

#[test]
fn fields_values_and_rules_are_completed() {
    let folder = folder(&[("manifests/a.yaml", "")]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.open("manifests/a.yaml", "");
    let mut version = 1;
    let mut completed = |text: &str| {
        let (before, behind) = text.split_once('|').unwrap();
        let all = format!("{before}{behind}");
        version += 1;
        editor.change("manifests/a.yaml", version, &[(range(0, 0, 99, 0), &all)]);
        let line = before.matches('\n').count() as u64;
        let character = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let items =
            editor.ask("textDocument/completion", &at("manifests/a.yaml", line, character as u64));
        let items = items.as_array().unwrap().clone();
        let of = |key: &str| -> Vec<String> {
            items.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
        };
        let texts = items.iter().map(|one| one["textEdit"]["newText"].as_str().unwrap().to_owned());
        (of("label"), texts.collect::<Vec<_>>())
    };
    let (labels, texts) = completed("|");
    assert_eq!(
        labels,
        [
            "Source",
            "ArtifactType",
            "ArtifactName",
            "Properties",
            "MetadataProperties",
            "Tags",
            "Defaults",
            "Artifacts"
        ]
    );
    assert_eq!(texts[..3], ["Source:", "ArtifactType: ", "ArtifactName: "]);
    assert_eq!(
        completed("Artifacts:\n- ArtifactName: a\n  Source:\n    |").0,
        ["SourceUri", "SourceTypes"]
    );
    assert_eq!(completed("Source: {SourceUri: x, |}").0, ["SourceTypes"]);
    assert_eq!(completed("Defaults:\n  |").0.len(), 4);
    assert_eq!(completed("ArtifactType: |").0[..3], ["DataSet", "Model", "Image"]);
    assert_eq!(completed("ArtifactType:|").1[0], " DataSet");
    let types = completed("Source:\n  SourceUri: x\n  SourceTypes:\n  - SourceIdType: |");
    assert_eq!(types.0, ["MD5Hash", "S3ETag", "S3Version", "Custom"]);
    assert_eq!(completed("a: b # li|").1, ["lineload: allow "]);
    let rules = completed("a: b # lineload: allow |").0;
    assert!(rules.contains(&"type-case".to_owned()), "{rules:?}");
    assert!(!rules.contains(&"syntax".to_owned()), "{rules:?}");
    assert_eq!(completed("some text|").0, Vec::<String>::new());
    assert_eq!(editor.end(), 0);
}

#[test]
fn an_outline_names_each_artifact() {
    let text = "Defaults:\n  ArtifactType: Model\nArtifacts:\n- ArtifactName: one\n  Source: {SourceUri: \
                s3://lake/1}\n- Source:\n    SourceUri: s3://lake/2\n";
    let folder = folder(&[("manifests/a.yaml", text)]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    editor.open("manifests/a.yaml", text);
    let document = json!({ "textDocument": { "uri": editor.uri("manifests/a.yaml") } });
    let symbols = editor.ask("textDocument/documentSymbol", &document);
    let symbols = symbols.as_array().unwrap();
    let names: Vec<_> = symbols.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Defaults", "one", "s3://lake/2"]);
    assert_eq!(symbols[1]["range"]["start"]["line"], 3);
    assert_eq!(symbols[1]["selectionRange"], range(3, 16, 3, 19));
    assert_eq!(symbols[1]["children"][1]["name"], "Source");
    assert_eq!(editor.end(), 0);
}

#[test]
fn no_message_holds_a_secret() {
    let secret = "AKIAABCDEFGHIJKLMNOP";
    let text = format!(
        "- ArtifactName: {secret}\n  ArtifactType: DataSet\n  Source: {{SourceUri: 's3://u:hunter22@b/x y'}}\n\
         - ArtifactName: {secret}\n  Properties:\n    token: {secret}\n"
    );
    let folder = folder(&[("manifests/a.yaml", text.as_str())]);
    let mut editor = Editor::start(folder.path(), &["-vv"]);
    editor.initialize("utf-16");
    editor.open("manifests/a.yaml", &text);
    let mut seen = format!("{:?}", editor.findings("manifests/a.yaml", 1));
    for (line, text) in text.lines().enumerate() {
        for character in (0..text.len()).step_by(3) {
            let place = at("manifests/a.yaml", line as u64, character as u64);
            seen.push_str(&editor.ask("textDocument/hover", &place).to_string());
        }
    }
    let document = json!({ "textDocument": { "uri": editor.uri("manifests/a.yaml") } });
    seen.push_str(&editor.ask("textDocument/documentSymbol", &document).to_string());
    seen.push_str(&format!("{:?}", editor.actions("manifests/a.yaml", &range(0, 0, 9, 0), &[])));
    let wrong = json!({ "textDocument": secret, "position": 1 });
    seen.push_str(&editor.refused("textDocument/hover", &wrong).to_string());
    assert_eq!(editor.end(), 0);
    seen.push_str(&editor.log());
    assert!(!seen.contains(secret) && !seen.contains("hunter22"), "{seen}");
}

#[test]
fn malformed_messages_end_nothing() {
    let folder = folder(&[("manifests/a.yaml", &artifact(1))]);
    let mut editor = Editor::start(folder.path(), &[]);
    assert_eq!(editor.refused("textDocument/hover", &json!({}))["code"], -32002);
    editor.initialize("utf-16");
    let mut codes = Vec::new();
    for bytes in [
        b"no header\r\n\r\n".as_slice(),
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: 3\r\n\r\n{x}",
        b"Content-Length: 4\r\n\r\nnull",
        b"Content-Length: 7\r\n\r\n\"\xff\xfe\xfd\xfc\"!",
    ] {
        editor.send_bytes(bytes);
        codes.push(editor.ask("textDocument/hover", &at("manifests/a.yaml", 0, 0)));
    }
    assert_eq!(codes, vec![Value::Null; 5]);
    assert_eq!(editor.malformed(), 5);
    assert_eq!(editor.refused("no/such", &json!({}))["code"], -32601);
    assert_eq!(editor.refused("textDocument/hover", &json!([1]))["code"], -32602);
    assert_eq!(editor.refused("initialize", &json!({ "capabilities": {} }))["code"], -32600);
    // A request that is cancelled before its turn, since a long document is checked just then.
    let long: Vec<_> = (0..20_000).map(artifact).collect();
    editor.open("manifests/a.yaml", &long.join("---\n"));
    let cancelled = editor.cancelled("textDocument/hover", &at("manifests/a.yaml", 0, 0));
    assert_eq!(cancelled["code"], -32800);
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_client_that_goes_away_ends_the_server() {
    let folder = folder(&[("manifests/a.yaml", &artifact(1))]);
    // By closing the input, by `exit` alone, in the middle of a message, and before any.
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    assert_eq!(editor.hang_up(), 1);
    let mut editor = Editor::start(folder.path(), &["--stdio"]);
    editor.initialize("utf-16");
    editor.notify("exit", &Value::Null);
    assert_eq!(editor.hang_up(), 1);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.send_bytes(b"Content-Length: 100\r\n\r\n{\"jsonrpc\"");
    assert_eq!(editor.hang_up(), 1);
    assert_eq!(Editor::start(folder.path(), &[]).hang_up(), 1);
}

#[test]
fn settings_are_those_of_the_folder_and_their_faults_are_shown() {
    let text = "ArtifactType: dataset\nSource: {SourceUri: s3://lake/x}\n";
    let folder = folder(&[
        ("manifests/a.yaml", text),
        ("lineload.toml", "[rules]\ntype-case = \"error\"\nnope = \"off\"\n"),
    ]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize("utf-16");
    let fault = editor.findings("lineload.toml", 0);
    assert_eq!(places(&fault), [("config", 2, 0)]);
    editor.scanned();
    editor.open("manifests/a.yaml", text);
    assert_eq!(editor.findings("manifests/a.yaml", 1)[0]["severity"], 1);
    write(&folder.path().join("lineload.toml"), "[rules]\ntype-case = \"off\"\n");
    editor.changed_on_disk("lineload.toml", 2);
    editor.scanned();
    assert_eq!(editor.findings("manifests/a.yaml", 1), Vec::<Value>::new());
    assert_eq!(editor.findings_until("lineload.toml", |found| found.is_empty()).len(), 0);
    // Another folder comes and goes.
    let other = crate::support::folder(&[("manifests/b.yaml", text)]);
    let uri = format!("file://{}", other.path().display());
    let folders = |added: &[&str], removed: &[&str]| {
        let folders = |uris: &[&str]| -> Vec<Value> {
            uris.iter().map(|uri| json!({ "uri": uri, "name": "other" })).collect()
        };
        json!({ "event": { "added": folders(added), "removed": folders(removed) } })
    };
    editor.notify("workspace/didChangeWorkspaceFolders", &folders(&[&uri], &[]));
    editor.scanned();
    let manifest = other.path().join("manifests/b.yaml").display().to_string();
    editor.open(&manifest, text);
    assert_eq!(places(&editor.findings(&manifest, 1)), [("type-case", 0, 14)]);
    editor.notify("workspace/didChangeWorkspaceFolders", &folders(&[], &[&uri]));
    assert_eq!(editor.findings(&manifest, 0), Vec::<Value>::new());
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_file_without_a_folder_is_checked_alone() {
    let text = "ArtifactType: dataset\nSource: {SourceUri: s3://lake/x}\n";
    let folder = folder(&[("x.yaml", text)]);
    let mut editor = Editor::start(folder.path(), &[]);
    editor.initialize_without_folder();
    editor.open("x.yaml", text);
    assert_eq!(places(&editor.findings("x.yaml", 1)), [("type-case", 0, 14)]);
    editor.open("untitled:1", text);
    editor.close("x.yaml");
    assert_eq!(editor.findings("x.yaml", 0), Vec::<Value>::new());
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_document_of_50_megabytes_is_edited() {
    let count = 600_000;
    let mut text = String::with_capacity(60 << 20);
    for at in 0..count {
        text.push_str(&artifact(at));
        text.push_str("---\n");
    }
    assert!(text.len() > 50 << 20, "{}", text.len());
    let folder = folder(&[("manifests/a.yaml", "")]);
    let mut editor = Editor::start(folder.path(), &[]).patient(Duration::from_secs(120));
    editor.initialize("utf-16");
    editor.scanned();
    editor.open("manifests/a.yaml", &text);
    // Several edits before the first check has ended.
    editor.change("manifests/a.yaml", 2, &[(range(0, 15, 0, 16), "_")]);
    editor.change("manifests/a.yaml", 3, &[(range(0, 16, 0, 16), "b")]);
    let found = editor.findings("manifests/a.yaml", 3);
    assert_eq!(places(&found), [("name-pattern", 0, 15)]);
    let last = at("manifests/a.yaml", (count as u64 - 1) * 5 + 3, 16);
    let hover = editor.ask("textDocument/hover", &last);
    assert!(hover["contents"]["value"].as_str().unwrap().starts_with("**SourceUri**"), "{hover}");
    assert_eq!(editor.end(), 0);
}
