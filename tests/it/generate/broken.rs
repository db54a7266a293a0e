//! Inventories and templates that are broken.

use super::*;

#[test]
fn broken_inventories_end_in_a_place_and_an_exit_code() {
    let many = "x".repeat(10 << 20);
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        (
            "wrong quoting",
            b"name,location,title\na,s3://lake/a,5\" disk\nb,s3://lake/b,\"x\"y\nc,s3://lake/c,z\n"
                .to_vec(),
            &[
                "inventory-syntax inventory.csv:2:16-2:17",
                "inventory-syntax inventory.csv:3:18-3:19",
            ],
        ),
        (
            "a quote that stays open",
            b"name,location,title\na,s3://lake/a,\"x\nb,s3://lake/b,y\n".to_vec(),
            &["inventory-syntax inventory.csv:2:15-2:16"],
        ),
        (
            "ragged rows",
            b"name,location,title\na,s3://lake/a\nb,s3://lake/b,x,y\nc,s3://lake/c,z\n".to_vec(),
            &["row-length inventory.csv:2:14-2:14", "row-length inventory.csv:3:17-3:18"],
        ),
        (
            "two headers",
            b"name,location,title\na,s3://lake/a,x\nname,location,title\n".to_vec(),
            &["inventory-syntax inventory.csv:3:1-3:20"],
        ),
        (
            "a NUL",
            b"name,location,title\na,s3://lake/a,x\0y\n".to_vec(),
            &["inventory-syntax inventory.csv:2:16-2:17"],
        ),
        (
            "Latin-1",
            b"name,location,title\na,s3://lake/a,caf\xE9\n".to_vec(),
            &["encoding inventory.csv:2:18-2:19"],
        ),
        (
            "a formula",
            b"name,location,title\na,s3://lake/a,\"=HYPERLINK(\"\"x\"\")\"\n".to_vec(),
            &["spreadsheet-formula inventory.csv:2:15-2:34"],
        ),
        (
            "a cell of 10 MB",
            format!("name,location,title\na,s3://lake/a,{many}\nb_,s3://lake/b,x\n").into_bytes(),
            &["inventory-syntax inventory.csv:2:15-2:16", "name-pattern inventory.csv:3:2-3:3"],
        ),
        ("no rows", b"name,location,title\n".to_vec(), &[]),
    ];
    for (what, bytes, expected) in cases {
        let folder = folder(&[("t.yaml", TEMPLATE)]);
        write(&folder.path().join("inventory.csv"), bytes);
        let (found, code) = findings(folder.path(), &ARGS);
        let warns = what == "a formula";
        assert_eq!(code, i32::from(!warns), "{what}: {found:#?}");
        if !expected.is_empty() {
            assert_eq!(places(&found), expected, "{what}");
        }
    }
    let folder = folder(&[("t.yaml", TEMPLATE)]);
    let utf16: Vec<u8> = std::iter::once(0xFEFF_u16)
        .chain(INVENTORY.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    write(&folder.path().join("inventory.csv"), utf16);
    let ran = generate(folder.path(), &ARGS);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("the inventory is UTF-16"), "{}", ran.out);
}

#[test]
fn the_row_behind_one_that_is_too_long_is_shown() {
    let many = "x".repeat(2 << 20);
    let inventory = format!("name,location,title\na,s3://lake/a,{many}\nb_,s3://lake/b,x\n");
    let folder = folder(&[("inventory.csv", &inventory), ("t.yaml", TEMPLATE)]);
    let ran = generate(folder.path(), &ARGS);
    assert!(ran.out.contains(" 3 │ b_,s3://lake/b,x\n"), "{}", ran.out);
    assert!(!ran.out.contains(" 4 │"), "{}", ran.out);
}

