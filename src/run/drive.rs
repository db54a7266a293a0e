//! Does what the state says: sends, waits, and stops when asked.

use std::time::{Instant, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::state::{Action, Question, State, Told};
use super::{End, Job, Options};
use crate::event::Event;
use crate::journal::WriteError;
use crate::service::{Answer, Created, Service};

/// Whether a run is to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// It is not.
    #[default]
    No,
    /// What is under way is waited for.
    Drain {
        /// The signal that asked.
        signal: u8,
    },
    /// Nothing is waited for.
    Now {
        /// The signal that asked.
        signal: u8,
    },
}

enum Answered {
    /// The attempt was not made, since it could not be noted.
    Unnoted(usize, WriteError),
    Created(usize, Answer<Created>),
    Told(Box<(usize, Question, Told)>),
}

/// Submits `jobs` to `service`, and tells `report` what happens.
pub async fn run<S: Service>(
    service: S,
    jobs: Vec<Job>,
    options: Options,
    mut stop: watch::Receiver<Stop>,
    mut report: impl FnMut(Event),
) -> End {
    let mut state = State::new(jobs, options);
    let mut under_way: JoinSet<Answered> = JoinSet::new();
    let mut listening = true;
    loop {
        let action = state.next(now(), SystemTime::now());
        state.take_events().into_iter().for_each(&mut report);
        let wake = match action {
            Action::Create(at) => {
                let service = service.clone();
                let (entry, artifact) = (state.job(at).entry, state.request(at));
                let journal = state.journal();
                under_way.spawn(async move {
                    if let Some(journal) = journal
                        && let Err(error) = journal.intend(entry, SystemTime::now()).await
                    {
                        return Answered::Unnoted(at, error);
                    }
                    Answered::Created(at, service.create(&artifact).await)
                });
                None
            }
            Action::Ask(at, question) => {
                let service = service.clone();
                under_way.spawn(async move {
                    let told = ask(&service, &question).await;
                    Answered::Told(Box::new((at, question, told)))
                });
                None
            }
            Action::Wait(until) => Some(until),
            Action::End => break,
        };
        // Answers that are there are taken before anything more is sent, and change what is next.
        let mut news = false;
        while let Some(answered) = under_way.try_join_next() {
            take(&mut state, answered);
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
            Some(answered) = under_way.join_next(), if !under_way.is_empty() => {
                take(&mut state, answered);
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
    state.take_events().into_iter().for_each(&mut report);
    state.end().cloned().unwrap_or(End::Done)
}

async fn ask<S: Service>(service: &S, question: &Question) -> Told {
    match question {
        Question::List(filter, token) => Told::Listed(service.list(filter, token.clone()).await),
        Question::Describe(arn) => Told::Described(service.describe(arn).await),
        Question::Tags(arn, token) => Told::Tags(service.tags(arn, token.clone()).await),
        Question::Update(arn, update) => Told::Changed(service.update(arn, update).await),
        Question::AddTags(arn, tags) => Told::Changed(service.add_tags(arn, tags).await),
        Question::RemoveTags(arn, keys) => Told::Changed(service.remove_tags(arn, keys).await),
    }
}

/// The time that timers of the runtime go by.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn take(state: &mut State, answered: Result<Answered, tokio::task::JoinError>) {
    match answered {
        Ok(Answered::Created(at, answer)) => state.created(at, answer, now()),
        Ok(Answered::Told(told)) => {
            let (at, question, told) = *told;
            state.told(at, question, told, now());
        }
        Ok(Answered::Unnoted(at, error)) => state.unnoted(at, &error),
        // A task is never cancelled while the run lasts, so this is a panic in the SDK: it goes on.
        Err(error) => {
            if let Ok(panic) = error.try_into_panic() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
