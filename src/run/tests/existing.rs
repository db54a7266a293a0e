//! Tests of artifacts that already exist: skipped, compared, changed, or a failure.

use super::*;
use crate::artifact::Stamp;

/// Returns a service that has the artifacts of the first `count` jobs, changed by `change`.
pub(super) fn world_with(count: u32, change: impl Fn(&mut Artifact)) -> Scripted {
    let service = Scripted::new(World::default());
    for job in jobs(count) {
        let mut artifact = (*job.artifact).clone();
        change(&mut artifact);
        service.commit(&artifact, Duration::ZERO);
    }
    service.world().made.clear();
    service
}

pub(super) async fn run_on(service: Scripted, jobs: Vec<Job>, options: Options) -> Ran {
    let (_keep, stop) = watch::channel(Stop::No);
    run_jobs(service, jobs, options, stop).await
}

fn with_policy(change: impl FnOnce(&mut Policy)) -> Options {
    let mut options = options(Rate::Unlimited);
    change(&mut options.policy);
    options
}

fn on_exists(on_exists: OnExists) -> Options {
    with_policy(|policy| policy.on_exists = on_exists)
}

fn message(ran: &Ran, entry: u32) -> String {
    ran.outcomes[&EntryId(entry.into())].error.clone().unwrap().message
}

fn property(artifact: &mut Artifact, key: &str, value: &str) {
    artifact.properties.insert(key.to_owned(), value.to_owned());
}

