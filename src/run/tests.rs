//! The engine against a scripted service, on a clock that only moves when nothing else can.

mod breakers;
mod deletes;
mod double;
mod existing;
mod lag;
mod survey;
mod throttled;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::Instant;

use super::change::{Drift, OnExists};
use super::*;
use crate::artifact::{Artifact, Source, Tag, Texts};
use crate::event::{Event, Observer, Settled};
use crate::pace::{Limits, Pace, Paces, Rate};
use crate::service::{Filter, Found};
use crate::submission::{Class, EntryId, Operation, Outcome};
use double::{Behaviour, Bucket, Scripted, World};

fn jobs(count: u32) -> Vec<Job> {
    let artifact = |number: u32| Artifact {
        name: Some(format!("a{number}")),
        artifact_type: "DataSet".into(),
        source: Source { uri: format!("s3://b/{number}"), types: vec![] },
        properties: BTreeMap::new(),
        texts: Texts::default(),
        tags: vec![],
    };
    (0..count)
        .map(|at| Job {
            entry: EntryId(at.into()),
            artifact: Arc::new(artifact(at)),
            known: Known::default(),
            listed: None,
            deletes: None,
        })
        .collect()
}

struct Ran {
    end: End,
    outcomes: BTreeMap<EntryId, Settled>,
    events: Vec<(Duration, Event)>,
    took: Duration,
    service: Scripted,
}

impl Ran {
    fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.values().filter(|settled| settled.outcome == outcome).count()
    }

    /// No source was created twice.
    fn assert_none_doubled(&self) {
        for (key, made) in &self.service.world().made {
            assert_eq!(*made, 1, "{key} was created {made} times");
        }
    }
}

fn options(rate: Rate) -> Options {
    Options {
        paces: paces(rate),
        concurrency: 8,
        patience: Duration::from_secs(120),
        settle: Duration::from_secs(10),
        read_lag: Duration::from_secs(10),
        seed: 7,
        policy: Policy::default(),
        max_errors: None,
        until: None,
        began: SystemTime::now(),
        observer: Observer::default(),
    }
}

/// Creates go at `rate`, all else as fast as it is answered.
fn paces(rate: Rate) -> Paces {
    let now = Instant::now().into_std();
    Paces::new(|operation| match operation {
        Operation::Create => Pace::new(rate, None, now),
        _ => Pace::new(Rate::Unlimited, None, now),
    })
}

async fn run_with(world: World, count: u32, options: Options) -> Ran {
    let (_keep, stop) = watch::channel(Stop::No);
    run_until(world, count, options, stop).await
}

async fn run_until(world: World, count: u32, options: Options, stop: watch::Receiver<Stop>) -> Ran {
    run_jobs(Scripted::new(world), jobs(count), options, stop).await
}

async fn run_jobs(
    service: Scripted,
    jobs: Vec<Job>,
    options: Options,
    stop: watch::Receiver<Stop>,
) -> Ran {
    let start = service.start;
    let mut outcomes = BTreeMap::new();
    let mut events = Vec::new();
    let record = Record::nothing();
    let end = run(service.clone(), jobs.into_iter(), record, options, stop, |event| {
        if let Event::Settled(settled) = &event {
            let again = outcomes.insert(settled.entry, settled.clone());
            assert!(again.is_none(), "{again:?} was settled twice");
        }
        events.push((start.elapsed(), event));
    })
    .await;
    Ran { end, outcomes, events, took: start.elapsed(), service }
}

async fn scripted(script: impl IntoIterator<Item = Behaviour>, count: u32) -> Ran {
    let script = script.into_iter().collect();
    let latency = Duration::from_millis(20);
    run_with(World { script, latency, ..World::default() }, count, options(Rate::Unlimited)).await
}

