//! Values that look like credentials, and texts with such values masked.
//!
//! In: any text. Out: what of it looks like a password, a key or a token. Everything that shows text
//! from a manifest goes through [`masked`], since a linter's output is kept where the manifest's
//! readers are not the only ones to see it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What stands for a secret where it would be shown.
pub const MASK: &str = "[masked]";

/// What to do about a credential in a manifest.
pub const HELP: &str = "remove it, and revoke it if it is real: whoever can list artifacts could \
                        read it; name where it is kept instead, as in an ARN of Secrets Manager";

/// What a value is called whose key names a secret.
pub const NAMED: &str = "a secret, by the name of its key";

/// A value that looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it looks like.
    pub kind: &'static str,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Tokens that tell what they are by their first characters. Each is one group, in the order of
/// [`KINDS`]; all begin with literals, so that a text without any is passed over quickly.
const TOKENS: &str = concat!(
    r"(?-u:\b)((?:AKIA|ASIA)[A-Z0-9]{16})(?-u:\b)",
    r"|(?-u:\b)(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    r"|(?-u:\b)(glpat-[A-Za-z0-9_-]{20,})",
    r"|(?-u:\b)(xox[abprs]-[A-Za-z0-9-]{10,})",
    r"|(?-u:\b)((?:sk|rk)_live_[A-Za-z0-9]{16,})",
    r"|(?-u:\b)(AIza[A-Za-z0-9_-]{35})",
    r"|(-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*))",
    r"|(?-u:\b)(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})",
    r"|(?:X-Amz-Signature|X-Amz-Security-Token|X-Goog-Signature)=([A-Za-z0-9%+/=_-]{8,})",
    r"|[?&]sig=([A-Za-z0-9%+/=_-]{16,})",
);

/// What every token of [`TOKENS`] holds: plain literals, which almost no value does.
const HINTS: &str = "AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|_live_|AIza|-----BEGIN|eyJ\
                     |X-Amz-S|X-Goog-S|[?&]sig=";
/// The fewest bytes that a token has.
const SHORTEST: usize = 15;

const KINDS: [&str; 10] = [
    "an AWS access key id",
    "a GitHub token",
    "a GitLab token",
    "a Slack token",
    "a Stripe key",
    "a Google API key",
    "a private key",
    "a JSON web token",
    "the signature of a presigned URL",
    "the signature of a presigned URL",
];

/// On one line: a key that names a secret, and its value.
const KEYED: &str = concat!(
    r#"(?i)["']?\b[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)[\w.-]*["']?"#,
    r#"\s*[:=]\s*["']?([^\s"',}]{4,})"#,
);

#[expect(clippy::expect_used, reason = "the expressions are constants, compiled by every test run")]
fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("constant expression")
}

static HINT: LazyLock<Regex> = LazyLock::new(|| compile(HINTS));
static AUTHORITY: LazyLock<memchr::memmem::Finder<'static>> =
    LazyLock::new(|| memchr::memmem::Finder::new("://"));
static TOKEN: LazyLock<Regex> = LazyLock::new(|| compile(TOKENS));
static KEYED_VALUE: LazyLock<Regex> = LazyLock::new(|| compile(KEYED));

/// The first part of `value` that tells by itself that it is a credential.
#[must_use]
pub fn find(value: &str) -> Option<Secret> {
    if value.len() < 6 {
        return None;
    }
    find_from(value, 0).or_else(|| secret_access_key(value))
}

/// AWS's secret access keys are forty characters of base64, and say no more of themselves. A value
/// that is one has letters of both cases and a digit; hexadecimal digests have not.
fn secret_access_key(value: &str) -> Option<Secret> {
    let bytes = value.as_bytes();
    let of = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count();
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    let fits = bytes.len() == 40
        && bytes.iter().all(base64)
        && of(u8::is_ascii_uppercase) >= 6
        && of(u8::is_ascii_lowercase) >= 6
        && of(u8::is_ascii_digit) >= 1;
    fits.then_some(Secret { kind: "what looks like an AWS secret access key", range: 0..40 })
}

fn find_from(text: &str, from: usize) -> Option<Secret> {
    let hinted = text.len() >= from + SHORTEST && HINT.is_match_at(text, from);
    let token = hinted.then(|| TOKEN.captures_at(text, from)).flatten().and_then(|found| {
        let (at, group) = found.iter().skip(1).enumerate().find_map(|(at, g)| Some((at, g?)))?;
        Some(Secret { kind: KINDS[at], range: group.range() })
    });
    let user = user_information(text, from);
    match (token, user) {
        (Some(token), Some(user)) if user.range.start < token.range.start => Some(user),
        (None, user) => user,
        (token, _) => token,
    }
}

