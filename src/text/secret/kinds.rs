//! The kinds of secrets that are known by their form.
//!
//! One row a kind: what it is called, plain characters that every one of them holds, the expression
//! whose one group is the secret, and where the kind comes from: a rule of gitleaks' default
//! configuration, a detector of detect-secrets, or the reference of whoever issues it. The kinds
//! are theirs, the expressions are written for this table: for single values, not for source code,
//! and rather too wide in what ends a secret than too narrow.

/// A kind of secret.
pub(super) struct Kind {
    /// The name in messages, with its article.
    pub(super) name: &'static str,
    /// Every secret of the kind holds one of these, which almost no other value does.
    pub(super) hints: &'static [&'static str],
    /// An expression with one group, which is the secret.
    pub(super) pattern: &'static str,
    /// True if it must have letters and digits, since the pattern alone takes words too.
    pub(super) mixed: bool,
    /// The origin of the pattern.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads or extends the table"))]
    pub(super) source: &'static str,
}

macro_rules! kinds {
    ($($name:literal [$($hint:literal),+] $pattern:literal $(if $mixed:ident)?, from $source:literal;)+) => {
        /// Every kind.
        pub(super) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            hints: &[$($hint),+],
            pattern: $pattern,
            mixed: kinds!(@ $($mixed)?),
            source: $source,
        }),+];
    };
    (@) => { false };
    (@ mixed) => { true };
}

