//! Checks of a `SourceUri`, as far as its text shows where it points.
//!
//! It need not be a URI: ARNs, names, ids and `runs:/…` are in use, and are accepted. Reported are
//! texts that look like a URI but cannot be one, and paths on one machine.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::found::{push, replaced};
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer};
use crate::manifest::Text;
use crate::model::{BUCKET_NAME_LENGTH, Field, SOURCE_URI};
use crate::text::{odd_space, quoted, redacted};

/// Schemes that a misspelt one is held against.
const COMMON: [&str; 9] =
    ["http", "https", "ftp", "file", "hdfs", "abfs", "abfss", "wasb", "wasbs"];
/// Schemes in use that are one letter from a common one.
const OTHERS: [&str; 9] = ["ftps", "sftp", "tftp", "httpu", "dbfs", "adfs", "tile", "cfile", "dfs"];
/// Misspellings of `s3`, besides the names of Hadoop.
const MISSPELT_S3: [&str; 7] = ["ss3", "s33", "s3s", "s4", "s2", "as3", "w3"];

pub(super) fn check(
    field: &Field,
    uri: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let value = uri.value;
    // Spaces at the ends have a rule of their own, and line breaks do not count as spaces.
    let inner = value.trim_matches(is_space);
    if inner.is_empty() {
        return;
    }
    let offset = value.len() - value.trim_start_matches(is_space).len();
    let uri = Uri { name: field.name, text: uri, offset, inner };
    let has_placeholder = has_placeholder(inner);
    let scheme = scheme(inner);
    if !has_placeholder && let Some(range) = space_at_fault(inner, scheme) {
        uri.space(range, scheme, path, findings);
    }
    let Some(scheme) = scheme else {
        if !(has_placeholder || inner.starts_with("//") || is_image_reference(inner)) {
            uri.no_scheme(path, findings);
        }
        return;
    };
    uri.scheme(scheme, path, findings);
    let is_s3 = ["s3", "s3a", "s3n"].iter().any(|name| name.eq_ignore_ascii_case(scheme));
    if is_s3 && !has_placeholder {
        uri.bucket(scheme.len(), path, findings);
    }
}

/// A `SourceUri` without leading and trailing spaces.
struct Uri<'u, 'a> {
    /// The name of its field.
    name: &'static str,
    text: &'u Text<'a>,
    /// The offset of its start in the value.
    offset: usize,
    inner: &'u str,
}

impl Uri<'_, '_> {
    fn span(&self, range: Range<usize>) -> crate::source::Span {
        self.text.locate(self.offset + range.start..self.offset + range.end)
    }

    fn report(&self, draft: Draft, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        push(draft.at(path), self.text, findings);
    }

    /// Returns the fix that replaces the whole value with `new`, if it is not too long for that.
    fn replaced(&self, new: &str) -> Option<Fix> {
        let fits = new.chars().count() <= SOURCE_URI.max;
        fits.then(|| replaced(self.text, new, Fix::unsafely)).flatten()
    }

    fn space(
        &self,
        range: Range<usize>,
        scheme: Option<&str>,
        path: &Pointer<'_>,
        findings: &mut Findings<'_>,
    ) {
        let encoded = encoded(self.inner, scheme);
        let help = if encoded.is_some() {
            "write `%20`, or remove it"
        } else {
            "remove it; if the name really contains one, add `# lineload: allow uri-blank`"
        };
        let odd = self.inner[range.clone()].chars().find_map(odd_space);
        let message = odd.as_deref().unwrap_or("a space");
        let message = format!("`{}` contains {message}", self.name);
        let draft = Draft::new(Code::UriBlank, self.span(range), message)
            .help(help)
            .fix(encoded.and_then(|encoded| self.replaced(&encoded)));
        self.report(draft, path, findings);
    }

    /// Reports a path, in an unnamed bucket or on one machine. A bare name is accepted.
    fn no_scheme(&self, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let inner = self.inner;
        let is_local = inner.starts_with(['/', '.', '~']) || inner.contains('\\');
        if !is_local && !inner.contains('/') {
            return;
        }
        let as_s3 = format!("s3://{inner}");
        let bucket = inner.split('/').next().unwrap_or_default();
        let help = if is_local {
            "write a URI that others can reach, such as `s3://bucket/key`, or `file:///…` if it \
             is on one machine only"
                .to_owned()
        } else if bucket_fault(bucket).is_none() && !inner.contains(is_space) {
            format!("write its full URI, such as {}", quoted(&as_s3))
        } else {
            "write its full URI, such as `s3://bucket/key`".to_owned()
        };
        let message = format!("{} has no scheme", quoted(inner));
        let draft = Draft::new(Code::UriScheme, self.text.span, message).help(help);
        self.report(draft, path, findings);
    }

