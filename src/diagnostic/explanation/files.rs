//! Paths and whole files.

use super::Explanation;
use crate::diagnostic::MAX_PER_FILE;
use crate::source::MAX_FILE_BYTES;
use crate::text::grouped;

pub(super) fn path_unreadable() -> Explanation {
    Explanation::new(
        "A path that was named, or that a named directory leads to, could not be read: it is not \
         there, its permissions forbid it, or reading it failed. The finding carries the reason \
         that the system gave. Nothing can be said of the manifests behind it and none of them is \
         sent; the rest of the run goes on.\n\n\
         Correct the path or its permissions, or leave it out with `--exclude`.",
    )
}

pub(super) fn path_kind() -> Explanation {
    Explanation::new(
        "A pipe, a socket or a device stands where a file or a directory belongs. Reading one may \
         wait for ever or never end, so it is not opened. The `<(…)` of a shell makes such a \
         pipe.\n\n\
         To check what another program writes, pipe it into lineload and name `-`; \
         `--stdin-filename` names it in findings.",
    )
}

pub(super) fn link_loop() -> Explanation {
    Explanation::new(
        "A symbolic link leads to itself or back to a directory that it is in. A walk that \
         followed it would not end, so it goes no further there. Files that can be reached another \
         way are checked.\n\n\
         Remove the link, or leave it out with `--exclude`.",
    )
}

pub(super) fn link_outside() -> Explanation {
    Explanation::new(
        "A symbolic link in a named directory leads to a file or directory outside all the named ones. \
         It is not followed: in a repository that others can write to, a link could otherwise \
         bring in any file of the machine and show its lines in a report.\n\n\
         The manifests behind it are neither checked nor sent. Name the target as a path of its \
         own, or pass `--follow-links`.",
    )
}

pub(super) fn file_size() -> Explanation {
    Explanation::new(format!(
        "Places in a file are kept in 32 bits, so at most {} bytes of one can be read. Nothing of \
         a longer file is checked or sent.\n\n\
         Split it into several files: at a `---` line, or between two items of its list. Where a \
         list has `Defaults`, each part needs them.",
        grouped(MAX_FILE_BYTES)
    ))
}

pub(super) fn encoding() -> Explanation {
    Explanation::new(
        "Manifests are UTF-8, with or without a byte order mark. UTF-16, UTF-32, or bytes that are \
         not UTF-8 (mostly Latin-1 or Windows-1252) are refused for the whole file: a guess at the \
         encoding could send other text than was written.\n\n\
         Save the file as UTF-8, or convert it, as with `iconv -f LATIN1 -t UTF-8`.",
    )
}

pub(super) fn findings_limit() -> Explanation {
    Explanation::new(format!(
        "The first {} findings of a file are listed, in the order of the file, and this finding \
         gives the number of the rest. The summary and the exit code count them all, and an entry \
         whose errors are not listed is not sent either.\n\n\
         So many findings in one file mostly have one cause. Fix what is shown, or the default \
         that they share, and check again.",
        grouped(MAX_PER_FILE as u64)
    ))
}

pub(super) fn config() -> Explanation {
    Explanation::new(
        "`lineload.toml` can hold `[rules]` and `[[overrides]]`, which give a rule the level \
         `error`, `warn` or `off` everywhere or for some paths; `exclude`, `format` and `fail-on`; \
         the ceiling `max-rate` under `[pace]`; and `expect-account` and `expect-region` under \
         `[guard]`. With a fault in it nothing is checked or sent, and the run ends with exit code \
         2.\n\n\
         The file may come from a pull request. So it cannot say where requests go, what signs \
         them or what is written: no endpoint, Region, profile or credentials, no `yes`, `set` or \
         `on-exists`, no report, output or journal. All of these belong on the command line.\n\n\
         What keeps a file from being read, and what the service refuses by its own documentation, \
         stays an error: `lineload explain CODE` says of a rule why. `--isolated` ignores the \
         file, and all allow-comments with it.",
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
