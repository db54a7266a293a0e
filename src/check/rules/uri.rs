//! What a `SourceUri` points at, as far as its text tells.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::text;
use crate::diagnostic::words::quoted;
use crate::diagnostic::{Code, Draft, Findings, Pointer};
use crate::limits::BUCKET_NAME_LENGTH;
use crate::manifest::Text;

pub(super) fn check(uri: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let value = uri.value;
    // Blanks at the ends have a rule of their own, and line breaks are no blanks.
    let inner = value.trim_matches([' ', '\t']);
    if inner.is_empty() {
        return;
    }
    let offset = value.len() - value.trim_start_matches([' ', '\t']).len();
    let placeholder = inner.contains("${") || inner.contains("{{") || inner.contains('<');
    if let Some(at) = inner.find([' ', '\t']) {
        let length = inner[at..].find(|c| !matches!(c, ' ' | '\t')).unwrap_or(1);
        if !placeholder {
            let span = uri.locate(offset + at..offset + at + length);
            let draft = Draft::new(Code::UriBlank, span, "a `SourceUri` with a blank in it")
                .help(
                    "remove it; if the name really has one, `# lineload: allow uri-blank` says so",
                )
                .at(path);
            text::push(draft, uri, findings);
        }
    }
    match scheme(inner) {
        None if is_image_reference(inner) || placeholder || inner.starts_with("//") => {}
        None => {
            let message = format!("{} has no scheme", quoted(inner));
            let is_path = inner.starts_with(['/', '.', '~']) || inner.contains('\\');
            let help = if is_path {
                "write where it is for anybody else, as in `s3://BUCKET/KEY`; `file:///…` if it \
                 is on one machine alone"
                    .to_owned()
            } else {
                format!("write where it is, as in {}", quoted(&format!("s3://{inner}")))
            };
            let draft = Draft::new(Code::UriScheme, uri.span, message).help(help).at(path);
            text::push(draft, uri, findings);
        }
        Some(scheme) if matches!(scheme, "s3" | "s3a" | "s3n") && !placeholder => {
            bucket(uri, offset, inner, scheme.len(), path, findings);
        }
        Some(_) => {}
    }
}

/// The scheme of a URI. A single letter is a drive.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let fits = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    // `host.tld:5000/repo` is the reference of an image, and no scheme has a dot in it.
    (fits && !scheme.contains('.')).then_some(scheme)
}

/// `registry.example.com/team/model:1.2` and the like: what `docker pull` takes, with its host.
fn is_image_reference(uri: &str) -> bool {
    let Some((host, rest)) = uri.split_once('/') else { return false };
    let host = host.split(':').next().unwrap_or_default();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_host = host.contains('.') && host.split('.').all(label);
    is_host && (rest.contains(':') || host.ends_with(".amazonaws.com") || rest.contains("@sha256"))
}

fn bucket(
    uri: &Text<'_>,
    offset: usize,
    inner: &str,
    scheme: usize,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let Some(rest) = inner.get(scheme + 3..).filter(|_| inner[scheme..].starts_with("://")) else {
        let message = format!("{} lacks the `//` in front of its bucket", quoted(inner));
        let draft = Draft::new(Code::BucketName, uri.span, message)
            .help("write it as `s3://BUCKET/KEY`")
            .at(path);
        text::push(draft, uri, findings);
        return;
    };
    let name = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // The ARN of an access point stands in the place of a bucket.
    if name.starts_with("arn:") {
        return;
    }
    let Some(Fault { range, what, help }) = bucket_fault(name) else { return };
    let start = offset + scheme + 3;
    let range = start + range.start..start + range.end;
    let span = if range.is_empty() { uri.span } else { uri.locate(range) };
    let message = if name.is_empty() {
        "an `s3://` URI without a bucket".to_owned()
    } else {
        format!("no bucket can have the name {}: {what}", quoted(name))
    };
    text::push(Draft::new(Code::BucketName, span, message).help(help).at(path), uri, findings);
}

struct Fault {
    range: Range<usize>,
    what: &'static str,
    help: &'static str,
}

/// The first way in which `name` breaks the naming rules of S3 buckets.
fn bucket_fault(name: &str) -> Option<Fault> {
    const CHARACTERS: &str =
        "bucket names are made of lower-case letters, digits, hyphens and dots";
    let whole = 0..name.len();
    let fault = |range, what, help| Some(Fault { range, what, help });
    if name.is_empty() {
        return fault(whole, "", "write it as `s3://BUCKET/KEY`");
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if let Some(start) = name.find(|c: char| !allowed(c)) {
        let length = name[start..].find(allowed).unwrap_or(name.len() - start);
        let upper = name[start..start + length].chars().all(|c| c.is_ascii_uppercase());
        let what = if upper { "it has upper-case letters" } else { "it has other characters" };
        return fault(start..start + length, what, CHARACTERS);
    }
    if name.len() < *BUCKET_NAME_LENGTH.start() {
        return fault(whole, "it is too short", "a bucket name has at least 3 characters");
    }
    if name.len() > *BUCKET_NAME_LENGTH.end() {
        let excess = *BUCKET_NAME_LENGTH.end()..name.len();
        return fault(excess, "it is too long", "a bucket name has at most 63 characters");
    }
    if name.starts_with(['-', '.']) {
        return fault(0..1, "it begins with a hyphen or a dot", "begin it with a letter or digit");
    }
    if name.ends_with(['-', '.']) {
        let end = name.len() - 1..name.len();
        return fault(end, "it ends with a hyphen or a dot", "end it with a letter or digit");
    }
    if let Some(at) = name.find("..") {
        return fault(at..at + 2, "it has two dots together", "write one dot");
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return fault(whole, "it looks like an IP address", "write the name of a bucket");
    }
    if name.starts_with("xn--") {
        return fault(0..4, "S3 keeps `xn--` to itself", "write the name of a bucket");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_drives_and_image_references() {
        assert_eq!(scheme("s3://b"), Some("s3"));
        assert_eq!(scheme("arn:aws:s3:::b"), Some("arn"));
        assert_eq!(scheme("C:\\data"), None);
        assert_eq!(scheme("bucket/key"), None);
        assert!(is_image_reference("123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn@sha256:6d"));
        assert!(is_image_reference("ghcr.io/acme/model:1.2"));
        assert!(is_image_reference("registry.local:5000/acme/model:1.2"));
        assert!(!is_image_reference("bucket/key.csv"));
        assert!(!is_image_reference("data.d/key.csv"));
    }

    #[test]
    fn bucket_names() {
        let fault = |name: &str| bucket_fault(name).map(|fault| fault.range);
        assert_eq!(fault("example-lake.v2"), None);
        assert_eq!(fault("Example"), Some(0..1));
        assert_eq!(fault("example_lake"), Some(7..8));
        assert_eq!(fault("ab"), Some(0..2));
        assert_eq!(fault(&"a".repeat(64)), Some(63..64));
        assert_eq!(fault("a..b"), Some(1..3));
        assert_eq!(fault("10.0.0.1"), Some(0..8));
        assert_eq!(fault("abc-"), Some(3..4));
    }
}
