//! Reads that are throttled.

use super::existing::{run_on, world_with};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_throttled_read_waits_its_turn_however_many_are_before_it() {
    let service = world_with(120, |_| ());
    // 240 reads at two a second take two minutes, eight times the patience.
    let bucket = Bucket { per_second: 2.0, tokens: 2.0, filled: Duration::ZERO };
    service.world().reads = Some(bucket);
    service.world().latency = Duration::from_millis(100);
    let mut options = options(Rate::Unlimited);
    options.patience = Duration::from_secs(15);
    options.concurrency = 1000;
    let ran = run_on(service, jobs(120), options).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(
        ran.count(Outcome::Existed),
        120,
        "{:?}",
        ran.outcomes.values().find(|settled| { settled.outcome != Outcome::Existed })
    );
}
