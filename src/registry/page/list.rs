//! The list of artifacts with its search, the requests, and the misbehaviour.

use std::fmt::Write as _;

use askama::Template;

use super::{Layout, PER_PAGE, Query, filters};
use crate::registry::activity::{OperationSnapshot, SECONDS, Snapshot, Trouble};
use crate::registry::faults::Misbehaviour;
use crate::registry::store::{Found, Row};

/// Seconds between two loads of a page that reloads itself.
const REFRESH_EVERY: u8 = 2;
/// The height of the bars of a rate.
const BARS_HEIGHT: u32 = 22;
/// The distance from one bar to the next.
const BARS_STEP: usize = 2;
const BARS_WIDTH: usize = SECONDS * BARS_STEP;

/// The page at `/`.
#[derive(Template)]
#[template(path = "registry/page/list.html")]
pub(super) struct List<'p> {
    pub(super) layout: Layout,
    query: &'p Query,
    /// The number of all artifacts in the registry.
    count: u64,
    found: &'p Found,
    paging: Paging,
    uptime: String,
    /// The address of the page that reloads itself, or of the one that does not.
    refresh_address: String,
    operations: Vec<Operation<'p>>,
    recent: &'p [Trouble],
    misbehaviour: &'p Misbehaviour,
    file: &'p str,
}

impl<'p> List<'p> {
    pub(super) fn new(
        query: &'p Query,
        count: u64,
        found: &'p Found,
        snapshot: &'p Snapshot,
        misbehaviour: &'p Misbehaviour,
        file: &'p str,
    ) -> Self {
        let refresh = if query.refresh.is_some() { None } else { Some(REFRESH_EVERY) };
        let operations = snapshot.operations.iter();
        Self {
            layout: Layout::new("lineload registry"),
            query,
            count,
            found,
            paging: Paging::of(query, found),
            uptime: uptime(snapshot.uptime_seconds),
            refresh_address: query.address(query.token.as_deref(), refresh),
            operations: operations.map(|counts| Operation::of(counts, misbehaviour)).collect(),
            recent: &snapshot.recent,
            misbehaviour,
            file,
        }
    }
}

/// The links to other pages of the list.
struct Paging {
    newest: Option<String>,
    older: Option<String>,
    /// The whole list is on this one page.
    is_complete: bool,
}

impl Paging {
    fn of(query: &Query, found: &Found) -> Self {
        let is_first = query.after.is_none();
        let older = found.next.map(|next| query.address(Some(&next.encode()), query.refresh));
        Self {
            newest: (!is_first).then(|| query.address(None, query.refresh)),
            is_complete: is_first && older.is_none() && found.rows.len() > PER_PAGE / 2,
            older,
        }
    }

    const fn is_shown(&self) -> bool {
        self.newest.is_some() || self.older.is_some() || self.is_complete
    }
}

impl Row {
    fn source_type_count(&self) -> u64 {
        self.source_types.as_array().map_or(0, Vec::len) as u64
    }
}

/// The requests for one operation.
struct Operation<'p> {
    name: &'static str,
    counts: &'p OperationSnapshot,
    /// Requests allowed per second.
    quota: Option<f64>,
    /// The path of a bar for each second of the last minute.
    bars: String,
    /// The highest bar, in requests per second.
    most: u32,
}

impl<'p> Operation<'p> {
    fn of(counts: &'p OperationSnapshot, misbehaviour: &Misbehaviour) -> Self {
        let most = counts.by_second.iter().copied().max().unwrap_or_default().max(1);
        let mut bars = String::new();
        for (at, count) in counts.by_second.iter().enumerate().filter(|(_, count)| **count > 0) {
            let height = (u64::from(*count) * u64::from(BARS_HEIGHT)).div_ceil(u64::from(most));
            // Writing to a string does not fail.
            let _ = write!(bars, "M{} {BARS_HEIGHT}v-{height}h1.5v{height}z", at * BARS_STEP);
        }
        // The last quota of an operation is the one in force.
        let mut quotas = misbehaviour.tps.iter().rev();
        let quota = quotas.find(|quota| quota.operation == counts.operation);
        let quota = quota.map(|quota| quota.per_second);
        Self { name: counts.operation, counts, quota, bars, most }
    }
}

fn uptime(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
