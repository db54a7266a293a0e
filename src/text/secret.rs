//! Values that look like credentials, and texts with such values redacted.
//!
//! In: any text. Out: what of it looks like a password, a key or a token. Everything that shows
//! text from a manifest goes through [`redacted`], since a linter's output is kept where the
//! manifest's readers are not the only ones to see it.

mod kinds;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use kinds::KINDS;
use regex::Regex;

use super::pattern::compile;

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// The help for a credential in a manifest.
pub const HELP: &str = "remove it, and revoke it if it is real: anyone who can list artifacts \
                        could read it; refer to where it is stored instead, such as by the ARN of \
                        a secret in Secrets Manager";

/// The name of a value whose key names a secret.
pub const NAMED: &str = "a secret, judging by the name of its key";

/// A value that looks like a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The kind of secret it looks like.
    pub kind: &'static str,
    /// Its bytes.
    pub range: Range<usize>,
}

/// The fewest bytes that a secret of [`KINDS`] has, with what stands before it.
const SHORTEST: usize = 15;

/// On one line: a key that names a secret, and its value.
const KEYED: &str = concat!(
    r#"(?i)["']?\b[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)[\w.-]*["']?"#,
    r#"\s*[:=]\s*["']?([^\s"',}]{4,})"#,
);

/// Plain characters that every secret of [`KINDS`] holds, so that a text without any is passed over
/// quickly.
///
/// Those with a rare character in them are searched for where a text has that, which is found out
/// faster.
static HINTS: LazyLock<Vec<(Option<u8>, Regex)>> = LazyLock::new(|| {
    let hints = || KINDS.iter().flat_map(|kind| kind.hints);
    let rare = |hint: &str| RARE.into_iter().find(|rare| hint.as_bytes().contains(rare));
    let groups = RARE.map(Some).into_iter().chain([None]);
    groups
        .flat_map(|group| {
            let hints: Vec<_> = hints()
                .filter(|hint| rare(hint) == group)
                .map(|hint| regex::escape(hint))
                .collect();
            let regexes = hints.chunks(HINTS_AT_ONCE).map(|hints| compile(&hints.join("|")));
            regexes.map(|regex| (group, regex)).collect::<Vec<_>>()
        })
        .collect()
});
/// Characters that few manifests hold, and many hints.
const RARE: [u8; 3] = [b'_', b'=', b'~'];
/// Of so few plain texts, `regex` searches for all at once with vector instructions.
const HINTS_AT_ONCE: usize = 24;

static AUTHORITY: LazyLock<memchr::memmem::Finder<'static>> =
    LazyLock::new(|| memchr::memmem::Finder::new("://"));
/// Each kind is one group, in the order of [`KINDS`].
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = KINDS.iter().map(|kind| kind.pattern.replace(r"\b", r"(?-u:\b)"));
    compile(&patterns.collect::<Vec<_>>().join("|"))
});
static KEYED_VALUE: LazyLock<Regex> = LazyLock::new(|| compile(KEYED));

/// Returns the first part of `value` that is a credential by its form.
#[must_use]
pub fn find(value: &str) -> Option<Secret> {
    find_screened(value, true)
}

/// [`find`], for a value of a text of which [`may_hold_tokens`] has said `tokens`.
#[must_use]
pub fn find_screened(value: &str, tokens: bool) -> Option<Secret> {
    if value.len() < 6 {
        return None;
    }
    find_from(value, 0, tokens).or_else(|| secret_access_key(value))
}

