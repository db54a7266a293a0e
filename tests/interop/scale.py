"""Measures the CPU and the memory of commands over many artifacts, and the size of the journal.

scale.py LINELOAD [ARTIFACTS]     1,000,000 by default, in files of 1,000, to the local registry, which
                                  is in the same process: half an hour on two cores

LINELOAD is a release binary with the AWS SDK. Prints a table in Markdown: the CPU and the time of each
command, and its peak of resident memory. Ends with 1 if a command fails, or takes more memory than
the most that is wanted of any number of artifacts up to a million.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from inputs import item

LINELOAD = str(pathlib.Path(sys.argv[1]).resolve())
ARTIFACTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
PER_FILE = 1_000
# In MiB.
MOST = 300
REPORTS = ["r.json", "r.jsonl", "r.csv", "r.md", "r.html"]


def write_manifests(folder):
    folder.mkdir()
    for start in range(0, ARTIFACTS, PER_FILE):
        with (folder / f"{start // PER_FILE:05}.yaml").open("w") as file:
            for at in range(start, min(start + PER_FILE, ARTIFACTS)):
                file.write(item(at))


def run(folder, name, *words):
    """Runs a command and prints its row. Returns whether it succeeded in little memory."""
    began = time.monotonic()
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(
            [LINELOAD, "--isolated", *words], cwd=folder, stdout=out, stderr=out
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / 1024
    cpu = usage.ru_utime + usage.ru_stime
    per = cpu / ARTIFACTS * 1e6
    print(f"| {name} | {cpu:.1f} | {per:.1f} | {seconds:.1f} | {peak:.0f} |", flush=True)
    if code != 0:
        print(f"ended with {code}: {(folder / 'out').read_text()[-2000:]}")
    return code == 0 and peak <= MOST


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_manifests(folder / "in")
        local = ["--local=r.sqlite3"]
        reports = [word for report in REPORTS for word in ("--report", report)]
        print(f"{ARTIFACTS:,} artifacts in files of {PER_FILE:,}\n")
        print("| command | CPU, s | CPU an artifact, µs | time, s | peak, MiB |")
        print("|---|---|---|---|---|")
        commands = [
            ("lint", "lint", "-q", "in"),
            ("import --dry-run", "import", "--dry-run", "in"),
            ("import --dry-run, five reports", "import", "--dry-run", *reports, "in"),
            ("plan, of nothing", "plan", *local, "in"),
            ("import, five reports", "import", *local, "--yes", *reports, "in"),
            ("import again", "import", *local, "--yes", "in"),
            ("plan, all exist", "plan", *local, "in"),
            ("export", "export", *local, "--per-file", "1000", "-o", "out.d"),
        ]
        passed = [run(folder, *command) for command in commands]
        journal = (folder / ".lineload/journal.sqlite3").stat().st_size
        print(f"\njournal: {journal / 1e6:.1f} MB, {journal / ARTIFACTS:.0f} bytes an artifact")
        print(f"at most {MOST} MiB are wanted of each" + ("" if all(passed) else ": not reached"))
        sys.exit(not all(passed))


main()
