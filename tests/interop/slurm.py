"""Lints and imports a tree as array jobs of a real Slurm, and compares with one machine.

slurm.py LINELOAD [ARTIFACTS]     200,000 by default, in files of 100: three minutes on two cores

LINELOAD is a binary with the AWS SDK. Starts Slurm on this machine in a temporary directory, as one node
with two CPUs, and stops it at the end. The findings of eight shards and of `merge-index` must be those
of one machine, and eight imports, of which two are killed and run again, must create each artifact
exactly once. Prints a table in Markdown. Ends with 1 if something differs.
"""

import collections
import contextlib
import getpass
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

from inputs import item

PROGRAMS = ["munged", "slurmctld", "slurmd", "sinfo", "sbatch", "squeue", "scancel", "scontrol"]
PER_FILE, TASKS = 100, 8
# The tasks that are killed, by how they run again. At its rate, an import takes TASK_SECONDS.
REQUEUED, RESUBMITTED = 3, 6
TASK_SECONDS = 8
DUPLICATES = {"duplicate-name", "duplicate-source"}
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "NODE_FAIL", "TIMEOUT", "OUT_OF_MEMORY"}

SLURM_CONF = """\
ClusterName=lineload
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
KillWait=5
MinJobAge=86400
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes={host} Default=YES
"""

JOB = """\
#!/bin/bash
#SBATCH --array=1-{tasks}
#SBATCH --cpus-per-task=1
#SBATCH --output=logs/%A-%a.log
task=$SLURM_ARRAY_TASK_ID
echo $$ > pids/$task
exec {lineload} --isolated -q {command} --shard "${{SHARD:-auto}}" --threads "$SLURM_CPUS_PER_TASK" {options}
"""


class Slurm:
    """A cluster of one node, with its own key, ports and directory."""

    def __init__(self, folder):
        # Munge refuses a socket that not everybody can reach.
        folder.chmod(0o755)
        self.folder, self.daemons = folder, []
        for name in ("state", "spool", "logs", "pids", "indexes", "findings", "journals"):
            (folder / name).mkdir()
        (folder / "munge.key").touch(0o600)
        (folder / "munge.key").write_bytes(os.urandom(1024))
        host, user = socket.gethostname().partition(".")[0], getpass.getuser()
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            ports = [free.getsockname()[1] for free in (one, other)]
        conf = SLURM_CONF.format(host=host, ports=ports, user=user, folder=folder)
        (folder / "slurm.conf").write_text(conf)
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        self.version = self.ask("slurmctld", "-V").split()[-1]
        # Nothing here needs cgroups, but they can be disabled only since 24.05.
        recent = tuple(map(int, self.version.split(".")[:2])) >= (24, 5)
        (folder / "cgroup.conf").write_text(f"CgroupPlugin={'disabled' if recent else 'cgroup/v1'}\n")

    def __enter__(self):
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
        options = [f"--{option}={self.folder}/munge.{ending}" for option, ending in files.items()]
        state = ["sinfo", "--noheader", "--format=%T"]
        try:
            self.start("munged", "--foreground", *options)
            wait_until((self.folder / "munge.socket").exists, "munged", 10)
            self.start("slurmctld", "-D")
            self.start("slurmd", "-D")
            wait_until(lambda: self.ask(*state, check=False) == "idle", "the node", 30)
        except BaseException:
            self.__exit__()
            for log in self.folder.glob("*.log"):
                print(f"{log.name}:\n{log.read_text()[-2000:]}", file=sys.stderr)
            raise
        return self

    def __exit__(self, *_):
        """Ends the jobs, which would outlive their node, then the daemons."""
        with contextlib.suppress(TimeoutError, RuntimeError):
            self.ask("scancel", "--user", getpass.getuser())
            wait_until(lambda: not self.ask("squeue", "--noheader"), "the end of all jobs", 20)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
            daemon.kill()

    def start(self, program, *options):
        with (self.folder / f"{program}.log").open("w") as log:
            # Ctrl-C ends the script, and the script ends the daemons.
            how = {"cwd": self.folder, "stdout": log, "stderr": log, "start_new_session": True}
            self.daemons.append(subprocess.Popen([program, *options], **how))

    def ask(self, *command, check=True, **variables):
        """Returns what a command of Slurm prints."""
        env = os.environ | variables
        ran = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
        if check and ran.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {ran.stderr}")
        return ran.stdout.strip()

    def submit(self, name, *options, **variables):
        """Submits a job file. Returns the number of the job."""
        return self.ask("sbatch", "--parsable", *options, name, **variables)

    def wait(self, job):
        """Waits until all tasks of a job have ended. Returns the state and the exit code of each."""
        def tasks():
            lines = self.ask("scontrol", "--oneliner", "show", "job", job).splitlines()
            shown = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
            return {task["ArrayTaskId"]: (task["JobState"], task["ExitCode"]) for task in shown}

        wait_until(lambda: {state for state, _ in tasks().values()} <= ENDED, f"job {job}")
        return tasks()


