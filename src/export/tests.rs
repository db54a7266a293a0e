//! The export against a scripted service, on a clock that only moves when nothing else can.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::*;
use crate::artifact::{Source, Tag, Texts};
use crate::config::Rules;
use crate::diagnostic::Code;
use crate::pace::{Pace, Paces, Rate};
use crate::run::Stop;
use crate::service::{Answer, Created, Described, Page, TagPage, Update};

/// Artifacts on a page, and tags.
const PAGE: usize = 3;

#[derive(Default)]
struct World {
    /// In the order of the list.
    artifacts: Vec<Artifact>,
    /// The scripted failures, by operation and number of the artifact.
    instead: HashMap<(&'static str, usize), Refusal>,
    /// The requests.
    log: Vec<String>,
    under_way: usize,
    most_under_way: usize,
    /// Artifacts that are deleted once their tags are asked for.
    vanish: Vec<usize>,
    /// Sent at that question.
    stop_at: Option<(usize, watch::Sender<Stop>)>,
}

#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<World>>);

fn refusal(code: &str, class: Class) -> Refusal {
    Refusal { class, code: Some(code.to_owned()), ..Refusal::by_lineload("scripted") }
}

impl Scripted {
    fn new(artifacts: Vec<Artifact>) -> Self {
        Self(Arc::new(Mutex::new(World { artifacts, ..World::default() })))
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    fn instead(&self, question: &'static str, number: usize, code: &str, class: Class) {
        self.world().instead.insert((question, number), refusal(code, class));
    }

    /// Returns the answer to a question about the artifact `arn`, after a while.
    async fn about(&self, question: &'static str, arn: &str) -> Answer<Artifact> {
        {
            let mut world = self.world();
            world.log.push(format!("{question} {arn}"));
            world.under_way += 1;
            world.most_under_way = world.most_under_way.max(world.under_way);
            if let Some((at, stop)) = &world.stop_at
                && world.log.len() >= *at
            {
                stop.send(Stop::Drain { signal: 15 }).unwrap();
            }
        }
        let number: usize = arn["arn/".len()..].parse().unwrap();
        // The first asked is the last answered.
        tokio::time::sleep(Duration::from_millis(100 - number as u64)).await;
        let mut world = self.world();
        world.under_way -= 1;
        if question == "tags" && world.vanish.contains(&number) {
            world
                .instead
                .insert(("describe", number), refusal("ResourceNotFound", Class::Rejected));
            return Err(refusal("ValidationException", Class::Rejected));
        }
        match world.instead.get(&(question, number)) {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(world.artifacts[number].clone()),
        }
    }
}

impl Service for Scripted {
    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        let mut world = self.world();
        world.log.push(format!("list {filter:?}"));
        if let Some(refusal) = world.instead.get(&("list", 0)) {
            return Err(refusal.clone());
        }
        let from = token.map_or(0, |token| token.parse().unwrap());
        let wanted = |artifact: &Artifact| {
            filter.artifact_type.as_ref().is_none_or(|wanted| *wanted == artifact.artifact_type)
        };
        let all = world.artifacts.iter().enumerate().filter(|(_, artifact)| wanted(artifact));
        let all: Vec<_> = all.collect();
        let found = all.iter().skip(from).take(PAGE).map(|(at, artifact)| Found {
            arn: format!("arn/{at}"),
            name: artifact.name.clone(),
            artifact_type: Some(artifact.artifact_type.clone()),
            uri: artifact.source.uri.clone(),
            types: artifact.source.types.clone(),
            created: None,
            modified: None,
        });
        let next = (all.len() > from + PAGE).then(|| (from + PAGE).to_string());
        Ok(Page { found: found.collect(), next })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        let artifact = self.about("describe", arn).await?;
        let artifact = Artifact { tags: vec![], ..artifact };
        Ok(Described { artifact, created: None, modified: None })
    }

