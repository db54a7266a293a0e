//! Reads that lag behind writes: nothing is created twice, and nothing that exists is called missing
//! or different.

use super::*;

/// The answers to the first creates of twelve entries.
#[derive(Debug, Clone, Copy)]
enum Answers {
    /// It was created, and the service says 500.
    FailedAfterCommit,
    /// It was created, and the answer cannot be read or never comes.
    LostAfterCommit,
    /// It was not created, and no answer comes.
    Dropped,
}

async fn imported(answers: Answers, list_lag: u64, doubles: bool, settle: u64) -> Ran {
    let does = match answers {
        Answers::FailedAfterCommit => Behaviour::CreatesBut(Class::Ambiguous),
        Answers::LostAfterCommit => Behaviour::CreatesBut(Class::NoResponse),
        Answers::Dropped => Behaviour::Refuses(Class::NoResponse),
    };
    // Four in a row, so that it is no outage, and others between.
    let script = (0..36).map(|at| if at % 5 < 4 { does } else { Behaviour::Creates }).collect();
    let list_lag = Duration::from_secs(list_lag);
    let latency = Duration::from_millis(20);
    let world = World { script, list_lag, doubles, latency, ..World::default() };
    let settle = Duration::from_secs(settle);
    let options = Options { settle, read_lag: settle, ..options(Rate::Fixed(20.0)) };
    run_with(world, 12, options).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_duplicated_while_listings_lag_no_more_than_settle() {
    for answers in [Answers::FailedAfterCommit, Answers::LostAfterCommit, Answers::Dropped] {
        for list_lag in [0, 2, 5, 9] {
            for doubles in [false, true] {
                let ran = imported(answers, list_lag, doubles, 10).await;
                let case = format!("{answers:?}, {list_lag} s, doubles {doubles}");
                assert_eq!(ran.end, End::Done, "{case}");
                let made = ran.count(Outcome::Created) + ran.count(Outcome::Recovered);
                assert_eq!(made, 12, "{case}: {:?}", ran.outcomes);
                let world = ran.service.world();
                assert_eq!(world.made.len(), 12, "{case}");
                assert!(world.made.values().all(|made| *made == 1), "{case}: {:?}", world.made);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_settle_alone_reports_until_when() {
    let ran = imported(Answers::Dropped, 0, false, 10).await;
    let waits: Vec<_> = ran
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::AwaitingLookUps { entries, .. } => Some(*entries),
            _ => None,
        })
        .collect();
    // Of twelve creates, four of each five are dropped; none is looked up again before 10 s.
    assert_eq!(waits.first(), Some(&10), "{waits:?}");
    let ran = imported(Answers::FailedAfterCommit, 0, false, 10).await;
    let waited = ran.events.iter().any(|(_, event)| matches!(event, Event::AwaitingLookUps { .. }));
    assert!(!waited, "what is listed at once is not waited for");
}

#[tokio::test(start_paused = true)]
async fn beyond_settle_the_services_refusal_keeps_it_from_being_duplicated() {
    for answers in [Answers::FailedAfterCommit, Answers::LostAfterCommit, Answers::Dropped] {
        let ran = imported(answers, 30, false, 10).await;
        assert_eq!(ran.end, End::Done);
        let made = ran.count(Outcome::Created) + ran.count(Outcome::Recovered);
        assert_eq!(made, 12, "{answers:?}: {:?}", ran.outcomes);
        ran.assert_none_doubled();
        assert_eq!(ran.service.world().made.len(), 12);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_create_never_leaves_before_settle_has_passed_since_the_first() {
    for answers in [Answers::FailedAfterCommit, Answers::Dropped] {
        let ran = imported(answers, 30, false, 10).await;
        let asked = ran.service.world().asked.clone();
        let (first, later) = asked.split_at(12);
        assert!(first[11] < Duration::from_secs(5), "{asked:?}");
        assert!(!later.is_empty() && later[0] >= Duration::from_secs(10), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_exists_by_the_services_word_is_looked_up_until_settle_and_is_never_rejected() {
    let service = Scripted::new(World::default());
    for job in jobs(3) {
        service.commit(&job.artifact, Duration::ZERO);
    }
    service.world().list_lag = Duration::from_secs(30);
    let (_keep, stop) = watch::channel(Stop::No);
    let ran = run_jobs(service, jobs(3), options(Rate::Unlimited), stop).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Differs)), (End::Done, 3));
    let settled = &ran.outcomes[&EntryId(0)];
    assert!(!settled.compared, "what it is like is not known");
    let said = settled.error.clone().unwrap();
    assert!(
        said.message.starts_with("already exists, not compared: the listing lags behind"),
        "{said}"
    );
    assert_eq!(said.code.as_deref(), Some("ValidationException"));
    let looked_up = ran.service.world().looked_up.clone();
    let late = looked_up.iter().filter(|at| **at >= Duration::from_secs(10)).count();
    // Three at once, three when reads must have caught up, and pages of the search for their names.
    assert!(looked_up.len() >= 6 && late >= 3, "{looked_up:?}");

    // Within the lag it is found, and compared.
    let service = Scripted::new(World::default());
    service.commit(&jobs(1)[0].artifact, Duration::ZERO);
    service.world().list_lag = Duration::from_secs(9);
    let (_keep, stop) = watch::channel(Stop::No);
    let ran = run_jobs(service, jobs(1), options(Rate::Unlimited), stop).await;
    assert_eq!(ran.count(Outcome::Existed), 1, "{:?}", ran.outcomes);
    assert_eq!(ran.took.as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_young_is_read_again_before_it_is_called_different() {
    for (tag_lag, expected) in [(8, Outcome::Existed), (60, Outcome::Differs)] {
        let service = Scripted::new(World::default());
        let mut jobs = jobs(1);
        let mut artifact = (*jobs[0].artifact).clone();
        artifact.tags.push(Tag { key: "team".into(), value: "a".into() });
        jobs[0].artifact = Arc::new(artifact);
        service.commit(&jobs[0].artifact, Duration::ZERO);
        service.world().tag_lag = Duration::from_secs(tag_lag);
        let (_keep, stop) = watch::channel(Stop::No);
        let ran = run_jobs(service, jobs, options(Rate::Unlimited), stop).await;
        assert_eq!(ran.count(expected), 1, "{tag_lag} s: {:?}", ran.outcomes);
        let log = ran.service.world().log.clone();
        assert_eq!(log.iter().filter(|one| one.starts_with("describe")).count(), 2, "{log:?}");
    }
    // What is old differs at once.
    let behind = Duration::from_secs(3600);
    let service = Scripted::new(World { behind, ..World::default() });
    let mut other = (*jobs(1)[0].artifact).clone();
    other.properties.insert("Rows".into(), "1".into());
    service.commit(&other, Duration::ZERO);
    let (_keep, stop) = watch::channel(Stop::No);
    let ran = run_jobs(service, jobs(1), options(Rate::Unlimited), stop).await;
    assert_eq!((ran.count(Outcome::Differs), ran.took.as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn settle_counts_from_the_moment_the_request_leaves() {
    // The journal takes its time before each create.
    let script = [Behaviour::CreatesBut(Class::Ambiguous)].into();
    let ran = run_with(
        World { script, list_lag: Duration::from_secs(9), ..World::default() },
        1,
        options(Rate::Unlimited),
    )
    .await;
    let world = ran.service.world();
    assert_eq!(world.asked.len(), 1);
    let last = *world.looked_up.last().unwrap();
    assert!(last >= world.asked[0] + Duration::from_secs(10), "{:?}", world.looked_up);
}
