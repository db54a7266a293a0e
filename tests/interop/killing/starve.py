"""What the machine does not give: disk, files, memory, an output, a journal that is whole."""

import collections
import contextlib
import errno
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

from .lab import Case, Ran

NOBODY = 65534


def limit(what, most):
    return lambda: resource.setrlimit(what, (most, most))


def corrupt(path, rng, pages):
    data = bytearray(path.read_bytes())
    for _ in range(pages):
        at = rng.randrange(0, max(1, len(data) // 4096)) * 4096 + rng.randrange(0, 4096)
        length = rng.choice([1, 8, 200, 4096])
        data[at:at + length] = rng.randbytes(min(length, max(0, len(data) - at)))
    path.write_bytes(data)


class Starved:
    """Counts the ends of runs that had to do without something."""

    def __init__(self, lab, what):
        self.lab, self.what = lab, what
        self.tally, self.times, self.codes = collections.Counter(), 0, collections.Counter()

    def ended(self, case, ran, allowed, silent=False, sent_before=0, told=None):
        self.times += 1
        self.codes[ran.code] += 1
        said = ran.err.strip().splitlines()
        last = said[-1] if said else ""
        amiss = None
        if "panicked" in ran.err or ran.code in (101, 134):
            amiss = "a panic"
        elif ran.code not in allowed:
            amiss = f"not one of {sorted(allowed)}"
        elif ran.code == 2 and case.proxy.creates > sent_before:
            amiss = f"{case.proxy.creates - sent_before} creates were sent"
        elif ran.code and not silent and not any(line.startswith("error:") for line in said):
            amiss = "no message"
        elif told and not silent and ran.code and not re.search(told, ran.err):
            amiss = f"the message does not say {told!r}"
        if amiss:
            self.lab.complain(f"starve, {self.what}: ended with {ran.code}: {amiss}: {ran.err.strip()[-400:] or last}")
        return amiss

    def over(self, case):
        """All is given back: the next run must come to a good end."""
        last = case.to_the_end("--rate", "unlimited")
        self.lab.judged(f"starve, {self.what}, afterwards", case, self.tally, last)

    def row(self):
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items(), key=str))
        self.lab.row("starve", self.what, self.times, self.tally, f"exit codes {codes}")


def starve(lab):
    """What the machine does not give."""
    lab.registry.misbehave()
    disks(lab)
    damaged(lab)
    outputs(lab)
    limits(lab)


