//! Artifacts are deleted: the same run, with another request.

use super::*;

/// Jobs that delete the artifacts of [`jobs`], and a world that has them.
fn deletes(count: u32, world: World) -> (Scripted, Vec<Job>) {
    let service = Scripted::new(world);
    let mut all = jobs(count);
    for job in &mut all {
        service.commit(&job.artifact, Duration::ZERO);
        job.deletes = Some(format!("arn/{}", job.artifact.source.uri));
    }
    (service, all)
}

async fn delete(count: u32, world: World, options: Options) -> Ran {
    let (service, jobs) = deletes(count, world);
    let (_keep, stop) = watch::channel(Stop::No);
    run_jobs(service, jobs, options, stop).await
}

fn script(script: impl IntoIterator<Item = Behaviour>) -> World {
    World { script: script.into_iter().collect(), ..World::default() }
}

impl Ran {
    fn left(&self) -> usize {
        self.service.world().artifacts.len()
    }
}

#[tokio::test(start_paused = true)]
async fn each_artifact_is_deleted_by_its_arn() {
    let ran = delete(20, World::default(), options(Rate::Unlimited)).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Deleted), ran.left()), (20, 0));
    let log = ran.service.world().log.clone();
    assert_eq!(log.iter().filter(|one| *one == "delete arn/s3://b/7").count(), 1, "{log:?}");
    assert_eq!(log.len(), 20, "nothing else is asked: {log:?}");
    assert_eq!(ran.outcomes[&EntryId(7)].arn.as_deref(), Some("arn/s3://b/7"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_verdict_is_asked_for_again() {
    let lost = [
        Behaviour::CreatesBut(Class::NoResponse),
        Behaviour::Refuses(Class::Ambiguous),
        Behaviour::Creates,
        Behaviour::CreatesBut(Class::Ambiguous),
    ];
    let ran = delete(6, script(lost), options(Rate::Unlimited)).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Deleted), ran.left()), (6, 0));
    assert_eq!(ran.service.world().asked.len(), 9, "three were sent again");
    assert_eq!(ran.outcomes.values().map(|one| one.attempts).sum::<u32>(), 9);
}

#[tokio::test(start_paused = true)]
async fn five_answers_without_a_verdict_leave_it_unresolved() {
    // One entry alone gets them all: the others are done by then.
    let (service, mut jobs) = deletes(2, World::default());
    let other = jobs.pop();
    service.world().otherwise = Some(Behaviour::Refuses(Class::Ambiguous));
    let patient = Options { patience: Duration::from_secs(600), ..options(Rate::Unlimited) };
    let (_keep, stop) = watch::channel(Stop::No);
    let ran = run_jobs(service, jobs, patient, stop).await;
    assert_eq!((ran.count(Outcome::Unresolved), ran.left()), (1, 2), "{:?} {other:?}", ran.end);
    assert_eq!(ran.service.world().asked.len(), 5);
    assert!(ran.took >= Duration::from_secs(8), "each waits longer: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn throttles_slow_it_down_and_a_rate_is_held() {
    let bucket = Bucket { per_second: 10.0, tokens: 10.0, filled: Duration::ZERO };
    let world = World { bucket: Some(bucket), ..World::default() };
    let limits = Limits { max_rate: 50.0, headroom: 0.0 };
    let now = Instant::now().into_std();
    let paces = Paces::new(|_| Pace::auto(limits, None, now));
    let ran = delete(300, world, Options { paces, ..options(Rate::Unlimited) }).await;
    assert_eq!((ran.count(Outcome::Deleted), ran.left()), (300, 0));
    let asked = ran.service.world().asked.len();
    assert!((300..345).contains(&asked), "{asked}");
    assert!((29..45).contains(&ran.took.as_secs()), "{:?}", ran.took);
    let slower = |event: &Event| matches!(event, Event::RateChanged { throttled: true, .. });
    assert!(ran.events.iter().any(|(_, event)| slower(event)), "the rate of deletes is reported");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_about_its_entry_and_the_others_are_deleted() {
    let words = "Cannot delete Artifact: it has associations. Delete them first.";
    let world = World {
        exists_words: Some(words),
        ..script([Behaviour::Creates, Behaviour::Refuses(Class::Rejected)])
    };
    let ran = delete(10, world, options(Rate::Unlimited)).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Deleted), ran.count(Outcome::Rejected)), (9, 1));
    assert_eq!(ran.left(), 1);
    let mut settled = ran.outcomes.values();
    let rejected = settled.find(|one| one.outcome == Outcome::Rejected).unwrap();
    assert_eq!(rejected.error.as_ref().unwrap().message, words);
    assert_eq!(ran.service.world().asked.len(), 10, "it is not sent again");
}

#[tokio::test(start_paused = true)]
async fn words_that_say_it_does_not_exist_are_confirmed_by_its_arn() {
    let world = |script_of: [Behaviour; 1]| World {
        exists_words: Some("Artifact arn/x does not exist."),
        ..script(script_of)
    };
    // It is there: the words alone decide nothing.
    let ran =
        delete(1, world([Behaviour::Refuses(Class::Rejected)]), options(Rate::Unlimited)).await;
    assert_eq!((ran.count(Outcome::Rejected), ran.left()), (1, 1));
    assert_eq!(ran.service.world().log, ["delete arn/s3://b/0", "describe arn/s3://b/0"]);
    // It is gone.
    let ran =
        delete(1, world([Behaviour::CreatesBut(Class::Rejected)]), options(Rate::Unlimited)).await;
    assert_eq!((ran.count(Outcome::Deleted), ran.left()), (1, 0));
    assert_eq!(ran.service.world().log.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_denied_caller_stops_it_and_nothing_is_lost() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Denied)), ..World::default() };
    let ran = delete(30, world, options(Rate::Unlimited)).await;
    let End::Denied { action, .. } = &ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(*action, "sagemaker:DeleteArtifact");
    assert_eq!((ran.outcomes.len(), ran.left()), (0, 30), "all are pending");
}

#[tokio::test(start_paused = true)]
async fn the_first_twenty_refused_alike_stop_it() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Rejected)), ..World::default() };
    let ran = delete(30, world, options(Rate::Unlimited)).await;
    assert!(matches!(ran.end, End::RefusedAlike { count: 20, .. }), "{:?}", ran.end);
    assert_eq!(ran.count(Outcome::Rejected), 0, "they are pending: {:?}", ran.outcomes);
}

#[tokio::test(start_paused = true)]
async fn a_first_signal_waits_for_what_is_in_flight_and_a_second_does_not() {
    for now in [false, true] {
        let world = World { latency: Duration::from_secs(5), ..World::default() };
        let (service, jobs) = deletes(50, world);
        let (send, stop) = watch::channel(Stop::No);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ =
                send.send(if now { Stop::Now { signal: 2 } } else { Stop::Drain { signal: 2 } });
            std::future::pending::<()>().await;
        });
        let ran = run_jobs(service, jobs, options(Rate::Unlimited), stop).await;
        assert_eq!(ran.end, End::Interrupted { signal: 2, drained: !now });
        // Eight were in flight.
        let counts = (ran.count(Outcome::Deleted), ran.count(Outcome::Unresolved));
        assert!(ran.outcomes.values().all(|one| one.arn.is_some()), "{:?}", ran.outcomes);
        assert_eq!(counts, if now { (0, 8) } else { (8, 0) });
    }
}
