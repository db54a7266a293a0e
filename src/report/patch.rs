//! What a fix would change, as a patch.

use std::io::{self, Write};

use similar::{ChangeTag, TextDiff};

use crate::diagnostic::secret;
use crate::diagnostic::words::{escaped, is_printable};

/// Lines shown round each change.
const CONTEXT: usize = 3;

/// Writes the difference of `old` and `new`, the text of `name`, in the unified form that
/// `git apply` takes. Lines with control characters or credentials are shown without them, and
/// such a patch cannot be applied.
///
/// # Errors
/// Where the writer fails.
pub fn write(out: &mut impl Write, name: &str, old: &str, new: &str) -> io::Result<()> {
    let name = escaped(name);
    let name = name.trim_start_matches('/');
    writeln!(out, "\x1b[1m--- a/{name}\x1b[0m\n\x1b[1m+++ b/{name}\x1b[0m")?;
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "\x1b[36m{}\x1b[0m", hunk.header())?;
        for change in hunk.iter_changes() {
            let (colour, sign) = match change.tag() {
                ChangeTag::Delete => ("\x1b[31m", '-'),
                ChangeTag::Insert => ("\x1b[32m", '+'),
                ChangeTag::Equal => ("", ' '),
            };
            let line = change.value();
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
            writeln!(out, "{colour}{sign}{}{reset}", shown(bare))?;
            if bare.len() == line.len() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

/// A line as it is, but for what a terminal would act on. A carriage return belongs to its end.
fn shown(line: &str) -> String {
    let (text, end) = line.strip_suffix('\r').map_or((line, ""), |text| (text, "\r"));
    let text = secret::masked(text);
    let plain = text.chars().all(|c| is_printable(c) || matches!(c, '\t' | '\u{FEFF}'));
    if plain { format!("{text}{end}") } else { format!("{}{end}", escaped(&text)) }
}
