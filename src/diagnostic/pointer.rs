//! JSON Pointers (RFC 6901) into an artifact.

use crate::text::redacted;

/// The path of a value in its artifact, such as `/Tags/3/Key`. It is a chain of borrowed steps,
/// since most values have no finding and nobody asks for the text. That holds no credential: the keys of
/// properties are the user's.
#[derive(Debug, Clone, Copy)]
pub struct Pointer<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root,
    Field(&'p str),
    Item(usize),
}

/// The artifact itself.
pub const ROOT: Pointer<'static> = Pointer { parent: None, step: Step::Root };

impl<'p> Pointer<'p> {
    /// Returns the member `name` of this place.
    #[must_use]
    pub const fn field(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Field(name) }
    }

    /// Returns the item `index` of this place, from 0.
    #[must_use]
    pub const fn item(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(index) }
    }

    fn push(&self, out: &mut String) {
        if let Some(parent) = self.parent {
            parent.push(out);
        }
        match self.step {
            Step::Root => {}
            Step::Item(index) => out.push_str(&format!("/{index}")),
            Step::Field(name) => {
                out.push('/');
                for c in redacted(name).chars() {
                    match c {
                        '~' => out.push_str("~0"),
                        '/' => out.push_str("~1"),
                        other => out.push(other),
                    }
                }
            }
        }
    }
}

impl From<&Pointer<'_>> for String {
    fn from(pointer: &Pointer<'_>) -> Self {
        let mut out = Self::new();
        pointer.push(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tilde_and_slash_are_escaped() {
        let properties = ROOT.field("Properties");
        let path = properties.field("a/b~c");
        assert_eq!(String::from(&path.item(2)), "/Properties/a~1b~0c/2");
        assert_eq!(String::from(&ROOT), "");
    }

    #[test]
    fn a_credential_in_a_key_is_found_in_spite_of_the_escapes() {
        let properties = ROOT.field("Properties");
        let path = String::from(&properties.field("https://u:hunter2secret@h/"));
        assert!(path.starts_with("/Properties/") && path.contains("[redacted]"), "{path}");
        assert!(!path.contains("hunter2"), "{path}");
    }
}
