"""Measures how fast `generate` turns rows into manifests, and its memory.

rows.py LINELOAD [ROWS]     1,000,000 rows of CSV by default, to files of 1,000 and to one for each name
                            that `--file` gives: a minute on two cores

LINELOAD is a release binary. Prints a table in Markdown: the time, the CPU, rows a second and the peak of
resident memory. Ends with 1 if a command fails.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

LINELOAD = str(pathlib.Path(sys.argv[1]).resolve())
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000

TEMPLATE = """\
ArtifactName: '{{ row.dataset | artifact_name }}'
ArtifactType: DataSet
Source:
  SourceUri: '{{ row.arn | replace("arn:aws:s3:::", "s3://") }}'
Properties:
  $skip_empty: true
  Title: '{{ row.title }}'
  Region: '{{ row.region }}'
  ManagedBy: '{{ row.managed_by }}'
Tags:
- $for: tag in row.tags | split('|')
  $when: tag
  Key: '{{ tag }}'
  Value: topic
"""

LAYOUTS = {
    "files of 1,000": [],
    "`--file`, rows in order": ["--file", "{{ number // 1000 }}.yaml"],
    "`--file`, rows in no order": ["--file", "{{ number % 1000 }}.yaml"],
}


def write_inventory(path):
    with path.open("w") as file:
        file.write("dataset,title,arn,region,managed_by,tags\n")
        for at in range(ROWS):
            file.write(f"dataset-{at},Title of the dataset number {at},"
                       f"arn:aws:s3:::bucket-{at % 97}/prefix/{at}/,us-east-1,"
                       f'"Team, {at % 31}",genetic|genomic|fastq\n')


def main():
    failed = False
    print("| layout | time | CPU | rows a second | memory |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_inventory(folder / "inventory.csv")
        (folder / "template.yaml").write_text(TEMPLATE)
        for number, (layout, options) in enumerate(LAYOUTS.items()):
            began = time.monotonic()
            process = subprocess.Popen(
                [LINELOAD, "--isolated", "generate", "inventory.csv", "-t", "template.yaml", "-q",
                 "-o", f"out-{number}", *options],
                cwd=folder, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            took = time.monotonic() - began
            failed |= status != 0
            cpu = usage.ru_utime + usage.ru_stime
            print(f"| {layout} | {took:.1f} s | {cpu:.1f} s | {ROWS / took:,.0f} "
                  f"| {usage.ru_maxrss / 1024:.0f} MiB |", flush=True)
    return 1 if failed else 0


sys.exit(main())