#[tokio::test(start_paused = true)]
async fn everything_is_created_with_no_more_under_way_than_allowed() {
    let ran = scripted([], 100).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 100);
    assert_eq!(ran.service.world().most_under_way, 8);
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn a_fixed_rate_holds_for_first_tries_retries_and_probes() {
    let script = (0..200).map(|at| match at % 7 {
        3 => Behaviour::Refuses(Class::Limit),
        5 => Behaviour::CreatesBut(Class::NoResponse),
        _ => Behaviour::Creates,
    });
    let world = World { script: script.collect(), ..World::default() };
    let ran = run_with(world, 100, options(Rate::Fixed(10.0))).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created) + ran.count(Outcome::Recovered), 100);
    let asked = ran.service.world().asked.clone();
    // A timer that is late is made up for, by 20 ms at most: a fifth of a request.
    for (at, later) in asked.iter().enumerate() {
        for (between, earlier) in asked[..at].iter().rev().enumerate() {
            let least = Duration::from_millis(100) * u32::try_from(between + 1).unwrap();
            assert!(
                *later - *earlier + Duration::from_millis(21) >= least,
                "{earlier:?} {later:?}"
            );
        }
    }
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn throttled_requests_are_retried_at_a_lower_rate() {
    let script = [
        Behaviour::Creates,
        Behaviour::Refuses(Class::Throttled),
        Behaviour::Refuses(Class::Throttled),
    ];
    let ran = scripted(script, 30).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 30);
    let slower = |(_, event): &&(Duration, Event)| {
        matches!(event, Event::RateChanged { throttled: true, .. })
    };
    assert!(ran.events.iter().any(|event| slower(&event)));
    let throttled = ran.events.iter().filter(|(_, event)| matches!(event, Event::Throttled));
    assert_eq!(throttled.count(), 2, "each refused create is reported");
    assert_eq!(ran.service.world().asked.len(), 32);
}

#[tokio::test(start_paused = true)]
async fn auto_finds_the_rate_and_what_is_under_way_follows() {
    let bucket = Bucket { per_second: 50.0, tokens: 50.0, filled: Duration::ZERO };
    let latency = Duration::from_millis(300);
    let world = World { bucket: Some(bucket), latency, ..World::default() };
    let limits = Limits { max_rate: 500.0, headroom: 0.0 };
    let now = Instant::now().into_std();
    let paces = Paces::new(|_| Pace::auto(limits, None, now));
    let auto = Options { paces, concurrency: 1000, ..options(Rate::Unlimited) };
    let ran = run_with(world, 2000, auto).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 2000);
    // At 50 a second, and a second's worth at once: 39 s at best.
    assert!((39..48).contains(&ran.took.as_secs()), "{:?}", ran.took);
    let world = ran.service.world();
    assert!(world.asked.len() < 2160, "{}", world.asked.len());
    assert!(world.most_under_way < 150, "{}", world.most_under_way);
}