    /// Reports a scheme that is misspelt, in upper case, or Hadoop's name for `s3`.
    fn scheme(&self, scheme: &str, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let rest = &self.inner[scheme.len()..];
        let Some((meant, message, help)) = other_scheme(scheme, rest) else { return };
        let draft = Draft::new(Code::UriScheme, self.span(0..scheme.len()), message)
            .help(help)
            .fix(self.replaced(&format!("{meant}{rest}")));
        self.report(draft, path, findings);
    }

    fn bucket(&self, scheme: usize, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let inner = self.inner;
        let written = with_bucket(inner, scheme);
        let fix = || self.replaced(written.as_deref()?);
        let Some(rest) = inner[scheme..].strip_prefix("://") else {
            let message = format!("{} is missing the `//` before the bucket", quoted(inner));
            let draft = Draft::new(Code::BucketName, self.text.span, message)
                .help("write it as `s3://bucket/key`")
                .fix(fix());
            self.report(draft, path, findings);
            return;
        };
        let start = scheme + 3;
        let name = bucket_of(rest);
        if let (Some(_), Some(written)) = (bucket_of_arn(name), &written) {
            let message = "expected the name of a bucket, found its ARN";
            let draft = Draft::new(Code::BucketName, self.span(start..start + name.len()), message)
                .help(format!("write {}", quoted(written)))
                .fix(fix());
            self.report(draft, path, findings);
            return;
        }
        // The ARN of an access point may replace a bucket.
        if name.starts_with("arn:") {
            return;
        }
        let Some(Fault { range, what, help, .. }) = bucket_fault(name) else { return };
        let (message, help) = if name.is_empty() && !rest.trim_start_matches('/').is_empty() {
            (
                "more than two slashes before the bucket of an `s3://` URI".to_owned(),
                "write `s3://` and then the bucket",
            )
        } else if name.is_empty() {
            ("an `s3://` URI without a bucket".to_owned(), help)
        } else {
            // What is a password in a URL is not seen to be one in the name alone.
            let shown = redacted(inner);
            let shown = shown.split_once("://").map_or(name, |(_, rest)| bucket_of(rest));
            (format!("invalid bucket name {}: {what}", quoted(shown)), help)
        };
        let range = start + range.start..start + range.end;
        let span = if range.is_empty() { self.text.span } else { self.span(range) };
        let draft = Draft::new(Code::BucketName, span, message).help(help).fix(fix());
        self.report(draft, path, findings);
    }
}

/// The maximum number of steps from a URI to what all its fixes make of it.
const STEPS: usize = 8;

/// Returns `uri` as it is after every fix of it. What is only longer or shorter in its spaces becomes
/// the same.
pub(super) fn corrected(uri: &str) -> String {
    let words = uri.split(|c: char| c.is_whitespace() || odd_space(c).is_some());
    let mut uri = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    for _ in 0..STEPS {
        let Some(next) = fixed_once(&uri) else { break };
        uri = next;
    }
    uri
}

/// Returns `uri` after one fix, if there is one.
fn fixed_once(uri: &str) -> Option<String> {
    let scheme = scheme(uri)?;
    let rest = &uri[scheme.len()..];
    if let Some((meant, ..)) = other_scheme(scheme, rest) {
        return Some(format!("{meant}{rest}"));
    }
    if has_placeholder(uri) {
        return None;
    }
    if uri.contains(is_space)
        && let Some(encoded) = encoded(uri, Some(scheme))
    {
        return Some(encoded);
    }
    if scheme == "s3" { with_bucket(uri, scheme.len()) } else { None }
}

fn has_placeholder(uri: &str) -> bool {
    uri.contains("${") || uri.contains("{{") || uri.contains('<')
}