/// Returns whether some value of a manifest that is written as `text` may be a credential of a
/// known kind: it has the plain characters of one, or an escape that may stand for one of them.
#[must_use]
pub fn may_hold_tokens(text: &str) -> bool {
    memchr::memchr(b'\\', text.as_bytes()).is_some() || has_hint(text, 0)
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

fn find_from(text: &str, from: usize, tokens: bool) -> Option<Secret> {
    let hinted = tokens && text.len() >= from + SHORTEST && has_hint(text, from);
    let token = hinted.then(|| token(text, from)).flatten();
    let user = user_information(text, from);
    match (token, user) {
        (Some(token), Some(user)) if user.range.start < token.range.start => Some(user),
        (None, user) => user,
        (token, _) => token,
    }
}

/// Returns the first secret of [`KINDS`] at or behind `from`.
fn token(text: &str, mut from: usize) -> Option<Secret> {
    while let Some(found) = TOKEN.captures_at(text, from) {
        let (at, group) = found.iter().skip(1).enumerate().find_map(|(at, g)| Some((at, g?)))?;
        let kind = KINDS.get(at)?;
        if !kind.mixed || (is_mixed(group.as_str()) && !is_reference(group.as_str())) {
            return Some(Secret { kind: kind.name, range: group.range() });
        }
        from = group.end();
    }
    None
}

fn has_hint(text: &str, from: usize) -> bool {
    let bytes = text.as_bytes().get(from..).unwrap_or_default();
    HINTS.iter().any(|(rare, hints)| {
        rare.is_none_or(|rare| memchr::memchr(rare, bytes).is_some())
            && hints.is_match_at(text, from)
    })
}

fn is_mixed(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Returns the password in `scheme://user:password@host`.
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

/// Returns whether a property or tag of the name `key` holds a secret, by its name, in `value`.
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
        || is_error_code(value)
        || matches!(value, "none" | "None" | "null" | "n/a" | "N/A" | "false" | "true" | "-")
}

/// Returns whether `value` is the beginning of a sentence, as in `failed to load credentials:
/// dispatch failure`. Nobody calls a single secret that, and it has more than letters.
fn is_prose(before: &str, value: &str) -> bool {
    let key = before.trim_end_matches([':', '=', ' ', '"', '\'']).to_ascii_lowercase();
    ["credential", "credentials"].iter().any(|word| key.ends_with(word))
        && value.bytes().all(|b| b.is_ascii_lowercase() || b == b':')
}

/// An error code, as in `no valid credentials: ExpiredTokenException`.
fn is_error_code(value: &str) -> bool {
    let word = value.trim_end_matches(':');
    word.bytes().all(|b| b.is_ascii_alphabetic())
        && ["Exception", "Error", "Failure"].iter().any(|end| word.ends_with(end))
}

fn is_filled_later(value: &str) -> bool {
    value.contains("{{")
        || value.contains("${")
        || value.starts_with('<')
        || value.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '…'))
}

/// Returns `text`, which may be a line of a manifest or a message, with what looks like a
/// credential redacted.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let ranges = ranges(text);
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        out.push_str(&text[end..range.start]);
        out.push_str(REDACTED);
        end = range.end;
    }
    out.push_str(&text[end..]);
    Cow::Owned(out)
}

