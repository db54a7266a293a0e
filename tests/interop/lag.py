"""Imports into registries whose reads lag behind writes and whose answers to creates go astray, and
counts what was lost and what was duplicated. Usage: lag.py LINELOAD [--registry LINELOAD]
[--settle SECONDS] [--lags SECONDS,...] [--answers NAME,...] [--entries N] [--rate N] [--share P]
[--jobs N] [--keep DIR]

Every case is one `lineload serve` and one journal. The import runs while reads lag; then the lag and the
faults end and the same import runs again, which must end with exit code 0. What an answer is:

  500        the create is committed, then answered with a 500
  garbage    the create is committed, then answered with a 200 that is not JSON
  dropped    the create is committed, then the connection closes
  refused    somebody else made the artifact just before: the create is refused as "already exists"

Prints a Markdown table. lost: artifacts that are not there after the second run. doubled: sources that
more than one artifact has. wrong: entries of the first run with an outcome that is not true. In no case
may anything be lost. Nothing may be doubled or wrong where the lag is at most `--settle`, nor where
sources are unique, whatever the lag. Ends with 1 if something is amiss, which standard error describes.
Needs the standard library alone, and a lineload that is built with the AWS SDK; `--registry` names
another one for the registries. Takes about a minute."""

import argparse
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

FAULTS = {
    "500": "error-500-after-commit",
    "garbage": "garbage",
    "dropped": "drop-after-commit",
    "refused": None,
}
# Longer than any import of a case may take, and any request.
RUN_SECONDS, REQUEST_SECONDS = 240, 30


class Registry:
    """`lineload serve` with nothing but memory."""

    def __init__(self, binary, folder, *options):
        command = [binary, "serve", "--isolated", "--db", ":memory:", *options]
        self.child = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        first = self.child.stdout.readline()
        if not first.startswith("listening on "):
            self.stop()
            raise SystemExit(f"the registry did not start: {' '.join(map(str, command))}")
        self.url = first.split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self):
        self.child.terminate()
        self.child.wait(RUN_SECONDS)
        self.child.stdout.close()

    def request(self, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path}: {answer.status} {text!r}")
            return json.loads(text)

    def ask(self, operation, **asked):
        scope = "Credential=a/20260101/eu-west-1/sagemaker/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"SageMaker.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}",
        }
        return self.request("POST", "/", headers, asked)

    def misbehave(self, settings):
        headers = {"Content-Type": "application/json"}
        self.request("PUT", "/_lineload/misbehaviour", headers, settings)

    def sources(self):
        """How many artifacts there are of each source."""
        count, token = collections.Counter(), {}
        while True:
            page = self.ask("ListArtifacts", MaxResults=100, **token)
            count.update(one["Source"]["SourceUri"] for one in page["ArtifactSummaries"])
            if not page.get("NextToken"):
                return count
            token = {"NextToken": page["NextToken"]}


