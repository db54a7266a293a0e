"""What imports are killed in: a registry, a proxy before it, folders with manifests and a journal.

The proxy keeps every request and its answer, and passes on what it has got also where the import has
died meanwhile. A service that refuses doubles would hide them, so half of the sets are `loose`: the
proxy makes a source of its own of every attempt, so that two attempts are two artifacts there, and
hides that from the import."""

import collections
import contextlib
import http.client
import http.server
import json
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ["part", "injected", "times", "runs", "wanted", "there", "lost", "doubled", "second", "blind", "told wrong"]
ALREADY = "already exists"


class Proxy(http.server.ThreadingHTTPServer):
    """Keeps creates and look-ups, by source: (kind, came, answered, status)."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, registry, loose=False):
        super().__init__(("127.0.0.1", 0), Between)
        self.registry, self.loose = registry, loose
        self.seen = collections.defaultdict(list)
        self.requests, self.creates, self.delay = 0, 0, 0.0
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, *_):
        """A connection that breaks is what is wanted here."""

    def close(self):
        self.shutdown()
        self.server_close()


class Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        proxy, came = self.server, time.time()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        asked = json.loads(body)
        uri = asked["Source"]["SourceUri"] if operation == "CreateArtifact" else asked.get("SourceUri")
        note = [operation, came, None, None]
        with proxy.lock:
            proxy.requests += 1
            proxy.seen[uri].append(note)
            proxy.creates += operation == "CreateArtifact"
            number = proxy.requests
        if operation == "CreateArtifact":
            # It gets there late, whether or not the import still lives.
            time.sleep(proxy.delay)
        if proxy.loose and operation == "CreateArtifact":
            asked["Source"].setdefault("SourceTypes", []).append({"SourceIdType": "Custom", "Value": f"loose-{number}"})
            asked["ArtifactName"] += f"-loose-{number}"
            body = json.dumps(asked).encode()
        try:
            status, headers, answer = self.pass_on(body)
        except (OSError, http.client.HTTPException):
            # What comes of it the import sees as the registry meant it: a connection that ends.
            self.close_connection = True
            return
        note[2], note[3] = time.time(), status
        if ALREADY.encode() in answer:
            note[3] = ALREADY
        elif not answer.startswith(b"{"):
            note[3] = "garbage"
        if proxy.loose and operation in ("ListArtifacts", "DescribeArtifact") and status == 200:
            answer = hidden(answer)
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            # The import is dead.
            note[3] = "unheard"
            self.close_connection = True

    def pass_on(self, body):
        onward = http.client.HTTPConnection("127.0.0.1", self.server.registry, timeout=5)
        with contextlib.closing(onward):
            own = ("host", "content-length")
            headers = {name: value for name, value in self.headers.items() if name.lower() not in own}
            onward.request("POST", "/", body, headers)
            answer = onward.getresponse()
            return answer.status, answer.getheaders(), answer.read()


def hidden(answer):
    """An answer without what the proxy has added."""
    try:
        page = json.loads(answer)
    except ValueError:
        return answer
    for one in page.get("ArtifactSummaries", [page]):
        one["ArtifactName"] = re.sub("-loose-[0-9]+$", "", one["ArtifactName"])
        types = one["Source"].get("SourceTypes", [])
        one["Source"]["SourceTypes"] = [kind for kind in types if not kind["Value"].startswith("loose-")]
    return json.dumps(page).encode()


class Registry:
    """`lineload serve`"""

    def __init__(self, binary, folder, lag=0.0):
        self.lag = lag
        command = [binary, "serve", "--db", folder / "registry.sqlite3", "--port", "0"]
        if lag:
            command += ["--list-lag", f"{lag}s", "--tag-lag", f"{lag}s"]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.child.stdout.readline().rpartition(":")[2])

    def ask(self, operation, **asked):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            scope = "Credential=a/20260101/eu-west-1/sagemaker/aws4_request"
            signature = f"{scope}, SignedHeaders=host, Signature={'0' * 64}"
            headers = {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"SageMaker.{operation}",
                "Authorization": f"AWS4-HMAC-SHA256 {signature}",
            }
            connection.request("POST", "/", json.dumps(asked), headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            return json.loads(text)

    def misbehave(self, latency_ms=0, faults=None):
        faults = [
            {"kind": kind, "probability": probability, "operation": operation}
            for (operation, kind), probability in (faults or {}).items()
        ]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            wanted = json.dumps({"latency_ms": latency_ms, "faults": faults})
            connection.request("PUT", "/_lineload/misbehaviour", wanted, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, text

    def artifacts(self, prefix):
        """When each artifact below a URI was created, by its SourceUri."""
        # What was created last is to be listed too.
        time.sleep(self.lag)
        found, token = collections.defaultdict(list), {}
        while True:
            page = self.ask("ListArtifacts", MaxResults=100, SortBy="CreationTime", SortOrder="Descending", **token)
            ours = [one for one in page["ArtifactSummaries"] if one["Source"]["SourceUri"].startswith(prefix)]
            for one in ours:
                found[one["Source"]["SourceUri"]].append(one["CreationTime"])
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Case:
    number = 0

    def __init__(self, lab, entries, loose=False, local=False):
        Case.number += 1
        self.lab, self.loose, self.local, self.runs = lab, loose, local, 0
        self.prefix = f"s3://bucket/{Case.number}/"
        self.folder = lab.folder / f"case{Case.number}"
        manifests = self.folder / "manifests"
        manifests.mkdir(parents=True)
        self.uris = []
        self.add(entries)
        self.proxy = Proxy(lab.registry.port, loose)
        self.journal = self.folder / ".lineload/journal.sqlite3"

    def add(self, entries):
        """So many more manifests."""
        for at in range(len(self.uris), len(self.uris) + entries):
            uri = f"{self.prefix}{at}"
            text = f"ArtifactName: {self.folder.name}-{at}\nArtifactType: DataSet\nSource:\n  SourceUri: {uri}\n"
            (self.folder / "manifests" / f"{at:05}.yaml").write_text(text)
            self.uris.append(uri)

    def command(self, *args):
        target = ["--region", "eu-west-1", "--endpoint-url", self.proxy.url, "--yes"]
        if self.local:
            # Beside the journal, so that its writes count too.
            target = ["--local=.lineload/registry.sqlite3"]
        # Reads lag for less long than `--settle` says, which is the promise that is tried.
        settle = f"{round(1000 * (self.lab.registry.lag + 0.3))}ms"
        usual = {"--rate": "400", "--settle": settle, "--timeout": "1s"}
        usual = [word for option in usual.items() if option[0] not in args for word in option]
        verb, args = ("delete", args[1:]) if args[:1] == ("delete",) else ("import", args)
        return [self.lab.binary, verb, *target, *usual, *args]

    def start(self, *args, env=None, wrap=(), **how):
        clean = {"HOME": str(self.folder), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        clean |= {"AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1", "RUST_BACKTRACE": "0"} | (env or {})
        self.runs += 1
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
        return subprocess.Popen([*wrap, *self.command(*args)], cwd=self.folder, env=clean, **how)

    def run(self, *args, wait=400, **how):
        child = self.start(*args, **how)
        out, err = child.communicate(timeout=wait)
        return Ran(child.returncode, (out or b"").decode(), (err or b"").decode())

    def shimmed(self, at, how, *args, log=None, **more):
        env = {"LD_PRELOAD": str(self.lab.shim), "KILLS_FOLDER": str(self.folder / ".lineload")}
        env |= {"KILLS_AT": str(at), "KILLS_HOW": how} | ({"KILLS_LOG": str(log)} if log else {})
        return self.run(*args, env=env, **more)

    def killed(self, after, *args, **how):
        """Runs it and kills it after so many seconds; whether it had to be."""
        child = self.start(*args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
        try:
            return child.wait(after)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return None

    def to_the_end(self, *args, most=12):
        """Runs it until all is well."""
        for _ in range(most):
            last = self.run(*args)
            if last.code == 0:
                break
        return last

    def close(self):
        self.proxy.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def told(self):
        """How many entries of the journal say of each source that a run of ours created it."""
        query = "SELECT source_uri, count(*) FROM entries WHERE outcome IN ('created', 'recovered') GROUP BY 1"
        with contextlib.closing(sqlite3.connect(self.journal)) as journal:
            return dict(journal.execute(query))

    def deleted(self):
        """How many entries of the journal say of each source that a run of ours deleted it."""
        query = "SELECT source_uri, count(*) FROM entries WHERE outcome = 'deleted' GROUP BY 1"
        with contextlib.closing(sqlite3.connect(self.journal)) as journal:
            return dict(journal.execute(query))

    def first_run(self):
        with contextlib.closing(sqlite3.connect(self.journal)) as journal:
            return journal.execute("SELECT run FROM runs LIMIT 1").fetchone()[0]

    def there(self):
        """When each artifact was created, by its SourceUri."""
        if not self.local:
            return self.lab.registry.artifacts(self.prefix)
        found = collections.defaultdict(list)
        with contextlib.closing(sqlite3.connect(self.folder / ".lineload/registry.sqlite3")) as registry:
            for uri, created in registry.execute("SELECT uri, created FROM artifacts"):
                found[uri].append(created / 1000)
        return found

    def judge(self, tally, journal=True, inherent=()):
        """Counts what became of every source; those with which something is wrong that need not be."""
        there = self.there()
        told = self.told() if journal else None
        wrong = []
        for uri in self.uris:
            created = sorted(there.get(uri, []))
            tally["wanted"] += 1
            tally["there"] += bool(created)
            tally["lost"] += not created
            tally["doubled"] += max(0, len(created) - 1)
            notes = sorted(self.proxy.seen[uri], key=lambda note: note[1])
            attempts = [note for note in notes if note[0] == "CreateArtifact"]
            late = [one for one in attempts if created and int(one[1] * 1000) > round(created[0] * 1000)]
            second = sum(one in late or one[3] == ALREADY for one in attempts)
            blind = self.blind(notes)
            amiss = told is not None and told.get(uri, 0) != 1
            tally["second"] += second
            tally["blind"] += blind
            tally["told wrong"] += amiss
            amiss = amiss and "told wrong" not in inherent
            if not created or len(created) > 1 or second or blind or amiss:
                wrong.append((uri, created, notes, told and told.get(uri, 0)))
        tally["runs"] += self.runs
        if wrong and self.lab.verbose:
            for uri, created, notes, times in wrong[:3]:
                print(f"  {uri}: created {created}, told {times}: {notes}", file=sys.stderr)
        return wrong

    @staticmethod
    def blind(notes):
        """Attempts after one whose answer was not known, with no look-up answered between."""
        blind, open_ = 0, False
        for operation, _, _, status in notes:
            if operation == "ListArtifacts":
                open_ = open_ and status != 200
            elif operation == "CreateArtifact":
                blind += open_
                open_ = True
        return blind


class Lab:
    def __init__(self, args, folder):
        self.binary = str(pathlib.Path(args.lineload).resolve())
        self.folder, self.random = folder, random.Random(args.seed)
        self.verbose, self.kills, self.every, self.failed = args.verbose, args.kills, args.every, False
        self.complaints = collections.Counter()
        self.registry = Registry(self.binary, folder, args.lag)
        self.shim = folder / "kills.so"
        build = ["cc", "-O1", "-shared", "-fPIC", "-o", self.shim, HERE / "disk.c", "-ldl"]
        subprocess.run(build, check=True)

    def judged(self, what, case, tally, last=None, **how):
        """The end of a case: the last run went well, and nothing is wrong."""
        if last is not None and last.code != 0:
            self.complain(f"{what}: ended with {last.code}: {last.err.strip()}")
        if wrong := case.judge(tally, **how):
            self.complain(f"{what}: {len(wrong)} wrong, {'loose' if case.loose else 'strict'}")
        case.close()

    def row(self, part, injected, times, tally, note="", inherent=()):
        """A row; of what is `inherent` the number is shown, and is no failure."""
        cells = [part, injected, times] + [tally[name] for name in COLUMNS[3:]]
        print("| " + " | ".join(map(str, cells)) + f" | {note} |", flush=True)
        self.failed |= any(tally[name] for name in COLUMNS[6:] if name not in inherent)

    def complain(self, what):
        self.failed = True
        # The same thing with other numbers in it is shown twice and then counted.
        alike = re.sub("[0-9]+", "0", what.partition("\n")[0])
        self.complaints[alike] += 1
        if self.complaints[alike] <= 2:
            print(f"  !! {what}", file=sys.stderr, flush=True)
