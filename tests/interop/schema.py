"""check-jsonschema, with the schema that `lineload schema` prints, takes and refuses the fixtures as
`lineload lint` does. Usage: schema.py LINELOAD FIXTURES MANIFESTS"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

LINELOAD, FIXTURES, MANIFESTS = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
CHECK = pathlib.Path(sys.executable).parent / "check-jsonschema"

# Where check-jsonschema's reader of YAML has another value than the one in the file.
READ_OTHERWISE = {
    "ok/explicit-text.yaml": "`! 2` is a number to it",
    "err/ambiguous-scalar/scalars.yaml": "`1_000` is a number to it",
    "err/wrong-kind/key.yaml": "it makes a text of any key",
    "err/recursive-alias/alias.yaml": "it does not come to an end",
}
# What only the merge of an artifact with its defaults makes.
MERGED = "err/property-count/merged.yaml"
DOCUMENT = re.compile(rb"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)


def unseen():
    """The rules that no schema can hold."""
    lines = (FIXTURES / "unseen-by-schema.txt").read_text().splitlines()
    return {line.partition(": ")[0] for line in lines if not line.startswith("#")}


def errors(path):
    lint = [LINELOAD, "lint", "--isolated", "--format", "json", str(path)]
    ran = subprocess.run(lint, capture_output=True, text=True)
    found = json.loads(ran.stdout)["diagnostics"]
    return {one["code"] for one in found if one["severity"] == "error"}


def refused(paths, folder):
    """Those that check-jsonschema refuses. It reads one document a file."""
    parts = {}
    for at, path in enumerate(paths):
        for number, document in enumerate(DOCUMENT.split(path.read_bytes())):
            part = folder / f"{at}-{number}{path.suffix}"
            part.write_bytes(document)
            parts[str(part)] = path
    schema = folder / "schema.json"
    schema.write_bytes(subprocess.run([LINELOAD, "schema"], capture_output=True, check=True).stdout)
    ran = subprocess.run(
        [CHECK, "--schemafile", schema, "--output-format", "json", *parts],
        capture_output=True, text=True,
    )
    out = json.loads(ran.stdout)
    return {parts[one["filename"]] for one in out["errors"] + out.get("parse_errors", [])}


def main():
    paths = [path for folder in (FIXTURES / "ok", FIXTURES / "err", MANIFESTS)
             for path in sorted(folder.rglob("*"))
             if path.suffix in (".yaml", ".yml", ".json") and path.name != "lineload.schema.json"
             and str(path.relative_to(folder.parent)) not in READ_OTHERWISE]
    blind = unseen()
    with tempfile.TemporaryDirectory() as folder:
        wrong = refused(paths, pathlib.Path(folder))
    counts = {"taken": 0, "refused": 0, "unseen": 0}
    for path in paths:
        found = errors(path)
        if found and (found <= blind or str(path).endswith(MERGED)):
            counts["unseen"] += 1
            continue
        assert (path in wrong) == bool(found), f"{path}: lint has {found or 'no error'}"
        counts["refused" if found else "taken"] += 1
    print(f"ok: check-jsonschema agrees with lint: {counts}")


main()
