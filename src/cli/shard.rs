//! `--shard` and `--rate-share`

use crate::walk::Shard;

/// An engine that runs the same command many times, and the variables in which it numbers them.
struct Engine {
    name: &'static str,
    /// The number of this task.
    number: &'static str,
    /// The first number.
    first: u32,
    /// The number of tasks, if the engine says it.
    count: Option<&'static str>,
    /// The first and the last number, if the tasks need not be all that there were at first.
    range: Option<[&'static str; 2]>,
}

/// The engines that `auto` knows.
const ENGINES: [Engine; 4] = [
    Engine { name: "GNU parallel", number: "PARALLEL_SEQ", first: 1, count: None, range: None },
    // https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    Engine {
        name: "AWS Batch",
        number: "AWS_BATCH_JOB_ARRAY_INDEX",
        first: 0,
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        range: None,
    },
    // https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
    Engine {
        name: "Kubernetes",
        number: "JOB_COMPLETION_INDEX",
        first: 0,
        count: None,
        range: None,
    },
    // https://slurm.schedmd.com/job_array.html#env_vars
    Engine {
        name: "Slurm",
        number: "SLURM_ARRAY_TASK_ID",
        first: 1,
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        range: Some(["SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"]),
    },
];

/// Parses `I/N`, `auto` or `auto/N`.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    of(text, |name| std::env::var(name).ok())
}

fn of(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let form = || "write it as I/N, such as 3/16, or as `auto` or `auto/N`".to_owned();
    let number = |text: &str| text.parse().map_err(|_| form());
    match text.split_once('/') {
        Some(("auto", of)) => auto(Some(number(of)?), variable),
        None if text == "auto" => auto(None, variable),
        Some((shard, of)) => Shard::new(number(shard)?, number(of)?),
        None => Err(form()),
    }
}

/// Returns the shard of this task of an engine.
fn auto(of: Option<u32>, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| -> Result<Option<u32>, String> {
        let Some(text) = variable(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("invalid value of {name}: expected a number"))
    };
    let set =
        ENGINES.map(|engine| engine.number).into_iter().filter(|name| variable(name).is_some());
    let set: Vec<_> = set.collect();
    if set.len() > 1 {
        return Err(format!("{} are both set: write I/N", set.join(" and ")));
    }
    for Engine { name, number: task, first, count, range } in ENGINES {
        let Some(task_number) = number(task)? else { continue };
        let of = match (of, count.map(number).transpose()?.flatten()) {
            (Some(of), Some(count)) if range.is_none() && of != count => {
                return Err(format!("{name} runs {count} tasks, not {of}: write `auto`"));
            }
            (Some(of), _) => of,
            (None, Some(count)) => {
                if let Some([least, last]) = range {
                    // A task that is run again alone is an array of one: its shard would be the whole
                    // tree.
                    let (least, last) =
                        (number(least)?.unwrap_or(1), number(last)?.unwrap_or(count));
                    let is_whole = least == 1 && last == count && count > 1;
                    if !is_whole {
                        return Err(format!(
                            "the tasks of {name} are not 1 to N: if some of them run again, write \
                             `auto/N`"
                        ));
                    }
                }
                count
            }
            (None, None) => {
                return Err(format!(
                    "{name} does not report how many tasks there are: write `auto/N`"
                ));
            }
        };
        let from_one = task_number.checked_sub(first).map(|number| number + 1);
        return match from_one.map(|number| Shard::new(number, of)) {
            Some(Ok(shard)) => Ok(shard),
            _ => {
                let last = u64::from(first) + u64::from(of) - 1;
                Err(format!("{task} is {task_number}: number the tasks from {first} to {last}"))
            }
        };
    }
    let names = ENGINES.map(|engine| engine.number).join(", ");
    Err(format!("not a task of a known engine: none of {names} is set"))
}

