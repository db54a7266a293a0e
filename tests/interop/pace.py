"""Measures the pace of `lineload import` at a real `lineload serve`, by the registry's own record.

pace.py LINELOAD [RATE]...            `--rate auto` beside boto3 in its retry modes `adaptive` and
                                      `standard`, with 16 threads; none is told the rate. Each sends for
                                      40 seconds; what counts is past the first ten. Two minutes a rate.
                                      Needs boto3
pace.py LINELOAD told [RATE]...       `--rate N` at a registry without a limit and with 30 ms of latency:
                                      the share of N over at least 20 seconds, and by how many requests
                                      any window holds more than N times the window
pace.py LINELOAD together [RATE]...   two runs on one account that allows RATE (20 by default), neither
                                      told; the second starts 10 seconds after the first: the creates a
                                      second of each over two minutes. Draws them into FILE with
                                      LINELOAD_PLOT=FILE

LINELOAD is a binary with the AWS SDK. Prints tables in Markdown. With LINELOAD_SDK_BENCH=FILE, as
`cargo bench --bench sdk --no-run` names it, the SDK's own adaptive mode is measured too, with 16 at
once. With LINELOAD_REGISTRY=FILE, that binary serves the registry.
"""

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

LINELOAD = str(pathlib.Path(sys.argv[1]).resolve())
REGISTRY = str(pathlib.Path(os.environ.get("LINELOAD_REGISTRY", LINELOAD)).resolve())
MODE = next((argument for argument in sys.argv[2:] if argument in ("told", "together")), "compare")
NAMED = [float(argument) for argument in sys.argv[2:] if argument != MODE]
DEFAULTS = {
    "compare": [2.0, 10.0, 50.0, 200.0, 500.0],
    "told": [0.5, 2.0, 5.0, 20.0, 50.0, 100.0, 250.0, 1000.0, 5000.0],
    "together": [20.0],
}
RATES = NAMED or DEFAULTS[MODE]
TOLD_SECONDS, TOGETHER_SECONDS, SECOND_STARTS = 20, 120, 10
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

    def __init__(self, folder, rate, latency=60):
        command = [REGISTRY, "--isolated", "serve", "--db", str(folder / "registry.sqlite3")]
        command += ["--latency", str(latency)]
        if rate:
            command += ["--tps", f"CreateArtifact={rate:g}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        self.url = self.process.stdout.readline().split()[-1].rstrip("/")
        # Its further output is not waited for.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def creates(self):
        """How many creates it accepted and throttled since it was started."""
        with urllib.request.urlopen(self.url + "/_lineload/activity", timeout=10) as answer:
            operations = json.load(answer)["operations"]
        for operation in operations:
            if operation["operation"] == "CreateArtifact":
                return operation["answered"], operation["throttled"]
        return 0, 0

    def artifacts(self):
        """The SourceUri and the CreationTime of each artifact, in order of time."""
        token, found = None, []
        while True:
            body = {"MaxResults": 100} | ({"NextToken": token} if token else {})
            headers = {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "SageMaker.ListArtifacts",
                "Authorization": "AWS4-HMAC-SHA256 Credential=anybody/20260101/eu-west-1/sagemaker/"
                f"aws4_request, SignedHeaders=host, Signature={0:064}",
            }
            request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                page = json.load(answer)
            for one in page["ArtifactSummaries"]:
                found.append((one["Source"]["SourceUri"], one["CreationTime"]))
            token = page.get("NextToken")
            if not token:
                return sorted(found, key=lambda one: one[1])

    def wait_for_create(self):
        deadline = time.monotonic() + 60
        while self.creates() == (0, 0):
            if time.monotonic() > deadline:
                sys.exit("nothing reached the registry")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def importing(folder, registry, name, creates, pace):
    """Starts an import of `creates` artifacts of its own. Returns a function that ends it."""
    manifests = folder / f"{name}.yaml"
    with manifests.open("w") as file:
        for at in range(creates):
            file.write(f"---\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/{name}/{at}\n")
    command = [LINELOAD, "--isolated", "import", str(manifests), *pace, "--yes"]
    command += ["--journal", str(folder / name / "journal.sqlite3")]
    command += ["--region", "eu-west-1", "--endpoint-url", registry.url]
    log = (folder / f"{name}.log").open("w")
    process = subprocess.Popen(
        command, cwd=folder, env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )

    def end():
        over = process.poll()
        process.terminate()
        process.wait(PATIENCE)
        if over is not None:
            text = (folder / f"{name}.log").read_text()
            sys.exit(f"the import ended early, with {over}: {text}")

    return end


def lineload(folder, registry, rate):
    # The bucket holds a second's worth to begin with.
    creates = int(rate * (SECONDS + 15)) + 50
    pace = ["--rate", "auto", "--headroom", "0", "--max-rate", "1000"]
    return importing(folder, registry, "lineload", creates, pace)


def boto3_in(mode):
    def start(_, registry, __):
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

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


CLIENTS = {
    "lineload `--rate auto`": lineload,
    "boto3 `adaptive`": boto3_in("adaptive"),
    "boto3 `standard`": boto3_in("standard"),
}
if "LINELOAD_SDK_BENCH" in os.environ:
    CLIENTS["AWS SDK for Rust, `adaptive`"] = sdk


def measured(start, folder, registry, rate):
    """The share of `rate` that was used past the first seconds, and the share of calls throttled."""
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


def compare():
    print("Share of the allowed rate that was used, and share of the calls that were throttled.\n")
    print("| allowed |", " | ".join(CLIENTS), "|")
    print("|--:|" + "--:|" * len(CLIENTS), flush=True)
    for rate in RATES:
        cells = []
        with tempfile.TemporaryDirectory(prefix="lineload-pace-") as name:
            folder = pathlib.Path(name)
            registry = Registry(folder, rate)
            try:
                for start in CLIENTS.values():
                    used, throttled = measured(start, folder, registry, rate)
                    cells.append(f"{used:.1%}, {throttled:.1%} throttled")
                    # The bucket is full for each of them.
                    time.sleep(2)
            finally:
                registry.stop()
        print(f"| {rate:g}/s |", " | ".join(cells), "|", flush=True)


def most_above(times, rate):
    """By how many requests a window holds more than `rate` times its length, at most.

    The worst windows begin and end with a request.
    """
    least, most = float("inf"), 0.0
    for at, second in enumerate(times):
        ahead = at - rate * second
        least = min(least, ahead)
        most = max(most, ahead - least + 1)
    return most


def told():
    """The share of a given rate that reaches a registry without a limit."""
    print("| `--rate` | share | seconds | above N x window | default burst |")
    print("|--:|--:|--:|--:|--:|", flush=True)
    for rate in RATES:
        # 21 requests have twenty times between them.
        seconds = max(TOLD_SECONDS, 20 / rate)
        with tempfile.TemporaryDirectory(prefix="lineload-pace-") as name:
            folder = pathlib.Path(name)
            registry = Registry(folder, None, latency=30)
            try:
                creates = int(rate * (seconds + 25)) + 50
                end = importing(folder, registry, "told", creates, ["--rate", f"{rate:g}"])
                registry.wait_for_create()
                time.sleep(seconds + 3)
                end()
                times = [created for _, created in registry.artifacts()]
            finally:
                registry.stop()
        # Without the first two seconds: connections are made then, and the burst is used up.
        begin = times[0]
        times = [time - begin for time in times if begin + 2 <= time <= begin + 2 + seconds]
        lasted = times[-1] - times[0]
        share = (len(times) - 1) / (rate * lasted)
        above, burst = most_above(times, rate), max(1, int(rate / 50))
        print(f"| {rate:g}/s | {share:.2%} | {lasted:.0f} | {above:.1f} | {burst} |", flush=True)


def plot(file, title, rows):
    """Draws the creates a second of both runs, one row every five seconds, as an SVG."""
    width, height, left, top = 760, 220, 50, 40
    highest = max(max(row) for row in rows) * 1.15
    x = lambda at: left + (at + 0.5) * width / len(rows)
    y = lambda rate: top + height * (1 - rate / highest)
    svg = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width + left + 20}' "
        f"height='{height + top + 30}' font-family='sans-serif' font-size='12'>",
        "<rect width='100%' height='100%' fill='white'/>",
        f"<text x='{left}' y='20' font-weight='bold'>{title}</text>",
    ]
    for tick in range(5):
        rate = highest * tick / 4
        svg.append(
            f"<line x1='{left}' x2='{left + width}' y1='{y(rate):.0f}' y2='{y(rate):.0f}' "
            f"stroke='#eee'/><text x='{left - 6}' y='{y(rate) + 4:.0f}' "
            f"text-anchor='end'>{rate:.0f}/s</text>"
        )
    for at in range(0, len(rows), 4):
        svg.append(f"<text x='{x(at):.0f}' y='{top + height + 16}'>{at * 5} s</text>")
    for which, colour in enumerate(("#1565c0", "#ef6c00")):
        points = " ".join(f"{x(at):.1f},{y(row[which]):.1f}" for at, row in enumerate(rows))
        svg.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='2'/>")
    pathlib.Path(file).write_text("\n".join([*svg, "</svg>\n"]))


