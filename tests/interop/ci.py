"""The files that bring lineload into CI, run with what CI runs.

    ci.py LINELOAD ROOT

- `.pre-commit-hooks.yaml`: both hooks, by pre-commit in a real git repository.
- `action.yml`: its steps, from the file itself, by a small runner with GitHub's files and events; the
  comment goes to a server on this machine that keeps comments as GitHub does.
- `templates/lineload.yml`: the script of each job, from the file itself.
A binary without the AWS SDK will do for everything but plan and import.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree

import yaml

LINELOAD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(sys.argv[2]).resolve()
GOOD = "ArtifactName: {0}\nArtifactType: DataSet\nSource:\n  SourceUri: s3://example-lake/{0}\n"
FIXABLE = GOOD + "Properties:\n  Rows: 12\n"


def run(command, folder, **more):
    """Runs a command and returns what it printed; more is its environment."""
    path = f"{LINELOAD.parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "AWS_", "LINELOAD_"))}
    environment = {**kept, "PATH": path, "AWS_EC2_METADATA_DISABLED": "true", **more}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def check(holds, *shown):
    if not holds:
        for one in shown:
            print(one)
        raise AssertionError("this does not hold")


@contextlib.contextmanager
def registry():
    """Serves an empty registry, and gives the options that name it as a target."""
    command = [LINELOAD, "serve", "--db", ":memory:"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        url = served.stdout.readline().split()[-1]
        try:
            yield f"--endpoint-url {url}"
        finally:
            served.terminate()


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    return run(["git", *who, *words], folder, GIT_CONFIG_GLOBAL=os.devnull)


def pre_commit(scratch):
    """Both hooks, in a repository with a finding that can be fixed and a duplicate across files."""
    hooks = scratch / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    git(hooks, "init", "-q")
    git(hooks, "add", ".")
    git(hooks, "commit", "-qm", "hooks")
    rev = git(hooks, "rev-parse", "HEAD").stdout.strip()
    folder = scratch / "commit"
    write(folder / "manifests/a.yaml", GOOD.format("a"))
    git(folder, "init", "-q")
    # The binary under test is on the PATH, so that no environment is made for it.
    config = f"repos:\n- repo: {hooks}\n  rev: {rev}\n  hooks:\n"
    for hook in ("lineload-fix", "lineload"):
        config += f"  - id: {hook}\n    language: system\n"
    write(folder / ".pre-commit-config.yaml", config)
    home = {"PRE_COMMIT_HOME": str(scratch / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    tool = [sys.executable, "-m", "pre_commit"]
    installed = run([*tool, "install"], folder, **home)
    check(installed.returncode == 0, installed.stdout)
    git(folder, "add", ".")
    first = git_commit(folder, home)
    check(first.returncode == 0, first.stdout)
    # A fault of the staged file: fixed in place, and the commit stops so that it can be looked at.
    write(folder / "manifests/b.yaml", FIXABLE.format("b"))
    git(folder, "add", ".")
    fixed = git_commit(folder, home)
    check(fixed.returncode == 1 and "files were modified by this hook" in fixed.stdout, fixed.stdout)
    check("Rows: '12'" in (folder / "manifests/b.yaml").read_text(), fixed.stdout)
    git(folder, "add", ".")
    check(git_commit(folder, home).returncode == 0, "the fixed file is not committed")
    # A duplicate of a file that is not part of the commit.
    write(folder / "manifests/c.yaml", GOOD.format("a"))
    git(folder, "add", ".")
    twice = git_commit(folder, home)
    check(twice.returncode == 1 and "duplicate-name" in twice.stdout, twice.stdout)
    # A commit without manifests runs neither.
    git(folder, "reset", "-q", "--hard")
    write(folder / "notes.txt", "notes\n")
    git(folder, "add", ".")
    other = git_commit(folder, home)
    check(other.returncode == 0 and other.stdout.count("(no files to check)Skipped") == 2, other.stdout)
    print("pre-commit: both hooks")


def git_commit(folder, home):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    return run(["git", *who, "commit", "-m", "change"], folder, **home)


class GitHub(http.server.BaseHTTPRequestHandler):
    """Keeps the comments of a pull request as GitHub does."""

    comments = []
    refused = False

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]

    def do_GET(self):
        page = int(re.search(r"[?&]page=(\d+)", self.path)[1])
        if GitHub.refused:
            return self.answer(403, {"message": "Resource not accessible by integration"})
        self.answer(200, GitHub.comments[(page - 1) * 100 : page * 100])

    def do_POST(self):
        check(self.path == "/repos/o/r/issues/7/comments", self.path)
        check(self.headers["Authorization"] == "Bearer secret", self.headers)
        comment = {"id": 1000 + len(GitHub.comments), "body": self.body(), "user": {"type": "Bot"}}
        GitHub.comments.append(comment)
        self.answer(201, {**comment, "html_url": "https://example.com/comment"})

    def do_PATCH(self):
        number = int(self.path.removeprefix("/repos/o/r/issues/comments/"))
        comment = next(one for one in GitHub.comments if one["id"] == number)
        comment["body"] = self.body()
        self.answer(200, comment)

    def log_message(self, *_):
        pass


class Runner:
    """Runs the steps of a composite action, as far as this one needs a runner."""

    def __init__(self, folder, event, ref, inputs, api):
        self.action = yaml.safe_load((ROOT / "action.yml").read_text())
        self.folder = folder
        temporary = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
        event_file = temporary / "event.json"
        details = {"repository": {"default_branch": "main"}}
        if event == "pull_request":
            details["pull_request"] = {"number": 7}
        event_file.write_text(json.dumps(details))
        self.files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"):
            self.files[name] = temporary / name
            self.files[name].touch()
        self.environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(event_file),
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": "1a2b3c4d",
            "GITHUB_API_URL": api,
            "RUNNER_TEMP": str(temporary),
            **{name: str(file) for name, file in self.files.items()},
        }
        known = self.action["inputs"]
        check(set(inputs) <= set(known), inputs)
        values = {name: str(one.get("default", "")) for name, one in known.items()}
        self.values = {f"inputs.{name}": value for name, value in {**values, **inputs}.items()}
        self.values |= {
            "github.token": "secret",
            "github.action_path": str(ROOT),
            "github.event_name": event,
            "github.ref": ref,
            "github.event.repository.default_branch": "main",
        }
        self.log = ""

    def filled(self, text):
        """Returns text with its expressions replaced: names of values alone."""
        for _ in range(2):
            text = re.sub(r"\$\{\{ *([a-z_.-]+) *\}\}", lambda found: self.values[found[1]], text)
        check("${{" not in text, text)
        return text

    def wanted(self, condition):
        """Returns whether a step's condition holds: comparisons, joined by &&."""
        for part in condition.split("&&"):
            if part.strip() == "always()":
                continue
            if part.strip().startswith("steps.import.outputs.exit-code "):
                # Only an import that ran has one.
                if not (self.has_imported and "exit-code=" in self.output()):
                    return False
                continue
            left, compared, right = re.fullmatch(r"(\S+) (==|!=) (.+)", part.strip()).groups()
            formatted = re.fullmatch(r"format\('([^']*)', (\S+)\)", right)
            if formatted:
                right = formatted[1].replace("{0}", self.values[formatted[2]])
            else:
                right = re.fullmatch("'([^']*)'", right)[1]
            if (self.values[left] == right) != (compared == "=="):
                return False
        return True

    def run(self):
        """Runs every step, and returns the exit code of the first that fails."""
        failed = 0
        self.has_imported = self.has_saved = False
        for step in self.action["runs"]["steps"]:
            if failed and "always()" not in step.get("if", ""):
                continue
            if "if" in step and not self.wanted(step["if"]):
                continue
            if "uses" in step:
                self.has_saved |= "/save@" in step["uses"]
                check(re.fullmatch(r"actions/cache/(restore|save)@[0-9a-f]{40}", step["uses"]), step)
                continue
            check(step["shell"] == "bash", step)
            script = self.folder.parent / "step.sh"
            script.write_text(step["run"])
            environment = {name: self.filled(text) for name, text in step.get("env", {}).items()}
            added = [line for line in self.files["GITHUB_PATH"].read_text().splitlines() if line]
            path = os.pathsep.join([*reversed(added), str(LINELOAD.parent), os.environ["PATH"]])
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
            ran = run(command, self.folder, **{**self.environment, **environment, "PATH": path})
            self.log += f"== {step['name']}: {ran.returncode}\n{ran.stdout}"
            self.has_imported |= step.get("id") == "import"
            failed = failed or ran.returncode
        return failed

    def summary(self):
        return self.files["GITHUB_STEP_SUMMARY"].read_text()

    def output(self):
        return self.files["GITHUB_OUTPUT"].read_text()