class Case:
    """One combination of a lag, an answer and the uniqueness of sources."""

    def __init__(self, args, folder, lag, answer, unique):
        self.args, self.folder, self.lag, self.answer, self.unique = args, folder, lag, answer, unique
        self.name = f"lag {lag:g} s, {answer}, sources {'unique' if unique else 'not unique'}"
        self.uris = [f"s3://lag/{at:04}" for at in range(args.entries)]
        # Beyond the time that reads are given nobody can know what is there, unless it is refused.
        self.knowable = unique or lag <= args.settle
        self.problems = []

    def manifests(self):
        lines = []
        for at, uri in enumerate(self.uris):
            lines += ["---", f"ArtifactName: lag-{at}", "ArtifactType: DataSet", "Source:", f"  SourceUri: {uri}"]
        (self.folder / "lag.yaml").write_text("\n".join(lines) + "\n")

    def imported(self, registry, number):
        """Runs the import; its exit code and the outcome of every source."""
        report = self.folder / f"{number}.json"
        command = [self.args.lineload, "import", "lag.yaml", "--isolated", "--yes", "--region", "eu-west-1"]
        command += ["--endpoint-url", registry.url, "--rate", f"{self.args.rate:g}"]
        command += ["--settle", f"{round(self.args.settle * 1000)}ms", "--report", report.name]
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with (self.folder / f"{number}.log").open("wb") as log:
            try:
                ran = subprocess.run(
                    command,
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=RUN_SECONDS,
                )
            except subprocess.TimeoutExpired:
                self.problems.append(f"the import did not end within {RUN_SECONDS} s")
                return None, {}
        if not report.exists():
            self.problems.append(f"import {number} wrote no report, and ended with {ran.returncode}")
            return ran.returncode, {}
        entries = json.loads(report.read_text())["entries"]
        return ran.returncode, {entry["source_uri"]: entry["outcome"] for entry in entries}

    def wrong(self, outcomes):
        """The outcomes of the first run that are not true, of what is there now."""
        if self.answer == "refused":
            # It was there, and that is all that can be known of it where the lag is long.
            true = {"existed"} if self.lag <= self.args.settle else None
            false = {"created", "recovered", "rejected", "conflict"}
        else:
            true = {"created", "recovered"} if self.knowable else None
            false = {"existed", "differs", "rejected", "conflict"}
        bad = lambda outcome: outcome in false if true is None else outcome not in true
        return {uri: outcome for uri, outcome in outcomes.items() if bad(outcome)}

    def run(self):
        self.folder.mkdir()
        self.manifests()
        uniqueness = {"unique_names": False, "unique_sources": self.unique}
        options = ["--list-lag", f"{round(self.lag * 1000)}ms", "--unique-names", "off"]
        options += ["--unique-sources", "on" if self.unique else "off"]
        if FAULTS[self.answer]:
            options += ["--fault", f"CreateArtifact:{FAULTS[self.answer]}={self.args.share:g}"]
        registry = Registry(self.args.registry, self.folder, *options)
        try:
            if self.answer == "refused":
                for at, uri in enumerate(self.uris):
                    source = {"SourceUri": uri}
                    registry.ask("CreateArtifact", ArtifactName=f"lag-{at}", ArtifactType="DataSet", Source=source)
            begun = time.monotonic()
            self.code, outcomes = self.imported(registry, 1)
            self.seconds = time.monotonic() - begun
            registry.misbehave(uniqueness)
            self.again, _ = self.imported(registry, 2)
            there = registry.sources()
        finally:
            registry.stop()
        self.outcomes = collections.Counter(outcomes.values())
        self.there = sum(there.values())
        self.lost = sum(there[uri] == 0 for uri in self.uris)
        self.doubled = sum(there[uri] > 1 for uri in self.uris)
        wrong = self.wrong(outcomes)
        self.wrongs = len(wrong)
        if self.lost:
            self.problems.append(f"{self.lost} lost")
        if self.knowable and self.doubled:
            self.problems.append(f"{self.doubled} doubled")
        if wrong:
            uri, outcome = next(iter(wrong.items()))
            self.problems.append(f"{len(wrong)} with an outcome that is not true: {uri} is `{outcome}`")
        if set(outcomes) != set(self.uris):
            self.problems.append(f"the report has {len(outcomes)} of {len(self.uris)} entries")
        if self.again != 0:
            self.problems.append(f"the second import ended with {self.again}")
        return self

    def row(self):
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        cells = [f"{self.lag:g} s", self.answer, "yes" if self.unique else "no", len(self.uris), self.there]
        cells += [self.lost, self.doubled, self.wrongs, outcomes, self.code, self.again, f"{self.seconds:.0f} s"]
        return "| " + " | ".join(map(str, cells)) + " |"


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("lineload", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--registry", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--settle", type=float, default=10)
    parser.add_argument("--lags", default="0,2,5,9,30")
    parser.add_argument("--answers", default=",".join(FAULTS))
    parser.add_argument("--entries", type=int, default=12)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--share", type=float, default=0.6, help="of the creates whose answers go astray")
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--keep", type=pathlib.Path, help="a directory for what the cases leave behind")
    args = parser.parse_args()
    args.registry = args.registry or args.lineload
    args.lags = [float(lag) for lag in args.lags.split(",")]
    args.answers = args.answers.split(",")
    unknown = set(args.answers) - set(FAULTS)
    if unknown:
        parser.error(f"no such answer: {', '.join(unknown)}")
    return args


def main():
    args = arguments()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lag-"))
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        folder = args.keep.resolve()
    cases = []
    for lag in args.lags:
        for answer in args.answers:
            # Where sources are not unique nothing is refused.
            for unique in [True] if answer == "refused" else [True, False]:
                cases.append(Case(args, folder / f"{len(cases):02}", lag, answer, unique))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        done = list(pool.map(Case.run, cases))
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    head = ["lag", "answer", "sources unique", "wanted", "there", "lost", "doubled", "wrong", "outcomes"]
    head += ["exit", "second exit", "took"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for case in done:
        print(case.row())
    amiss = [case for case in done if case.problems]
    for case in amiss:
        print(f"{case.name}: {'; '.join(case.problems)}", file=sys.stderr)
    print(f"\n{len(done)} cases, {len(amiss)} amiss")
    sys.exit(1 if amiss else 0)


if __name__ == "__main__":
    main()
