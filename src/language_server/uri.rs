//! `file:` URIs and paths.

use std::path::{Path, PathBuf};

use gen_lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The characters that a path of a URI does not hold as they are.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the path of a `file:` URI on this machine.
pub(super) fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = rest.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    path_of(bytes)
}

/// Returns the `file:` URI of an absolute path.
pub(super) fn from_path(path: &Path) -> Uri {
    Uri(format!("file://{}", encoded(path)))
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(unix)]
fn encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    percent_encode(path.as_os_str().as_bytes(), ENCODED).to_string()
}

/// `/c:/a` is `c:/a`.
#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    let text = String::from_utf8(bytes).ok()?;
    Some(PathBuf::from(text.strip_prefix('/').filter(|rest| rest.contains(':')).unwrap_or(&text)))
}

#[cfg(not(unix))]
fn encoded(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", percent_encode(text.as_bytes(), ENCODED))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_and_decoded() {
        let path = Path::new("/a b/é#?.yaml");
        let uri = from_path(path);
        assert_eq!(uri.0, "file:///a%20b/%C3%A9%23%3F.yaml");
        assert_eq!(to_path(&uri).as_deref(), Some(path));
        for other in ["untitled:1", "file:relative", "file://host/a", "", "http://a/b"] {
            assert_eq!(to_path(&Uri(other.to_owned())), None, "{other}");
        }
    }
}
