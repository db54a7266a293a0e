//! Paths as DVC writes them, with `/` on every system.

/// Returns `path` below `directory`, with `.` and `..` worked out.
pub(super) fn joined(directory: &str, path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    let before = if root.is_empty() { directory } else { "" };
    for part in before.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined() {
        assert_eq!(joined("models", "../data/./x"), "data/x");
        assert_eq!(joined("", "x"), "x");
        assert_eq!(joined("a", "../../x"), "../x");
        assert_eq!(joined("a", "/tmp/../x"), "/x");
    }
}
