"""Counts the instructions of `lint`, and compares them with those on record.

instructions.py LINELOAD [--record]

LINELOAD is a release binary; needs valgrind (from Debian). Noise does not change these numbers, so
that a loss of a few per cent is seen. They are on record in instructions.json, for one version of
rustc: with another, or on a processor without AVX2, they are printed and not compared. Ends with 1
if a number is more than 3 % above the record. --record writes the record.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from inputs import artifact, item

RECORD = pathlib.Path(__file__).with_suffix(".json")
# What a number may be above the record, and below it before it is to be recorded again.
MARGIN = 0.03
FILES = 2_000
LIST = 20_000


def write_inputs(folder):
    files = folder / "files"
    files.mkdir()
    for at in range(FILES):
        (files / f"{at:04}.yaml").write_text(artifact(at))
    (folder / "list.yaml").write_text("".join(item(at) for at in range(LIST)))
    documents = (artifact(at) for at in range(LIST))
    (folder / "documents.yaml").write_text("---\n".join(documents))


def count(lineload, folder, path):
    """Returns the instructions of one lint with one worker."""
    ran = subprocess.run(
        [
            "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
            lineload, "--isolated", "lint", "--threads", "1", path,
        ],
        cwd=folder, capture_output=True, text=True,
    )
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not found:
        sys.exit(f"lint of {path} ended with {ran.returncode}: {ran.stdout}{ran.stderr}"[-3000:])
    return int(found[1])


def main():
    lineload = str(pathlib.Path(sys.argv[1]).resolve())
    rustc = subprocess.run(["rustc", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    has_avx2 = " avx2 " in pathlib.Path("/proc/cpuinfo").read_text()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_inputs(folder)
        counts = {
            path: count(lineload, folder, path) for path in ["files", "list.yaml", "documents.yaml"]
        }
    if "--record" in sys.argv:
        RECORD.write_text(json.dumps({"rustc": rustc, "instructions": counts}, indent=2) + "\n")
    record = json.loads(RECORD.read_text())
    like = has_avx2 and record["rustc"] == rustc
    above = []
    for path, counted in counts.items():
        recorded = record["instructions"][path]
        change = counted / recorded - 1
        print(f"{path}: {counted / 1e6:,.1f} million instructions, {change:+.1%} of the record")
        if change > MARGIN:
            above.append(path)
        elif change < -MARGIN:
            print("    record it: instructions.py LINELOAD --record")
    if not like:
        print(f"not compared: the record is of {record['rustc']}, with AVX2; this is {rustc}")
    elif above:
        sys.exit(f"lint takes more than {MARGIN:.0%} more instructions than recorded: {', '.join(above)}")


if __name__ == "__main__":
    main()
