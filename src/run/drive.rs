//! Does what the state says: sends, waits, and stops when asked.

use std::time::{Instant, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::entry::{Answered, Job, Request, Sent};
use super::jobs::Jobs;
use super::record::Record;
use super::state::{Action, State};
use super::stop::Stop;
use super::{End, Options};
use crate::event::{Event, Exchange, Observer};
use crate::journal::WriteError;
use crate::service::Service;
use crate::submission::EntryId;

/// The result of one task of the run.
enum Done<J> {
    /// The attempt was not made, since it could not be recorded.
    NotRecorded(EntryId, WriteError),
    Answered(Box<(EntryId, Request, Answered, Sent)>),
    Fetched(J, Result<(Vec<Job>, bool), WriteError>),
}

/// Submits `jobs` to `service`. Everything that happens goes into `record`, and then to `report`.
pub async fn run<S: Service, J: Jobs>(
    service: S,
    jobs: J,
    record: Record,
    options: Options,
    mut stop: watch::Receiver<Stop>,
    mut report: impl FnMut(Event),
) -> End {
    let observer = options.observer.clone();
    let mut state = State::new(options);
    let mut tell = |state: &mut State| {
        for event in state.take_events() {
            record.event(&event);
            report(event);
        }
    };
    let mut jobs = Some(jobs);
    let mut tasks: JoinSet<Done<J>> = JoinSet::new();
    let mut listening = true;
    loop {
        let action = state.next(now(), SystemTime::now());
        tell(&mut state);
        let wake = match action {
            Action::Send(id, request) => {
                tasks.spawn(send(service.clone(), record.clone(), id, request));
                None
            }
            Action::Fetch(most) => {
                if let Some(mut jobs) = jobs.take() {
                    tasks.spawn(async move {
                        let fetched = jobs.next(most).await;
                        Done::Fetched(jobs, fetched)
                    });
                }
                None
            }
            Action::Wait(until) => Some(until),
            Action::End => break,
        };
        // Responses that have arrived are processed before anything more is sent, since they change
        // what is next.
        let mut news = false;
        while let Some(done) = tasks.try_join_next() {
            take(&mut state, &mut jobs, done, &observer);
            news = true;
        }
        let Some(until) = wake.filter(|_| !news) else { continue };
        let sleep = async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(done) = tasks.join_next(), if !tasks.is_empty() => {
                take(&mut state, &mut jobs, done, &observer);
            }
            changed = stop.changed(), if listening => {
                listening = changed.is_ok();
                let asked = *stop.borrow();
                match asked {
                    Stop::No => {}
                    Stop::Drain { signal } => {
                        state.stop(End::Interrupted { signal, drained: true });
                    }
                    Stop::Now { signal } => {
                        state.stop_now(signal);
                        break;
                    }
                }
            }
            () = sleep => {}
        }
    }
    state.withdraw();
    tell(&mut state);
    state.end().cloned().unwrap_or(End::Done)
}

/// Sends one request. A create or a delete leaves only once its intent is durable.
async fn send<S: Service, J>(service: S, record: Record, id: EntryId, request: Request) -> Done<J> {
    let permitted = now();
    if request.operation().is_recorded()
        && let Err(error) = record.intend(id).await
    {
        return Done::NotRecorded(id, error);
    }
    let sent = Sent { permitted, left: now() };
    let answered = match &request {
        Request::Create(artifact) => Answered::Created(service.create(artifact).await),
        Request::List(filter, token) => Answered::Listed(service.list(filter, token.clone()).await),
        Request::Describe(arn) => Answered::Described(service.describe(arn).await),
        Request::Tags(arn, token) => Answered::Tags(service.tags(arn, token.clone()).await),
        Request::Update(arn, update) => Answered::Changed(service.update(arn, update).await),
        Request::AddTags(arn, tags) => Answered::Changed(service.add_tags(arn, tags).await),
        Request::DeleteTags(arn, keys) => Answered::Changed(service.remove_tags(arn, keys).await),
        Request::Delete(arn) => Answered::Deleted(service.delete(arn).await),
    };
    Done::Answered(Box::new((id, request, answered, sent)))
}

/// Returns the time by the runtime's timers.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn take<J>(
    state: &mut State,
    jobs: &mut Option<J>,
    done: Result<Done<J>, tokio::task::JoinError>,
    observer: &Observer,
) {
    match done {
        Ok(Done::Answered(answered)) => {
            let (id, request, answered, sent) = *answered;
            let took = now().saturating_duration_since(sent.left);
            observer.see(&Exchange {
                entry: (!request.lists_everything()).then_some(id),
                attempt: state.attempts(id),
                request_id: answered.request_id(),
                refusal: answered.refusal(),
                ..Exchange::new(request.operation(), took)
            });
            state.answered(id, &request, answered, sent, now(), SystemTime::now());
        }
        Ok(Done::Fetched(source, fetched)) => {
            *jobs = Some(source);
            match fetched {
                Ok((fetched, dry)) => state.fetched(fetched, dry, now()),
                Err(error) => state.not_fetched(error.to_string()),
            }
        }
        Ok(Done::NotRecorded(id, error)) => state.unnoted(id, error.to_string()),
        // A task is never cancelled during the run, so this is a panic in the SDK: pass it on.
        Err(error) => {
            if let Ok(panic) = error.try_into_panic() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