def action(scratch, target):
    """Lint, plan with its comment, and import, each on the event that is to run it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{server.server_port}"
    # What somebody else wrote is not updated, whatever it begins with.
    stranger = {"id": 1, "body": "<!-- lineload plan -->\nmine", "user": {"type": "User"}}
    GitHub.comments.extend([stranger] + [{"id": 2, "body": "x", "user": None}] * 120)
    folder = scratch / "action"
    write(folder / "manifests/a.yaml", GOOD.format("a"))
    inputs = {"install": "none", "target": target}

    def job(event, ref="refs/heads/main", **more):
        runner = Runner(folder, event, ref, {**inputs, **more}, api)
        return runner, runner.run()

    pull, code = job("pull_request", "refs/pull/7/merge")
    check(code == 0 and pull.output() == "exit-code=3\n", pull.log)
    check(not pull.has_saved, "a pull request saves no journal")
    ours = [one for one in GitHub.comments if one["id"] >= 1000]
    check(len(ours) == 1 and "1 create" in ours[0]["body"], ours, pull.log)
    check("### lineload plan" in pull.summary(), pull.summary())
    write(folder / "manifests/b.yaml", GOOD.format("b"))
    pull, code = job("pull_request", "refs/pull/7/merge")
    ours = [one for one in GitHub.comments if one["id"] >= 1000]
    check(code == 0 and len(ours) == 1 and "2 creates" in ours[0]["body"], ours, pull.log)
    check(stranger["body"].endswith("mine"), stranger)
    # A token that may not comment, as of a pull request from a fork.
    GitHub.refused = True
    pull, code = job("pull_request", "refs/pull/7/merge")
    check(code == 0 and "the plan is in the summary only" in pull.log, pull.log)
    check(not (folder / ".lineload").exists(), "a pull request has written a journal")
    # Another branch imports nothing.
    branch, code = job("push", "refs/heads/topic")
    check(code == 0 and "Import" not in branch.log, branch.log)
    main, code = job("push")
    check(code == 0 and "created 2" in main.log, main.log)
    check("a" in main.summary() and main.output() == "exit-code=0\n", main.summary())
    write(folder / "manifests/c.yaml", GOOD.format("c"))
    write(folder / "manifests/d.yaml", GOOD.format("d"))
    most, code = job("push", **{"max-changes": "1"})
    check(code == 2 and most.output() == "exit-code=2\n", most.log)
    check(most.has_saved, "an import that failed saves its journal too")
    # A fault is annotated, and nothing after it runs.
    write(folder / "manifests/d.yaml", FIXABLE.format("d"))
    wrong, code = job("push")
    check(code == 1 and "::error" in wrong.log and "Import" not in wrong.log, wrong.log)
    # Inputs are words of a command, and no script.
    marker = scratch / "marker"
    bad, code = job("push", paths=f"manifests;touch${{IFS}}{marker} $(touch {marker})")
    check(code != 0 and not marker.exists(), bad.log)
    server.shutdown()
    print("action.yml: lint, plan with its comment, import")


def gitlab(scratch, target):
    """The script of each job, and its reports."""
    spec, jobs = yaml.safe_load_all((ROOT / "templates/lineload.yml").read_text())
    values = {name: str(one.get("default", "")) for name, one in spec["spec"]["inputs"].items()}
    values["target"] = target
    folder = scratch / "gitlab"
    write(folder / "manifests/a.yaml", FIXABLE.format("a"))
    predefined = {"CI_COMMIT_SHA": "1a2b3c4d", "CI_PROJECT_URL": "https://example.com/o/r"}

    def job(name):
        one = jobs[name]
        base = jobs[one["extends"]]
        lines = [*base["before_script"], *one["script"]]
        fill = lambda text: re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda m: values[m[1]], text)
        variables = {key: fill(text) for key, text in base["variables"].items()}
        script = "set -eo pipefail\n" + "\n".join(map(fill, lines))
        return run(["bash", "-c", script], folder, **predefined, **variables)

    lint = job("lineload-lint")
    check(lint.returncode == 1, lint.stdout)
    reports = jobs["lineload-lint"]["artifacts"]["reports"]
    quality = json.loads((folder / reports["codequality"]).read_text())
    check(quality[0]["check_name"] == "not-a-string", quality)
    check(quality[0]["location"]["path"] == "manifests/a.yaml", quality)
    suite = xml.etree.ElementTree.parse(folder / reports["junit"]).getroot()
    check(suite[0].get("failures") == "1", xml.etree.ElementTree.tostring(suite))
    write(folder / "manifests/a.yaml", GOOD.format("a"))
    check(job("lineload-lint").returncode == 0, "a valid tree fails")
    plan = job("lineload-plan")
    check(plan.returncode == 0 and "1 create" in plan.stdout, plan.stdout)
    imported = job("lineload-import")
    check(imported.returncode == 0 and "created 1" in imported.stdout, imported.stdout)
    for report in jobs["lineload-import"]["artifacts"]["paths"]:
        check((folder / report).stat().st_size > 0, report)
    print("templates/lineload.yml: lint with its reports, plan, import")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        pre_commit(scratch)
        if run([LINELOAD, "plan", "--help"], scratch).returncode != 0:
            print("not run without the AWS SDK: action.yml, templates/lineload.yml")
            return
        with registry() as target:
            action(scratch, target)
        with registry() as target:
            gitlab(scratch, target)


main()