def disks(lab):
    for number, name in ((errno.ENOSPC, "no space"), (errno.EIO, "an I/O error")):
        for then_on in ("", "+"):
            starved = Starved(lab, f"{name} at write N of the journal" + (" and at all after it" if then_on else ""))
            at, log = 1, lab.folder / "log"
            while True:
                case = Case(lab, 6, loose=at % 2 == 0)
                ran = case.shimmed(at, f"{number}{then_on}", "--concurrency", "2", "--report", "r.json", log=log)
                # SQLite can do without some of its writes, so that it may end well.
                starved.ended(case, ran, {0, 2, 4})
                report(starved, case, ran)
                starved.over(case)
                at += lab.every
                if at > len(log.read_text().splitlines()) and at > 90:
                    break
            starved.row()
    for size in ("100k", "160k", "240k"):
        starved = Starved(lab, f"the journal on a full disk of {size}")
        case = Case(lab, 400)
        (case.folder / ".lineload").mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", case.folder / ".lineload"]
        mounted = subprocess.run(mount, capture_output=True)
        if mounted.returncode:
            lab.complain(f"starve: no file system can be mounted: {mounted.stderr.decode().strip()}")
            case.close()
            break
        try:
            ran = case.run("--rate", "unlimited", "--report", "r.json")
            starved.ended(case, ran, {2, 4}, told="full")
            report(starved, case, ran)
            subprocess.run(["mount", "-o", "remount,size=64m", case.folder / ".lineload"], check=True)
            last = case.to_the_end("--rate", "unlimited")
            if last.code != 0:
                lab.complain(f"starve, {starved.what}: afterwards {last.code}: {last.err}")
            case.judge(starved.tally)
        finally:
            subprocess.run(["umount", "-l", case.folder / ".lineload"], check=True)
        case.close()
        starved.row()
    starved = Starved(lab, "a file may have 64 or 128 KB (`ulimit -f`)")
    for size in (64 << 10, 128 << 10):
        # As a shell leaves it, SIGXFSZ ends the process; where it is ignored, writes fail.
        case = Case(lab, 200)
        wrap = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
        ran = case.run("--rate", "unlimited", wrap=wrap, preexec_fn=limit(resource.RLIMIT_FSIZE, size))
        starved.ended(case, ran, {2, 4})
        starved.over(case)
        case = Case(lab, 200)
        ran = case.run("--rate", "unlimited", preexec_fn=limit(resource.RLIMIT_FSIZE, size))
        starved.ended(case, ran, {2, 4, -signal.SIGXFSZ}, silent=ran.code < 0)
        starved.over(case)
    starved.row()
    starved = Starved(lab, "a folder or a file that may not be written")
    for name in ("folder", "lineload", "journal", "wal", "lock"):
        case = Case(lab, 6)
        if name in ("journal", "wal", "lock"):
            lab.registry.misbehave(0, {("CreateArtifact", "hang"): 1.0})
            case.killed(0.4)
            lab.registry.misbehave()
        for path in [case.folder, *case.folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        closed = {
            "folder": case.folder,
            "lineload": case.folder / ".lineload",
            "journal": case.journal,
            "wal": case.journal.with_name("journal.sqlite3-wal"),
            "lock": case.journal.with_name("journal.sqlite3.lock"),
        }[name]
        if name == "lineload":
            closed.mkdir(exist_ok=True)
        mode = stat.S_IMODE(closed.stat().st_mode)
        os.chown(closed, 0, 0)
        closed.chmod(0o555 if closed.is_dir() else 0o444)
        before = case.proxy.creates
        ran = case.run(user=NOBODY, group=NOBODY, extra_groups=[])
        starved.ended(case, ran, {2}, sent_before=before)
        closed.chmod(mode)
        starved.over(case)
    starved.row()


def report(starved, case, ran):
    """Where a run has sent anything, its report says of each artifact what became of it."""
    if ran.code != 4:
        return
    text = (case.folder / "r.json").read_text()
    there = len(case.there())
    if not text:
        starved.codes["no report"] += 1
        if there:
            what = f"starve, {starved.what}: {there} artifacts were created, and the report is empty"
            starved.lab.complain(f"{what}: {ran.err.strip()}")
        return
    counts = json.loads(text)["counts"]
    if counts["created"] + counts["recovered"] > there:
        starved.lab.complain(f"starve, {starved.what}: the report has {counts}, and {there} are there")


def damaged(lab):
    """The journal of a run that was killed, damaged."""
    def killed():
        case = Case(lab, 20)
        case.run("--rate", "unlimited", "--max-changes", "20")
        case.add(20)
        lab.registry.misbehave(0, {("CreateArtifact", "hang"): 1.0})
        case.killed(0.4, "--rate", "unlimited")
        lab.registry.misbehave()
        return case

    def wal(path):
        return path.with_name("journal.sqlite3-wal")

    def folded(path):
        with contextlib.closing(sqlite3.connect(path)) as journal:
            journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def cut(path, rng):
        os.truncate(path, rng.randrange(0, path.stat().st_size + 1))

    ways = {
        "random bytes in pages of the journal": (40, lambda path, rng: (folded(path), corrupt(path, rng, 3))),
        "random bytes in the -wal": (20, lambda path, rng: corrupt(wal(path), rng, 3)),
        "the -wal cut off anywhere": (20, lambda path, rng: cut(wal(path), rng)),
        "the journal cut off anywhere": (20, lambda path, rng: (folded(path), cut(path, rng))),
        "the -wal is gone": (2, lambda path, rng: wal(path).unlink()),
        "the journal is gone, its -wal is not": (2, lambda path, rng: path.unlink()),
    }
    for what, (times, damage) in ways.items():
        starved = Starved(lab, what)
        unused = collections.Counter()
        for _ in range(times):
            case = killed()
            damage(case.journal, lab.random)
            before = case.proxy.creates
            first = case.run("--rate", "unlimited")
            says = "damaged|no journal|malformed|not a database"
            starved.ended(case, first, {0, 2, 4}, sent_before=before, told=says)
            if first.code == 1:
                starved.lab.complain(f"starve, {what}: {first.out[-600:]}")
            if first.code:
                # As the message says: with another.
                last = case.to_the_end("--rate", "unlimited", "--journal", "other/journal.sqlite3")
                if last.code != 0:
                    lab.complain(f"starve, {what}: afterwards {last.code}: {last.err}")
            unused.clear()
            # What the journal does not know any more is attempted again: the service refuses it.
            case.judge(unused, journal=False)
            for name in ("wanted", "there", "lost", "doubled", "runs"):
                starved.tally[name] += unused[name]
            case.close()
        starved.row()


def outputs(lab):
    starved = Starved(lab, "standard output, error or input closed, full, or with nobody there")
    full = lambda: open("/dev/full", "wb", buffering=0)
    gone = lambda: broken_pipe()
    closing = lambda *fds: lambda: [os.close(fd) for fd in fds]
    ways = [
        ("stdout closed", {"preexec_fn": closing(1)}, {0}),
        # Found out with the first line, before anything is sent.
        ("stdout full", {"stdout": full()}, {2}),
        ("stdout gone", {"stdout": gone()}, {0}),
        ("stderr closed", {"preexec_fn": closing(2)}, {0}),
        ("stderr full", {"stderr": full()}, {0}),
        ("stderr gone", {"stderr": gone()}, {0}),
        ("both gone", {"stdout": gone(), "stderr": gone()}, {0}),
        ("all closed", {"preexec_fn": closing(0, 1, 2)}, {0}),
        ("stdout full, -q", {"stdout": full(), "args": ["-q"]}, {0}),
    ]
    for name, how, allowed in ways:
        for faulty in (False, True):
            case = Case(lab, 20)
            if faulty:
                # A warning is to be shown too.
                path = case.folder / "manifests/00000.yaml"
                path.write_text(path.read_text().replace("DataSet", "Dataset"))
            args = how.get("args", [])
            how_ = {key: value for key, value in how.items() if key != "args"}
            ran = case.run("--rate", "unlimited", "--report", "r.json", *args, **how_)
            starved.what = f"{name}{' and a warning to be shown' if faulty else ''}"
            # Full before anything is sent is another matter than after it.
            starved.ended(case, ran, allowed | ({2} if "full" in name and faulty else set()), silent="stderr" in name)
            if ran.code == 0 and json.loads((case.folder / "r.json").read_text())["counts"]["created"] != 20:
                lab.complain(f"starve, {name}: the report is not that of 20 created")
            if name == "stdout closed" or name == "all closed":
                with open(case.journal, "rb") as journal:
                    if journal.read(15) != b"SQLite format 3":
                        lab.complain(f"starve, {name}: the journal was written over")
            starved.over(case)
    starved.what = "standard output, error or input closed, full, or with nobody there"
    starved.row()
    starved = Starved(lab, "`--report` on /dev/full, on a full disk, or gone meanwhile")
    case = Case(lab, 20)
    (case.folder / "r.json").symlink_to("/dev/full")
    # Each report is written once before anything is sent.
    starved.ended(case, case.run("--rate", "unlimited", "--report", "r.json"), {2})
    starved.over(case)
    case = Case(lab, 60)
    (case.folder / "out").mkdir()
    child = case.start("--rate", "60", "--report", "out/r.json")
    time.sleep(0.5)
    shutil.rmtree(case.folder / "out")
    out, err = child.communicate()
    starved.ended(case, Ran(child.returncode, out.decode(), err.decode()), {4, 1, 0})
    starved.over(case)
    starved.row()


def broken_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb", buffering=0)


def limits(lab):
    starved = Starved(lab, "few open files (`ulimit -n`)")
    for most in (256, 64, 48, 32, 24, 20, 16, 14, 12, 10, 8, 6, 4):
        case = Case(lab, 300)
        # Answers take a while, so that connections are needed.
        lab.registry.misbehave(100)
        args = ("--rate", "400", "--concurrency", "200", "--limit-patience", "3s")
        ran = case.run(*args, preexec_fn=limit(resource.RLIMIT_NOFILE, most))
        starved.what = f"few open files (`ulimit -n {most}`)"
        # The loader needs some itself.
        starved.ended(case, ran, {0, 2, 4, 127}, silent=ran.code == 127)
        lab.registry.misbehave()
        starved.over(case)
    starved.what = "few open files (`ulimit -n`), from 256 to 4"
    starved.row()
    starved = Starved(lab, "no threads, or little memory")
    memory = [("address space", resource.RLIMIT_AS, mb << 20) for mb in (400, 200, 120, 90, 70, 60)]
    for name, what, most in [("threads", resource.RLIMIT_NPROC, 0), *memory]:
        case = Case(lab, 60)
        for path in [case.folder, *case.folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        ran = case.run("--rate", "unlimited", user=NOBODY, group=NOBODY, extra_groups=[], preexec_fn=limit(what, most))
        starved.what = f"little of {name} ({most})"
        starved.ended(case, ran, {0, 2, 4, 127}, silent=ran.code == 127)
        starved.over(case)
    starved.what = "no threads, or little memory (`ulimit -u`, `-v`)"
    starved.row()
