//! ARNs of artifacts: parsing, and the account they belong to.

use super::Target;

/// Characters that an ARN may have, by the API page.
const LONGEST: usize = 256;

/// An artifact's ARN, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// As in `aws-cn`.
    pub partition: &'a str,
    /// As in `eu-west-1`.
    pub region: &'a str,
    /// Twelve digits.
    pub account: &'a str,
}

impl<'a> Arn<'a> {
    /// Parses an artifact's ARN by the pattern of the API page,
    /// `arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:artifact/.*`. Returns `None` for anything
    /// else, for an artifact without an id, and for control characters, which `.` would let in.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("arn:").filter(|_| text.chars().count() <= LONGEST)?;
        let mut parts = rest.splitn(5, ':');
        let mut next = || parts.next();
        let (partition, service, region) = (next()?, next()?, next()?);
        let (account, resource) = (next()?, next()?);
        let lower = |text: &str, digits: bool| {
            let takes =
                |b: u8| b.is_ascii_lowercase() || b == b'-' || (digits && b.is_ascii_digit());
            text.bytes().all(takes)
        };
        let id = resource.strip_prefix("artifact/")?;
        let is_one = partition.strip_prefix("aws").is_some_and(|rest| lower(rest, false))
            && service == "sagemaker"
            && lower(region, true)
            && is_account(account)
            && !id.is_empty()
            && !id.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        is_one.then_some(Self { partition, region, account })
    }
}

/// Returns whether `text` can be the id of an AWS account.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the partition that a Region is in, by how its name begins.
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let of = partitions.iter().find(|(beginning, _)| region.starts_with(beginning));
    of.map_or("aws", |(_, partition)| partition)
}

impl Target {
    /// Returns whether `arn` can be the ARN of an artifact of this target: at AWS one of its
    /// partition, account and Region, elsewhere any ARN of an artifact.
    #[must_use]
    pub fn holds(&self, arn: &str) -> bool {
        let Some(arn) = Arn::parse(arn) else { return false };
        match self {
            Self::Aws { partition, account, region, .. } => {
                arn == Arn { partition, region, account }
            }
            Self::Local { .. } | Self::Endpoint { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "arn:aws:sagemaker:eu-west-1:123456789012:artifact/0123456789abcdef0123456789abcdef";

    #[test]
    fn an_arn_is_what_the_api_page_says() {
        let aws = Arn { partition: "aws", region: "eu-west-1", account: "123456789012" };
        assert_eq!(Arn::parse(GOOD), Some(aws));
        let china = "arn:aws-cn:sagemaker:cn-north-1:123456789012:artifact/a:b/c";
        assert_eq!(Arn::parse(china).unwrap().partition, "aws-cn");
        let local = "arn:aws:sagemaker:local:000000000000:artifact/1";
        assert_eq!(Arn::parse(local).unwrap().region, "local");
        for none in [
            "",
            "7",
            "foo\u{1b}[31m",
            "arn:aws:sagemaker:eu-west-1:123456789012:artifact/",
            "arn:aws:sagemaker:eu-west-1:123456789012:artifact/a\u{1b}[31m",
            "arn:aws:sagemaker:eu-west-1:123456789012:artifact/a\nb",
            "arn:aws:sagemaker:eu-west-1:123456789012:artifact/a\u{2028}b",
            "arn:aws:sagemaker:eu-west-1:123456789012:action/a",
            "arn:aws:sagemaker:eu-west-1:12345678901:artifact/a",
            "arn:aws:sagemaker:eu-west-1:12345678901x:artifact/a",
            "arn:aws:sagemaker:EU-WEST-1:123456789012:artifact/a",
            "arn:aws:s3:eu-west-1:123456789012:artifact/a",
            "arn:azure:sagemaker:eu-west-1:123456789012:artifact/a",
            " arn:aws:sagemaker:eu-west-1:123456789012:artifact/a",
        ] {
            assert_eq!(Arn::parse(none), None, "{none:?}");
        }
        let id = |length: usize| {
            let head = "arn:aws:sagemaker:eu-west-1:123456789012:artifact/";
            format!("{head}{}", "é".repeat(length - head.len()))
        };
        assert!(Arn::parse(&id(256)).is_some());
        assert_eq!(Arn::parse(&id(257)), None);
    }

    #[test]
    fn a_target_holds_arns_of_its_account_alone() {
        let aws = Target::Aws {
            partition: "aws".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            caller: String::new(),
        };
        assert!(aws.holds(GOOD));
        for foreign in [
            GOOD.replace("123456789012", "210987654321"),
            GOOD.replace("eu-west-1", "us-east-1"),
            GOOD.replace("arn:aws:", "arn:aws-cn:"),
            "nothing".to_owned(),
        ] {
            assert!(!aws.holds(&foreign), "{foreign}");
        }
        let endpoint = Target::Endpoint {
            url: "http://127.0.0.1:1".to_owned(),
            region: "x".to_owned(),
            registry: None,
        };
        assert!(endpoint.holds(GOOD));
        assert!(!endpoint.holds("nothing"));
    }

    #[test]
    fn a_region_is_in_a_partition() {
        assert_eq!(partition_of("eu-west-1"), "aws");
        assert_eq!(partition_of("us-east-1"), "aws");
        assert_eq!(partition_of("cn-north-1"), "aws-cn");
        assert_eq!(partition_of("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition_of("us-isob-east-1"), "aws-iso-b");
        assert_eq!(partition_of("eusc-de-east-1"), "aws-eusc");
    }
}