class Lab:
    """The cluster's directory with trees and results, and the table of what was done there."""

    def __init__(self, lineload, count, slurm):
        self.lineload, self.count, self.slurm, self.folder = lineload, count, slurm, slurm.folder
        self.failed, self.began = False, time.monotonic()

    def row(self, step, counts, *differences):
        """Prints a row. The time is that since the row before it."""
        differences = [difference for difference in differences if difference]
        seconds = time.monotonic() - self.began
        print(f"| {step} | {seconds:.1f} | {counts} | {'; '.join(differences) or 'OK'} |", flush=True)
        self.failed |= bool(differences)
        self.began = time.monotonic()

    def json(self, *words):
        command = [self.lineload, "--isolated", *words, "--format", "json"]
        return json.loads(subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, check=True).stdout)

    def status(self, *tasks):
        """Returns the counts of all runs in the journals of these tasks, added up."""
        journals = [word for task in tasks for word in ("--journal", f"journals/{task}.sqlite3")]
        runs = self.json("status", *journals, "--runs", "100")["runs"]
        return sum((collections.Counter(run["counts"]) for run in runs), collections.Counter())

    def write_tree(self, name, item_at):
        for start in range(0, self.count, PER_FILE):
            path = self.folder / f"{name}/{start // 10_000:03}/{start // PER_FILE:05}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(map(item_at, range(start, min(start + PER_FILE, self.count)))))

    def write_job(self, name, command, options):
        job = JOB.format(tasks=TASKS, lineload=self.lineload, command=command, options=options)
        (self.folder / name).write_text(job)

    @contextlib.contextmanager
    def registry(self):
        """Serves a registry in `registry.sqlite3`. Yields its URL."""
        command = [self.lineload, "--isolated", "serve", "--db", "registry.sqlite3", "--port", "0"]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def kill_in_the_middle(self, task):
        """Kills the import of a task once a quarter of its artifacts exist. Returns how far it came."""
        journal, quarter = self.folder / f"journals/{task}.sqlite3", self.count // TASKS // 4
        wait_until(lambda: journal.exists() and self.status(task)["created"] > quarter, f"task {task}")
        os.kill(int((self.folder / f"pids/{task}").read_text()), signal.SIGKILL)
        counts = self.status(task)
        return f"task {task} with {counts['created']:,} created, {counts['pending'] + counts['open']:,} left"


def wait_until(condition, what, seconds=1800):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def faulty_item(at, count):
    """Returns an artifact; one in 200 has a finding, mostly the name or the source of another one."""
    other = (at * 7919 + 13) % count
    own_name = f"dataset-{at}\n"
    if at % 650 == 7:
        return item(at).replace(own_name, f"dataset-{other}\n")
    if at % 650 == 300:
        return item(other).replace(f"dataset-{other}\n", own_name)
    if at % 6500 == 100:
        return item(at).replace(own_name, f"dataset-{count // 2}\n")
    if at % 1000 == 500:
        return item(at).replace("s3://bucket", "s3://Bucket")
    return item(at) + ("  Sauce: none\n" if at % 2000 == 950 else "")


def findings(diagnostics):
    """Returns them as they are compared, counted."""
    def place(one):
        start = one["span"]["start"]
        return one["message"], one["file"], start["line"], start["column"]

    return collections.Counter((one["code"], *place(one), *map(place, one["related"])) for one in diagnostics)


def unequal(found, wanted):
    """Returns what differs between two counters, or nothing."""
    missing, more = wanted - found, found - wanted
    if not missing and not more:
        return ""
    return f"{missing.total():,} missing, {more.total():,} too many, such as {next(iter(missing or more))}"


def failures(tasks, killed=()):
    """Returns the tasks that did not end as they should, or nothing."""
    numbers = range(1, TASKS + 1)
    wanted = {str(task): ("FAILED", "0:9") if task in killed else ("COMPLETED", "0:0") for task in numbers}
    return "" if tasks == wanted else f"tasks ended with {tasks}"