    async fn tags(&self, arn: &str, token: Option<String>) -> Answer<TagPage> {
        let tags = self.about("tags", arn).await?.tags;
        let from = token.map_or(0, |token| token.parse().unwrap());
        let next = (tags.len() > from + PAGE).then(|| (from + PAGE).to_string());
        Ok(TagPage { tags: tags.into_iter().skip(from).take(PAGE).collect(), next })
    }

    async fn create(&self, _: &Artifact) -> Answer<Created> {
        panic!("an export creates nothing");
    }

    async fn update(&self, _: &str, _: &Update) -> Answer<()> {
        panic!("an export changes nothing");
    }

    async fn add_tags(&self, _: &str, _: &[Tag]) -> Answer<()> {
        panic!("an export changes nothing");
    }

    async fn remove_tags(&self, _: &str, _: &[String]) -> Answer<()> {
        panic!("an export changes nothing");
    }

    async fn delete(&self, _: &str) -> Answer<()> {
        panic!("an export changes nothing");
    }
}

fn artifact(number: usize) -> Artifact {
    Artifact {
        name: Some(format!("a{number}")),
        artifact_type: "DataSet".into(),
        source: Source { uri: format!("s3://bucket/{number}"), types: vec![] },
        properties: BTreeMap::new(),
        texts: Texts::default(),
        tags: vec![],
    }
}

fn tag(key: &str) -> Tag {
    Tag { key: key.to_owned(), value: "v".to_owned() }
}

struct Ran {
    end: Result<(), Stopped>,
    counts: Counts,
    layout: Layout,
    files: BTreeMap<String, String>,
    took: Duration,
}

#[derive(Default)]
struct Asked {
    selection: Selection,
    rate: Option<f64>,
    per_file: Option<usize>,
    form: Form,
    stop: Option<watch::Receiver<Stop>>,
}

async fn export(service: &Scripted, folder: &Path, asked: Asked) -> Result<Ran, Stopped> {
    let start = tokio::time::Instant::now();
    let rate = asked.rate.map_or(Rate::Unlimited, Rate::Fixed);
    let paces = Paces::new(|_| Pace::new(rate, None, start.into_std()));
    let (_keep, never) = watch::channel(Stop::No);
    let stop = asked.stop.unwrap_or(never);
    let asker = Asker::new(service.clone(), paces, Duration::from_secs(60), 7, stop);
    let catalogue = list(&asker, &asked.selection, &Rewrites::default(), |_| ()).await?;
    let layout = catalogue.into_layout(asked.per_file.unwrap_or(1), asked.form);
    let rules = Rules::default();
    let mut snapshot = Snapshot::new(folder, &layout, &rules);
    let end = fetch(&asker, &layout, 4, |at, fetched| snapshot.take(at, fetched)).await;
    let counts = snapshot.counts().clone();
    drop(snapshot);
    let files = files(folder);
    Ok(Ran { end, counts, layout, files, took: start.elapsed() })
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|file| file.file_type().is_file()).map(|file| {
        let name = file.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(file.path()).unwrap())
    });
    files.collect()
}

#[tokio::test(start_paused = true)]
async fn all_pages_in_the_order_of_the_files_and_no_more_at_once_than_may_be() {
    let mut artifacts: Vec<_> = (0..20).map(artifact).collect();
    artifacts[7].tags = (0..8).rev().map(|at| tag(&format!("k{at}"))).collect();
    let service = Scripted::new(artifacts.clone());
    let folder = tempfile::tempdir().unwrap();
    let ran = export(&service, folder.path(), Asked::default()).await.unwrap();
    ran.end.unwrap();
    assert_eq!((ran.counts.artifacts, ran.counts.files), (20, 20));
    assert_eq!(ran.files.len(), 20);
    for (number, mut artifact) in artifacts.into_iter().enumerate() {
        artifact.tags.sort();
        let text = &ran.files[&format!("DataSet/a{number}.yaml")];
        assert_eq!(serde_yaml::from_str::<Artifact>(text).unwrap(), artifact);
    }
    assert_eq!(service.world().most_under_way, 4);

    let folder = tempfile::tempdir().unwrap();
    let three = Asked { per_file: Some(3), ..Asked::default() };
    let ran = export(&service, folder.path(), three).await.unwrap();
    assert_eq!((ran.counts.artifacts, ran.counts.files), (20, 7));
    let first = &ran.files["DataSet/0001.yaml"];
    let names: Vec<_> = first.lines().filter(|line| line.starts_with("ArtifactName")).collect();
    assert_eq!(names, ["ArtifactName: a0", "ArtifactName: a1", "ArtifactName: a10"]);
}

