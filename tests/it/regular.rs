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