kinds! {
    "an AWS access key id" ["AKIA", "ASIA", "ABIA", "ACCA"]
        r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})\b", from "gitleaks aws-access-token";
    "an AWS session token" ["IQoJb3JpZ2lu", "FwoGZXIvYXdz"]
        r"((?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/=]{60,})", from "AWS STS, the head of every \
          token";
    "an Amazon Bedrock API key" ["ABSK", "bedrock-api-key-"]
        r"\b(ABSK[A-Za-z0-9+/]{60,}={0,2}|bedrock-api-key-[A-Za-z0-9+/=]{20,})",
        from "gitleaks aws-amazon-bedrock-api-key";
    "a GitHub token" ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]
        r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})", from "gitleaks github-pat";
    "a GitLab token" ["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"]
        r"\b(gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_.-]{20,})", from "gitleaks gitlab-pat";
    "a Slack token" ["xox", "xapp-"]
        r"\b(xox[abeoprs][.-][A-Za-z0-9.-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{16,})",
        from "gitleaks slack-bot-token";
    "a Slack webhook URL" ["hooks.slack.com/"]
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{20,})",
        from "gitleaks slack-webhook-url";
    "a Discord webhook URL" ["/api/webhooks/"]
        r"discord(?:app)?\.com/api/webhooks/[0-9]{5,}/([A-Za-z0-9_-]{20,})",
        from "detect-secrets DiscordBotTokenDetector; Discord's reference of webhooks";
    "a Microsoft Teams webhook URL" ["webhook.office.com/"]
        r"webhook\.office\.com/(?:webhookb2/)?([A-Za-z0-9@/-]{36,})",
        from "gitleaks microsoft-teams-webhook";
    "a Stripe key" ["k_live_", "k_test_", "whsec_"]
        r"\b((?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{24,})",
        from "gitleaks stripe-access-token";
    "a Google API key" ["AIza"]
        r"\b(AIza[A-Za-z0-9_-]{35})", from "gitleaks gcp-api-key";
    "a Google OAuth secret" ["ya29.", "GOCSPX-"]
        r"\b(ya29\.[A-Za-z0-9_-]{30,}|GOCSPX-[A-Za-z0-9_-]{20,})", from "Google's OAuth 2.0 \
          reference";
    "a private key" ["-----BEGIN"]
        r"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*))", from "gitleaks private-key";
    "an age secret key" ["AGE-SECRET-KEY-1"]
        r"(AGE-SECRET-KEY-1[A-Z0-9]{50,})", from "gitleaks age-secret-key";
    "a bearer token" ["earer"]
        r"\b[Bb]earer +([A-Za-z0-9._~+/-]{16,}=*)" if mixed, from "gitleaks curl-auth-header; RFC \
          6750";
    "the password of an HTTP header" ["uthorization:"]
        r"[Aa]uthorization: *(?:[Bb]asic|[Tt]oken|[Aa]pi[Kk]ey) +([A-Za-z0-9._~+/:-]{8,}=*)",
        from "gitleaks curl-auth-header; RFC 7617";
    "a JSON web token" ["eyJ"]
        r"\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2})",
        from "gitleaks jwt; RFC 7519";
    "a 1Password service account token" ["ops_eyJ"]
        r"\b(ops_eyJ[A-Za-z0-9+/]{40,}={0,3})", from "gitleaks 1password-service-account-token";
    "the signature of a presigned URL" ["X-Amz-S", "X-Goog-S"]
        r"(?:X-Amz-Signature|X-Amz-Security-Token|X-Goog-Signature)=([A-Za-z0-9%+/=_-]{8,})",
        from "Signature Version 4, query parameters";
    "the signature of a shared access URL" ["sig="]
        r#"(?:^|[?&;\s"'])sig=([A-Za-z0-9%+/=_-]{16,})"#, from "Azure Storage, shared access signatures";
    "an Azure account key" ["AccountKey=", "AccessKey="]
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{16,}={0,2})",
        from "detect-secrets AzureStorageKeyDetector";
    "an Azure client secret" ["7Q~", "8Q~"]
        r"\b([A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.-]{31,34})", from "gitleaks \
          azure-ad-client-secret";
    "a Hugging Face token" ["hf_", "api_org_"]
        r"\b((?:hf_|api_org_)[A-Za-z]{34})\b", from "gitleaks huggingface-access-token";
    "an OpenAI key" ["sk-proj-", "T3BlbkFJ"]
        r"\b(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})",
        from "gitleaks openai-api-key";
    "an Anthropic key" ["sk-ant-"]
        r"\b(sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_-]{40,})", from "gitleaks anthropic-api-key";
    "a Databricks token" ["dapi"]
        r"\b(dapi[a-f0-9]{32}(?:-[0-9])?)\b", from "gitleaks databricks-api-token";
    "a DigitalOcean token" ["dop_v1_", "doo_v1_", "dor_v1_"]
        r"\b(do[opr]_v1_[a-f0-9]{64})", from "gitleaks digitalocean-pat";
    "a Docker Hub token" ["dckr_pat_"]
        r"\b(dckr_pat_[A-Za-z0-9_-]{20,})", from "Docker Hub's access tokens";
    "an npm token" ["npm_"]
        r"\b(npm_[A-Za-z0-9]{36})\b", from "gitleaks npm-access-token";
    "a PyPI token" ["pypi-AgE"]
        r"\b(pypi-AgE[A-Za-z0-9_-]{40,})", from "gitleaks pypi-upload-token";
    "an Artifactory key" ["AKCp"]
        r"\b(AKCp[A-Za-z0-9]{60,})", from "gitleaks artifactory-api-key";
    "an Atlassian token" ["ATATT3"]
        r"\b(ATATT3[A-Za-z0-9_=-]{40,})", from "gitleaks atlassian-api-token";
    "a SendGrid key" ["SG."]
        r"\b(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,})", from "gitleaks sendgrid-api-token";
    "a Shopify token" ["shpat_", "shpca_", "shppa_", "shpss_"]
        r"\b(shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32})\b", from "gitleaks shopify-access-token";
    "a Vault token" ["hvs.", "hvb."]
        r"\b(hv[bs]\.[A-Za-z0-9_-]{60,})", from "gitleaks vault-service-token";
    "an HCP Terraform token" [".atlasv1."]
        r"\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,})", from "gitleaks \
          hashicorp-tf-api-token";
    "a Grafana token" ["glc_", "glsa_"]
        r"\b(glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,3})",
        from "gitleaks grafana-service-account-token";
    "a Pulumi token" ["pul-"]
        r"\b(pul-[a-f0-9]{40})\b", from "gitleaks pulumi-api-token";
    "a Postman key" ["PMAK-"]
        r"\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b", from "gitleaks postman-api-token";
    "a Prefect key" ["pnu_"]
        r"\b(pnu_[A-Za-z0-9]{36})\b", from "gitleaks prefect-api-token";
    "an Alibaba Cloud key id" ["LTAI"]
        r"\b(LTAI[A-Za-z0-9]{16,24})\b", from "gitleaks alibaba-access-key-id";
    "a Groq key" ["gsk_"]
        r"\b(gsk_[A-Za-z0-9]{48,})", from "Groq's API reference";
    "a Telegram bot token" [":AA"]
        r"\b([0-9]{8,16}:AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|$)",
        from "gitleaks telegram-bot-api-token";
    "a Twilio key" ["SK"]
        r"\b(SK[0-9a-fA-F]{32})\b" if mixed, from "gitleaks twilio-api-key";
    "a secret, judging by the name before it"
        ["assword=", "ASSWORD=", "asswd=", "ASSWD=", "ecret=", "ECRET=", "oken=", "OKEN=", "key=",
         "Key=", "KEY="]
        r#"(?:[Pp]assword|PASSWORD|[Pp]asswd|PASSWD|[Ss]ecret|SECRET|[Tt]oken|TOKEN|(?:[Aa]pi|[Aa]ccess|[Ss]ecret|[Pp]rivate)[_-]?[Kk]ey|(?:API|ACCESS|SECRET|PRIVATE)[_-]?KEY)=["']?([^\s"'&;,]{8,})"#
        if mixed, from "gitleaks generic-api-key";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_group_and_says_where_it_is_from() {
        for kind in KINDS {
            let regex = regex::Regex::new(kind.pattern).unwrap();
            assert_eq!(regex.captures_len(), 2, "{}", kind.name);
            assert!(!kind.source.is_empty() && !kind.hints.is_empty(), "{}", kind.name);
            assert!(kind.hints.iter().all(|hint| hint.len() >= 2), "{}", kind.name);
            assert!(kind.name.starts_with("a") || kind.name.starts_with("the "), "{}", kind.name);
        }
    }
}