/// Returns the ranges of `text` to redact, in order and without overlaps.
#[must_use]
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(secret) = find_from(text, at, true) {
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
            && !is_prose(&text[..value.start()], value.as_str())
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
    fn every_kind_is_found_by_its_hint() {
        // One of each kind, made up.
        let of = |length: usize| "aB3dE6gH9jK2mN5pQ8sT1vW4".repeat(12)[..length].to_owned();
        let hex = |length: usize| "0a1b2c3d4e5f6789".repeat(8)[..length].to_owned();
        let letters = "abcDEfghiJKlmnopQRstuvWXyzabcDEfgh";
        let digits = hex(32).to_uppercase();
        let cases = [
            ("an AWS access key id", format!("ASIA{}", &digits[..16])),
            ("an AWS session token", format!("IQoJb3JpZ2luX2Vj{}", of(80))),
            ("an Amazon Bedrock API key", format!("ABSK{}=", of(100))),
            ("a GitHub token", format!("github_pat_{}", of(30))),
            ("a GitLab token", format!("glptt-{}", hex(40))),
            ("a Slack token", "xoxb-123456789012-123456789012-abcDEF".to_owned()),
            (
                "a Slack webhook URL",
                format!("https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/{}", of(24)),
            ),
            (
                "a Discord webhook URL",
                format!("https://discord.com/api/webhooks/123456789012345678/{}", of(60)),
            ),
            (
                "a Microsoft Teams webhook URL",
                format!("https://x.webhook.office.com/webhookb2/{}", hex(40)),
            ),
            ("a Stripe key", format!("rk_test_{}", of(24))),
            ("a Google API key", format!("AIza{}", of(35))),
            ("a Google OAuth secret", format!("GOCSPX-{}", of(28))),
            ("a private key", "-----BEGIN RSA PRIVATE KEY-----\nMII".to_owned()),
            ("an age secret key", format!("AGE-SECRET-KEY-1{}", digits.repeat(2))),
            ("a bearer token", format!("Bearer {}", of(32))),
            ("the password of an HTTP header", "Authorization: Basic dXNlcjpodW50ZXIy".to_owned()),
            ("a JSON web token", format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", of(20), of(20))),
            ("a 1Password service account token", format!("ops_eyJ{}", of(60))),
            (
                "the signature of a presigned URL",
                "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef".to_owned(),
            ),
            (
                "the signature of a shared access URL",
                format!("sv=2024-01-01&sr=b&sig={}%3D", of(43)),
            ),
            ("an Azure account key", format!("AccountName=x;AccountKey={}==", of(86))),
            ("an Azure client secret", format!("abc8Q~{}", of(33))),
            ("a Hugging Face token", format!("hf_{letters}")),
            ("an OpenAI key", format!("sk-proj-{}", of(60))),
            ("an Anthropic key", format!("sk-ant-api03-{}", of(93))),
            ("a Databricks token", format!("dapi{}", hex(32))),
            ("a DigitalOcean token", format!("dop_v1_{}", hex(64))),
            ("a Docker Hub token", format!("dckr_pat_{}", of(27))),
            ("an npm token", format!("npm_{}", of(36))),
            ("a PyPI token", format!("pypi-AgEIcHlwaS5vcmc{}", of(50))),
            ("an Artifactory key", format!("AKCp{}", of(69))),
            ("an Atlassian token", format!("ATATT3{}", of(60))),
            ("a SendGrid key", format!("SG.{}.{}", of(22), of(43))),
            ("a Shopify token", format!("shpss_{}", hex(32))),
            ("a Vault token", format!("hvs.{}", of(90))),
            ("an HCP Terraform token", format!("{}.atlasv1.{}", of(14), of(60))),
            ("a Grafana token", format!("glsa_{}_{}", of(32), hex(8))),
            ("a Pulumi token", format!("pul-{}", hex(40))),
            ("a Postman key", format!("PMAK-{}-{}", hex(24), hex(34))),
            ("a Prefect key", format!("pnu_{}", of(36))),
            ("an Alibaba Cloud key id", format!("LTAI{}", of(20))),
            ("a Groq key", format!("gsk_{}", of(52))),
            ("a Telegram bot token", format!("110201543:AA{}", of(33))),
            ("a Twilio key", format!("SK{}", hex(32))),
            (
                "a secret, judging by the name before it",
                format!("run with WANDB_API_KEY={} set", hex(40)),
            ),
        ];
        assert_eq!(cases.len(), KINDS.len(), "a kind without a case");
        for (kind, text) in cases {
            let found = find(&text).unwrap_or_else(|| panic!("{kind} is not found"));
            assert_eq!(found.kind, kind, "{text}");
            let shown = redacted(&text).into_owned();
            assert!(!shown.contains(&text[found.range.clone()]), "{shown}");
        }
    }

    #[test]
    fn a_text_without_hints_is_passed_over_and_escapes_are_not() {
        assert!(!may_hold_tokens("ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n"));
        assert!(may_hold_tokens("a: AKIAIOSFODNN7EXAMPLE"));
        assert!(may_hold_tokens("a: \"\\x41KIAIOSFODNN7EXAMPLE\""));
        // The space behind it may be the fold of a line.
        assert!(may_hold_tokens("a: Bearer\n  aB3dE6gH9jK2mN5p"));
        // A password in a URL has no hint.
        assert!(find_screened("https://u:hunter22@h/x", false).is_some());
    }

    #[test]
    fn words_that_look_like_a_secret_are_none() {
        for text in [
            "the bearer of an internationalization-award",
            "https://example.org/design?assig=0123456789abcdefghi",
            "dapi, hf_ and sk-ant- are prefixes",
            "AccountKeyVault=some-name-of-a-vault",
            "s3://bucket/npm_packages/pul-monary.csv",
            "password=<your password 1>",
            "secret=arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
            "api_key=${API_KEY_2}",
            "vocabulary with max_token=512 and pad_token=unknown",
            "SKU0123456789 in the warehouse",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_reason_after_the_word_credentials_is_shown() {
        let reason = "cannot load credentials: dispatch failure: io error";
        assert_eq!(redacted(reason), reason);
        assert_eq!(redacted("credentials: hunter2"), "credentials: [redacted]");
        assert_eq!(redacted("password: hunter"), "password: [redacted]");
    }

    #[test]
    fn tokens_are_recognized_by_their_form() {
        let kind = |value: &str| find(value).map(|secret| secret.kind);
        assert_eq!(kind("AKIAIOSFODNN7EXAMPLE"), Some("an AWS access key id"));
        assert_eq!(kind("https://user:hunter2@host/x"), Some("a password in a URL"));
        let named = Some("a secret, judging by the name before it");
        assert_eq!(kind("password=hunter2hunter2"), named);
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
        assert_eq!(redacted("a: 1"), "a: 1");
        assert_eq!(redacted("  password: hunter2 # x"), "  password: [redacted] # x");
        assert_eq!(redacted("u: https://a:hunter2@h/p"), "u: https://a:[redacted]@h/p");
        assert_eq!(redacted("k AKIAIOSFODNN7EXAMPLE."), "k [redacted].");
        assert_eq!(redacted("`token` has no value"), "`token` has no value");
    }
}
