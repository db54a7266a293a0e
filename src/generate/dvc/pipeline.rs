//! `dvc.yaml`: what a pipeline says about the outputs of its stages, which `dvc.lock` leaves out.
//!
//! In: the text of the file. Out: the flags of each output that has some. Outputs whose paths are worked out
//! with `${...}` are not found by them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// The flags of an output.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Flags {
    /// False if git holds it.
    pub(super) cache: Option<bool>,
    /// False if it is in no remote.
    pub(super) push: Option<bool>,
    /// The remote it is in, if not the default one.
    pub(super) remote: Option<String>,
    /// A description.
    pub(super) desc: Option<String>,
    /// Its type, as in `model`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// Its labels.
    #[serde(default)]
    pub(super) labels: Vec<String>,
    /// Anything else.
    #[serde(default)]
    pub(super) meta: Map<String, Json>,
}

/// The outputs of a pipeline that have flags, by stage and path.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    outs: HashMap<(String, String), Flags>,
    /// The entries of `artifacts`, by path.
    artifacts: HashMap<String, Flags>,
}

/// `dvc.yaml`.
#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    stages: HashMap<String, Stage>,
    #[serde(default)]
    artifacts: HashMap<String, Named>,
}

/// A stage, or one for each item of a list or of a matrix.
#[derive(Debug, Deserialize)]
struct Stage {
    #[serde(default)]
    outs: Vec<Json>,
    #[serde(default)]
    metrics: Vec<Json>,
    #[serde(default)]
    plots: Vec<Json>,
    #[serde(default, rename = "do")]
    each: Option<Box<Stage>>,
}

#[derive(Debug, Deserialize)]
struct Named {
    path: String,
    #[serde(flatten)]
    flags: Flags,
}

impl Pipeline {
    /// Reads the text of a `dvc.yaml`. What cannot be read says nothing about any output.
    pub(super) fn read(text: &str) -> Self {
        let file: File = serde_yaml::from_str(text).unwrap_or_default();
        let mut outs = HashMap::new();
        for (name, stage) in file.stages {
            let stage = match stage.each {
                Some(each) => *each,
                None => stage,
            };
            for out in stage.outs.iter().chain(&stage.metrics).chain(&stage.plots) {
                // One without flags is a text.
                for (path, flags) in out.as_object().into_iter().flatten() {
                    if let Ok(flags) = Flags::deserialize(flags) {
                        outs.insert((name.clone(), path.clone()), flags);
                    }
                }
            }
        }
        let artifacts = file.artifacts.into_values();
        Self { outs, artifacts: artifacts.map(|named| (named.path, named.flags)).collect() }
    }

    /// Returns what is said about the output `path` of `stage`.
    pub(super) fn flags(&self, stage: &str, path: &str) -> Flags {
        // One of several made by `foreach` or `matrix` has its item behind its name.
        let stage = stage.split('@').next().unwrap_or(stage);
        let mut flags =
            self.outs.get(&(stage.to_owned(), path.to_owned())).cloned().unwrap_or_default();
        if let Some(named) = self.artifacts.get(path) {
            flags.kind = named.kind.clone().or(flags.kind);
            flags.desc = named.desc.clone().or(flags.desc);
            if !named.labels.is_empty() {
                flags.labels.clone_from(&named.labels);
            }
            if !named.meta.is_empty() {
                flags.meta.clone_from(&named.meta);
            }
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_of_the_stage_and_of_the_artifact() {
        let pipeline = Pipeline::read(
            "stages:\n  train:\n    cmd: x\n    outs:\n    - model.pkl:\n        remote: big\n    - plain\n\
             \x20   metrics:\n    - metrics.json:\n        cache: false\n  each:\n    foreach: [a, b]\n    \
             do:\n      cmd: x\n      outs:\n      - all.csv:\n          push: false\n\
             artifacts:\n  churn:\n    path: model.pkl\n    type: model\n    labels: [a]\n",
        );
        let model = pipeline.flags("train", "model.pkl");
        assert_eq!((model.remote.as_deref(), model.kind.as_deref()), (Some("big"), Some("model")));
        assert_eq!(model.labels, ["a"]);
        assert_eq!(pipeline.flags("train", "metrics.json").cache, Some(false));
        assert_eq!(pipeline.flags("each@b", "all.csv").push, Some(false));
        assert_eq!(pipeline.flags("train", "plain").cache, None);
        assert!(Pipeline::read("stages: [").outs.is_empty());
    }
}
