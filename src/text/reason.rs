//! Errors of the system in words.

use std::io;

/// Returns why an operation on a file failed, in the system's words and without its number, as in
/// `permission denied`.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_error_is_not_shown() {
        assert_eq!(
            reason(&io::Error::from_raw_os_error(libc::ENOENT)),
            "no such file or directory"
        );
        assert_eq!(reason(&io::Error::other("The disk is gone")), "the disk is gone");
    }
}
