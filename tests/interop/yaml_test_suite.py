"""Every case of yaml-test-suite, which is kept outside this project, through `lineload lint`.
Usage: yaml_test_suite.py LINELOAD SUITE, where SUITE is a checkout of its main branch (with `src/`).

Each case is read without a panic; one that is YAML has no finding of code `syntax`, and one that is
not has one, but for those named below."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# The parser's lenient mode takes these, as PyYAML does.
TAKEN = {"9C9N-0", "QB6E-0", "DK95-1"}
# Directives without the `---` that must follow them.
REFUSED = {"ZYU8-2"}
STANDS_FOR = [("␣", " "), ("∎\n", ""), ("∎", ""), ("←", "\r"), ("⇔", "\ufeff"), ("↵", "")]


def text_of(case):
    text = re.sub("—*»", "\t", case["yaml"])
    for mark, meant in STANDS_FOR:
        text = text.replace(mark, meant)
    return text


def main(lineload, suite):
    broken = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(pathlib.Path(suite, "src").glob("*.yaml")):
            for number, case in enumerate(yaml.safe_load(path.read_text())):
                if "yaml" in case:
                    name = f"{path.stem}-{number}"
                    broken[name] = case.get("fail", False)
                    pathlib.Path(folder, f"{name}.yaml").write_text(text_of(case), newline="")
        ran = subprocess.run(
            [lineload, "lint", ".", "--format", "json"], cwd=folder, capture_output=True, text=True
        )
    assert ran.returncode == 1 and not ran.stderr, ran.stderr
    findings = json.loads(ran.stdout)["diagnostics"]
    by_code = {}
    for finding in findings:
        by_code.setdefault(finding["code"], set()).add(finding["file"].removesuffix(".yaml"))
    syntax = by_code["syntax"]
    taken = {name for name, fails in broken.items() if fails} - syntax - by_code["duplicate-key"]
    refused = {name for name, fails in broken.items() if not fails} & syntax
    print(f"{len(broken)} cases; taken though broken: {sorted(taken)}; refused: {sorted(refused)}")
    assert taken <= TAKEN and refused <= REFUSED, (taken - TAKEN, refused - REFUSED)


main(*sys.argv[1:3])