/// Parses a share: `1/16`, `25%` or `0.25`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((part, of)), _) => {
            part.parse::<f64>().ok().zip(of.parse::<f64>().ok()).map(|(a, b)| a / b)
        }
        (None, Some(percent)) => percent.parse::<f64>().ok().map(|percent| percent / 100.0),
        (None, None) => text.parse().ok(),
    };
    share
        .filter(|share| 0.0 < *share && *share <= 1.0)
        .ok_or_else(|| "write it as 1/16, 25% or 0.25: above 0, and at most 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        };
        of(text, variable).map(|shard| shard.to_string())
    }

    fn slurm<'a>(
        id: &'a str,
        least: &'a str,
        last: &'a str,
        count: &'a str,
    ) -> [(&'a str, &'a str); 4] {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", least),
            ("SLURM_ARRAY_TASK_MAX", last),
            ("SLURM_ARRAY_TASK_COUNT", count),
        ]
    }

    #[test]
    fn each_engine_numbers_its_tasks() {
        let batch = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")];
        assert_eq!(with("auto", &batch), Ok("1/4".to_owned()));
        assert_eq!(with("auto", &slurm("4", "1", "4", "4")), Ok("4/4".to_owned()));
        let kubernetes = [("JOB_COMPLETION_INDEX", "15")];
        assert_eq!(with("auto/16", &kubernetes), Ok("16/16".to_owned()));
        assert_eq!(with("auto/16", &[("PARALLEL_SEQ", "16")]), Ok("16/16".to_owned()));
        assert_eq!(with("3/16", &batch), Ok("3/16".to_owned()));
    }

    #[test]
    fn what_an_engine_does_not_say_is_asked_for() {
        let kubernetes = [("JOB_COMPLETION_INDEX", "15")];
        let error = with("auto", &kubernetes).unwrap_err();
        assert_eq!(error, "Kubernetes does not report how many tasks there are: write `auto/N`");
        // Some tasks of an array of eight, run again: what `--array=1`, `3`, `3,5`,
        // `1-9:2` and `0-7` set.
        for (id, least, last, count) in [
            ("1", "1", "1", "1"),
            ("3", "3", "3", "1"),
            ("3", "3", "5", "2"),
            ("1", "1", "9", "5"),
            ("3", "0", "7", "8"),
        ] {
            let again = slurm(id, least, last, count);
            let error = with("auto", &again).unwrap_err();
            assert!(error.starts_with("the tasks of Slurm are not 1 to N"), "{error}");
            assert_eq!(with("auto/9", &again), Ok(format!("{id}/9")));
        }
        let error = with("auto/4", &slurm("0", "0", "3", "4")).unwrap_err();
        assert_eq!(error, "SLURM_ARRAY_TASK_ID is 0: number the tasks from 1 to 4");
        let error = with("auto/2", &[("PARALLEL_SEQ", "x")]).unwrap_err();
        assert_eq!(error, "invalid value of PARALLEL_SEQ: expected a number");
        // A job that GNU parallel submitted has both.
        let both = [("PARALLEL_SEQ", "1"), ("JOB_COMPLETION_INDEX", "2")];
        let error = with("auto/8", &both).unwrap_err();
        assert_eq!(error, "PARALLEL_SEQ and JOB_COMPLETION_INDEX are both set: write I/N");
        let batch = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")];
        let error = with("auto/8", &batch).unwrap_err();
        assert_eq!(error, "AWS Batch runs 4 tasks, not 8: write `auto`");
        let error = with("auto", &[]).unwrap_err();
        assert!(error.starts_with("not a task of a known engine"), "{error}");
        for text in ["", "3", "3/", "/3", "a/b", "3/16/2", "auto/", "-1/4"] {
            let error = with(text, &[]).unwrap_err();
            assert!(error.starts_with("write it as I/N"), "{text}: {error}");
        }
    }

    #[test]
    fn a_share_is_a_fraction_a_percentage_or_a_number() {
        assert_eq!(
            ["1/16", "25%", "0.5", "1"].map(share).map(Result::unwrap),
            [0.0625, 0.25, 0.5, 1.0]
        );
        for text in ["0", "0/4", "4/0", "5/4", "101%", "-1", "nan", "x", "1/x"] {
            share(text).unwrap_err();
        }
    }
}
