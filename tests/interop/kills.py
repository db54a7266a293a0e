"""Kills and starves the real `lineload import` and `lineload delete`, and counts what was lost and what was doubled.
Usage: kills.py LINELOAD [PART]... [--kills N] [--seed N] [--every N] [--lag SECONDS]

Prints a row of a table for each thing that was injected; every column from `lost` on must be 0, but for
what a row says is inherent. What is amiss is told on standard error, and the end is 1 then. Needs a C
compiler for `killing/disk.c`, strace to check its count, libfaketime for the part `clock`, and root for
full disks and for files that may not be written.

wanted, there, lost, doubled: artifacts, by the registry. second: attempts that came when the artifact
was there already. blind: attempts after one whose answer was not known, without a look-up that was
answered between. told wrong: artifacts that not exactly one entry of the journal says we created."""

import argparse
import collections
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from killing.lab import COLUMNS, Case, Lab, Proxy, Ran
from killing.starve import starve


def writes(lab):
    """SIGKILL at every change to the disk that the journal makes."""
    log = lab.folder / "log"
    counted(lab, log)
    for how in ("before", "after", "torn", "twice", "drop", "local"):
        lab.registry.misbehave(*([0, {("CreateArtifact", "drop-after-commit"): 0.5}] if how == "drop" else []))
        tally, kills, at = collections.Counter(), 0, 1
        while True:
            case = Case(lab, 6, loose=at % 2 == 0, local=how == "local")
            mode = "after" if how in ("twice", "drop", "local") else how
            ran = case.shimmed(at, mode, "--concurrency", "2", log=log)
            died = ran.code == -signal.SIGKILL
            kills += died
            if how == "twice" and died:
                kills += case.shimmed(at, "before", "--concurrency", "2").code == -signal.SIGKILL
            last = case.to_the_end("--concurrency", "2") if died else ran
            if not (case.folder / ".lineload/.gitignore").exists():
                lab.complain(f"writes {how} {at}: the journal's folder has no .gitignore")
            lab.judged(f"writes {how} {at}", case, tally, last)
            made = len(log.read_text().splitlines())
            at += lab.every
            if not died and at > made:
                break
        what = {
            "before": "SIGKILL before write N",
            "after": "SIGKILL after write N",
            "torn": "SIGKILL in the middle of write N",
            "twice": "SIGKILL after write N, and before write N of the next run",
            "drop": "SIGKILL after write N, with half of the answers lost",
            "local": "SIGKILL after write N of the journal or of the embedded registry (`--local`)",
        }
        lab.row("writes", f"{what[how]}, N = 1 to {made}", kills, tally)
    lab.registry.misbehave()


def deletes(lab):
    """SIGKILL at every change to the disk that the journal makes in a `delete --run`. It is run again, or, every
    other time, an import of all manifests follows at once; at the end such an import creates each again."""
    log = lab.folder / "log"
    what = {
        "before": "a delete: SIGKILL before write N",
        "after": "a delete: SIGKILL after write N",
        "torn": "a delete: SIGKILL in the middle of write N",
        "twice": "a delete: SIGKILL after write N, and before write N of the next",
        "drop": "a delete: SIGKILL after write N, with half of the answers lost",
        "local": "a delete: SIGKILL after write N of the journal or of the embedded registry (`--local`)",
    }
    for how in what:
        tally, kills, at = collections.Counter(), 0, 1
        while True:
            case = Case(lab, 4, local=how == "local")
            doomed = list(case.uris)
            case.run()
            case.add(2)
            case.run()
            delete = ("delete", "--run", case.first_run(), "--concurrency", "2")
            if how == "drop":
                lab.registry.misbehave(0, {("DeleteArtifact", "drop-after-commit"): 0.5})
            mode = "after" if how in ("twice", "drop", "local") else how
            ran = case.shimmed(at, mode, *delete, log=log)
            died = ran.code == -signal.SIGKILL
            kills += died
            if how == "twice" and died:
                kills += case.shimmed(at, "before", *delete).code == -signal.SIGKILL
            name = f"deletes {how} {at}"
            if not died or at % 2:
                last = case.to_the_end(*delete)
                there = case.there()
                undeleted = [uri for uri in doomed if there.get(uri)]
                lost = [uri for uri in case.uris if uri not in doomed and len(there.get(uri, [])) != 1]
                untold = [uri for uri in doomed if case.deleted().get(uri) != 1]
                tally["lost"] += len(lost)
                tally["second"] += len(undeleted)
                tally["told wrong"] += len(untold)
                if last.code or undeleted or lost or untold:
                    lab.complain(f"{name}: {last.code}, left {undeleted}, lost {lost}, told {untold}: {last.err}")
            lab.registry.misbehave()
            last = case.to_the_end()
            there = case.there()
            lost = [uri for uri in case.uris if not there.get(uri)]
            doubled = [uri for uri in case.uris if len(there.get(uri, [])) > 1]
            tally["wanted"] += len(doomed)
            tally["there"] += len(case.uris) - len(lost)
            tally["lost"] += len(lost)
            tally["doubled"] += len(doubled)
            tally["runs"] += case.runs
            if last.code or lost or doubled:
                lab.complain(f"{name}, then an import: {last.code}, lost {lost}, doubled {doubled}: {last.err}")
            case.close()
            made = len(log.read_text().splitlines())
            at += lab.every
            if not died and at > made:
                break
        note = "wanted: to be deleted; second: not deleted; lost: others deleted, or not created again"
        lab.row("deletes", f"{what[how]}, N = 1 to {made}", kills, tally, note)
    lab.registry.misbehave()


