//! Listing the target before anything is submitted.

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
    let unknown = jobs.iter().map(|job| (job.artifact.identity().key(), job.entry)).collect();
    let mut hits = Vec::new();
    let take = |entry: EntryId, found| hits.push((entry, found));
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