#[tokio::test(start_paused = true)]
async fn a_limit_pauses_everything_and_one_probe_at_a_time_asks_again() {
    let script = [Behaviour::Creates; 20].into_iter().chain([Behaviour::Refuses(Class::Limit); 10]);
    let ran = scripted(script, 60).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 60);
    let world = ran.service.world();
    // The flight that met the limit, then single probes with growing gaps.
    let from =
        ran.events.iter().find(|(_, event)| matches!(event, Event::Paused { .. })).unwrap().0;
    let to =
        ran.events.iter().find(|(_, event)| matches!(event, Event::Reopened { .. })).unwrap().0;
    let probes: Vec<_> = world.asked.iter().filter(|at| **at > from && **at < to).collect();
    assert!(!probes.is_empty() && probes.len() <= 12, "{probes:?}");
    for pair in probes.windows(2) {
        assert!(*pair[1] - *pair[0] >= Duration::from_millis(200), "{probes:?}");
    }
    assert!(to - from > Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_stays_ends_the_run_when_patience_does() {
    let world = World {
        script: [Behaviour::Creates; 5].into(),
        otherwise: Some(Behaviour::Refuses(Class::Limit)),
        ..World::default()
    };
    let ran = run_with(world, 50, options(Rate::Unlimited)).await;
    let End::OutOfPatience { cause: Cause::Limit, refusal } = &ran.end else {
        panic!("{:?}", ran.end)
    };
    assert_eq!(refusal.code.as_deref(), Some("ResourceLimitExceeded"));
    assert_eq!(ran.count(Outcome::Created), 5);
    assert_eq!(ran.outcomes.len(), 5, "the others are pending, not failed");
    assert_eq!(ran.took.as_secs(), 120);
    let asked = ran.service.world().asked.len();
    assert!((8..60).contains(&asked), "{asked} requests in two minutes of limit");
}

#[tokio::test(start_paused = true)]
async fn an_answer_lost_after_the_commit_is_recovered() {
    for class in [Class::NoResponse, Class::Ambiguous] {
        let ran = scripted([Behaviour::CreatesBut(class)], 3).await;
        assert_eq!(ran.end, End::Done);
        assert_eq!((ran.count(Outcome::Recovered), ran.count(Outcome::Created)), (1, 2));
        assert_eq!(ran.service.world().asked.len(), 3, "nothing was submitted twice");
        ran.assert_none_doubled();
    }
}

#[tokio::test(start_paused = true)]
async fn what_nothing_came_of_is_created_again_but_not_before_it_had_time_to_settle() {
    // Whatever the first answer was: reads lag behind writes.
    for class in [Class::NoResponse, Class::Ambiguous] {
        let ran = scripted([Behaviour::Refuses(class)], 1).await;
        assert_eq!(ran.count(Outcome::Created), 1);
        let asked = ran.service.world().asked.clone();
        assert_eq!(asked.len(), 2);
        assert!(asked[1] >= Duration::from_secs(10), "{asked:?}");
        assert!(asked[1] < Duration::from_secs(11), "{asked:?}");
        assert_eq!(ran.outcomes[&EntryId(0)].attempts, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_comes_late_is_found_and_not_doubled() {
    let ran = scripted([Behaviour::CreatesLater(Duration::from_secs(8))], 1).await;
    assert_eq!(ran.count(Outcome::Recovered), 1);
    assert_eq!(ran.service.world().asked.len(), 1);
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_confirmed_by_look_up() {
    let world = World::default();
    let service = Scripted::new(world);
    for job in jobs(10) {
        service.commit(&job.artifact, Duration::ZERO);
    }
    let world = std::mem::take(&mut *service.world());
    let ran = run_with(world, 12, options(Rate::Unlimited)).await;
    assert_eq!((ran.count(Outcome::Existed), ran.count(Outcome::Created)), (10, 2));
    assert!(ran.outcomes[&EntryId(3)].arn.is_some());
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn one_that_is_rejected_stops_no_other() {
    let ran =
        scripted([Behaviour::Creates, Behaviour::Refuses(Class::Rejected), Behaviour::Creates], 10)
            .await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Rejected), ran.count(Outcome::Created)), (1, 9));
    let error = ran.outcomes.values().find_map(|settled| settled.error.clone()).unwrap();
    assert_eq!(error.message, "scripted Rejected");
}

#[tokio::test(start_paused = true)]
async fn denied_before_anything_came_through_ends_the_run() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Denied)), ..World::default() };
    let ran = run_with(world, 100, options(Rate::Unlimited)).await;
    let End::Denied { action, .. } = ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(action, "sagemaker:CreateArtifact");
    assert!(ran.service.world().asked.len() <= 8);
    assert!(ran.outcomes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn denied_later_concerns_one_entry() {
    let script = [Behaviour::Creates; 20].into_iter().chain([Behaviour::Refuses(Class::Denied)]);
    let ran = scripted(script, 50).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!((ran.count(Outcome::Rejected), ran.count(Outcome::Created)), (1, 49));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_be_reached_is_waited_for() {
    let script =
        [Behaviour::Creates; 3].into_iter().chain([Behaviour::Refuses(Class::NotSent); 10]);
    let ran = scripted(script, 20).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 20);
    assert!(ran.took < Duration::from_secs(120));

    let world = World { otherwise: Some(Behaviour::Refuses(Class::NotSent)), ..World::default() };
    let ran = run_with(world, 20, options(Rate::Unlimited)).await;
    assert!(
        matches!(ran.end, End::OutOfPatience { cause: Cause::Unreachable, .. }),
        "{:?}",
        ran.end
    );
    assert_eq!(ran.took.as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_read_again_every_half_minute() {
    let world = World {
        script: [
            Behaviour::Creates,
            Behaviour::Refuses(Class::Expired),
            Behaviour::Refuses(Class::Expired),
        ]
        .into(),
        ..World::default()
    };
    let mut one_by_one = options(Rate::Unlimited);
    one_by_one.concurrency = 1;
    let ran = run_with(world, 5, one_by_one).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Created), 5);
    let asked: Vec<_> = ran.service.world().asked.iter().map(Duration::as_secs).collect();
    assert_eq!(asked, [0, 0, 30, 60, 60, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn nothing_but_throttling_runs_out_of_patience() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Throttled)), ..World::default() };
    let ran = run_with(world, 20, options(Rate::Unlimited)).await;
    assert!(matches!(ran.end, End::OutOfPatience { cause: Cause::Throttled, .. }), "{:?}", ran.end);
    assert_eq!(ran.took.as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn five_attempts_without_a_verdict_are_enough() {
    let world =
        World { otherwise: Some(Behaviour::Refuses(Class::NoResponse)), ..World::default() };
    let ran = run_with(world, 2, options(Rate::Unlimited)).await;
    assert_eq!(ran.end, End::Done);
    assert_eq!(ran.count(Outcome::Unresolved), 2);
    assert_eq!(ran.service.world().asked.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_fails_is_tried_again() {
    let world = World {
        script: [Behaviour::CreatesBut(Class::NoResponse)].into(),
        look_ups: [Class::Throttled, Class::Ambiguous, Class::NoResponse, Class::NotSent].into(),
        ..World::default()
    };
    let ran = run_with(world, 1, options(Rate::Unlimited)).await;
    assert_eq!(ran.count(Outcome::Recovered), 1);
    assert_eq!(ran.service.world().asked.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_up_is_not_created_again() {
    let world = World {
        script: [Behaviour::CreatesBut(Class::NoResponse)].into(),
        look_ups: [Class::Denied].into(),
        ..World::default()
    };
    let ran = run_with(world, 1, options(Rate::Unlimited)).await;
    assert_eq!(ran.count(Outcome::Unresolved), 1);
    assert_eq!(ran.service.world().asked.len(), 1);
    let error = ran.outcomes[&EntryId(0)].error.clone().unwrap();
    assert!(error.message.contains("looking it up failed too"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn a_signal_waits_for_what_is_under_way_and_a_second_does_not() {
    for (asked, expected) in [
        (Stop::Drain { signal: 2 }, Outcome::Created),
        (Stop::Now { signal: 15 }, Outcome::Unresolved),
    ] {
        let (stop, stopped) = watch::channel(Stop::No);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            stop.send(asked).unwrap();
            std::future::pending::<()>().await;
        });
        let world = World { latency: Duration::from_secs(1), ..World::default() };
        let ran = run_until(world, 100, options(Rate::Unlimited), stopped).await;
        let (Stop::Drain { signal } | Stop::Now { signal }) = asked else { panic!() };
        let drained = asked == Stop::Drain { signal };
        assert_eq!(ran.end, End::Interrupted { signal, drained });
        assert_eq!((ran.outcomes.len(), ran.count(expected)), (8, 8));
    }
}

/// Whatever goes wrong, in whatever order: every entry comes to an end, and none is made twice.
#[tokio::test(start_paused = true)]
async fn chaos_loses_nothing_and_doubles_nothing() {
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut any = || match rng.u8(0..20) {
            0 => Behaviour::Refuses(Class::Throttled),
            1 => Behaviour::Refuses(Class::Limit),
            2 => Behaviour::Refuses(Class::NotSent),
            3 => Behaviour::Refuses(Class::NoResponse),
            4 => Behaviour::Refuses(Class::Ambiguous),
            5 => Behaviour::CreatesBut(Class::NoResponse),
            6 => Behaviour::CreatesBut(Class::Ambiguous),
            7 => Behaviour::CreatesLater(Duration::from_millis(rng.u64(0..9900))),
            _ => Behaviour::Creates,
        };
        let script = (0..150).map(|_| any()).collect();
        let look_ups = (0..20)
            .map(|at| if at % 3 == 0 { Class::Throttled } else { Class::NoResponse })
            .take(usize::from(seed % 2 == 0) * 20)
            .collect();
        let latency = Duration::from_millis(seed % 50);
        let world = World { script, look_ups, latency, ..World::default() };
        let mut options = options(Rate::Fixed(50.0));
        options.seed = seed;
        // By chance nothing comes through for minutes.
        options.patience = Duration::from_secs(3600);
        let ran = run_with(world, 80, options).await;
        assert_eq!(ran.end, End::Done, "seed {seed}");
        assert_eq!(ran.outcomes.len(), 80, "seed {seed}");
        ran.assert_none_doubled();
        let world = ran.service.world();
        for (entry, settled) in &ran.outcomes {
            let there = world
                .artifacts
                .values()
                .any(|(found, _)| found.uri == format!("s3://b/{}", entry.0));
            let said =
                matches!(settled.outcome, Outcome::Created | Outcome::Recovered | Outcome::Existed);
            assert!(!said || there, "seed {seed}: {entry:?} {settled:?} is not there");
        }
    }
}