def counted(lab, log):
    """disk.c sees what strace sees."""
    if not shutil.which("strace"):
        print("  there is no strace to check what disk.c counts", file=sys.stderr)
        return
    case = Case(lab, 6)
    kinds = ("pwrite", "fsync", "fdatasync", "ftruncate")
    calls = "trace=pwrite64,fsync,fdatasync,ftruncate"
    names = [case.journal.parent, *(f"{case.journal}{end}" for end in ("", "-wal", "-shm", "-journal", ".lock"))]
    files = [word for name in names for word in ("-P", name)]
    trace = lab.folder / "strace"
    env = {"LD_PRELOAD": lab.shim, "KILLS_FOLDER": case.journal.parent, "KILLS_LOG": log}
    env = [word for name, value in env.items() for word in ("-E", f"{name}={value}")]
    case.run(wrap=["strace", "-f", "-qq", "-o", trace, *files, "-e", calls, *env])
    ours = sum(line.split()[1] in kinds for line in log.read_text().splitlines())
    theirs = sum("resumed" not in line for line in trace.read_text().splitlines() if "(" in line)
    print(f"  writes of a run: {ours} by disk.c, {theirs} by strace", file=sys.stderr)
    if ours != theirs:
        lab.complain("disk.c does not see what strace sees")
    case.close()


def killed(lab, case, *args):
    """SIGKILL after 30 to 800 ms, or the code it ended with."""
    return case.killed(lab.random.uniform(0.03, 0.8), *args)