/// Returns `uri` with its spaces encoded, if it is one in which that means the same.
fn encoded(uri: &str, scheme: Option<&str>) -> Option<String> {
    matches!(scheme, Some("http" | "https")).then(|| uri.replace(is_space, "%20"))
}

/// Returns the `s3` URI that is probably meant by `uri`, whose bucket is at fault. `scheme` is the
/// length of its scheme.
fn with_bucket(uri: &str, scheme: usize) -> Option<String> {
    let sound = |name: &str| bucket_fault(name).is_none();
    let Some(rest) = uri[scheme..].strip_prefix("://") else {
        let rest = uri[scheme + 1..].trim_start_matches('/');
        return sound(bucket_of(rest)).then(|| format!("{}://{rest}", &uri[..scheme]));
    };
    let head = &uri[..scheme + 3];
    let name = bucket_of(rest);
    let key = &rest[name.len()..];
    if let Some(bucket) = bucket_of_arn(name) {
        return Some(format!("{head}{bucket}{key}"));
    }
    if name.starts_with("arn:") {
        return None;
    }
    if name.is_empty() {
        let rest = rest.trim_start_matches('/');
        return sound(bucket_of(rest)).then(|| format!("{head}{rest}"));
    }
    let instead = bucket_fault(name)?.instead.filter(|name| sound(name))?;
    Some(format!("{head}{instead}{key}"))
}

/// Returns whether `c` is a space or a tab, ASCII or not.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t') || (!c.is_ascii() && odd_space(c).is_some())
}

/// Returns the scheme of a URI. A single letter is a drive.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let fits = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    // `host.tld:5000/repo` is the reference of an image, and no scheme has a dot in it.
    (fits && !scheme.contains('.')).then_some(scheme)
}

/// Returns the scheme that `scheme` was probably meant to be, with a message and a help.
fn other_scheme(scheme: &str, rest: &str) -> Option<(String, String, String)> {
    if scheme == "s3" || COMMON.contains(&scheme) {
        return None;
    }
    let lower = scheme.to_ascii_lowercase();
    let did_you_mean = |meant: &str| format!("did you mean `{meant}://`?");
    if matches!(lower.as_str(), "s3a" | "s3n") {
        let message = format!("`{scheme}` is Hadoop's name for `s3`");
        let help = "write `s3://`: SageMaker and the AWS CLI accept no other scheme".to_owned();
        return Some(("s3".to_owned(), message, help));
    }
    let is_common = COMMON.contains(&lower.as_str()) || lower == "s3";
    if is_common {
        let message = format!("the scheme `{scheme}` is not in lower case");
        let help = format!("write `{lower}`: many tools accept only lower case");
        return Some((lower, message, help));
    }
    if !rest.starts_with("://") || OTHERS.contains(&lower.as_str()) {
        return None;
    }
    let near = |known: &&&str| strsim::damerau_levenshtein(known, &lower) == 1;
    let meant = if MISSPELT_S3.contains(&lower.as_str()) {
        Some("s3")
    } else {
        COMMON.iter().find(near).copied()
    }?;
    let message = format!("unknown scheme {}", quoted(scheme));
    Some((meant.to_owned(), message, did_you_mean(meant)))
}

/// Returns the first run of spaces that a URI cannot have. One space between two words of an S3 key
/// can be intended: keys may contain spaces, and tools use an `s3://` URI without decoding it.
fn space_at_fault(uri: &str, scheme: Option<&str>) -> Option<Range<usize>> {
    let bucket_end = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("s3") => {
            let start = scheme.len() + 3;
            uri.get(start..).and_then(|rest| rest.find('/')).map(|at| start + at)
        }
        _ => None,
    };
    let mut at = 0;
    while let Some(found) = uri[at..].find(is_space) {
        let start = at + found;
        let rest = &uri[start..];
        let end = start + rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        let beside_slash = uri[..start].ends_with('/') || uri[end..].starts_with('/');
        let in_key = bucket_end.is_some_and(|bucket_end| start > bucket_end);
        if !in_key || beside_slash || &uri[start..end] != " " {
            return Some(start..end);
        }
        at = end;
    }
    None
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

fn bucket_of(rest: &str) -> &str {
    &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
}

/// Returns the bucket that `arn:aws:s3:::bucket` names.
fn bucket_of_arn(name: &str) -> Option<&str> {
    let (partition, bucket) = name.strip_prefix("arn:")?.split_once(":s3:::")?;
    (partition.starts_with("aws") && !bucket.is_empty()).then_some(bucket)
}

