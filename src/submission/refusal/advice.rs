//! The reaction to an unsuccessful response.

use super::{Class, Quota, Refusal};
use crate::submission::Arn;

/// The beginning of a message that reports a response from something other than the service.
pub const NOT_THE_SERVICE: &str = "the response is not from SageMaker";

/// The beginning of a message that reports an untrusted certificate.
pub const UNTRUSTED: &str = "the target's certificate is not trusted";

/// The beginning of a message that reports a response from another account or Region.
pub const ELSEWHERE: &str = "the response is from another account or Region";

/// The beginning of a message that reports a local registry other than the one that responded before.
pub const REPLACED: &str = "another registry responds at this endpoint now";

/// Error codes for unknown or mismatched keys, whatever the request.
const KEYS: &[&str] =
    &["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure"];

/// Error codes for a signature that does not match the keys.
const SIGNATURE: &[&str] = &["InvalidSignatureException", "SignatureDoesNotMatch"];

impl Refusal {
    /// Returns the IAM action that the service names as denied, as in `sagemaker:AddTags`.
    #[must_use]
    pub fn denied_action(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once("not authorized to perform: ")?;
        let action = rest.split([' ', ',', '\n']).next()?.trim_end_matches('.');
        let (service, name) = action.split_once(':')?;
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*".contains(&b))
        };
        (is_word(service) && is_word(name)).then_some(action)
    }

    /// Returns the reason that the service gives for denying: the text after "because", or "with an
    /// explicit deny in …".
    #[must_use]
    pub fn because(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once("not authorized to perform: ")?;
        let reason = match (rest.split_once(" because "), rest.find("with an explicit deny")) {
            (Some((_, reason)), _) => reason,
            (None, Some(at)) => &rest[at..],
            (None, None) => return None,
        };
        let reason = reason.trim().trim_end_matches('.');
        (!reason.is_empty()).then_some(reason)
    }

    /// Returns lines of help. `action` is the IAM action of the request, for services that do not
    /// name the one they deny.
    #[must_use]
    pub fn help(&self, action: &str) -> Vec<String> {
        let begins = |beginning: &str| self.message.starts_with(beginning);
        match self.class {
            Class::Rejected => vec![],
            Class::Throttled => vec![
                "other callers may be using the account's quota: lower `--rate` or `--max-rate`, \
                 or wait longer with `--limit-patience`"
                    .to_owned(),
            ],
            Class::Limit => limit(self.quota().as_ref()),
            Class::Denied => self.denied(action),
            Class::Expired => vec![
                "log in again, for example with `aws sso login`: lineload reads the new \
                 credentials from the same place"
                    .to_owned(),
            ],
            Class::ExpiredForGood => vec![
                "the keys come from AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN: set new ones, or use \
                 `--profile`, whose credentials can be refreshed during a run"
                    .to_owned(),
            ],
            Class::NotSent => vec![
                "check the network, `--endpoint-url`, and the proxy settings in HTTPS_PROXY and \
                 NO_PROXY"
                    .to_owned(),
            ],
            Class::Unsendable if begins(UNTRUSTED) => self.untrusted(),
            Class::Unsendable if begins(ELSEWHERE) => self.elsewhere(),
            Class::Unsendable if begins(REPLACED) => vec![
                "it was reset, or `lineload serve` was restarted with another file: import again"
                    .to_owned(),
            ],
            Class::Unsendable if self.message.contains("and custom endpoint") => vec![
                "remove `--endpoint-url` and AWS_ENDPOINT_URL, or unset AWS_USE_FIPS_ENDPOINT and \
                 AWS_USE_DUALSTACK_ENDPOINT (in a profile: \
                 use_fips_endpoint and use_dualstack_endpoint)"
                    .to_owned(),
            ],
            Class::Unsendable if self.message.contains("proxy") => vec![
                "set HTTPS_PROXY to `http://USER:PASSWORD@HOST:PORT`, or add the target's host to \
                 NO_PROXY"
                    .to_owned(),
            ],
            Class::Unsendable => vec![
                "nothing was submitted: check `--endpoint-url`, `--region` and the profile"
                    .to_owned(),
            ],
            Class::ClockOff => vec![
                "set the clock, for example with `sudo timedatectl set-ntp true` or `sudo chronyc \
                 makestep`"
                    .to_owned(),
            ],
            Class::Ambiguous if begins(NOT_THE_SERVICE) => vec![
                "a proxy, a captive portal or another service responded instead: check \
                 `--endpoint-url`, HTTPS_PROXY and NO_PROXY"
                    .to_owned(),
            ],
            Class::Ambiguous => vec![],
            Class::NoResponse => vec!["wait longer for a response with `--timeout`".to_owned()],
        }
    }

    fn elsewhere(&self) -> Vec<String> {
        let mut help = vec!["choose the profile and the Region of the intended account".to_owned()];
        let mut words = self.message.split([' ', ';']);
        // It is offered as a part of a command.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ":/-".contains(c);
        if let Some((arn, parts)) = words.find_map(|word| Some((word, Arn::parse(word)?)))
            && arn.chars().all(is_plain)
        {
            let region = parts.region;
            help.push(format!(
                "if this run created that artifact, delete it with `aws sagemaker delete-artifact \
                 --region {region} --artifact-arn {arn}`"
            ));
        }
        help
    }

    fn denied(&self, action: &str) -> Vec<String> {
        let code = self.code.as_deref().unwrap_or_default();
        if KEYS.contains(&code) {
            return vec![
                "log in again, or choose another `--profile`: the service does not recognize \
                 these keys"
                    .to_owned(),
            ];
        }
        if SIGNATURE.contains(&code) {
            return vec![
                "check that the secret access key belongs to the access key id, and that no proxy \
                 modifies requests"
                    .to_owned(),
            ];
        }
        let action = self.denied_action().unwrap_or(action);
        match self.because() {
            Some(reason) if reason.contains("explicit deny") => vec![format!(
                "a policy explicitly denies the caller {action}: have that statement changed"
            )],
            Some(reason) if reason.contains("VPC endpoint policy") => {
                vec![format!("allow {action} in the VPC endpoint policy")]
            }
            _ => vec![format!("allow the caller {action} in an IAM policy")],
        }
    }

    fn untrusted(&self) -> Vec<String> {
        let mut help = vec![
            "set AWS_CA_BUNDLE, or `ca_bundle` in the profile, to a PEM file with the certificate \
             of the authority; SSL_CERT_FILE is used only if AWS_CA_BUNDLE, `ca_bundle` and \
             REQUESTS_CA_BUNDLE are not set"
                .to_owned(),
        ];
        if self.message.contains("expired") || self.message.contains("not valid") {
            help.insert(0, "check this machine's clock".to_owned());
        }
        help
    }
}

