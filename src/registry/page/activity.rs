//! What was asked, at what rate, and what was throttled or faulted.

use std::fmt::Write as _;

use super::Query;
use super::html::Html;
use crate::registry::activity::{OperationSnapshot, SECONDS, Snapshot, Trouble};
use crate::registry::faults::Misbehaviour;

/// Seconds between two loads of a page that loads itself again.
const REFRESH: u8 = 2;
/// The height of the bars of a rate, and the distance between them.
const HEIGHT: u32 = 22;
const STEP: usize = 2;

pub(super) fn section(
    body: &mut Html,
    query: &Query,
    snapshot: &Snapshot,
    misbehaviour: &Misbehaviour,
) {
    body.raw("<section><h1>Requests <small>up for ");
    uptime(body, snapshot.uptime_seconds);
    body.raw("</small></h1><p>");
    let token = query.token.as_deref();
    if query.refresh.is_some() {
        body.raw("This page loads itself again. <a href=")
            .attribute(&query.address(token, None))
            .raw(">Stop</a>");
    } else {
        body.raw("<a href=")
            .attribute(&query.address(token, Some(REFRESH)))
            .raw(">Load this page again every ")
            .number(REFRESH.into())
            .raw(" seconds</a>");
    }
    body.raw("</p>");
    if snapshot.operations.is_empty() {
        body.raw("<p class=\"empty\">No client has asked for anything since the start.</p>");
    } else {
        rates(body, &snapshot.operations, misbehaviour);
    }
    recent(body, &snapshot.recent);
    body.raw("</section>");
    on_request(body, misbehaviour);
}

fn uptime(body: &mut Html, seconds: u64) {
    match seconds {
        0..=119 => body.number(seconds).raw(" s"),
        120..=7199 => body.number(seconds / 60).raw(" min"),
        _ => body.number(seconds / 3600).raw(" h"),
    };
}

fn rates(body: &mut Html, operations: &[OperationSnapshot], misbehaviour: &Misbehaviour) {
    body.raw(
        "<div class=\"wide\"><table class=\"rates\"><thead><tr><th>Operation<th>Last minute\
              <th class=\"n\">A second<th class=\"n\">Allowed<th class=\"n\">Answered\
              <th class=\"n\">Refused<th class=\"n\">Throttled<th class=\"n\">Over the limit\
              <th class=\"n\">Faulted<th class=\"n\">Failed</thead><tbody>",
    );
    for one in operations {
        body.raw("<tr><td>").text(one.operation).raw("<td>");
        bars(body, &one.by_second);
        body.raw("<td class=\"n\">").raw(&format!("{:.1}", one.per_second)).raw("<td class=\"n\">");
        let quota = misbehaviour.tps.iter().rev().find(|quota| quota.operation == one.operation);
        match quota {
            Some(quota) => body.raw(&quota.per_second.to_string()),
            None => body.raw("<span class=\"zero\">any</span>"),
        };
        let counts = [
            (one.answered, ""),
            (one.refused, ""),
            (one.throttled, " bad"),
            (one.limited, " bad"),
            (one.faulted, " bad"),
            (one.failed, " bad"),
        ];
        for (count, class) in counts {
            body.raw("<td class=\"n").raw(if count == 0 { " zero" } else { class }).raw("\">");
            body.number(count);
        }
    }
    body.raw("</tbody></table></div>");
}

/// A bar for each second of the last minute.
fn bars(body: &mut Html, by_second: &[u32]) {
    let most = by_second.iter().copied().max().unwrap_or_default().max(1);
    let mut path = String::new();
    for (at, count) in by_second.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (u64::from(*count) * u64::from(HEIGHT)).div_ceil(u64::from(most));
        // Writing to a string does not fail.
        let _ = write!(path, "M{} {HEIGHT}v-{height}h1.5v{height}z", at * STEP);
    }
    let width = SECONDS * STEP;
    body.raw(&format!(
        "<svg width=\"{width}\" height=\"{HEIGHT}\" viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\" \
         aria-label=\"at most {most} in a second\"><path d=\"{path}\"/></svg>"
    ));
}

fn recent(body: &mut Html, recent: &[Trouble]) {
    if recent.is_empty() {
        return;
    }
    body.raw("<details open><summary>The last ").number(recent.len() as u64);
    body.raw(
        " that were not answered as asked</summary><div class=\"tall\"><table><thead><tr>\
              <th>Time (UTC)<th>Operation<th>Outcome<th>What</thead><tbody>",
    );
    for one in recent {
        body.raw("<tr><td class=\"time\">").time(one.at).raw("<td>").text(one.operation);
        body.raw("<td>").raw(one.outcome).raw("<td>").code(one.what);
    }
    body.raw("</tbody></table></div></details>");
}

fn on_request(body: &mut Html, misbehaviour: &Misbehaviour) {
    body.raw("<section><h1>Misbehaviour</h1><ul>");
    let mut any = false;
    for quota in &misbehaviour.tps {
        any = true;
        body.raw("<li>").text(quota.operation).raw(": at most ");
        body.raw(&quota.per_second.to_string()).raw(" a second, then ").code("ThrottlingException");
    }
    if let Some(most) = misbehaviour.max_artifacts {
        any = true;
        body.raw("<li>at most ")
            .number(most)
            .raw(" artifacts, then ")
            .code("ResourceLimitExceeded");
    }
    if !misbehaviour.latency.is_zero() {
        any = true;
        let millis = u64::try_from(misbehaviour.latency.as_millis()).unwrap_or(u64::MAX);
        body.raw("<li>every answer takes ").number(millis).raw(" ms more");
    }
    for (what, lag) in
        [("ListArtifacts", misbehaviour.list_lag), ("ListTags", misbehaviour.tag_lag)]
    {
        if !lag.is_zero() {
            any = true;
            let millis = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
            body.raw("<li>")
                .raw(what)
                .raw(" lags ")
                .number(millis)
                .raw(" ms behind; this page does not");
        }
    }
    for (what, unique) in [
        ("name", misbehaviour.unique_names),
        ("SourceUri and set of SourceTypes", misbehaviour.unique_sources),
    ] {
        if !unique {
            any = true;
            body.raw("<li>several artifacts may have one ").raw(what);
        }
    }
    for fault in &misbehaviour.faults {
        any = true;
        body.raw("<li>").text(fault.operation.unwrap_or("every operation")).raw(": ");
        body.code(fault.kind.name()).raw(" with a probability of ");
        body.raw(&fault.probability.to_string());
    }
    if !any {
        body.raw("<li class=\"empty\">none was asked for");
    }
    body.raw(
        "</ul><p>Change it while the registry runs; what is left out ends:</p><pre>curl -X PUT \
              -H 'Content-Type: application/json' \\\n  -d '{\"tps\": {\"CreateArtifact\": 5}, \
              \"max_artifacts\": 6000, \"latency_ms\": 20, \"list_lag_ms\": 5000,\n       \"faults\": [{\"kind\": \
              \"error-500\", \"probability\": 0.1, \"operation\": \"CreateArtifact\"}]}' \\\n  \
              http://…/_lineload/misbehaviour</pre></section>",
    );
}
