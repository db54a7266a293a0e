use super::*;
use crate::event::Settled;
use crate::submission::EntryId;

const SECOND: Duration = Duration::from_secs(1);

fn settled(outcome: Outcome) -> Event {
    Event::Settled(Settled::new(EntryId(0), outcome))
}

fn paused(cause: Cause, said: &str, probe_at: Instant) -> Event {
    Event::Paused { cause, probe_at, refusal: Refusal::by_lineload(said) }
}

/// Settles entries at `rate` for so many `seconds`, and returns the moment at which it ends.
fn create(standing: &mut Standing, from: Instant, rate: u32, seconds: u32) -> Instant {
    for at in 0..rate * seconds {
        standing.event(from + SECOND * at / rate, &settled(Outcome::Created));
    }
    from + SECOND * seconds
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn line(standing: &Standing, now: Instant) -> String {
    plain(&standing.line(now))
}

#[test]
fn a_steady_run_shows_one_rate_and_the_time_that_is_left() {
    let mut standing = Standing::new(200);
    let mut now = Instant::now();
    assert_eq!(line(&standing, now), "0/200: created 0, existing 0, failed 0, sending");
    for left in ["4.3s", "3.3s", "2.3s", "1.3s"] {
        now = create(&mut standing, now, 38, 1);
        let shown = line(&standing, now);
        assert!(shown.contains(", 38.0/s, sending, "), "{shown} {left}");
    }
    // Of 200, 152 are done, and 48 take 1.3 s.
    assert_eq!(
        line(&standing, now),
        "152/200: created 152, existing 0, failed 0, 38.0/s, sending, 2s left"
    );
}

#[test]
fn counts_are_labelled_and_failures_are_highlighted() {
    let mut standing = Standing::new(2_000_000);
    let now = Instant::now();
    for _ in 0..1_200 {
        standing.event(now, &settled(Outcome::Existed));
    }
    for outcome in [Outcome::Recovered, Outcome::Rejected, Outcome::Updated, Outcome::Differs] {
        standing.event(now, &settled(outcome));
    }
    let shown = standing.line(now);
    assert!(shown.contains("\x1b[31mfailed 1\x1b[0m"), "{shown}");
    let counts = "created 1, existing 1,200, updated 1, differs 1, failed 1";
    assert_eq!(line(&standing, now), format!("1,204/2,000,000: {counts}, sending"));
}

#[test]
fn a_pause_says_its_cause_in_the_words_of_the_service() {
    let mut standing = Standing::new(1000);
    let now = create(&mut standing, Instant::now(), 10, 10);
    let said = "connection refused: 127.0.0.1:9";
    assert!(standing.event(now, &paused(Cause::Unreachable, said, now + SECOND * 40)));
    // 900 at 10 a second, and the wait before them.
    assert_eq!(
        line(&standing, now),
        "100/1,000: created 100, existing 0, failed 0, 0/s, paused: no connection (connection refused: \
         127.0.0.1:9), next probe in 40s, at least 2m 10s left"
    );
    let shown = line(&standing, now + SECOND * 25);
    assert!(shown.ends_with("next probe in 15s, at least 1m 45s left"), "{shown}");
    assert!(!standing.event(now + SECOND * 40, &Event::Probed));
    let shown = line(&standing, now + SECOND * 40);
    assert!(shown.ends_with("failed 0, 0/s, probing: no connection"), "{shown}");
    // The same again is no news; another cause is.
    let later = now + SECOND * 41;
    assert!(!standing.event(later, &paused(Cause::Unreachable, said, later + SECOND * 80)));
    assert!(standing.event(later, &paused(Cause::Expired, "the token is old", later + SECOND)));
    assert!(standing.event(later, &Event::Reopened { after: SECOND }));
    let now = create(&mut standing, later, 4, 3);
    let shown = line(&standing, now);
    assert!(shown.ends_with("4.0/s, sending, 3m 42s left"), "{shown}");
}

#[test]
fn of_a_quota_the_numbers_are_shown_and_no_time() {
    let mut standing = Standing::new(1000);
    let now = create(&mut standing, Instant::now(), 10, 10);
    let refusal = Refusal {
        code: Some("ResourceLimitExceeded".to_owned()),
        ..Refusal::by_lineload(
            "The account-level service limit 'Total number of artifacts allowed, excluding those \
             automatically created by SageMaker' is 6000 Artifacts, with current utilization of 5990 \
             Artifacts and a request delta of 20 Artifacts.",
        )
    };
    let probe_at = now + SECOND * 40;
    standing.event(now, &Event::Paused { cause: Cause::Limit, probe_at, refusal });
    let shown = line(&standing, now);
    let cause = Cause::Limit.as_str();
    let end =
        format!("paused: {cause} (ResourceLimitExceeded, 5,990 of 6,000 used), next probe in 40s");
    assert!(shown.ends_with(&end), "{shown}");
}

#[test]
fn a_long_or_hostile_message_is_cut_and_escaped() {
    let mut standing = Standing::new(2);
    let now = Instant::now();
    let said = format!("\x1b[2J password=hunter2secret \n{}", "x".repeat(5_000_000));
    standing.event(now, &paused(Cause::Failing, &said, now + SECOND));
    let shown = line(&standing, now);
    assert!(shown.chars().count() < 220, "{shown}");
    assert!(!shown.contains(['\x1b', '\n']) && !shown.contains("hunter2"), "{shown}");
    assert!(shown.ends_with("…), next probe in 1s"), "{shown}");
}

#[test]
fn pauses_that_recur_are_reckoned_with() {
    let mut standing = Standing::new(1000);
    let mut now = Instant::now();
    // Ten seconds at 10 a second, then ten seconds of pause.
    for _ in 0..3 {
        now = create(&mut standing, now, 10, 10);
        standing.event(now, &paused(Cause::Throttled, "slow down", now + SECOND * 10));
        now += SECOND * 10;
        standing.event(now, &Event::Reopened { after: SECOND * 10 });
    }
    now = create(&mut standing, now, 10, 10);
    // 600 take a minute, and as three of seven such spans were pauses, 7/4 of it.
    let shown = line(&standing, now);
    assert!(shown.ends_with("10.0/s, sending, 1m 45s left"), "{shown}");
    // One pause alone may have been the only one.
    let mut standing = Standing::new(200);
    let now = create(&mut standing, Instant::now(), 10, 10);
    standing.event(now, &paused(Cause::Limit, "full", now + SECOND));
    let now = now + SECOND * 100;
    standing.event(now, &Event::Reopened { after: SECOND * 100 });
    let now = create(&mut standing, now, 10, 5);
    let shown = line(&standing, now);
    assert!(shown.ends_with("10.0/s, sending, 5s left"), "{shown}");
}

#[test]
fn throttling_is_news_for_some_seconds() {
    let mut standing = Standing::new(1000);
    let now = create(&mut standing, Instant::now(), 8, 5);
    standing.event(now, &Event::RateChanged { from: Some(8.0), to: 0.5, throttled: true });
    let shown = line(&standing, now);
    assert!(shown.contains("8.0/s, throttled 8.0 to 0.5/s, 2m left"), "{shown}");
    standing.tick(now + SECOND * 2);
    assert!(line(&standing, now + SECOND * 2).contains("sending"));
    // A rate that has recovered is no longer throttled, and the news can be read even so.
    standing.event(now, &Event::RateChanged { from: Some(8.0), to: 0.5, throttled: true });
    let recovered = Event::RateChanged { from: Some(0.5), to: 7.0, throttled: false };
    standing.event(now + SECOND / 10, &recovered);
    assert!(line(&standing, now + SECOND / 10).contains("throttled 8.0 to 0.5/s"));
    standing.event(now + SECOND, &recovered);
    assert!(line(&standing, now + SECOND).contains("sending"));
    // A pause is not overwritten by it.
    standing.event(now, &paused(Cause::Throttled, "slow down", now + SECOND));
    standing.event(now, &Event::RateChanged { from: Some(0.5), to: 0.25, throttled: true });
    assert!(line(&standing, now).contains("paused: throttled"));
}

#[test]
fn what_is_waited_for_before_the_first_entry_is_named() {
    let mut standing = Standing::new(0);
    let now = Instant::now();
    standing.connecting("http://me:hunter2@127.0.0.1:9 (eu-west-1)");
    let shown = line(&standing, now);
    assert_eq!(shown, "connecting to http://me:[redacted]@127.0.0.1:9 (eu-west-1)");
    assert!(!standing.is_waiting());
    let refusal = Refusal::by_lineload("connection refused");
    standing.no_answer(&refusal, Some(now + SECOND * 100));
    let expected = "no answer yet, retrying for 1m 40s: connection refused";
    assert_eq!(line(&standing, now), expected);
    assert!(standing.is_waiting());
    standing.no_answer(&refusal, None);
    assert_eq!(line(&standing, now), "no answer yet, retrying: connection refused");
    standing.listing(now, Listed { artifacts: 3_400, requests_left: None });
    assert_eq!(line(&standing, now), "listing the target: 3,400 artifacts");
}

#[test]
fn what_comes_before_the_first_create_says_how_long_it_takes() {
    let mut standing = Standing::new(0);
    let began = Instant::now();
    for page in 0..=20_usize {
        let listed = Listed { artifacts: (page + 1) * 100, requests_left: Some(420 - page) };
        standing.listing(began + SECOND * u32::try_from(page).unwrap() / 10, listed);
    }
    let now = began + SECOND * 2;
    let shown = "listing the target: 2,100 artifacts, 1,000/s, at most 40s left";
    assert_eq!(line(&standing, now), shown);
    standing.listing(now, Listed { artifacts: 2_200, requests_left: Some(2) });
    assert_eq!(line(&standing, now), "listing the target: 2,200 artifacts, 1,050/s");
    for done in 0..=80_usize {
        let at = now + SECOND * u32::try_from(done).unwrap() / 40;
        standing.comparing(at, done, 12_080);
    }
    assert_eq!(
        line(&standing, now + SECOND * 2),
        "comparing with the target: 80/12,080 entries, 40.0/s, 5m left"
    );
}

#[test]
fn a_run_that_only_waits_to_look_up_says_so() {
    let mut standing = Standing::new(43);
    let now = create(&mut standing, Instant::now(), 8, 5);
    standing.event(now, &Event::AwaitingLookUps { entries: 3, at: now + SECOND * 6 });
    assert_eq!(
        line(&standing, now),
        "40/43: created 40, existing 0, failed 0, waiting 6s to look up 3 entries again"
    );
    standing.event(now, &Event::AwaitingLookUps { entries: 1, at: now + SECOND * 6 });
    let shown = line(&standing, now + SECOND * 2);
    assert!(shown.ends_with(", waiting 4s to look up 1 entry again"), "{shown}");
    standing.event(now + SECOND * 6, &settled(Outcome::Recovered));
    assert!(line(&standing, now + SECOND * 6).contains("sending"));
}

#[test]
fn below_a_bar_no_line_is_wider_than_the_terminal() {
    let mut standing = Standing::new(1_000_000);
    let now = create(&mut standing, Instant::now(), 100, 20);
    let wide = plain(&standing.below_bar(now, 118));
    assert_eq!(wide, "created 2,000, existing 0, failed 0, 100.0/s, sending, 2h 46m left");
    let narrow = plain(&standing.below_bar(now, 58));
    assert_eq!(narrow, "created 2,000, existing 0, failed 0\n100.0/s, sending, 2h 46m left");
    let said = "connection refused: no route to a host with a name that is rather long";
    standing.event(now, &paused(Cause::Unreachable, said, now + SECOND * 40));
    for width in [30, 58, 118] {
        let text = standing.below_bar(now, width);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.len() <= 9, "{text}");
        for line in lines {
            assert!(textwrap::core::display_width(line) <= width, "{width}: {line}");
        }
    }
}
