//! The rules, for people: the list, and one of them explained.

use std::io::{self, Write};

use crate::diagnostic::{Code, Severity};

/// Writes one line a rule.
///
/// # Errors
/// Where the writer fails.
pub fn list(mut out: impl Write) -> io::Result<()> {
    let widest = Code::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    for code in Code::ALL {
        let name = code.as_str();
        writeln!(out, "{name:<widest$}  {}  {}", severity(*code), code.summary())?;
    }
    writeln!(out, "\n`lineload explain CODE` says more, with a wrong and a right example.")?;
    out.flush()
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "\x1b[31merror\x1b[0m  ",
        Severity::Warning => "\x1b[33mwarning\x1b[0m",
    }
}

/// Writes what a rule is about.
///
/// # Errors
/// Where the writer fails.
pub fn explain(code: Code, mut out: impl Write) -> io::Result<()> {
    writeln!(out, "\x1b[1m{code}\x1b[0m ({}): {}\n", severity(code).trim_end(), code.summary())?;
    out.flush()
}
