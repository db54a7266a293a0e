//! Paths and whole files.

use super::Explanation;
use crate::diagnostic::MAX_PER_FILE;
use crate::source::MAX_FILE_BYTES;
use crate::text::grouped;

pub(super) fn path_unreadable() -> Explanation {
    Explanation::new(
        "A path that was named, or that was found in a named directory, could not be read: it \
         does not exist, its permissions forbid it, or reading it failed. The finding has the \
         reason that the system gave. The manifests behind it are not checked and not submitted; \
         everything else is.\n\n\
         Correct the path or its permissions, or leave it out with `--exclude`.",
    )
}

pub(super) fn path_kind() -> Explanation {
    Explanation::new(
        "The path is a pipe, a socket or a device. Reading one may wait forever or never end, so \
         it is not opened. The `<(…)` of a shell makes such a pipe.\n\n\
         To check what another program writes, pipe it into lineload and name `-`; \
         `--stdin-filename` sets the name that findings show.",
    )
}

pub(super) fn link_loop() -> Explanation {
    Explanation::new(
        "A symlink leads to itself, or back to a directory that contains it. Following it would \
         never end, so it is not followed. Files that can be reached another way are checked.\n\n\
         Remove the symlink, or leave it out with `--exclude`.",
    )
}

pub(super) fn link_outside() -> Explanation {
    Explanation::new(
        "A symlink in a named directory leads to a file or directory outside of all the named \
         ones. It is not followed: in a repository that others can write to, a symlink could \
         bring in any file of the machine and show its lines in a report.\n\n\
         The manifests behind it are neither checked nor submitted. Name the target as a path of \
         its own, or pass `--follow-links`.",
    )
}

pub(super) fn file_size() -> Explanation {
    Explanation::new(format!(
        "Positions in a file are kept in 32 bits, so a file can have at most {} bytes. Nothing of \
         a longer file is checked or submitted.\n\n\
         Split it into several files: at a `---` line, or between two items of its list. If a \
         list has `Defaults`, each part needs them.",
        grouped(MAX_FILE_BYTES)
    ))
}

pub(super) fn encoding() -> Explanation {
    Explanation::new(
        "Manifests are UTF-8, with or without a byte order mark. A file in UTF-16 or UTF-32, or \
         with bytes that are not UTF-8 (mostly Latin-1 or Windows-1252), is refused as a whole: \
         guessing its encoding could submit other text than was written.\n\n\
         Save the file as UTF-8, or convert it, as with `iconv -f LATIN1 -t UTF-8`.",
    )
}

pub(super) fn findings_limit() -> Explanation {
    Explanation::new(format!(
        "The first {} findings of a file are listed, in the order of the file. This finding gives \
         the number of the rest. The summary and the exit code count them all, and an entry whose \
         errors are not listed is not submitted either.\n\n\
         So many findings in one file usually have one cause. Fix what is shown, or the default \
         that the artifacts share, and check again.",
        grouped(MAX_PER_FILE as u64)
    ))
}

pub(super) fn config() -> Explanation {
    Explanation::new(
        "`lineload.toml` can hold `[rules]` and `[[overrides]]`, which set rules to `error`, \
         `warn` or `off` everywhere or for some paths; `exclude`, `format` and `fail-on`; \
         `max-rate` under `[pace]`; and `expect-account` and `expect-region` under `[guard]`. If \
         it has a fault, nothing is checked or submitted, and the exit code is 2.\n\n\
         The file may come from a pull request. So it cannot set where requests go, how they are \
         signed or what is written: no endpoint, Region, profile or credentials, no `yes`, `set` \
         or `on-exists`, no report, output or journal. These belong on the command line.\n\n\
         What keeps a file from being read, and what the service refuses by its own \
         documentation, stays an error: `lineload explain CODE` gives the reason for a rule. \
         `--isolated` ignores the file and all allow comments.",
    )
    .example(
        "\
profile = \"production\"

[rules]
name-pattern = \"off\"
",
        "\
exclude = [\"vendor/**\"]

[rules]
line-break = \"warn\"

[guard]
expect-account = \"123456789012\"
",
    )
}
