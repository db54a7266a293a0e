//! The reaction of a run to each class of unsuccessful response: the one table.
//!
//! The rows are the classes of [`Class`], the columns the kinds of request. Creates, updates and
//! reads all use it, those of `plan` and `export` too.

use std::time::Duration;

use super::retry::Retry;
use crate::event::Cause;
use crate::submission::{Class, Operation, Refusal};

/// The interval at which expired credentials are read again.
pub(super) const CREDENTIALS: Duration = Duration::from_secs(30);

/// The reaction to an unsuccessful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The request had no effect: it is retried as soon as the lowered rate allows.
    SlowDown,
    /// The request had no effect: all submission pauses, then it is retried.
    Pause(Cause),
    /// The service rejects the request.
    Refuse,
    /// The caller may not make this request.
    Deny,
    /// The effect of the create is unknown: the target is looked up.
    LookUp,
    /// The effect of the request is unknown, and it is idempotent: it is retried.
    Repeat,
    /// No further request can succeed: the run ends.
    Stop,
}

/// Returns the reaction to a response of `class` to `operation`.
pub(super) const fn reaction(class: Class, operation: Operation) -> Reaction {
    use Reaction as R;
    let (create, write) = (matches!(operation, Operation::Create), operation.is_write());
    match class {
        Class::Rejected => R::Refuse,
        Class::Denied => R::Deny,
        Class::Throttled => R::SlowDown,
        Class::Limit if write => R::Pause(Cause::Limit),
        Class::NotSent => R::Pause(Cause::Unreachable),
        Class::Expired => R::Pause(Cause::Expired),
        Class::Unsendable | Class::ClockOff | Class::ExpiredForGood => R::Stop,
        Class::Ambiguous | Class::NoResponse if create => R::LookUp,
        Class::Limit | Class::Ambiguous | Class::NoResponse => R::Repeat,
    }
}

/// Returns why a read failed, if the reason concerns every request.
pub(super) const fn trouble(class: Class) -> Option<Cause> {
    match class {
        Class::Throttled => Some(Cause::Throttled),
        Class::NotSent => Some(Cause::Unreachable),
        Class::Expired => Some(Cause::Expired),
        Class::Ambiguous | Class::NoResponse => Some(Cause::Failing),
        _ => None,
    }
}

/// Returns the backoff before the `tries`-th retry of a read.
pub(super) fn wait(class: Class, tries: u32, retry: &mut Retry) -> Duration {
    match class {
        // The pace limits it.
        Class::Throttled => Duration::ZERO,
        Class::Expired => CREDENTIALS,
        _ => retry.of_one(tries),
    }
}

/// Error codes that always mean that the artifact exists.
const EXISTS: [&str; 3] = ["ConflictException", "ResourceInUse", "ResourceExistsException"];

/// Returns whether the service refuses a create because the artifact, or its name, exists. AWS's
/// own libraries take a `ValidationException` with these words for that. It decides only what is
/// looked up, and for how long: a look-up has to confirm it.
pub fn says_exists(refusal: &Refusal) -> bool {
    let Some(code) = refusal.code.as_deref() else { return false };
    EXISTS.contains(&code)
        || (code == "ValidationException"
            && refusal.message.to_ascii_lowercase().contains("already exists"))
}

/// Returns whether the service refuses a request for an ARN because there is no such artifact. Where
/// only the words say so, another request has to confirm it.
pub(super) fn says_absent(refusal: &Refusal) -> bool {
    let Some(code) = refusal.code.as_deref() else { return false };
    let words = || {
        let message = refusal.message.to_ascii_lowercase();
        ["does not exist", "not found"].iter().any(|words| message.contains(words))
    };
    code.starts_with("ResourceNotFound") || (code == "ValidationException" && words())
}

/// Returns whether a refusal may mean that the artifact exists, in a wording that is not known: the
/// service uses one code for that and for an invalid request. If it names a member of the request,
/// the request is invalid.
pub(super) fn may_mean_exists(refusal: &Refusal) -> bool {
    refusal.code.as_deref() == Some("ValidationException") && refusal.member().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_artifacts_are_recognized_by_code_and_message_together() {
        let refusal = |code: &str, message: &str| Refusal {
            code: Some(code.to_owned()),
            ..Refusal::by_lineload(message)
        };
        assert!(says_exists(&refusal("ValidationException", "Artifact x Already Exists.")));
        assert!(says_exists(&refusal("ResourceInUse", "busy")));
        assert!(!says_exists(&refusal("ValidationException", "1 validation error detected")));
        assert!(!says_exists(&refusal("InternalFailure", "it already exists")));
        assert!(!says_exists(&Refusal::by_lineload("already exists")));
    }

    #[test]
    fn only_a_create_without_a_verdict_is_looked_up() {
        for operation in Operation::ALL {
            for class in [Class::Ambiguous, Class::NoResponse] {
                let expected = match operation {
                    Operation::Create => Reaction::LookUp,
                    _ => Reaction::Repeat,
                };
                assert_eq!(reaction(class, operation), expected, "{operation} {class:?}");
            }
            assert_eq!(reaction(Class::ClockOff, operation), Reaction::Stop);
            assert_eq!(reaction(Class::Throttled, operation), Reaction::SlowDown);
        }
        assert_eq!(reaction(Class::Limit, Operation::Create), Reaction::Pause(Cause::Limit));
        assert_eq!(reaction(Class::Limit, Operation::List), Reaction::Repeat);
    }
}