#[tokio::test(start_paused = true)]
async fn an_edited_manifest_never_passes_for_done() {
    // Name and type are equal: only a comparison of every field shows the difference.
    let service = world_with(3, |artifact| property(artifact, "Rows", "1"));
    let ran = run_on(service, jobs(3), options(Rate::Unlimited)).await;
    assert_eq!(ran.count(Outcome::Differs), 3);
    assert_eq!(message(&ran, 0), "it differs in `Properties.Rows`");

    let service = world_with(3, |artifact| property(artifact, "Rows", "1"));
    let never = with_policy(|policy| policy.drift = Drift::Never);
    let ran = run_on(service, jobs(3), never).await;
    assert_eq!(ran.count(Outcome::Existed), 3);
    assert!(ran.service.world().log.is_empty(), "nothing is asked where nothing is to be");
    assert!(ran.outcomes.values().all(|settled| !settled.compared));
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_knows_is_asked_for_only_if_it_was_changed_since() {
    let now = SystemTime::now();
    let known =
        |modified, made| There { differences: Some(vec![]), modified, made, ..There::default() };
    let later = now + Duration::from_secs(5);
    let cases = [
        (known(None, true), None, false),
        (known(None, false), None, true),
        (known(None, true), Some(later), true),
        (known(Some(later), false), Some(later), false),
        (known(Some(now), true), Some(later), true),
    ];
    for (known, modified, asked) in cases {
        let service = world_with(1, |_| ());
        for (found, _) in service.world().artifacts.values_mut() {
            (found.created, found.modified) = (Some(now), Some(modified.unwrap_or(now)));
        }
        let mut jobs = jobs(1);
        jobs[0].known.there = Some(known.clone());
        jobs[0].listed =
            service.world().artifacts.values().next().map(|(found, _)| Box::new(found.clone()));
        let ran = run_on(service, jobs, options(Rate::Unlimited)).await;
        assert_eq!(ran.count(Outcome::Existed), 1);
        assert_eq!(!ran.service.world().log.is_empty(), asked, "{known:?} {modified:?}");
        assert!(ran.outcomes[&EntryId(0)].compared);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_adds_and_overwrites_and_a_pruning_one_removes() {
    for (prune, left) in [(false, 2), (true, 1)] {
        let service = world_with(2, |artifact| {
            property(artifact, "Rows", "1");
            property(artifact, "Theirs", "x");
            artifact.tags.push(Tag { key: "team".into(), value: "a".into() });
            artifact.tags.push(Tag { key: "cost".into(), value: "b".into() });
        });
        let mut jobs = jobs(2);
        for job in &mut jobs {
            let mut artifact = (*job.artifact).clone();
            property(&mut artifact, "Rows", "2");
            artifact.tags.push(Tag { key: "team".into(), value: "c".into() });
            job.artifact = Arc::new(artifact);
        }
        let ran = run_on(service, jobs, on_exists(OnExists::Update { prune })).await;
        assert_eq!(ran.end, End::Done);
        assert_eq!(ran.count(Outcome::Updated), 2);
        for artifact in ran.service.world().whole.values() {
            assert_eq!(artifact.properties["Rows"], "2");
            assert_eq!((artifact.properties.len(), artifact.tags.len()), (left, left));
            assert!(artifact.tags.contains(&Tag { key: "team".into(), value: "c".into() }));
        }
        ran.assert_none_doubled();
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_finds_nothing_to_change_changes_nothing() {
    let service = world_with(1, |artifact| property(artifact, "Theirs", "x"));
    let ran = run_on(service, jobs(1), on_exists(OnExists::Update { prune: false })).await;
    assert_eq!(ran.count(Outcome::Existed), 1);
    assert_eq!(ran.service.world().log, ["describe arn/s3://b/0", "tags arn/s3://b/0"]);
}

#[tokio::test(start_paused = true)]
async fn fields_that_no_update_changes_are_reported_and_the_rest_is_changed() {
    let service = world_with(1, |artifact| {
        property(artifact, "Rows", "1");
        artifact.texts.insert("CommitId", "c".into());
    });
    let mut jobs = jobs(1);
    let mut artifact = (*jobs[0].artifact).clone();
    property(&mut artifact, "Rows", "2");
    artifact.texts.insert("CommitId", "d".into());
    jobs[0].artifact = Arc::new(artifact);
    let ran = run_on(service, jobs, on_exists(OnExists::Update { prune: false })).await;
    assert_eq!(ran.count(Outcome::Differs), 1);
    assert_eq!(
        message(&ran, 0),
        "it differs in `MetadataProperties.CommitId`, which cannot be updated"
    );
    assert_eq!(ran.service.world().whole["arn/s3://b/0"].properties["Rows"], "2");
}

#[tokio::test(start_paused = true)]
async fn changes_are_retried_after_any_answer() {
    for class in [
        Class::Throttled,
        Class::Limit,
        Class::NotSent,
        Class::Expired,
        Class::Ambiguous,
        Class::NoResponse,
    ] {
        let service = world_with(1, |artifact| property(artifact, "Rows", "1"));
        // The first two are Describe and ListTags.
        // Expired credentials are read again every 30 s, and patience is two minutes.
        let times = if class == Class::Expired { 3 } else { 4 };
        service.world().others = std::iter::repeat_n(class, times).collect();
        let mut jobs = jobs(1);
        let mut artifact = (*jobs[0].artifact).clone();
        property(&mut artifact, "Rows", "2");
        jobs[0].artifact = Arc::new(artifact);
        let ran = run_on(service, jobs, on_exists(OnExists::Update { prune: false })).await;
        assert_eq!(ran.end, End::Done, "{class:?}");
        assert_eq!(ran.count(Outcome::Updated), 1, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fail_takes_what_exists_for_a_failure_unless_we_made_it() {
    let service = world_with(2, |_| ());
    let mut jobs = jobs(3);
    jobs[1].known.there = Some(There { differences: Some(vec![]), made: true, ..There::default() });
    let ran = run_on(service, jobs, on_exists(OnExists::Fail)).await;
    let outcomes: Vec<_> = ran.outcomes.values().map(|settled| settled.outcome).collect();
    assert_eq!(outcomes, [Outcome::Rejected, Outcome::Existed, Outcome::Created]);
    assert_eq!(message(&ran, 0), "it already exists, and `--on-exists fail` is set");
}

#[tokio::test(start_paused = true)]
async fn a_name_of_another_source_is_a_conflict_and_the_target_is_listed_once() {
    let service = Scripted::new(World::default());
    for number in 0..7 {
        let mut other = (*jobs(number + 1)[number as usize].artifact).clone();
        other.source.uri = format!("s3://other/{number}");
        service.commit(&other, Duration::ZERO);
    }
    let ran = run_on(service, jobs(9), options(Rate::Unlimited)).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Conflict), ran.count(Outcome::Created)), (7, 2));
    assert_eq!(
        message(&ran, 3),
        "the name `a3` is already used by s3://other/3 (arn/s3://other/3)"
    );
    // Two look-ups each, the second when reads have caught up, and nine artifacts in pages of two
    // at the end.
    assert!(ran.service.world().looked_up.len() <= 2 * 7 + 5);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_makes_meanwhile_is_noticed() {
    let service = world_with(2, |_| ());
    let later = SystemTime::now() + Duration::from_secs(1);
    service.world().artifacts.values_mut().for_each(|(found, _)| found.created = Some(later));
    let ran = run_on(service, jobs(2), options(Rate::Unlimited)).await;
    assert_eq!(ran.count(Outcome::Existed), 2, "a refused create is not ours");
    let others = ran.events.iter().filter(|(_, event)| matches!(event, Event::MadeByAnother(_)));
    assert_eq!(others.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_and_that_was_then_refused_is_recovered() {
    // It takes effect after it was looked up, and before the second attempt.
    let late = Behaviour::CreatesLater(Duration::from_millis(10_030));
    let ran = scripted([late], 1).await;
    assert_eq!(ran.count(Outcome::Recovered), 1);
    assert_eq!(ran.outcomes[&EntryId(0)].attempts, 2);
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_meanwhile_is_created() {
    let service = world_with(1, |_| ());
    service.world().artifacts.clear();
    service.world().whole.clear();
    let mut jobs = jobs(1);
    let arn = Some("arn/s3://b/0".to_owned());
    jobs[0].known.there = Some(There { arn, ..There::default() });
    let ran = run_on(service, jobs, options(Rate::Unlimited)).await;
    assert_eq!(ran.count(Outcome::Created), 1);
}

#[tokio::test(start_paused = true)]
async fn comparing_without_leave_ends_the_run_and_names_the_action() {
    let service = world_with(1, |_| ());
    service.world().others = [Class::Denied].into();
    let ran = run_on(service, jobs(1), options(Rate::Unlimited)).await;
    let End::Denied { action, .. } = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(action, "sagemaker:DescribeArtifact");
}

#[tokio::test(start_paused = true)]
async fn too_many_errors_or_too_much_time_end_the_run() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Rejected)), ..World::default() };
    let breaker = Options { max_errors: Some(10), concurrency: 1, ..options(Rate::Fixed(10.0)) };
    let ran = run_with(world, 100, breaker).await;
    assert_eq!(ran.end, End::TooManyErrors { errors: 10 });
    assert_eq!(
        ran.count(Outcome::Rejected),
        10,
        "the failure is reported, though no name was found"
    );

    let began = Instant::now().into_std();
    let until = Some(began + Duration::from_secs(5));
    let hurried = Options { until, ..options(Rate::Fixed(10.0)) };
    let ran = run_with(World::default(), 100, hurried).await;
    assert_eq!(ran.end, End::OutOfTime);
    assert_eq!(ran.took.as_secs(), 5);
    assert!((48..=51).contains(&ran.count(Outcome::Created)), "{}", ran.count(Outcome::Created));
}

#[tokio::test(start_paused = true)]
async fn stamps_are_sent_and_are_no_difference() {
    let mut stamp = Stamp::default();
    stamp.set("MetadataProperties.CommitId=c1").unwrap();
    let stamped = with_policy(|policy| policy.stamp = Arc::new(stamp));
    let ran = run_on(Scripted::new(World::default()), jobs(2), stamped).await;
    assert_eq!(ran.count(Outcome::Created), 2);
    let commit = |artifact: &Artifact| artifact.texts.get("CommitId").cloned();
    assert!(ran.service.world().whole.values().all(|one| commit(one).as_deref() == Some("c1")));

    let mut other = Stamp::default();
    other.set("MetadataProperties.CommitId=c2").unwrap();
    let stamped = with_policy(|policy| policy.stamp = Arc::new(other));
    let ran = run_on(ran.service, jobs(2), stamped).await;
    assert_eq!(ran.count(Outcome::Existed), 2);
}

#[tokio::test(start_paused = true)]
async fn with_clock_skew_what_was_created_is_recognized_by_its_fields() {
    for edited in [false, true] {
        // The service's clock is behind, or somebody made it shortly before.
        let world = World { behind: Duration::from_secs(60), ..World::default() };
        let service = Scripted::new(world);
        let mut jobs = jobs(1);
        if edited {
            service.commit(&jobs[0].artifact, Duration::ZERO);
            let mut artifact = (*jobs[0].artifact).clone();
            property(&mut artifact, "Rows", "2");
            jobs[0].artifact = Arc::new(artifact);
            service.world().script = [Behaviour::Refuses(Class::Ambiguous)].into();
        } else {
            service.world().script = [Behaviour::CreatesBut(Class::NoResponse)].into();
        }
        let ran = run_on(service, jobs, options(Rate::Unlimited)).await;
        let expected = if edited { Outcome::Differs } else { Outcome::Recovered };
        assert_eq!(ran.count(expected), 1, "{:?}", ran.outcomes);
    }
}

#[tokio::test(start_paused = true)]
async fn with_clock_skew_open_attempts_of_an_earlier_run_are_recognized_too() {
    let world = World { behind: Duration::from_secs(60), ..World::default() };
    let service = Scripted::new(world);
    let mut open = jobs(2);
    // With a stamp, which only that run knew.
    let mut stamped = (*open[0].artifact).clone();
    property(&mut stamped, "Batch", "one");
    service.commit(&stamped, Duration::ZERO);
    let mut another = (*open[1].artifact).clone();
    property(&mut another, "Rows", "1");
    service.commit(&another, Duration::ZERO);
    let mut edited = (*open[1].artifact).clone();
    property(&mut edited, "Rows", "2");
    open[1].artifact = Arc::new(edited);
    let attempt = Attempt { intent: SystemTime::now(), of_earlier_run: true };
    open.iter_mut().for_each(|job| job.known.attempt = Some(attempt));
    let settles = with_policy(|policy| policy.drift = Drift::Never);
    let ran = run_on(service, open, settles).await;
    let outcomes: Vec<_> = ran.outcomes.values().map(|one| (one.outcome, one.compared)).collect();
    assert_eq!(outcomes, [(Outcome::Recovered, false), (Outcome::Existed, false)]);
    assert_eq!(ran.service.world().asked.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stamp_over_what_the_manifest_says_leaves_it_unknown() {
    let service = world_with(1, |artifact| drop(artifact.texts.insert("CommitId", "a".into())));
    let mut jobs = jobs(1);
    let mut artifact = (*jobs[0].artifact).clone();
    artifact.texts.insert("CommitId", "b".into());
    jobs[0].artifact = Arc::new(artifact);
    let mut stamp = Stamp::default();
    stamp.set("MetadataProperties.CommitId=z").unwrap();
    let stamped = with_policy(|policy| policy.stamp = Arc::new(stamp));
    let ran = run_on(service, jobs, stamped).await;
    let settled = &ran.outcomes[&EntryId(0)];
    assert_eq!((settled.outcome, settled.compared), (Outcome::Existed, false));
}

#[tokio::test(start_paused = true)]
async fn an_update_that_leaves_more_than_the_manifest_has_is_not_known_to_be_equal() {
    let service = world_with(2, |artifact| {
        if artifact.name.as_deref() == Some("a0") {
            property(artifact, "Theirs", "x");
        }
    });
    let ran = run_on(service, jobs(2), on_exists(OnExists::Update { prune: false })).await;
    let compared: Vec<_> = ran.outcomes.values().map(|settled| settled.compared).collect();
    assert_eq!((ran.count(Outcome::Existed), compared), (2, vec![false, true]));
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_and_not_there_is_given_up() {
    let service = world_with(1, |_| ());
    service.world().whole.clear();
    let ran = run_on(service, jobs(1), options(Rate::Unlimited)).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Unresolved)), (End::Done, 1));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_is_given_up() {
    let world = World {
        endless: true,
        script: [Behaviour::Refuses(Class::NoResponse)].into(),
        ..World::default()
    };
    let ran = run_with(world, 1, options(Rate::Unlimited)).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Unresolved)), (End::Done, 1));
    assert!(message(&ran, 0).contains("does not end"), "{}", message(&ran, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_loses_leave_midway_stops_the_run_with_nothing_rejected() {
    let world = World {
        script: [Behaviour::Creates; 20].into(),
        otherwise: Some(Behaviour::Refuses(Class::Denied)),
        ..World::default()
    };
    let ran = run_with(world, 200, options(Rate::Fixed(10.0))).await;
    let End::Denied { action, .. } = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(action, "sagemaker:CreateArtifact");
    assert_eq!((ran.count(Outcome::Created), ran.outcomes.len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_only_fails_is_paused_for_and_then_stopped_at() {
    let world = World {
        script: [Behaviour::Creates; 20].into(),
        otherwise: Some(Behaviour::Refuses(Class::Ambiguous)),
        ..World::default()
    };
    let ran = run_with(world, 3000, options(Rate::Fixed(100.0))).await;
    assert!(matches!(ran.end, End::OutOfPatience { cause: Cause::Failing, .. }), "{:?}", ran.end);
    let failed = ran.count(Outcome::Unresolved);
    assert!(failed < 60, "{failed} of 3,000 are in doubt, and the others were not sent");

    let fails = [Behaviour::Refuses(Class::Ambiguous); 10];
    let script = [Behaviour::Creates; 20].into_iter().chain(fails).collect();
    let world = World { script, ..World::default() };
    let ran = run_with(world, 300, options(Rate::Fixed(100.0))).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Created)), (End::Done, 300));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_neither_taken_nor_limited_is_followed_by_a_wait() {
    let limited = [Behaviour::Refuses(Class::Limit); 3];
    let others = [Behaviour::Refuses(Class::Throttled); 4];
    let script = [Behaviour::Creates; 5].into_iter().chain(limited).chain(others).collect();
    let mut one_by_one = options(Rate::Unlimited);
    one_by_one.concurrency = 1;
    let ran = run_with(World { script, ..World::default() }, 20, one_by_one).await;
    assert_eq!(ran.count(Outcome::Created), 20);
    let probes: Vec<_> = ran
        .events
        .iter()
        .filter_map(|(at, event)| matches!(event, Event::Probed).then_some(*at))
        .collect();
    assert_eq!(probes.len(), 7);
    for pair in probes.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(200), "{probes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_throttled_or_limited_is_no_attempt_without_a_verdict() {
    let script = [Class::Throttled, Class::Limit, Class::Limit, Class::Throttled, Class::Limit]
        .map(Behaviour::Refuses)
        .into_iter()
        .chain([Behaviour::Refuses(Class::Ambiguous)]);
    let ran = scripted(script, 1).await;
    assert_eq!(ran.count(Outcome::Created), 1);
    assert_eq!(ran.outcomes[&EntryId(0)].attempts, 7);
}