#[tokio::test(start_paused = true)]
async fn the_service_filters_one_type_and_the_client_the_rest() {
    let mut artifacts: Vec<_> = (0..9).map(artifact).collect();
    for (at, artifact) in artifacts.iter_mut().enumerate() {
        artifact.artifact_type = ["DataSet", "Model", "Image"][at % 3].to_owned();
    }
    let service = Scripted::new(artifacts);
    let run = async |types: &[&str], prefixes: &[&str]| {
        service.world().log.clear();
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let selection = Selection { types: owned(types), prefixes: owned(prefixes) };
        let folder = tempfile::tempdir().unwrap();
        let asked = Asked { selection, ..Asked::default() };
        let ran = export(&service, folder.path(), asked).await.unwrap();
        let filter = service.world().log[0].clone();
        (ran.files.into_keys().collect::<Vec<_>>(), ran.layout.left_out(), filter)
    };
    let (files, left_out, filter) = run(&["Model"], &[]).await;
    assert_eq!(files, ["Model/a1.yaml", "Model/a4.yaml", "Model/a7.yaml"]);
    assert!(left_out == 0 && filter.contains("Some(\"Model\")"), "{filter}");
    let (files, left_out, filter) =
        run(&["Model", "Image"], &["s3://bucket/7", "s3://bucket/8"]).await;
    assert_eq!(files, ["Image/a8.yaml", "Model/a7.yaml"]);
    assert!(left_out == 7 && !filter.contains("Model"), "{filter}");
}

