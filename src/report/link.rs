//! Hyperlinks in a terminal (OSC 8).

use crate::diagnostic::Code;

/// Returns the name of a rule; if `links`, as a hyperlink to its page of this version. A stream without
/// colours leaves the hyperlink out.
pub(super) fn rule(code: Code, links: bool) -> String {
    let (name, page) = (code.as_str(), code.page());
    if links { format!("\x1b]8;;{page}\x1b\\{name}\x1b]8;;\x1b\\") } else { name.to_owned() }
}
