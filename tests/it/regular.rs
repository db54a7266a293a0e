//! Tests that nothing of what users see depends on whether the reader of regular text or the parser
//! has read a manifest. Only builds with debug assertions have the switch.

use crate::support::{artifact, folder, lineload, root, timeless, write};

const EVERY: [&str; 7] = ["human", "short", "json", "sarif", "github", "junit", "gitlab"];

#[test]
fn every_format_is_the_same_with_the_parser_alone() {
    let folder = folder(&[]);
    // Long lists and many documents, with faults and with irregular items among regular ones.
    let odd = [
        "ArtifactName: \"a\n  b\"\nArtifactType: |\n  DataSet\n",
        "ArtifactName: &name c\nArtifactType: *name\n",
        "ArtifactName:\nArtifactTyp: DataSet\nTags: []\n",
        "Source: {SourceUri: s3://b/\u{A0}x}\nProperties:\n  a: 1\n  a: 'b'\n",
    ];
    // An anchor leaves all of its document to the parser: one list is without it.
    let (mut alone, anchored) = (odd.to_vec(), odd.to_vec());
    alone.remove(1);
    for (number, odd) in [alone, anchored].into_iter().enumerate() {
        let text = |at: usize| match at % 80 {
            // A fault, which ends its document, comes late.
            _ if at == 1250 => "ArtifactName: d: e\n".to_owned(),
            79 => odd[at / 80 % odd.len()].to_owned(),
            _ => artifact(at - at % 777 / 776),
        };
        let texts: Vec<_> = (0..1300).map(text).collect();
        let items: Vec<_> =
            texts.iter().map(|text| format!("- {}\n", text.trim().replace('\n', "\n  "))).collect();
        write(&folder.path().join(format!("list-{number}.yaml")), items.concat());
        let wrapped = format!("Artifacts:\n{}Defaults:\n  ArtifactType: Model\n", items.concat());
        write(&folder.path().join(format!("wrapped-{number}.yaml")), wrapped);
        write(&folder.path().join(format!("many-{number}.yaml")), texts.join("---\n"));
    }
    let fixtures = root().join("tests/fixtures");
    let fixtures = fixtures.to_str().unwrap();
    for folder_of in [".", fixtures] {
        for format in EVERY {
            let lint = |parser_only: bool| {
                let mut command = lineload(folder.path());
                if parser_only {
                    command.env("LINELOAD_PARSER_ONLY", "1");
                }
                let ran = command.args(["lint", folder_of, "--format", format]).output().unwrap();
                assert_eq!(ran.status.code(), Some(1));
                let text = |bytes| timeless(&String::from_utf8(bytes).unwrap());
                (text(ran.stdout), text(ran.stderr))
            };
            assert!(lint(false) == lint(true), "{format} of {folder_of}");
        }
    }
}

#[test]
fn a_long_list_is_checked_in_sections_as_it_is_as_a_whole() {
    let folder = folder(&[]);
    let item = |at: usize| {
        let text = match at {
            // An item that the parser reads, and faults far from each other.
            700 => "ArtifactName: |\n  a\n  b\nArtifactType: DataSet\n".to_owned(),
            1900 | 4100 => {
                format!("ArtifactName: bad_name-{at}\nSource: {{SourceUri: s3://b/{at}}}\n")
            }
            // The same as one a thousand items before it.
            3000 => artifact(2000),
            _ => artifact(at),
        };
        format!("- {}\n", text.trim().replace('\n', "\n  "))
    };
    let items: String = (0..9000).map(item).collect();
    // A fault at the head, and one at the root, are each reported once.
    let head = "Defaults:\n  ArtifactTyp: DataSet\nOwner: nobody\nArtifacts:\n";
    write(&folder.path().join("list.yaml"), items.clone());
    write(&folder.path().join("wrapped.yaml"), format!("{head}{items}"));
    let lint = |name: &str, format: &str, parser_only: bool| {
        let mut command = lineload(folder.path());
        if parser_only {
            command.env("LINELOAD_PARSER_ONLY", "1");
        }
        let ran = command.args(["lint", name, "--format", format]).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        timeless(&String::from_utf8(ran.stdout).unwrap())
    };
    for name in ["list.yaml", "wrapped.yaml", "."] {
        for format in ["json", "human"] {
            assert!(lint(name, format, false) == lint(name, format, true), "{format} of {name}");
        }
    }
    let secret = format!(
        "Defaults:\n  Properties:\n    note: ghp_{}\nArtifacts:\n{items}",
        "0aZ".repeat(12)
    );
    write(&folder.path().join("secret.yaml"), secret);
    for parser_only in [false, true] {
        let found = lint("secret.yaml", "human", parser_only);
        assert!(found.contains("9,000 artifacts, 0 valid, 9,000 invalid"), "{found}");
    }
    let found = lint("wrapped.yaml", "short", false);
    let at = |line: usize| found.matches(&format!("wrapped.yaml:{line}:")).count();
    // Four lines an item, but for one of two, behind a head of four.
    let again = 5 + 4 * 3000 - 2;
    assert_eq!([at(2), at(3), at(again), at(again + 3)], [1, 1, 1, 1], "{found}");
}