#[tokio::test(start_paused = true)]
async fn deleted_artifacts_are_skipped_and_refused_ones_are_reported() {
    let service = Scripted::new((0..6).map(artifact).collect());
    service.instead("describe", 1, "ResourceNotFound", Class::Rejected);
    service.instead("tags", 2, "ValidationException", Class::Rejected);
    // ListTags has no error of its own for an artifact that does not exist.
    service.world().vanish.push(3);
    let folder = tempfile::tempdir().unwrap();
    let ran = export(&service, folder.path(), Asked::default()).await.unwrap();
    ran.end.unwrap();
    assert_eq!((ran.counts.artifacts, ran.counts.gone, ran.counts.refused), (3, 2, 1));
    assert_eq!(ran.counts.refusal.unwrap().code.unwrap(), "ValidationException");
    assert_eq!(service.world().log.iter().filter(|asked| *asked == "describe arn/2").count(), 2);
    assert!(!ran.files.contains_key("DataSet/a2.yaml"), "half an artifact is none");
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_stops_it_and_is_named() {
    for (question, number, action, written) in [
        ("list", 0, "sagemaker:ListArtifacts", 0),
        ("describe", 5, "sagemaker:DescribeArtifact", 5),
        ("tags", 3, "sagemaker:ListTags", 3),
    ] {
        let service = Scripted::new((0..9).map(artifact).collect());
        service.instead(question, number, "AccessDeniedException", Class::Denied);
        let folder = tempfile::tempdir().unwrap();
        let ran = export(&service, folder.path(), Asked::default()).await;
        let end = ran.and_then(|ran| ran.end).unwrap_err();
        let Stopped::Denied { action: found, .. } = end else { panic!("{end:?}") };
        assert_eq!(found, action);
        assert_eq!(files(folder.path()).len(), written, "{action}: whole files stay");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it() {
    let service = Scripted::new((0..30).map(artifact).collect());
    let (stop, stopped) = watch::channel(Stop::No);
    service.world().stop_at = Some((20, stop));
    let folder = tempfile::tempdir().unwrap();
    let asked = Asked { stop: Some(stopped), ..Asked::default() };
    let ran = export(&service, folder.path(), asked).await.unwrap();
    let end = ran.end.unwrap_err();
    assert!(matches!(end, Stopped::Ended(End::Interrupted { signal: 15, .. })), "{end:?}");
    assert!(service.world().log.len() < 30, "nothing more was asked");
    assert_eq!(ran.counts.files, ran.files.len());
}

#[tokio::test(start_paused = true)]
async fn requests_leave_at_the_pace() {
    let service = Scripted::new((0..20).map(artifact).collect());
    let folder = tempfile::tempdir().unwrap();
    let asked = Asked { rate: Some(10.0), ..Asked::default() };
    let ran = export(&service, folder.path(), asked).await.unwrap();
    ran.end.unwrap();
    let requests = service.world().log.len();
    assert_eq!(requests, 7 + 2 * 20);
    // Each operation has a rate of its own: 7 pages, then 20 descriptions while tags are listed.
    let least = f64::from(6 + 19) / 10.0;
    assert!(ran.took.as_secs_f64() >= least - 0.1, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn what_manifests_cannot_hold_is_reported_by_the_rules_of_lint() {
    let mut artifacts: Vec<_> = (0..6).map(artifact).collect();
    artifacts[0].tags = vec![tag("aws:cloudformation:stack"), tag("team"), tag("AWS:x")];
    artifacts[1].source.uri.clear();
    artifacts[2].properties.insert("password".into(), "hunter2".into());
    artifacts[3].properties.insert("Title".into(), "x".repeat(5000));
    artifacts[4].source.uri = "bucket/4".into();
    artifacts[5].source.uri = "s3://bucket/0".into();
    let service = Scripted::new(artifacts);
    let folder = tempfile::tempdir().unwrap();
    let ran = export(&service, folder.path(), Asked::default()).await.unwrap();
    ran.end.unwrap();
    assert_eq!((ran.counts.artifacts, ran.counts.without_source), (5, 1));
    assert_eq!(ran.counts.reserved_tags, 2);
    assert!(ran.files["DataSet/a0.yaml"].ends_with("Tags:\n- Key: team\n  Value: v\n"));
    assert!(ran.files["DataSet/a2.yaml"].contains("password: hunter2"), "it is the user's data");
    let errors = [(Code::PropertyValueLength, 1), (Code::Credential, 1)];
    assert_eq!(ran.counts.errors, errors.into());
    assert_eq!((ran.counts.invalid, ran.counts.suspicious), (2, 1));
    assert_eq!(ran.layout.duplicates(), 1);
    assert!(ran.files.contains_key("DataSet/a5.yaml"), "both of two are there");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_written_ends_it_and_leaves_nothing_half() {
    let service = Scripted::new((0..9).map(artifact).collect());
    let folder = tempfile::tempdir().unwrap();
    // A directory in the place of a file.
    std::fs::create_dir_all(folder.path().join("DataSet/a4.yaml/x")).unwrap();
    let ran = export(&service, folder.path(), Asked::default()).await.unwrap();
    let Err(Stopped::Unwritten(error)) = ran.end else { panic!("{:?}", ran.end) };
    assert!(error.to_string().contains("a4.yaml`: "), "{error}");
    let expected = ["a0", "a1", "a2", "a3"].map(|name| format!("DataSet/{name}.yaml"));
    assert_eq!(ran.files.into_keys().collect::<Vec<_>>(), expected);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn nothing_is_written_through_a_symlink_in_the_directory() {
    let service = Scripted::new((0..2).map(artifact).collect());
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(other.path(), folder.path().join("DataSet")).unwrap();
    let ran = export(&service, folder.path(), Asked::default()).await.unwrap();
    let Err(Stopped::Unwritten(error)) = ran.end else { panic!("{:?}", ran.end) };
    assert!(error.to_string().contains("is a symlink"), "{error}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_not_empty_is_refused_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(vacant(folder.path(), false).is_ok() && vacant(&path("new/er"), false).is_ok());
    assert!(!path("new").exists(), "asking makes nothing");
    make(&path("new/er")).unwrap();
    assert_eq!(std::fs::read_dir(path("new/er")).unwrap().count(), 0);
    std::fs::write(path("file"), "").unwrap();
    assert!(matches!(vacant(folder.path(), false), Err(DirectoryError::NotEmpty(_))));
    assert!(vacant(folder.path(), true).is_ok());
    assert!(matches!(vacant(&path("file"), true), Err(DirectoryError::NotADirectory(_))));
    assert!(make(&path("file/x")).is_err());
}

#[cfg(unix)]
#[test]
fn others_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("usual"), "").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    let mut catalogue = Catalogue::default();
    catalogue.add(&Found {
        arn: "arn".into(),
        name: Some("a".into()),
        artifact_type: Some("Model".into()),
        uri: "s3://b".into(),
        types: vec![],
        created: None,
        modified: None,
    });
    let (layout, rules) = (catalogue.into_layout(0, Form::Manifests), Rules::default());
    let mut snapshot = Snapshot::new(folder.path(), &layout, &rules);
    snapshot.take(0, Fetched::There { artifact: artifact(0), reserved_tags: 0 }).unwrap();
    assert_eq!(mode(&folder.path().join("Model.yaml")), mode(&folder.path().join("usual")));
}

#[tokio::test(start_paused = true)]
async fn templates_of_cloudformation_have_a_resource_for_each_artifact() {
    let mut artifacts: Vec<_> = (0..5).map(artifact).collect();
    artifacts[3].artifact_type = "Model".to_owned();
    artifacts[0].properties = BTreeMap::from([("Rows".to_owned(), "2024".to_owned())]);
    artifacts[0].tags = vec![tag("team")];
    artifacts[1].name = None;
    artifacts[1].properties = BTreeMap::from([("Ref".to_owned(), "x".to_owned())]);
    let service = Scripted::new(artifacts);
    let folder = tempfile::tempdir().unwrap();
    let asked = Asked { per_file: Some(3), form: Form::CloudFormation, ..Asked::default() };
    let ran = export(&service, folder.path(), asked).await.unwrap();
    ran.end.unwrap();
    assert_eq!((ran.counts.artifacts, ran.counts.files, ran.counts.misread), (5, 3, 1));
    let names: Vec<_> = ran.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["DataSet/0001.template", "DataSet/0002.template", "Model/0001.template"]);
    insta::assert_snapshot!(ran.files["DataSet/0001.template"], @r#"
    AWSTemplateFormatVersion: "2010-09-09"
    Description: Artifacts of SageMaker ML Lineage, exported by lineload
    Resources:
      14552FAA4:
        Type: AWS::SageMaker::Artifact
        Properties:
          ArtifactType: DataSet
          Source:
            SourceUri: s3://bucket/1
          Properties:
            Ref: x
      A080CC48D3:
        Type: AWS::SageMaker::Artifact
        Properties:
          ArtifactName: a0
          ArtifactType: DataSet
          Source:
            SourceUri: s3://bucket/0
          Properties:
            Rows: "2024"
          Tags:
          - Key: team
            Value: v
      A2AD821FCB:
        Type: AWS::SageMaker::Artifact
        Properties:
          ArtifactName: a2
          ArtifactType: DataSet
          Source:
            SourceUri: s3://bucket/2
    "#);
    let template: serde_json::Value =
        serde_yaml::from_str(&ran.files["DataSet/0001.template"]).unwrap();
    assert_eq!(template["AWSTemplateFormatVersion"], "2010-09-09");
    assert_eq!(template["Resources"].as_object().unwrap().len(), 3);
}
