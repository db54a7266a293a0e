//! The checks that change nothing.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::{Check, Doctor, QuotaUse, State};
use crate::model::{DEFAULT_ARTIFACT_QUOTA, LIST_PAGE_MAX};
use crate::run::{End, Unanswered};
use crate::service::{Filter, Service};
use crate::submission::{Class, Operation};
use crate::text::{counted, grouped};

/// The number of requests whose latency is measured.
const TIMED: usize = 5;

/// The share of the default quota, in percent, from which it is nearly used up.
const NEARLY: u64 = 90;

/// The document that has the default quota.
const QUOTA_SOURCE: &str = "AWS General Reference, Amazon SageMaker endpoints and quotas";

/// The most pages that are listed to count artifacts.
const PAGES: usize = 100;

impl<S: Service> Doctor<S> {
    /// Checks what can be checked without a change. `nowhere` is the ARN of an artifact that does not
    /// exist.
    ///
    /// # Errors
    /// If the target cannot be reached in time, or a signal came.
    pub async fn reads(&mut self, nowhere: &str) -> Result<(), End> {
        let one = Filter::default();
        let page = self
            .asker
            .ask(Operation::List, |service| {
                let one = one.clone();
                async move { service.list(&one, None).await }
            })
            .await;
        let page = self.permitted(Operation::List, page).await?;
        let arn = page.as_ref().and_then(|page| page.found.first()).map(|found| found.arn.clone());
        let arn = arn.unwrap_or_else(|| nowhere.to_owned());
        let described = self.asker.describe(&arn).await;
        self.permitted(Operation::Describe, described).await?;
        let tags = self.asker.tags(&arn).await;
        self.permitted(Operation::ListTags, tags).await?;
        if page.is_some() {
            self.latency().await;
            self.stopped()?;
            self.count().await?;
        }
        Ok(())
    }

    /// Measures how long the target takes to respond.
    async fn latency(&mut self) {
        let mut times = Vec::new();
        let (mut throttled, mut failed) = (0, None);
        for _ in 0..TIMED {
            let began = Instant::now();
            match self.service.list(&Filter::default(), None).await {
                Ok(_) => times.push(began.elapsed()),
                Err(refusal) if refusal.class == Class::Throttled => throttled += 1,
                Err(refusal) => failed = Some(refusal),
            }
        }
        times.sort_unstable();
        let Some(median) = times.get(times.len() / 2).copied() else {
            let found = match failed {
                Some(refusal) => format!("not measured: {refusal}"),
                None => format!("{throttled} of {TIMED} requests in a row were throttled"),
            };
            self.add(Check::new("latency", State::Warning, found));
            return;
        };
        let shown = milliseconds(median);
        let throttled = match throttled {
            0 => String::new(),
            some => format!("; {some} of {TIMED} requests in a row were throttled"),
        };
        let found = format!("{shown}, the median of {} responses{throttled}", times.len());
        self.add(Check::new("latency", State::Ok, found).taking(median));
    }

    /// Counts the artifacts that exist, up to a limit, and compares them with the default quota.
    async fn count(&mut self) -> Result<(), End> {
        let (mut artifacts, mut pages) = (0, 0);
        let counted_all = self
            .asker
            .each_page(&Filter::default(), |found| {
                artifacts += found.len();
                pages += 1;
                if pages < PAGES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await;
        let all = match counted_all {
            Ok(all) => all,
            Err(Unanswered::Ended(end)) => return Err(end),
            Err(Unanswered::Refused(refusal)) => {
                self.add(Check::new("quota", State::Skipped, format!("cannot count: {refusal}")));
                return Ok(());
            }
        };
        debug_assert!(all || artifacts <= PAGES * LIST_PAGE_MAX);
        self.add(quota(artifacts, all));
        Ok(())
    }
}

/// Returns the check of the quota in an account and Region with so many artifacts; `all` is false if
/// there are more.
fn quota(artifacts: usize, all: bool) -> Check {
    let default = DEFAULT_ARTIFACT_QUOTA;
    let used = artifacts as u64;
    let more = if all { "" } else { "more than " };
    let listed = counted(artifacts, "artifact");
    let of = format!("{}, the default quota of an account and Region", grouped(default));
    let mut check = if !all || used > default {
        let why = "the account has a higher quota, or SageMaker created some of them";
        Check::new("quota", State::Warning, format!("{more}{listed}, above {of}: {why}"))
    } else {
        let percent = used * 100 / default;
        let state = if percent < NEARLY { State::Ok } else { State::Warning };
        Check::new("quota", state, format!("{listed}, {percent}% of {of}"))
    };
    check.quota = Some(QuotaUse { artifacts, all, default, source: QUOTA_SOURCE });
    if check.state == State::Warning && all && used <= default {
        let left = counted(usize::try_from(default - used).unwrap_or_default(), "artifact");
        check = check.help(format!(
            "if the account has the default quota, {left} can still be created, and as many more as \
             SageMaker created by itself: those do not count"
        ));
    }
    check.help(
        "to see the account's own quota: aws service-quotas list-service-quotas --service-code \
         sagemaker --query \"Quotas[?contains(QuotaName,'artifacts')].[QuotaName,Value]\" \
         --output table",
    )
}

/// `12 ms`, or `0.4 ms` below ten.
pub(super) fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    let decimals = usize::from(milliseconds < 10.0);
    format!("{milliseconds:.decimals$} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_is_compared_with_what_is_listed() {
        let found = |artifacts, all| {
            let check = quota(artifacts, all);
            (check.state, check.found, check.help.len())
        };
        let of = "6,000, the default quota of an account and Region";
        assert_eq!(found(0, true), (State::Ok, format!("0 artifacts, 0% of {of}"), 1));
        assert_eq!(found(5399, true), (State::Ok, format!("5,399 artifacts, 89% of {of}"), 1));
        assert_eq!(found(5400, true), (State::Warning, format!("5,400 artifacts, 90% of {of}"), 2));
        assert!(quota(5400, true).help[0].contains(", 600 artifacts can still be created"));
        assert_eq!(found(6000, true).0, State::Warning);
        let own = format!(
            "above {of}: the account has a higher quota, or SageMaker created some of them"
        );
        assert_eq!(found(6001, true), (State::Warning, format!("6,001 artifacts, {own}"), 1));
        let more = format!("more than 10,000 artifacts, {own}");
        assert_eq!(found(10_000, false), (State::Warning, more, 1));
    }
}
