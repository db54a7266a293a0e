"""How much of an allowed rate is used, and how many calls are rejected for it: `lineload import
--rate auto` beside boto3 in its retry modes `adaptive` and `standard`, with 16 threads. None is told
the rate. Each sends for 40 seconds to one and the same `lineload serve --tps CreateArtifact=R --latency
60`; the registry's own record says what it took and throttled past the first ten. Prints a table in
Markdown. Takes two minutes a rate. Usage: pace.py LINELOAD [RATE]...; needs boto3, and a lineload that
is built with the AWS SDK. With LINELOAD_SDK_BENCH=FILE, as `cargo bench --bench sdk --no-run` names it, the
SDK's own adaptive mode is measured too, with 16 at once"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LINELOAD = str(pathlib.Path(sys.argv[1]).resolve())
RATES = [float(rate) for rate in sys.argv[2:]] or [2.0, 10.0, 50.0, 200.0, 500.0]
SETTLING, SECONDS, THREADS = 10, 40, 16
# Longer than any wait between two tries of a client that is told to stop.
PATIENCE = 60
ENV = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "anything",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Registry:
    """A registry of its own, with a file of its own."""

    def __init__(self, folder, rate):
        command = [LINELOAD, "--isolated", "serve", "--db", str(folder / "registry.sqlite3")]
        command += ["--tps", f"CreateArtifact={rate:g}", "--latency", "60"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        self.url = self.process.stdout.readline().split()[-1].rstrip("/")
        # What else it says is not waited for.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def creates(self):
        """How many creates it took and throttled since it was started."""
        with urllib.request.urlopen(self.url + "/_lineload/activity", timeout=10) as answer:
            operations = json.load(answer)["operations"]
        for operation in operations:
            if operation["operation"] == "CreateArtifact":
                return operation["answered"], operation["throttled"]
        return 0, 0

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def lineload(folder, registry, rate):
    """Starts an import that lasts longer than is measured; how to end it."""
    manifests = folder / "manifests.yaml"
    with manifests.open("w") as file:
        # The bucket holds a second's worth to begin with.
        for at in range(int(rate * (SECONDS + 15)) + 50):
            file.write(f"---\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/lineload/{at}\n")
    command = [LINELOAD, "--isolated", "import", str(manifests), "--rate", "auto", "--headroom", "0"]
    command += ["--max-rate", "1000", "--yes", "--region", "eu-west-1", "--endpoint-url", registry.url]
    log = (folder / "import.log").open("w")
    process = subprocess.Popen(
        command, cwd=folder, env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )

    def end():
        over = process.poll()
        process.terminate()
        process.wait(PATIENCE)
        if over is not None:
            sys.exit(f"the import ended early, with {over}: {(folder / 'import.log').read_text()}")

    return end


def boto3_in(mode):
    def start(_, registry, __):
        config = Config(
            retries={"mode": mode, "max_attempts": 1000},
            max_pool_connections=THREADS,
        )
        client = boto3.client(
            "sagemaker",
            endpoint_url=registry.url,
            region_name="eu-west-1",
            aws_access_key_id="anybody",
            aws_secret_access_key="anything",
            config=config,
        )
        numbers, over = itertools.count(), threading.Event()

        def create():
            while not over.is_set():
                uri = f"s3://lake/{mode}/{next(numbers)}"
                try:
                    client.create_artifact(ArtifactType="DataSet", Source={"SourceUri": uri})
                except (ClientError, BotoCoreError) as error:
                    # `standard` gives up when its retry quota is used up; the next one tries again.
                    if over.is_set() or "Throttling" in str(error):
                        continue
                    raise

        threads = [threading.Thread(target=create, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()

        def end():
            over.set()
            deadline = time.monotonic() + PATIENCE
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
            if any(thread.is_alive() for thread in threads):
                sys.exit(f"boto3 in {mode} mode does not end")

        return end

    return start


def sdk(folder, registry, _):
    command = [os.environ["LINELOAD_SDK_BENCH"], "adaptive", registry.url, str(SECONDS + 15)]
    process = subprocess.Popen(command, cwd=folder, env=ENV, stdout=subprocess.DEVNULL)

    def end():
        process.terminate()
        process.wait(PATIENCE)

    return end


def measured(start, folder, registry, rate):
    """The share of `rate` that was used past the first seconds, and the share of calls rejected."""
    before = registry.creates()
    end = start(folder, registry, rate)
    deadline = time.monotonic() + 30
    while registry.creates() == before:
        if time.monotonic() > deadline:
            sys.exit("nothing reached the registry")
        time.sleep(0.05)
    begin = time.monotonic()
    time.sleep(SETTLING)
    settled, taken, throttled = time.monotonic(), *registry.creates()
    time.sleep(max(0.0, begin + SECONDS - time.monotonic()))
    seconds, after = time.monotonic() - settled, registry.creates()
    end()
    taken, throttled = after[0] - taken, after[1] - throttled
    return taken / (rate * seconds), throttled / max(1, taken + throttled)


CLIENTS = {
    "lineload `--rate auto`": lineload,
    "boto3 `adaptive`": boto3_in("adaptive"),
    "boto3 `standard`": boto3_in("standard"),
}
if "LINELOAD_SDK_BENCH" in os.environ:
    CLIENTS["AWS SDK for Rust, `adaptive`"] = sdk


def main():
    print("Share of the allowed rate that was used, and share of the calls that were rejected.\n")
    print("| allowed |", " | ".join(CLIENTS), "|")
    print("|--:|" + "--:|" * len(CLIENTS), flush=True)
    for rate in RATES:
        cells = []
        with tempfile.TemporaryDirectory(prefix="lineload-pace-") as name:
            folder = pathlib.Path(name)
            registry = Registry(folder, rate)
            try:
                for start in CLIENTS.values():
                    used, rejected = measured(start, folder, registry, rate)
                    cells.append(f"{used:.1%}, {rejected:.1%} rejected")
                    # The bucket is full for each of them.
                    time.sleep(2)
            finally:
                registry.stop()
        print(f"| {rate:g}/s |", " | ".join(cells), "|", flush=True)


main()
