//! Tests of connecting: profiles, Regions, credentials, certificates, accounts.

use std::path::Path;
use std::process::Command;

use crate::scripted::{Scripted, fixture_file, http, nobody};
use crate::support::{Ran, artifact, folder, json, lineload};

const ARN: &str =
    "arn:aws:sagemaker:eu-west-1:123456789012:artifact/0123456789abcdef0123456789abcdef";

/// Answers every create with the same ARN, and lists nothing.
fn creating() -> Scripted {
    Scripted::start(|request, connection| {
        let answer = match request.operation() {
            "CreateArtifact" => http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#)),
            _ => http(200, "", r#"{"ArtifactSummaries":[]}"#),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    })
}

/// Rejects every create with this message, and lists nothing.
fn rejecting(message: &str) -> Scripted {
    let body = format!(r#"{{"__type":"ValidationException","message":"{message}"}}"#);
    Scripted::start(move |request, connection| {
        let answer = match request.operation() {
            "CreateArtifact" => http(400, "", &body),
            _ => http(200, "", r#"{"ArtifactSummaries":[]}"#),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    })
}

fn one() -> tempfile::TempDir {
    folder(&[("a.yaml", &artifact(1))])
}

/// An import of one artifact, before the environment of the test.
fn import(folder: &Path, args: &[&str]) -> Command {
    let mut command = lineload(folder);
    command.args(["import", "a.yaml", "--yes"]).args(args);
    command
}

fn ran(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

fn with_keys(command: &mut Command) -> &mut Command {
    command.env("AWS_ACCESS_KEY_ID", "AKIAENV").env("AWS_SECRET_ACCESS_KEY", "b")
}

const CREDENTIALS: &str = "\
[prod]
aws_access_key_id = AKIAPROD
aws_secret_access_key = y
region = us-east-1

[dev]
aws_access_key_id = AKIADEV
aws_secret_access_key = y
region = eu-west-1
";

#[test]
fn a_profile_that_is_asked_for_wins_over_keys_in_the_environment() {
    let folder = folder(&[("a.yaml", &artifact(1)), (".aws/credentials", CREDENTIALS)]);
    let sent = |args: &[&str], env: &[(&str, &str)]| {
        let server = creating();
        let args = [&["--endpoint-url", &server.url, "--recheck"], args].concat();
        let journal = format!("--journal={}.sqlite3", server.url.rsplit(':').next().unwrap());
        let mut command = import(folder.path(), &[&args[..], &[&journal]].concat());
        let ran = ran(with_keys(&mut command).envs(env.iter().copied()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        let request = server.requests()[0].clone();
        let (key, region) = request.signed();
        (key.to_owned(), region.to_owned(), ran.err)
    };
    let signed = |args: &[&str], env: &[(&str, &str)]| {
        let (key, region, _) = sent(args, env);
        (key, region)
    };
    let of = |key: &str, region: &str| (key.to_owned(), region.to_owned());
    let prod = ["--profile", "prod"];
    assert_eq!(signed(&prod, &[]), of("AKIAPROD", "us-east-1"));
    let region = ["--profile", "prod", "--region", "eu-west-3"];
    assert_eq!(signed(&region, &[("AWS_REGION", "x")]), of("AKIAPROD", "eu-west-3"));
    // AWS_PROFILE loses to keys in the environment, as with the AWS CLI.
    assert_eq!(signed(&[], &[("AWS_PROFILE", "dev")]), of("AKIAENV", "eu-west-1"));
    // So does a profile's Region to AWS_REGION, which is said.
    let (key, region, err) = sent(&prod, &[("AWS_REGION", "eu-west-2")]);
    assert_eq!((key, region), of("AKIAPROD", "eu-west-2"));
    assert!(
        err.contains("using the Region eu-west-2 from the environment, not us-east-1"),
        "{err}"
    );
}

#[test]
fn a_profile_that_does_not_exist_ends_before_anything() {
    let folder = folder(&[("a.yaml", &artifact(1)), (".aws/credentials", CREDENTIALS)]);
    let server = creating();
    let target = ["--region", "eu-west-1", "--endpoint-url", &server.url];
    let asked =
        ran(with_keys(&mut import(folder.path(), &[&target[..], &["--profile", "prd"]].concat())));
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert!(asked.err.contains("AWS profile `prd` not found\n"), "{}", asked.err);
    assert!(asked.err.contains("did you mean `prod`?"), "{}", asked.err);
    let set = ran(with_keys(&mut import(folder.path(), &target)).env("AWS_PROFILE", "nope"));
    assert_eq!(set.code, 2, "{}", set.err);
    assert!(set.err.contains("`nope` not found (set by AWS_PROFILE)"), "{}", set.err);
    assert!(set.err.contains("`dev` or `prod`"), "{}", set.err);
    assert!(server.requests().is_empty());
}

#[test]
fn an_endpoint_that_goes_with_no_setting_ends_before_the_first_entry() {
    let folder = one();
    for (name, said) in [
        ("AWS_USE_FIPS_ENDPOINT", "FIPS and custom endpoint are not supported"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "Dualstack and custom endpoint are not supported"),
    ] {
        let target = ["--region", "eu-west-1", "--endpoint-url", "http://127.0.0.1:9"];
        let ran = ran(with_keys(&mut import(folder.path(), &target)).env(name, "true"));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(said) && ran.err.contains(name), "{}", ran.err);
    }
}

#[test]
fn on_this_machine_a_region_and_credentials_are_made_up() {
    let (folder, server) = (one(), creating());
    let ran = ran(import(folder.path(), &["--endpoint-url", &server.url])
        .env("HTTP_PROXY", nobody())
        .env("HTTPS_PROXY", nobody()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("note: no Region is set: requests to localhost are signed for"));
    assert!(ran.err.contains("note: no credentials found: requests to localhost are"));
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.body.contains("s3://bucket/1")));
    assert!(requests.iter().all(|request| request.signed() == ("local", "us-east-1")));
}

#[test]
fn elsewhere_neither_is_made_up() {
    let folder = one();
    let target = ["--endpoint-url", "http://registry.invalid"];
    let ran = ran(&mut import(folder.path(), &target));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("no AWS Region is set"), "{}", ran.err);
}

#[test]
fn bundles_of_certificates_are_respected_as_the_aws_cli_does() {
    let folder = one();
    let answer = http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#));
    let server = Scripted::start_tls("localhost", move |request, connection| {
        let answer = match request.operation() {
            "CreateArtifact" => answer.clone(),
            _ => http(200, "", "{}"),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    });
    let authority = fixture_file("authority.pem");
    let authority = authority.to_str().unwrap();
    let profile = |bundle: &str| {
        crate::support::write(
            &folder.path().join(".aws/config"),
            format!("[default]\nregion = eu-west-1\nca_bundle = {bundle}\n"),
        );
    };
    let mut number = 0;
    let mut ended = |env: &[(&str, &str)]| {
        number += 1;
        let journal = format!("--journal=j{number}.sqlite3");
        let args = ["--endpoint-url", &server.url, &journal];
        ran(with_keys(&mut import(folder.path(), &args)).envs(env.iter().copied()))
    };
    profile(authority);
    assert_eq!(ended(&[]).code, 0);
    // The environment wins.
    let ran = ended(&[("AWS_CA_BUNDLE", "missing.pem")]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("in `missing.pem`, set by AWS_CA_BUNDLE: "));
    profile("a.yaml");
    assert_eq!(ended(&[("AWS_CA_BUNDLE", authority)]).code, 0);
    let ran = ended(&[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("set by `ca_bundle` in the profile: "), "{}", ran.err);
    profile("");
    assert_eq!(ended(&[("SSL_CERT_FILE", authority)]).code, 0);
}

#[test]
fn a_field_that_the_service_names_is_shown_where_the_manifest_has_it() {
    let message = "1 validation error detected: Value 's3://bucket/1' at 'source.sourceUri' failed \
                   to satisfy constraint: Member must satisfy regular expression pattern: .{500}";
    let server = rejecting(message);
    let text = "ArtifactType: DataSet\nSource:\n  SourceUri: s3://bucket/1\n";
    let folder = folder(&[("a.yaml", text)]);
    let args = ["--region", "eu-west-1", "--endpoint-url", &server.url, "--report=r.json"];
    let ran = ran(with_keys(&mut import(folder.path(), &args)));
    assert_eq!(ran.code, 1, "{}", ran.err);
    let out = &ran.out;
    assert!(out.contains("rejected: s3://bucket/1: ValidationException: 1 validation"), "{out}");
    assert!(out.contains("[a.yaml:3:14]"), "{out}");
    assert!(out.contains("3 │   SourceUri: s3://bucket/1"), "{out}");
    assert!(out.contains("the service does not accept this value"), "{out}");
    let report = json(&folder.path().join("r.json"));
    assert_eq!(report["entries"][0]["error"]["path"], "/Source/SourceUri");
}

#[test]
fn every_field_that_the_service_names_is_marked() {
    let constraint = "failed to satisfy constraint: Member must have length less than 3";
    let message = format!(
        "2 validation errors detected: Value 'DataSet' at 'artifactType' {constraint}; Value 'one' \
         at 'artifactName' {constraint}"
    );
    let server = rejecting(&message);
    let text = "ArtifactName: one\nArtifactType: DataSet\nSource:\n  SourceUri: s3://bucket/1\n";
    let folder = folder(&[("a.yaml", text)]);
    let args = ["--region", "eu-west-1", "--endpoint-url", &server.url];
    let ran = ran(with_keys(&mut import(folder.path(), &args)));
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("1 │ ArtifactName: one\n"), "{}", ran.out);
    assert!(ran.out.contains("2 │ ArtifactType: DataSet\n"), "{}", ran.out);
    let marks = ran.out.matches("the service does not accept this value").count();
    assert_eq!(marks, 2, "{}", ran.out);
}

/// An HTTP proxy that is the whole of AWS: it takes every tunnel to STS for one that cannot be
/// made.
fn no_way() -> Scripted {
    Scripted::start(|_, connection| {
        let _ = connection.write_all(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n");
        false
    })
}

#[test]
fn without_sts_the_account_is_required() {
    let (folder, proxy) = (one(), no_way());
    let mut command = import(folder.path(), &["--region", "eu-west-1"]);
    let ran = ran(with_keys(&mut command).env("HTTPS_PROXY", &proxy.url));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("cannot identify the caller, AWS STS does not respond"));
    assert!(ran.err.contains("add `--account ID`"), "{}", ran.err);
    assert!(proxy.requests().iter().all(|request| request.head.contains("CONNECT sts.")));
}

#[test]
fn an_account_by_name_is_checked_against_what_is_there() {
    let listing = |account: &str| {
        let arn = ARN.replace("123456789012", account);
        let body = format!(
            r#"{{"ArtifactSummaries":[{{"ArtifactArn":"{arn}","ArtifactType":"x","Source":{{"SourceUri":"u"}}}}]}}"#
        );
        Scripted::always(http(200, "", &body))
    };
    let folder = one();
    let signed = |args: &[&str]| ran(with_keys(&mut import(folder.path(), args)));
    let server = listing("210987654321");
    let args =
        ["--region", "eu-west-1", "--endpoint-url", &server.url, "--account", "123456789012"];
    let ran = signed(&args);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("the response is from another account or Region: arn:aws:"),
        "{}",
        ran.err
    );
    assert!(server.requests().iter().all(|request| request.operation() == "ListArtifacts"));
    // Nothing exists that shows the account: what the first create answers does.
    let server = Scripted::start(|request, connection| {
        let answer = match request.operation() {
            "CreateArtifact" => {
                let arn = ARN.replace("123456789012", "210987654321");
                http(200, "", &format!(r#"{{"ArtifactArn":"{arn}"}}"#))
            }
            _ => http(200, "", r#"{"ArtifactSummaries":[]}"#),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    });
    let args =
        ["--region", "eu-west-1", "--endpoint-url", &server.url, "--account", "123456789012"];
    let wrong = signed(&[&args[..], &["--report", "wrong.json"]].concat());
    assert_eq!(wrong.code, 4, "{}", wrong.err);
    let delete = "delete it with `aws sagemaker delete-artifact --region eu-west-1 --artifact-arn \
                  arn:aws:sagemaker:eu-west-1:210987654321:artifact/";
    assert!(wrong.err.contains(delete), "{}", wrong.err);
    let entry = &json(&folder.path().join("wrong.json"))["entries"][0];
    assert_eq!(entry["outcome"], "unresolved");
    assert!(entry["error"]["message"].as_str().unwrap().contains("210987654321"), "{entry}");
    // A guard that nothing can be held against lets nothing be written.
    let server = creating();
    let args = ["--region", "eu-west-1", "--endpoint-url", &server.url];
    let guard = ["--expect-account", "123456789012"];
    let guarded = signed(&[&args[..], &guard].concat());
    assert_eq!(guarded.code, 2, "{}", guarded.err);
    assert!(guarded.err.contains("add `--account 123456789012`"), "{}", guarded.err);
    assert!(server.requests().is_empty());
    let account = ["--account", "123456789012"];
    let ran = signed(&[&args[..], &guard, &account].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let short = crate::support::run(folder.path(), &["import", "--account", "12"]);
    assert_eq!(short.code, 2);
    assert!(short.err.contains("12 digits"), "{}", short.err);
}

#[test]
fn keys_of_the_environment_that_have_expired_are_named_before_anything() {
    let (folder, server) = (one(), creating());
    let args = ["--region", "eu-west-1", "--endpoint-url", &server.url];
    let mut command = import(folder.path(), &args);
    let ran = ran(with_keys(&mut command).env("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z"));
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("in the environment expired at 2020-01-01"), "{}", ran.err);
    assert!(server.requests().is_empty());
}

#[test]
fn a_profile_that_asks_for_mfa_has_the_command_that_does() {
    let config = "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n\
                  [profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\n\
                  source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n\
                  region = eu-west-1\n";
    let folder = folder(&[("a.yaml", &artifact(1)), (".aws/config", config)]);
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let sts = Scripted::always(http(403, "Content-Type: text/xml\r\n", denied));
    let args = ["--profile", "admin", "--endpoint-url", "http://127.0.0.1:9"];
    let ran = ran(import(folder.path(), &args).env("AWS_ENDPOINT_URL_STS", &sts.url));
    assert_eq!(ran.code, 2, "{}", ran.err);
    let command = "aws configure export-credentials --profile admin --format env";
    assert!(ran.err.contains("mfa_serial") && ran.err.contains(command), "{}", ran.err);
}

#[test]
fn a_clock_that_is_off_is_reported_by_sts_too() {
    let said = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature \
                expired: \
                20261127T100000Z is now earlier than 20261127T114500Z (20261127T115000Z - 5 min.)\
                </Message></Error></ErrorResponse>";
    let (folder, sts) = (one(), Scripted::always(http(403, "Content-Type: text/xml\r\n", said)));
    let mut command = import(folder.path(), &["--region", "eu-west-1"]);
    let ran = ran(with_keys(&mut command).env("AWS_ENDPOINT_URL_STS", &sts.url));
    assert_eq!(ran.code, 2, "{}", ran.err);
    let clock = "this machine's clock is 1h 50m behind the service's";
    assert!(ran.err.contains(clock) && ran.err.contains("timedatectl"), "{}", ran.err);
}
