//! The filters of the pages' templates.

#![expect(unreachable_pub, reason = "`filter_fn` makes public methods of each function")]

use std::time::Duration;

use askama::{Result, Values};

pub(super) use crate::markup::filters::{cut, grouped, marked, unchanged};

/// Returns the address of the page of an artifact.
#[askama::filter_fn]
pub(super) fn artifact_address(arn: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("arn", arn.as_ref());
    Ok(format!("/_lineload/artifact?{}", pairs.finish()))
}

/// Returns a duration in milliseconds.
#[askama::filter_fn]
pub(super) fn millis(duration: &Duration, _: &dyn Values) -> Result<u64> {
    Ok(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Returns a moment, in milliseconds since 1970, as programs read it.
#[askama::filter_fn]
pub(super) fn rfc_3339(millis: &i64, _: &dyn Values) -> Result<String> {
    Ok(jiff::Timestamp::from_millisecond(*millis).unwrap_or_default().to_string())
}

/// Returns a moment, in milliseconds since 1970, as people read it.
#[askama::filter_fn]
pub(super) fn utc(millis: &i64, _: &dyn Values) -> Result<String> {
    let moment = jiff::Timestamp::from_millisecond(*millis).unwrap_or_default();
    Ok(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
