//! The limit that a service's message names.

use super::Refusal;

/// A limit of the account, as the service's usual text has it: "The account-level service limit
/// 'Total number of artifacts' is 6000 Artifacts, with current utilization of 5990 Artifacts and a
/// request delta of 1 Artifacts."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The name.
    pub name: String,
    /// The number of artifacts that may exist.
    pub limit: u64,
    /// The number of artifacts that exist.
    pub used: u64,
    /// The number that the refused request wanted in addition.
    pub wanted: Option<u64>,
}

impl Refusal {
    /// Parses the limit from a message, if it has one.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        // The name may contain a quote, so its end is the last quote before the first number.
        let (_, rest) = self.message.split_once(" limit '")?;
        let (name, rest) = rest
            .match_indices("' is ")
            .map(|(at, behind)| (&rest[..at], &rest[at + behind.len()..]))
            .find(|(_, rest)| number(rest).is_some())?;
        let used = rest.split_once("utilization of ").and_then(|(_, rest)| number(rest))?;
        let wanted = rest.split_once("request delta of ").and_then(|(_, rest)| number(rest));
        Some(Quota { name: name.to_owned(), limit: number(rest)?, used, wanted })
    }
}

/// Parses the number at the beginning of `text`, with or without thousands separators.
fn number(text: &str) -> Option<u64> {
    let word = text.split_whitespace().next()?.trim_end_matches(['.', ',']);
    word.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Quota> {
        Refusal::by_lineload(text).quota()
    }

    #[test]
    fn a_quota_is_read_where_it_is_named() {
        let text = "The account-level service limit 'Total number of artifacts allowed, excluding \
                    those automatically created by SageMaker' is 6000 Artifacts, with current \
                    utilization of 5990 Artifacts and a request delta of 1 Artifacts. Please use \
                    AWS Service Quotas to request an increase for this quota. If AWS Service \
                    Quotas is not available, contact AWS support to request an increase for this \
                    quota.";
        let name = "Total number of artifacts allowed, excluding those automatically created by \
                    SageMaker";
        let quota = Quota { name: name.to_owned(), limit: 6000, used: 5990, wanted: Some(1) };
        assert_eq!(read(text), Some(quota));
    }

    #[test]
    fn units_of_two_words_nothing_used_and_more_than_one_wanted() {
        let text = "The account-level service limit 'Trial components per trial' is 50 Trial \
                    Components, with current utilization of 0 Trial Components and a request \
                    delta of 60 Trial Components.";
        let quota = read(text).unwrap();
        assert_eq!((quota.limit, quota.used, quota.wanted), (50, 0, Some(60)));
        assert_eq!(quota.name, "Trial components per trial");
        let text = "The account-level service limit 'The account's artifacts' is 6,000 Artifacts, \
                    with current utilization of 6,000 Artifacts.";
        let quota = read(text).unwrap();
        assert_eq!((quota.limit, quota.used, quota.wanted), (6000, 6000, None));
        assert_eq!(quota.name, "The account's artifacts");
    }

    #[test]
    fn other_texts_have_none() {
        for text in [
            "too much",
            "",
            "The limit 'x' is many, with current utilization of some",
            "The limit 'x' is 99999999999999999999 A, with current utilization of 1 A",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