/// Returns the commands that show a quota and that request an increase.
fn limit(quota: Option<&Quota>) -> Vec<String> {
    // The name is quoted for the shell and for JMESPath.
    let plain = |c: char| c.is_ascii_alphanumeric() || " ,.-()/".contains(c);
    let named = quota.filter(|quota| quota.name.chars().all(plain) && !quota.name.is_empty());
    let which = match named {
        Some(quota) => format!("QuotaName=='{}'", quota.name),
        None => "contains(QuotaName,'artifacts')".to_owned(),
    };
    vec![
        format!(
            "to see the quota: aws service-quotas list-service-quotas --service-code sagemaker \
             --query \
             \"Quotas[?{which}].[QuotaName,Value,QuotaCode]\" --output table"
        ),
        "to request an increase: aws service-quotas request-service-quota-increase --service-code \
         sagemaker --quota-code CODE --desired-value N"
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(message: &str) -> Refusal {
        let code = Some("AccessDeniedException".to_owned());
        Refusal { code, ..Refusal::of(Class::Denied, message) }
    }

    #[test]
    fn the_action_and_the_reason_are_those_that_the_service_names() {
        let text = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
                    sagemaker:AddTags on resource: \
                    arn:aws:sagemaker:eu-west-1:123456789012:artifact/* because no identity-based \
                    policy allows the sagemaker:AddTags action";
        let refusal = denied(text);
        assert_eq!(refusal.denied_action(), Some("sagemaker:AddTags"));
        let reason = "no identity-based policy allows the sagemaker:AddTags action";
        assert_eq!(refusal.because(), Some(reason));
        let help = ["allow the caller sagemaker:AddTags in an IAM policy"];
        assert_eq!(refusal.help("sagemaker:CreateArtifact"), help);

        let text = "User: x is not authorized to perform: sagemaker:CreateArtifact on resource: y \
                    with an explicit deny in a service control policy";
        let refusal = denied(text);
        assert_eq!(refusal.because(), Some("with an explicit deny in a service control policy"));
        assert!(refusal.help("")[0].starts_with(
            "a policy explicitly denies the caller \
                          sagemaker:CreateArtifact"
        ));

        let text = "User: x is not authorized to perform: sagemaker:ListArtifacts because no VPC \
                    endpoint policy allows the sagemaker:ListArtifacts action";
        let help = ["allow sagemaker:ListArtifacts in the VPC endpoint policy"];
        assert_eq!(denied(text).help(""), help);
    }

    #[test]
    fn without_a_name_the_action_is_that_of_the_request() {
        for text in
            ["no", "is not authorized to perform: ", "not authorized to perform: \u{1b}[1m:x"]
        {
            assert_eq!(denied(text).denied_action(), None, "{text}");
            assert_eq!(denied(text).because(), None, "{text}");
            let help = ["allow the caller sagemaker:ListTags in an IAM policy"];
            assert_eq!(denied(text).help("sagemaker:ListTags"), help);
        }
    }

    #[test]
    fn keys_that_are_not_known_are_no_matter_of_iam() {
        for code in ["UnrecognizedClientException", "SignatureDoesNotMatch"] {
            let refusal = Refusal { code: Some(code.to_owned()), ..denied("no") };
            let help = refusal.help("sagemaker:ListTags").join(" ");
            assert!(!help.contains("sagemaker:"), "{help}");
        }
    }

    #[test]
    fn a_quota_has_the_commands_to_see_it_and_to_ask_for_more() {
        let text = |name: &str| {
            format!(
                "The account-level service limit '{name}' is 6 A, with current utilization of 6 A"
            )
        };
        let help = |name: &str| Refusal::of(Class::Limit, text(name)).help("");
        let named =
            help("Total number of artifacts allowed, excluding those automatically created");
        assert!(named[0].contains(
            "--query \"Quotas[?QuotaName=='Total number of artifacts allowed, excluding those automatically created'].[QuotaName,Value,QuotaCode]\""
        ));
        assert!(named[1].contains("aws service-quotas request-service-quota-increase"));
        // Text from the service never becomes a command.
        let hostile = help("x\" ; rm -rf ~ ; \"");
        assert!(hostile[0].contains("contains(QuotaName,'artifacts')"), "{hostile:?}");
    }
}