#[test]
fn broken_templates_end_in_a_place_and_exit_code_2() {
    let part = |text: &str| format!("ArtifactType: DataSet\nSource:\n  SourceUri: '{text}'\n");
    let cases: [(&str, String, &str, &str); 9] = [
        ("an unknown column", part("{{ row.locaton }}"), "3:22-3:29", "did you mean `location`?"),
        ("an unknown variable", part("{{ location }}"), "3:18-3:26", "write `row.location`"),
        (
            "a loop",
            part("{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}"),
            "",
            "",
        ),
        ("a recursion", part("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), "", ""),
        ("an unknown filter", part("{{ row.name | slug }}"), "3:29-3:33", "names the filters"),
        ("an expression that ends too early", part("{{ row. }}"), "", ""),
        (
            "no quotes",
            "ArtifactType: DataSet\nSource:\n  SourceUri: {{ row.location }}\n".to_owned(),
            "3:14-3:32",
            "quote",
        ),
        (
            "an unknown field",
            format!("ArtifactNme: x\n{}", part("{{ row.location }}")),
            "1:1-1:12",
            "did you mean `ArtifactName`?",
        ),
        ("no source", "ArtifactType: DataSet\n".to_owned(), "1:1", "SourceUri"),
    ];
    for (what, template, place, help) in cases {
        let folder = folder(&[("inventory.csv", INVENTORY), ("t.yaml", &template)]);
        let (found, code) = findings(folder.path(), &with(&["-o", "out"]));
        assert_eq!(code, 2, "{what}: {found:#?}");
        assert!(!folder.path().join("out").exists(), "{what}");
        assert_eq!(found.len(), 1, "{what}: {found:#?}");
        assert_eq!(found[0]["file"], "t.yaml", "{what}");
        assert!(places(&found)[0].contains(place), "{what}: {}", places(&found)[0]);
        let said = found[0]["help"].as_str().unwrap_or_default();
        assert!(said.contains(help), "{what}: {said}");
        assert!(found[0]["span"]["start"]["line"].as_u64().unwrap() > 0, "{what}");
    }
}

#[test]
fn an_expression_that_fails_on_a_row_is_shown_at_the_cell_it_read() {
    let template = format!("{TEMPLATE}  Day: '{{{{ row.day | date }}}}'\n");
    let inventory =
        "name,location,title,day\na,s3://lake/a,,2026-01-31T08:00:00Z\nb,s3://lake/b,,soon\n";
    let folder = folder(&[("inventory.csv", inventory), ("t.yaml", &template)]);
    let (found, code) = findings(folder.path(), &ARGS);
    assert_eq!(code, 1);
    assert_eq!(places(&found), ["no-value inventory.csv:3:16-3:20"]);
    assert_eq!(found[0]["related"][0]["span"]["start"]["line"], 8);
    let ran = generate(folder.path(), &with(&["-o", "-"]));
    assert!(ran.out.contains("Day: \"2026-01-31\""), "{}", ran.out);
}

#[test]
fn all_faults_of_a_template_are_reported_at_once_in_the_words_of_lint() {
    let template = "ArtifactTyp: x\nTags: {a: '{{ foo }}'}\nSource: {uri: '{{ row.locaton | slug }}'}\n\
                    Properties:\n  x: {{ row.name }}-y\n  y: {$when: row.name is fine, $value: z}\n\
                    Other: 1\n";
    let folder = folder(&[("inventory.csv", INVENTORY), ("t.yaml", template)]);
    let (found, code) = findings(folder.path(), &with(&["-o", "out"]));
    assert_eq!(code, 2);
    let messages: Vec<_> =
        found.iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        messages,
        [
            "unknown field `ArtifactTyp` in an artifact",
            "`Tags` is a mapping; expected a list",
            "unknown name `foo`",
            "unknown field `uri` in `Source`",
            "unknown column `locaton`",
            "unknown filter `slug`",
            "an expression without quotes",
            "unknown test `fine`",
            "unknown field `Other` in an artifact",
        ]
    );
    let help = |at: usize| found[at]["help"].as_str().unwrap();
    assert_eq!(help(0), "did you mean `ArtifactType`?");
    assert_eq!(help(1), "write each tag as `- Key: …` and below it `Value: …`");
    assert_eq!(help(3), "did you mean `SourceUri`?");
}

#[test]
fn a_template_of_cloudformation_that_goes_in_circles_is_a_finding() {
    let resource = "Resources:\n  One:\n    Type: AWS::SageMaker::Artifact\n    Properties:\n      \
                    ArtifactType: DataSet\n      ArtifactName: !If [C0, a, b]\n      Source: \
                    {SourceUri: !Ref P}\n";
    let circle = "Parameters: {P: {Type: String, Default: !Ref P}}\nConditions: {C0: !Equals [!If \
                  [C0, a, b], a]}\n";
    // Ten conditions that each ask ten times for the next.
    let conditions: Vec<_> = (0..10)
        .map(|at| {
            let next = vec![format!("{{Condition: C{}}}", at + 1); 10].join(", ");
            format!("  C{at}: !And [{next}]\n")
        })
        .collect();
    let long = format!(
        "Parameters: {{P: {{Type: String, Default: s3://lake/x}}}}\nConditions:\n{}  C10: !Equals \
         [a, a]\n",
        conditions.concat()
    );
    for head in [circle, &long] {
        let folder = folder(&[("a.yaml", &format!("{head}{resource}"))]);
        let args = ["generate", "a.yaml", "--from", "cloudformation", "-o", "out"];
        let ran = run(folder.path(), &args);
        assert_eq!(ran.code, 1, "{ran:?}");
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("unresolved-function"), "{said}");
        assert!(said.contains("circular reference between "), "{said}");
    }
}
