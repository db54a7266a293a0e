//! Listing the target before anything is submitted.

use std::sync::Mutex;

use super::existing::{run_on, world_with};
use super::*;

fn asker(service: &Scripted) -> Asker<Scripted> {
    let (keep, stop) = watch::channel(Stop::No);
    std::mem::forget(keep);
    let paces = paces(Rate::Unlimited);
    Asker::new(service.clone(), paces, Duration::from_secs(120), 7, stop)
}

/// Surveys the target, and returns what was found and the jobs with it.
async fn surveyed(asker: &Asker<Scripted>, mut jobs: Vec<Job>) -> (Survey, Vec<Job>) {
    let unknown = jobs.iter().map(|job| (job.artifact.key(), job.entry)).collect();
    let mut hits = Vec::new();
    let take = |(_, entry): (usize, EntryId), found| hits.push((entry, found));
    let found = survey(asker, &unknown, take, |_| ()).await.unwrap();
    for (entry, found) in hits {
        jobs[usize::try_from(entry.0).unwrap()].listed = Some(Box::new(found));
    }
    (found, jobs)
}

#[tokio::test(start_paused = true)]
async fn a_target_that_has_them_all_is_listed_and_nothing_is_refused() {
    let service = world_with(300, |_| ());
    let (found, jobs) = surveyed(&asker(&service), jobs(310)).await;
    assert_eq!(found, Survey { listed: 300, there: 300, complete: true });
    let ran = run_on(service, jobs, options(Rate::Unlimited)).await;
    assert_eq!((ran.count(Outcome::Existed), ran.count(Outcome::Created)), (300, 10));
    assert_eq!(ran.service.world().asked.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_target_full_of_others_costs_one_page_in_a_hundred_entries() {
    let service = Scripted::new(World::default());
    for job in jobs(500) {
        let mut other = (*job.artifact).clone();
        other.source.uri = format!("s3://another/{}", job.entry.0);
        other.name = None;
        service.commit(&other, Duration::ZERO);
    }
    let asker = asker(&service);
    let (found, jobs) = surveyed(&asker, jobs(300)).await;
    assert_eq!((found.there, found.complete), (0, false));
    assert_eq!(asker.calls(), 3);
    assert!(jobs.iter().all(|job| job.listed.is_none()));
}

#[tokio::test(start_paused = true)]
async fn questions_are_asked_again_and_given_up_with_patience() {
    let service = world_with(3, |_| ());
    service.world().look_ups =
        [Class::Throttled, Class::NoResponse, Class::NotSent, Class::Ambiguous].into();
    let asker = asker(&service);
    let mut seen = 0;
    let all = |page: Vec<Found>| {
        seen += page.len();
        std::ops::ControlFlow::Continue(())
    };
    assert_eq!(asker.each_page(&Filter::default(), all).await, Ok(true));
    assert_eq!((seen, asker.calls()), (3, 6));
    assert_eq!(asker.whole("arn/s3://b/1").await.unwrap(), *jobs(2)[1].artifact);

    service.world().look_ups = [Class::NotSent; 2000].into();
    let all = |_| std::ops::ControlFlow::Continue(());
    let ended = asker.each_page(&Filter::default(), all).await;
    let Err(Unanswered::Ended(End::OutOfPatience { cause, .. })) = ended else {
        panic!("it came to an end")
    };
    assert_eq!(cause, Cause::Unreachable);
}

/// The reports of an asker, each with its second.
type Said = Arc<Mutex<Vec<(u64, String)>>>;

/// An asker with a patience of 12 s, and what it reports.
fn reporting(service: &Scripted) -> (Asker<Scripted>, Said) {
    let (keep, stop) = watch::channel(Stop::No);
    std::mem::forget(keep);
    let paces = paces(Rate::Unlimited);
    let said = Arc::new(Mutex::new(Vec::new()));
    let (heard, start) = (Arc::clone(&said), Instant::now());
    let asker = Asker::new(service.clone(), paces, Duration::from_secs(12), 7, stop);
    let asker = asker.reporting(move |refusal, _| {
        heard.lock().unwrap().push((start.elapsed().as_secs(), refusal.message.clone()));
    });
    (asker, said)
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_silent_is_reported_and_given_up_when_patience_ends() {
    let all = |_| std::ops::ControlFlow::Continue(());
    // One request that has no response within the patience.
    let service = Scripted::new(World { latency: Duration::from_secs(60), ..World::default() });
    let (asker, said) = reporting(&service);
    let ended = asker.each_page(&Filter::default(), all).await;
    let Err(Unanswered::Ended(End::OutOfPatience { cause, refusal })) = ended else { panic!() };
    assert_eq!((cause, refusal.message.as_str()), (Cause::Failing, "no response for 12s"));
    assert_eq!(service.start.elapsed().as_secs(), 12);
    assert_eq!(*said.lock().unwrap(), [(5, "no response for 5s".to_owned())]);
    // Requests that each time out after 5 s: the last is abandoned.
    let look_ups = [Class::NoResponse; 100].into();
    let service =
        Scripted::new(World { latency: Duration::from_secs(5), look_ups, ..World::default() });
    let (asker, said) = reporting(&service);
    let ended = asker.each_page(&Filter::default(), all).await;
    let Err(Unanswered::Ended(End::OutOfPatience { cause, refusal })) = ended else { panic!() };
    assert_eq!((cause, refusal.message.as_str()), (Cause::Failing, "scripted NoResponse"));
    assert_eq!(service.start.elapsed().as_secs(), 12, "from the first request on");
    assert!(!said.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_is_waited_for_as_long_as_it_answers() {
    // Three pages.
    let service = world_with(6, |_| ());
    service.world().latency = Duration::from_secs(11);
    let (asker, _) = reporting(&service);
    let all = |_| std::ops::ControlFlow::Continue(());
    assert_eq!(asker.each_page(&Filter::default(), all).await, Ok(true));
    assert_eq!(service.start.elapsed().as_secs(), 33);
    // A read can be abandoned where the time is over.
    let (asker, _) = reporting(&service);
    let until = Instant::now() + Duration::from_secs(4);
    let asker = asker.until(Some(until.into_std()));
    let ended = asker.each_page(&Filter::default(), all).await;
    assert_eq!(ended, Err(Unanswered::Ended(End::OutOfTime)));
    assert_eq!(service.start.elapsed().as_secs(), 37);
}
