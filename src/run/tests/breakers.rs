//! Tests of when a run ends early, and when it only pauses.

use super::*;

fn one_at_a_time() -> Options {
    Options { concurrency: 1, ..options(Rate::Fixed(10.0)) }
}

#[tokio::test(start_paused = true)]
async fn entries_that_are_all_refused_in_the_same_words_stop_the_run_and_none_is_lost() {
    let world = World { otherwise: Some(Behaviour::Refuses(Class::Rejected)), ..World::default() };
    let ran = run_with(world, 300, one_at_a_time()).await;
    let End::RefusedAlike { count, refusal } = &ran.end else { panic!("{:?}", ran.end) };
    assert_eq!((*count, refusal.message.as_str()), (20, "scripted Rejected"));
    assert_eq!(ran.outcomes.len(), 0, "nothing is rejected for good");
    let withdrawn = ran.events.iter().filter(|(_, event)| matches!(event, Event::Withdrawn(_)));
    assert_eq!(withdrawn.count(), 20);
    assert_eq!(ran.service.world().asked.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn words_that_quote_the_entry_are_the_same_words() {
    let world = World {
        otherwise: Some(Behaviour::Refuses(Class::Rejected)),
        quotes: true,
        ..World::default()
    };
    let ran = run_with(world, 300, one_at_a_time()).await;
    let End::RefusedAlike { count, .. } = &ran.end else { panic!("{:?}", ran.end) };
    assert_eq!((*count, ran.outcomes.len()), (20, 0));
    assert_eq!(ran.service.world().asked.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_another_account_answered_is_not_said_to_be_pending() {
    let elsewhere = "the response is from another account or Region: arn:aws:x";
    let world =
        World { script: [Behaviour::Creates, Behaviour::Elsewhere].into(), ..World::default() };
    let ran = run_with(world, 10, one_at_a_time()).await;
    let End::Unable { refusal } = &ran.end else { panic!("{:?}", ran.end) };
    assert_eq!(refusal.message, elsewhere);
    assert_eq!((ran.count(Outcome::Created), ran.count(Outcome::Unresolved)), (1, 1));
    assert_eq!(ran.outcomes.len(), 2, "nothing was submitted for the others");
    let error = ran.outcomes[&EntryId(1)].error.as_ref().unwrap();
    assert_eq!(error.message, elsewhere);
}

#[tokio::test(start_paused = true)]
async fn the_last_probe_comes_before_the_patience_ends() {
    for seed in 0..20 {
        let world = World { otherwise: Some(Behaviour::Refuses(Class::Limit)), ..World::default() };
        let patience = Duration::from_secs(40);
        let options = Options { seed, patience, ..one_at_a_time() };
        let ran = run_with(world, 5, options).await;
        assert!(matches!(ran.end, End::OutOfPatience { cause: Cause::Limit, .. }));
        let last = *ran.service.world().asked.last().unwrap();
        assert!((38..40).contains(&last.as_secs()), "{seed}: the last request after {last:?}");
        let ends = ran.service.start.into_std() + patience + Duration::from_millis(200);
        for (_, event) in &ran.events {
            let Event::Paused { probe_at, .. } = event else { continue };
            assert!(*probe_at <= ends, "{seed}: a probe is announced that never comes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_run_or_one_that_may_fail_goes_to_its_end() {
    let refuses =
        || World { otherwise: Some(Behaviour::Refuses(Class::Rejected)), ..World::default() };
    let ran = run_with(refuses(), 19, one_at_a_time()).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Rejected)), (End::Done, 19));
    let options = Options { max_errors: Some(1000), ..one_at_a_time() };
    let ran = run_with(refuses(), 100, options).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Rejected)), (End::Done, 100));
    // One that is taken shows that it is the others that are wrong.
    let script = [Behaviour::Creates].into();
    let ran = run_with(World { script, ..refuses() }, 100, one_at_a_time()).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Rejected)), (End::Done, 99));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_any_more_stops_at_once_and_leaves_nothing_open() {
    for class in [Class::ClockOff, Class::Unsendable, Class::ExpiredForGood] {
        for before in [0, 5] {
            let script = std::iter::repeat_n(Behaviour::Creates, before).collect();
            let world =
                World { script, otherwise: Some(Behaviour::Refuses(class)), ..World::default() };
            let ran = run_with(world, 100, one_at_a_time()).await;
            let End::Unable { refusal } = &ran.end else { panic!("{class:?}: {:?}", ran.end) };
            assert_eq!(refusal.class, class);
            assert_eq!(ran.outcomes.len(), before, "{class:?}: {:?}", ran.outcomes);
            assert_eq!(ran.service.world().asked.len(), before + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_small_run_pauses_it_like_a_big_one() {
    // Nothing is answered, look-ups neither.
    for count in [1, 3, 12] {
        let world = World {
            otherwise: Some(Behaviour::Refuses(Class::Ambiguous)),
            look_ups: std::iter::repeat_n(Class::Ambiguous, 10_000).collect(),
            ..World::default()
        };
        let ran = run_with(world, count, options(Rate::Unlimited)).await;
        let failing = matches!(ran.end, End::OutOfPatience { cause: Cause::Failing, .. });
        assert!(failing, "{count}: {:?}", ran.end);
        assert!((115..=160).contains(&ran.took.as_secs()), "{count}: {:?}", ran.took);
        let paused = ran.events.iter().any(|(_, event)| matches!(event, Event::Paused { .. }));
        assert!(paused, "{count}");
        let asked = ran.service.world().asked.len();
        assert!(asked <= count as usize, "{count}: {asked} creates, none a second time");
        let looked_up = ran.service.world().looked_up.len();
        assert!(looked_up < 200, "{count}: {looked_up} look-ups");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_comes_back_within_the_patience_loses_nothing() {
    let world = World {
        script: [Behaviour::Refuses(Class::Ambiguous); 12].into(),
        look_ups: [Class::Ambiguous; 15].into(),
        ..World::default()
    };
    let ran = run_with(world, 12, options(Rate::Unlimited)).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Created)), (End::Done, 12));
    ran.assert_none_doubled();
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_code_are_no_verdict_and_slow_the_run_down() {
    // As SageMaker's throttle has been seen: a 400 that says nothing.
    let script = [Behaviour::Refuses(Class::Ambiguous); 4].into();
    let world = World { script, latency: Duration::from_millis(20), ..World::default() };
    let one_by_one = Options { concurrency: 1, ..options(Rate::Unlimited) };
    let ran = run_with(world, 40, one_by_one).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Created)), (End::Done, 40));
    let slower = ran
        .events
        .iter()
        .any(|(_, event)| matches!(event, Event::RateChanged { throttled: true, .. }));
    assert!(slower, "many in a row are taken for throttling");
}

#[tokio::test(start_paused = true)]
async fn out_of_time_waits_a_short_grace_for_what_hangs_and_leaves_it_open() {
    let until = Some(Instant::now().into_std() + Duration::from_secs(3));
    let world = World { latency: Duration::from_secs(60), ..World::default() };
    let ran = run_with(world, 50, Options { until, ..options(Rate::Unlimited) }).await;
    assert_eq!(ran.end, End::OutOfTime);
    assert_eq!(ran.took.as_secs(), 5);
    assert_eq!(ran.count(Outcome::Unresolved), 8, "what was in flight may exist or not");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_goes_in_circles_is_given_up() {
    let script = [Behaviour::Refuses(Class::NoResponse)].into();
    let ran = run_with(World { circles: true, script, ..World::default() }, 1, {
        options(Rate::Unlimited)
    })
    .await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Unresolved)), (End::Done, 1));
    assert!(ran.service.world().looked_up.len() <= 3);
    let said = ran.outcomes[&EntryId(0)].error.clone().unwrap().message;
    assert!(said.contains("a page repeats"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_pause_does_not_end_it() {
    // Of eight in flight, the first is limited and the others come through later.
    let script = [Behaviour::Refuses(Class::Limit)].into_iter().chain([Behaviour::Creates; 7]);
    let script = script.chain([Behaviour::Refuses(Class::Limit); 3]).collect();
    let world = World { script, latency: Duration::from_millis(50), ..World::default() };
    let ran = run_with(world, 20, options(Rate::Unlimited)).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Created)), (End::Done, 20));
    let reopened = ran.events.iter().filter(|(_, event)| matches!(event, Event::Reopened { .. }));
    assert_eq!(reopened.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_after_each_commit_is_no_outage_as_long_as_look_ups_find_them() {
    let world =
        World { otherwise: Some(Behaviour::CreatesBut(Class::Ambiguous)), ..World::default() };
    let ran = run_with(world, 60, options(Rate::Unlimited)).await;
    assert_eq!((ran.end.clone(), ran.count(Outcome::Recovered)), (End::Done, 60));
    assert_eq!(ran.service.world().asked.len(), 60, "nothing was submitted twice");
}
