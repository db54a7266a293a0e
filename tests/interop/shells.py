"""Completion in real shells: types a command and a tab, and reads what the shell puts there.

    shells.py LINELOAD

For each of bash, zsh, fish and elvish that is installed; the others are named.
"""

import os
import pathlib
import shutil
import sys
import tempfile

import pexpect

LINELOAD = pathlib.Path(sys.argv[1]).resolve()
# How each begins, and the line that its user writes into its configuration.
SHELLS = {
    "bash": (["--norc", "--noprofile"], "source <(lineload completions bash)"),
    "zsh": (["-f", "-i"], "autoload -U compinit; compinit -u; source <(lineload completions zsh)"),
    "fish": (["--no-config"], "lineload completions fish | source"),
    "elvish": (["-norc"], "eval (lineload completions elvish | slurp)"),
}
# What is typed before the tab, and what stands there after it.
TYPED = [("lineload lint --format sa", "sarif"), ("lineload expl", "explain"),
         ("lineload lint --select name-pa", "name-pattern"), ("lineload lint --unsafe", "--unsafe-fixes")]


def check(shell, home):
    words, line = SHELLS[shell]
    environment = {
        "HOME": home, "PATH": f"{LINELOAD.parent}:{os.environ['PATH']}", "TERM": "xterm",
        "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "XDG_STATE_HOME": home, "LC_ALL": "C.UTF-8",
    }
    # A shell for each: what takes a line back (an interrupt, say) drops what was typed after it in some.
    for typed, wanted in TYPED:
        child = pexpect.spawn(shell, words, env=environment, cwd=home, encoding="utf-8", timeout=60,
                              dimensions=(40, 120))
        child.delaybeforesend = 0.5
        child.sendline(line)
        child.sendline("echo rea'd'y")
        child.expect("ready")
        child.send(typed)
        child.send("\t")
        # The rest of the word alone may be drawn; a description or a space may follow.
        rest = wanted[len(typed.rsplit(" ", 1)[1]):]
        child.expect_exact([wanted, rest])
        child.close(force=True)


def main():
    with tempfile.TemporaryDirectory() as home:
        for shell in SHELLS:
            if shutil.which(shell) is None:
                print(f"{shell}: not installed")
                continue
            check(shell, home)
            print(f"{shell}: completes")


main()