struct Fault<'n> {
    range: Range<usize>,
    what: &'static str,
    help: &'static str,
    /// A name that may be meant.
    instead: Option<&'n str>,
}

/// Returns the first violation of the naming rules of S3 buckets in `name`.
fn bucket_fault(name: &str) -> Option<Fault<'_>> {
    const CHARACTERS: &str = "use only lower-case letters, digits, hyphens and dots";
    let whole = 0..name.len();
    let fault = |range, what, help| Some(Fault { range, what, help, instead: None });
    if name.is_empty() {
        return fault(whole, "", "write it as `s3://bucket/key`");
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if let Some(start) = name.find(|c: char| !allowed(c)) {
        let length = name[start..].find(allowed).unwrap_or(name.len() - start);
        let upper = name[start..start + length].chars().all(|c| c.is_ascii_uppercase());
        let what = if upper {
            "it contains upper-case letters"
        } else {
            "it contains characters \
                               that bucket names cannot have"
        };
        return fault(start..start + length, what, CHARACTERS);
    }
    if name.len() < *BUCKET_NAME_LENGTH.start() {
        return fault(whole, "it is too short", "a bucket name has at least 3 characters");
    }
    if name.len() > *BUCKET_NAME_LENGTH.end() {
        let excess = *BUCKET_NAME_LENGTH.end()..name.len();
        return fault(excess, "it is too long", "a bucket name has at most 63 characters");
    }
    let edges = ['-', '.'];
    let instead = Some(name.trim_matches(edges));
    if name.starts_with(edges) {
        let (what, help) = ("it begins with a hyphen or a dot", "begin it with a letter or digit");
        return Some(Fault { range: 0..1, what, help, instead });
    }
    if name.ends_with(edges) {
        let (what, help) = ("it ends with a hyphen or a dot", "end it with a letter or digit");
        return Some(Fault { range: name.len() - 1..name.len(), what, help, instead });
    }
    if let Some(at) = name.find("..") {
        return fault(at..at + 2, "it contains two dots in a row", "write one dot");
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return fault(whole, "it looks like an IP address", "write the name of a bucket");
    }
    if name.starts_with("xn--") {
        return fault(0..4, "S3 reserves the prefix `xn--`", "write the name of a bucket");
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
    fn a_scheme_one_letter_off_is_misspelt_and_others_are_taken() {
        let meant = |uri: &str| {
            let scheme = scheme(uri)?;
            other_scheme(scheme, &uri[scheme.len()..]).map(|(meant, ..)| meant)
        };
        for (uri, expected) in [
            ("htp://h/x", "http"),
            ("htttps://h/x", "https"),
            ("HTTPS://h/x", "https"),
            ("S3://b/k", "s3"),
            ("s3a://b/k", "s3"),
            ("ss3://b/k", "s3"),
            ("fle:///x", "file"),
        ] {
            assert_eq!(meant(uri).as_deref(), Some(expected), "{uri}");
        }
        for uri in [
            "s3://b/k",
            "runs:/abc/model",
            "arn:aws:sagemaker:x",
            "gs://b/k",
            "dbfs:/x",
            "dbfs://x",
            "sftp://h/x",
            "mlflow-artifacts:/1",
            "oss://b/k",
            "warehouse:orders",
            "hf://x/y",
        ] {
            assert_eq!(meant(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_space_between_words_of_a_key_is_one_of_the_key() {
        let fault = |uri: &str| space_at_fault(uri, scheme(uri));
        assert_eq!(fault("s3://bucket/Coal Plants/x"), None);
        assert_eq!(fault("s3://bucket/a / b"), Some(13..14));
        assert_eq!(fault("s3://buck et/a"), Some(9..10));
        assert_eq!(fault("s3://bucket/a  b"), Some(13..15));
        assert_eq!(fault("https://h/a b"), Some(11..12));
        assert_eq!(fault("a b"), Some(1..2));
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
        assert_eq!(bucket_of_arn("arn:aws-cn:s3:::b"), Some("b"));
        assert_eq!(bucket_of_arn("arn:aws:s3:eu-west-1:123456789012:accesspoint"), None);
    }
}