/// The password in `scheme://user:password@host`.
fn user_information(text: &str, from: usize) -> Option<Secret> {
    AUTHORITY.find_iter(text.as_bytes().get(from..)?).find_map(|at| {
        let start = from + at + 3;
        let rest = &text[start..];
        let authority = &rest[..rest.find(['/', '?', '#', ' ', '\n']).unwrap_or(rest.len())];
        let (user, _) = authority.rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        let begin = start + name.len() + 1;
        let range = begin..begin + password.len();
        (!password.is_empty() && !is_filled_later(password))
            .then_some(Secret { kind: "a password in a URL", range })
    })
}

/// Whether a property or tag of the name `key` holds a secret, by its name, in `value`.
#[must_use]
pub fn is_named(key: &str, value: &str) -> bool {
    const WHOLE: [&str; 5] = ["token", "secret", "credential", "credentials", "pwd"];
    const PARTS: [&str; 9] = [
        "password",
        "passwd",
        "passphrase",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "authtoken",
        "accesstoken",
    ];
    // Almost every key is sorted out by its letters.
    if key.len() < 3 || value.is_empty() {
        return false;
    }
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let named = WHOLE.contains(&plain.as_str())
        || plain.ends_with("secret")
        || PARTS.iter().any(|part| plain.ends_with(part));
    named && !is_reference(value)
}

/// Names where a secret is kept, or says that there is none.
fn is_reference(value: &str) -> bool {
    value.starts_with("arn:")
        || value.contains("://")
        || is_filled_later(value)
        || matches!(value, "none" | "None" | "null" | "n/a" | "N/A" | "false" | "true" | "-")
}

fn is_filled_later(value: &str) -> bool {
    value.contains("{{")
        || value.contains("${")
        || value.starts_with('<')
        || value.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '…'))
}

/// `text`, which may be a line of a manifest or a message, with what looks like a credential masked.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let ranges = ranges(text);
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        out.push_str(&text[end..range.start]);
        out.push_str(MASK);
        end = range.end;
    }
    out.push_str(&text[end..]);
    Cow::Owned(out)
}

/// What of `text` is masked, in order and apart.
#[must_use]
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(secret) = find_from(text, at) {
        at = secret.range.end.max(at + 1);
        found.push(secret.range);
        if at >= text.len() || !text.is_char_boundary(at) {
            break;
        }
    }
    for keyed in KEYED_VALUE.captures_iter(text) {
        if let Some(value) = keyed.get(1)
            && !is_reference(value.as_str())
            && !value.as_str().starts_with(['`', '|', '>', '&', '*', '['])
        {
            found.push(value.range());
        }
    }
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    found.dedup_by(|later, first| later.start < first.end);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_by_their_form() {
        let kind = |value: &str| find(value).map(|secret| secret.kind);
        assert_eq!(kind("AKIAIOSFODNN7EXAMPLE"), Some("an AWS access key id"));
        assert_eq!(kind("https://user:hunter2@host/x"), Some("a password in a URL"));
        assert_eq!(kind("https://user@host/x"), None);
        assert_eq!(kind("git@github.com:a/b.git"), None);
        assert_eq!(kind("s3://b/k:v@1"), None);
        assert_eq!(
            kind("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef"),
            Some("the signature of a presigned URL")
        );
        assert_eq!(kind("https://example.com/?design=x"), None);
        assert_eq!(kind("AKIA-is-a-prefix"), None);
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(kind(key), Some("what looks like an AWS secret access key"));
        assert_eq!(kind("da39a3ee5e6b4b0d3255bfef95601890afd80709"), None);
        assert_eq!(kind("a/path/of/forty/characters/that/is/none1"), None);
    }

    #[test]
    fn keys_name_secrets_and_references_are_none() {
        assert!(is_named("DB_PASSWORD", "hunter2"));
        assert!(is_named("api-key", "abc123"));
        assert!(!is_named("api-key", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"));
        assert!(!is_named("password", "{{resolve:secretsmanager:x}}"));
        assert!(!is_named("tokenizer", "bert"));
        assert!(!is_named("Tokens", "1204331"));
        assert!(!is_named("secretary", "Ada"));
    }

    #[test]
    fn shown_text_keeps_no_secret() {
        assert_eq!(masked("a: 1"), "a: 1");
        assert_eq!(masked("  password: hunter2 # x"), "  password: [masked] # x");
        assert_eq!(masked("u: https://a:hunter2@h/p"), "u: https://a:[masked]@h/p");
        assert_eq!(masked("k AKIAIOSFODNN7EXAMPLE."), "k [masked].");
        assert_eq!(masked("`token` has no value"), "`token` has no value");
    }
}