def compare_lint(lab):
    """Lints with one process and with an array job, and compares the findings."""
    lab.write_tree("faulty", lambda at: faulty_item(at, lab.count))
    lab.row("write a tree with findings", f"{lab.count:,} artifacts in {-(-lab.count // PER_FILE):,} files")
    one = lab.json("lint", "faulty", "--fail-on", "never")
    wanted = findings(one["diagnostics"])
    lab.row("lint, one machine", f"{wanted.total():,} findings")

    options = "--index indexes/$task --format json --fail-on never > findings/$task.json"
    lab.write_job("lint.sbatch", "lint faulty", options)
    tasks = lab.slurm.wait(lab.slurm.submit("lint.sbatch"))
    shards = [json.loads(path.read_text()) for path in (lab.folder / "findings").iterdir()]
    artifacts = [shard["summary"]["artifacts"] for shard in shards]
    counts = f"{min(artifacts):,} to {max(artifacts):,} artifacts a task"
    lost = "" if sum(artifacts) == one["summary"]["artifacts"] else f"{sum(artifacts):,} artifacts in all"
    lab.row(f"lint, {TASKS} tasks", counts, failures(tasks), lost)

    indexes = [f"indexes/{task}" for task in range(1, TASKS + 1)]
    merged = findings(lab.json("merge-index", *indexes, "--fail-on", "never")["diagnostics"])
    of_shards = sum((findings(shard["diagnostics"]) for shard in shards), collections.Counter())
    others = collections.Counter({one: n for one, n in of_shards.items() if one[0] not in DUPLICATES})
    across = (merged - of_shards).total()
    size = sum((lab.folder / index).stat().st_size for index in indexes) / 1e6
    counts = f"{merged.total():,} duplicates, {across:,} across shards; {others.total():,} other findings; {size:.1f} MB"
    useless = "" if across and others else "the tree does not show what it is meant to"
    lab.row("merge-index", counts, unequal(merged + others, wanted), useless)


def artifact_row(at):
    """Returns what the registry holds of an artifact."""
    types = [{"SourceIdType": "S3ETag", "Value": f"c0ffee{at:026x}"}]
    properties = {"Format": "parquet", "Owner": f"team: {at % 31}", "Title": f"Dataset number {at} of a lake"}
    documents = (json.dumps(one, separators=(",", ":")) for one in (types, properties, {"CommitId": f"c{at:07x}"}))
    return f"dataset-{at}", "DataSet", f"s3://bucket-{at % 97}/prefix/{at}", *documents, f"stage=prod team=team-{at % 31}"


def registry_rows(path):
    tags = "SELECT group_concat(key || '=' || value, ' ') FROM (SELECT * FROM tags WHERE artifact = row ORDER BY key)"
    query = f"SELECT name, type, uri, source_types, properties, metadata, ({tags}) FROM artifacts"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return collections.Counter(database.execute(query))


def compare_import(lab):
    """Imports with an array job, kills two tasks and runs them again, and compares the registry."""
    slurm, killed, shard = lab.slurm, (REQUEUED, RESUBMITTED), f"{RESUBMITTED}/{TASKS}"
    rate = lab.count // TASKS // TASK_SECONDS
    lab.write_tree("valid", item)
    lab.row("write a tree without findings", f"{lab.count:,} artifacts")
    with lab.registry() as url:
        options = f"--journal journals/$task.sqlite3 --endpoint-url {url} --rate {rate} --yes"
        lab.write_job("import.sbatch", "import valid", options)
        job = slurm.submit("import.sbatch")
        progress = [lab.kill_in_the_middle(task) for task in killed]
        lab.row(f"import, {TASKS} tasks", f"SIGKILL: {'; '.join(progress)}", failures(slurm.wait(job), killed))

        # To a task that is submitted alone Slurm says that it is the only one of its array.
        alone = slurm.wait(slurm.submit("import.sbatch", f"--array={RESUBMITTED}"))
        refused = alone == {str(RESUBMITTED): ("FAILED", "2:0")}
        lab.row(f"`auto` in `--array={RESUBMITTED}`", str(alone), "" if refused else "not refused with exit code 2")

        slurm.ask("scontrol", "requeue", f"{job}_{REQUEUED}")
        again = slurm.wait(slurm.submit("import.sbatch", f"--array={RESUBMITTED}", SHARD=shard))
        ways = f"task {REQUEUED} by `scontrol requeue`, task {RESUBMITTED} by `--shard {shard}`"
        lab.row("both again", ways, failures(slurm.wait(job) | again))

    rows = registry_rows(lab.folder / "registry.sqlite3")
    wanted = collections.Counter(map(artifact_row, range(lab.count)))
    lab.row("compare the registry", f"{rows.total():,} artifacts", unequal(rows, wanted))
    counts = lab.status(*range(1, TASKS + 1))
    made = counts["created"] + counts["recovered"]
    text = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
    lab.row(f"status of {TASKS} journals", text, "" if made == lab.count else f"{made:,} created and recovered")


def main():
    # Where Debian has the daemons.
    os.environ["PATH"] += ":/usr/sbin"
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        sys.exit(f"{', '.join(missing)} not found; on Debian: apt-get install slurmctld slurmd slurm-client munge")
    lineload = str(pathlib.Path(sys.argv[1]).resolve())
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    # A `with` stops what was started only if the script ends by an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("| step | time, s | counts | result |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        lab = Lab(lineload, count, Slurm(pathlib.Path(folder)))
        with lab.slurm:
            lab.row(f"start Slurm {lab.slurm.version}", "1 node, 2 CPUs")
            compare_lint(lab)
            compare_import(lab)
    sys.exit(lab.failed)


main()