def together():
    """What each of two runs creates of what one account allows."""
    for rate in RATES:
        with tempfile.TemporaryDirectory(prefix="lineload-pace-") as name:
            folder = pathlib.Path(name)
            registry = Registry(folder, rate)
            try:
                creates = int(rate * (TOGETHER_SECONDS + 30)) + 50
                pace = ["--rate", "auto", "--headroom", "0", "--max-rate", "1000"]
                ends = [importing(folder, registry, "one", creates, pace)]
                registry.wait_for_create()
                time.sleep(SECOND_STARTS)
                ends.append(importing(folder, registry, "other", creates, pace))
                time.sleep(TOGETHER_SECONDS - SECOND_STARTS)
                taken, throttled = registry.creates()
                for end in ends:
                    end()
                artifacts = registry.artifacts()
            finally:
                registry.stop()
        begin = artifacts[0][1]
        rows = [[0.0, 0.0] for _ in range(TOGETHER_SECONDS // 5)]
        for uri, created in artifacts:
            row = int((created - begin) // 5)
            if row < len(rows):
                rows[row][uri.split("/")[3] == "other"] += 1 / 5
        print(f"{rate:g}/s allowed\n\n| seconds | one | other |\n|--:|--:|--:|")
        for at, (one, other) in enumerate(rows):
            print(f"| {at * 5} to {at * 5 + 5} | {one:.1f}/s | {other:.1f}/s |")
        late = rows[(SECOND_STARTS + 60) // 5 :]
        one, other = (sum(row[which] for row in late) / len(late) for which in (0, 1))
        print(
            f"\nFrom a minute after the second started: {one:.1f}/s and {other:.1f}/s, "
            f"{(one + other) / rate:.1%} of what is allowed; {throttled / (taken + throttled):.1%} of "
            "all calls throttled.\n",
            flush=True,
        )
        if "LINELOAD_PLOT" in os.environ:
            title = f"Two runs on one account that allows {rate:g}/s: accepted creates a second"
            plot(os.environ["LINELOAD_PLOT"], title, rows)


{"compare": compare, "told": told, "together": together}[MODE]()