def asked(lab, case, *args):
    """SIGTERM instead, and a second one soon after it every other time."""
    child = case.start(*args, stdout=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(lab.random.uniform(0.1, 0.8))
    for _ in range(lab.random.randint(1, 2)):
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(lab.random.uniform(0, 0.1))
    err = child.communicate(timeout=60)[1].decode()
    # One that comes before anybody listens ends the process as it always does.
    if child.returncode not in (0, 143, -signal.SIGTERM):
        lab.complain(f"SIGTERM: ended with {child.returncode}: {err}")
    return 0 if child.returncode == 0 else None


def at_random(lab, part, what, kills, entries, misbehave, *args, end=killed, **how):
    """Ends runs at random moments, one set of manifests after the other."""
    tally, done = collections.Counter(), 0
    while done < kills:
        case = Case(lab, entries, **{"loose": Case.number % 2 == 0} | how)
        misbehave(case)
        # What a killed run leaves open, the next settles first; where it never gets on, it is let.
        for _ in range(60):
            if (code := end(lab, case, *args)) is not None:
                break
            done += 1
        last = case.to_the_end(*args) if code != 0 else None
        lab.registry.misbehave()
        lab.judged(f"{part}, {what}", case, tally, last)
    lab.row(part, what, done, tally)


def random_moments(lab):
    """SIGKILL at random moments."""
    def slow(_):
        lab.registry.misbehave(lab.random.randint(20, 50))

    def late(case):
        # Within --settle, and after --timeout.
        case.proxy.delay = 0.2

    few, many = lab.kills // 3, lab.kills
    at_random(lab, "random", "SIGKILL after 30 to 800 ms, latency 20 to 50 ms", many, 60, slow, "--rate", "60")
    at_random(lab, "random", "the same, 16 at once as fast as they go", few, 300, slow, "--rate", "unlimited")
    at_random(lab, "random", "the same with `--local`: both die", few, 100, slow, "--rate", "100", local=True)
    args = ("--rate", "60", "--timeout", "100ms")
    at_random(lab, "random", "the same, creates come 200 ms late, after `--timeout`", few, 20, late, *args)
    what = "SIGTERM, one or two, latency 20 to 50 ms"
    at_random(lab, "random", what, few, 60, slow, "--rate", "60", end=asked)


KINDS = ("drop-before-commit", "drop-after-commit", "error-500", "hang", "garbage")
ALL = {("CreateArtifact", kind): 0.07 for kind in KINDS} | {("ListArtifacts", kind): 0.05 for kind in KINDS}


HALF = {("CreateArtifact", "drop-after-commit"): 0.3, ("CreateArtifact", "error-500"): 0.2}
HANGS = {("CreateArtifact", "hang"): 1.0}


def faults(lab):
    """Faults of every kind at once."""
    tally, count = collections.Counter(), 0
    for at in range(6):
        case = Case(lab, 100, loose=at % 2 == 1)
        lab.registry.misbehave(5, ALL)
        last = case.to_the_end("--rate", "100")
        lab.registry.misbehave()
        count += sum(note[3] != 200 for notes in case.proxy.seen.values() for note in notes)
        lab.judged("faults", case, tally, last)
    lab.row("faults", "35 % of creates and 25 % of look-ups, of every kind", count, tally)

    def all_of_them(_):
        lab.registry.misbehave(lab.random.randint(5, 30), ALL)

    few = lab.kills // 3
    at_random(lab, "faults", "the same, and SIGKILL after 30 to 800 ms", few, 40, all_of_them, "--rate", "60")
    at_random(lab, "faults", "the same, and SIGTERM, one or two", few, 40, all_of_them, "--rate", "60", end=asked)
    unresolved(lab)


def unresolved(lab):
    """Look-ups fail for so long that an entry stays unresolved; the next run has to ask first."""
    for name, rate in (("70 % of the", 0.7), ("all", 1.0)):
        tally = collections.Counter()
        for loose in (False, True):
            case = Case(lab, 20, loose)
            lab.registry.misbehave(5, HALF | {("ListArtifacts", "error-500"): rate})
            # The second finds look-ups no better, the third does.
            case.run("--rate", "100")
            case.run("--rate", "100")
            lab.registry.misbehave()
            lab.judged(f"faults, {name} look-ups fail", case, tally, case.to_the_end("--rate", "100"))
        lab.row("faults", f"half of the creates unanswered, {name} look-ups fail in two runs", 2, tally)
    tally = collections.Counter()
    for loose in (False, True):
        case = Case(lab, 20, loose)
        lab.registry.misbehave(0, HANGS)
        case.killed(0.6, "--rate", "unlimited", "--concurrency", "20")
        lab.registry.misbehave(0, {("ListArtifacts", "error-500"): 1.0})
        case.run("--rate", "100")
        lab.registry.misbehave()
        lab.judged("faults, look-ups fail after a kill", case, tally, case.to_the_end("--rate", "100"))
    lab.row("faults", "SIGKILL with 20 attempts open, all look-ups of the next run fail", 2, tally)


def clock(lab):
    """The clock steps back, or ahead, between two runs and within one."""
    fake = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if fake is None:
        lab.complain("clock: there is no libfaketime")
        return
    # Timers go by the clock that never steps.
    faked = {"LD_PRELOAD": str(fake), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    steps = [("+0", "+0"), ("+0", "-1h"), ("+0", "+1h"), ("-1h", "+0"), ("-4m", "+4m"), ("+4m", "-4m"), ("+1h", "+0")]
    for first, second in steps:
        tally, opened = collections.Counter(), 0
        for loose in (False, True):
            case = Case(lab, 20, loose)
            # No answer comes; half of them are done.
            lab.registry.misbehave(0, HANGS)
            case.killed(0.7, "--rate", "unlimited", "--concurrency", "20", env=faked | {"FAKETIME": first})
            lab.registry.misbehave()
            opened += len(case.proxy.seen)
            last = case.run("--rate", "100", env=faked | {"FAKETIME": second})
            told = ahead(first).get("inherent", ())
            lab.judged(f"clock {first}, then {second}", case, tally, last, inherent=told)
        what = f"SIGKILL with the clock at {first}, goes on at {second}: attempts open"
        lab.row("clock", what, opened, tally, **ahead(first))
    for first, second in (("+0", "-3600"), ("+0", "+3600"), ("+3600", "+0")):
        tally = collections.Counter()
        for loose in (False, True):
            case = Case(lab, 60, loose)
            now = case.folder / "now"
            now.write_text(first)
            lab.registry.misbehave(20, HALF)
            env = faked | {"FAKETIME_TIMESTAMP_FILE": str(now), "FAKETIME_NO_CACHE": "1"}
            child = case.start("--rate", "30", env=env)
            time.sleep(1.0)
            now.write_text(second)
            out, err = child.communicate(timeout=120)
            lab.registry.misbehave()
            last = Ran(child.returncode, out.decode(), err.decode())
            told = ahead(first, second).get("inherent", ())
            lab.judged(f"clock from {first} to {second} s", case, tally, last, inherent=told)
        what = f"within a run from {first} s to {second} s, half of the answers lost"
        lab.row("clock", what, 2, tally, **ahead(first, second))


def ahead(*offsets):
    """Of a clock that is an hour ahead of the target's, what we created seems to be older than our
    attempt. AWS takes no request of such a clock."""
    if not {"+1h", "+3600"} & set(offsets):
        return {}
    return {"inherent": ["told wrong"], "note": "told wrong is inherent: the target's clock is an hour behind"}


def two(lab):
    """Two runs at once."""
    one_journal(lab, "two runs with one journal, 0 to 380 ms apart: refused", 20, ".lineload/journal.sqlite3")
    one_journal(lab, "the same, the second by a symlink to it: refused", 5, "link.sqlite3")
    two_journals(lab, "two runs with two journals", {})
    two_journals(lab, "the same, half of the answers lost", HALF)


def one_journal(lab, what, times, name):
    tally, refused = collections.Counter(), 0
    for at in range(times):
        lab.registry.misbehave(20)
        case = Case(lab, 30)
        (case.folder / "link.sqlite3").symlink_to(".lineload/journal.sqlite3")
        own, their = case.proxy, Proxy(lab.registry.port)
        first = case.start("--rate", "60")
        # By another name it is another only where it is there.
        time.sleep(0.02 * at + (0.1 if name.startswith("link") else 0))
        case.proxy = their
        second = case.start("--rate", "60", "--journal", name)
        case.proxy = own
        said = "is a symlink to" if name.startswith("link") else "in use by process {pid} on "
        ends = []
        for child, mine, theirs in ((first, own, second), (second, their, first)):
            err = child.communicate(timeout=60)[1].decode()
            ends.append(child.returncode)
            if child.returncode == 2:
                refused += 1
                if said.format(pid=theirs.pid) not in err:
                    lab.complain(f"{what}: the holder is not named: {err}")
                if mine.requests:
                    lab.complain(f"{what}: {mine.requests} requests of the one that was refused")
        if sorted(ends) != [0, 2]:
            lab.complain(f"{what}: ended with {ends}")
        for uri, notes in their.seen.items():
            own.seen[uri].extend(notes)
        their.close()
        lab.registry.misbehave()
        lab.judged(what, case, tally)
    lab.row("two", what, refused, tally)


def two_journals(lab, what, bad):
    tally, both, none = collections.Counter(), 0, 0
    for _ in range(10):
        lab.registry.misbehave(20, bad)
        one, other = Case(lab, 60), Case(lab, 0)
        shutil.copytree(one.folder / "manifests", other.folder / "manifests", dirs_exist_ok=True)
        children = [case.start("--rate", "100") for case in (one, other)]
        for child in children:
            err = child.communicate(timeout=120)[1].decode()
            if child.returncode != 0:
                lab.complain(f"{what}: ended with {child.returncode}: {err}")
        lab.registry.misbehave()
        told = collections.Counter(one.told()) + collections.Counter(other.told())
        both += sum(told[uri] > 1 for uri in one.uris)
        none += sum(told[uri] == 0 for uri in one.uris)
        ours = collections.Counter()
        one.judge(ours, journal=False)
        # That both try is what two journals mean.
        for name in ("wanted", "there", "lost", "doubled", "blind"):
            tally[name] += ours[name]
        tally["runs"] += 2
        one.close()
        other.close()
    tally["told wrong"] = both + none
    # Where the answer is lost, a listing does not say whose of two alike requests it was.
    inherent = ["told wrong"] if bad and not none else []
    lab.row("two", what, 10, tally, f"told wrong is {'inherent: ' if bad else ''}told by both {both}, by none {none}", inherent)


PARTS = {"writes": writes, "deletes": deletes, "random": random_moments, "faults": faults, "clock": clock, "two": two, "starve": starve}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lineload")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--kills", type=int, default=300, help="at random moments (300)")
    parser.add_argument("--every", type=int, default=1, help="only every Nth write of the journal")
    parser.add_argument("--lag", type=float, default=0.0, help="seconds that the registry's lists and tags lag behind its writes")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--verbose", action="store_true", help="every request of some sources that went wrong")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    print(f"seed {args.seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        os.chmod(folder, 0o755)
        lab = Lab(args, pathlib.Path(folder))
        print("| " + " | ".join(COLUMNS) + " | |\n|" + "---|" * (len(COLUMNS) + 1), flush=True)
        try:
            for part in args.parts or PARTS:
                PARTS[part](lab)
        finally:
            lab.registry.child.kill()
            lab.registry.child.wait()
    for what, times in lab.complaints.items():
        if times > 2:
            print(f"  !! {times} times: {what}", file=sys.stderr)
    sys.exit(lab.failed)


main()
