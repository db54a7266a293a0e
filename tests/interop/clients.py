"""boto3 and the AWS CLI against `lineload serve`: they read back what `lineload import` wrote, use every
operation, meet every kind of error, and write what `lineload import` then finds there. With a lineload
that is built without the AWS SDK, boto3 writes what import would. Usage: clients.py LINELOAD MANIFESTS"""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

LINELOAD, MANIFESTS = sys.argv[1], pathlib.Path(sys.argv[2])
ENV = {
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "anything",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
}


def expected():
    """What the manifests say, as another YAML reader reads them: a request by SourceUri."""
    found = {}
    for path in sorted(MANIFESTS.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if isinstance(document, list):
                artifacts, defaults = document, {}
            elif "Artifacts" in document:
                artifacts, defaults = document["Artifacts"], document.get("Defaults", {})
            else:
                artifacts, defaults = [document], {}
            for artifact in artifacts:
                merged = dict(artifact)
                merged.setdefault("ArtifactType", defaults.get("ArtifactType"))
                for key in ("Properties", "MetadataProperties"):
                    merged[key] = {**defaults.get(key, {}), **artifact.get(key, {})}
                tags = {t["Key"]: t["Value"] for t in defaults.get("Tags", [])}
                tags.update({t["Key"]: t["Value"] for t in artifact.get("Tags", [])})
                merged["Tags"] = tags
                found[artifact["Source"]["SourceUri"]] = merged
    return found


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name, detail if not condition else "", flush=True)
    if not condition:
        sys.exit(1)


def refused(name, code, call, **inputs):
    """That the service refuses a call with this code; the error."""
    try:
        call(**inputs)
    except ClientError as error:
        check(name, error.response["Error"]["Code"] == code, error)
        return error
    check(name, False, "it was not refused")


def tags_of(client, arn):
    return {t["Key"]: t["Value"] for t in client.list_tags(ResourceArn=arn)["Tags"]}


def boto3_writes(client, want):
    for artifact in want.values():
        tags = [{"Key": key, "Value": value} for key, value in artifact["Tags"].items()]
        made = client.create_artifact(**{**artifact, "Tags": tags})
        arn = made["ArtifactArn"]
        request_id = made["ResponseMetadata"]["RequestId"]
        if not arn.startswith("arn:aws:sagemaker:eu-west-1:") or len(request_id) != 36:
            check("boto3 creates what the manifests say", False, made)
    check("boto3 creates what the manifests say", True)


def boto3_reads_back(client, want):
    seen = {}
    for page in client.get_paginator("list_artifacts").paginate(PaginationConfig={"PageSize": 37}):
        for summary in page["ArtifactSummaries"]:
            seen[summary["Source"]["SourceUri"]] = summary
    check("boto3 lists every artifact once", seen.keys() == want.keys(), (len(seen), len(want)))
    for uri, artifact in want.items():
        arn = seen[uri]["ArtifactArn"]
        there = client.describe_artifact(ArtifactArn=arn)
        same = (
            there.get("ArtifactName") == artifact.get("ArtifactName")
            and there["ArtifactType"] == artifact["ArtifactType"]
            and there["Source"] == artifact["Source"]
            and there.get("Properties", {}) == artifact["Properties"]
            and there.get("MetadataProperties", {}) == artifact["MetadataProperties"]
        )
        if not same:
            check(f"boto3 describes {uri} as its manifest does", False, (there, artifact))
        tags = client.list_tags(ResourceArn=arn, MaxResults=50)["Tags"]
        if {t["Key"]: t["Value"] for t in tags} != artifact["Tags"]:
            check(f"boto3 lists the tags of {uri} as its manifest does", False, tags)
    check("boto3 describes every artifact and its tags as the manifests do", True)
    uri = next(iter(want))
    found = client.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    check("boto3 finds one by its SourceUri", [f["Source"]["SourceUri"] for f in found] == [uri])
    kind = want[uri]["ArtifactType"]
    found = client.list_artifacts(SourceUri=uri, ArtifactType=kind)["ArtifactSummaries"]
    check("boto3 finds one by SourceUri and type", [f["ArtifactType"] for f in found] == [kind])
    pages = client.get_paginator("list_artifacts").paginate(ArtifactType=kind)
    of_kind = {s["Source"]["SourceUri"] for page in pages for s in page["ArtifactSummaries"]}
    expected_uris = {uri for uri, artifact in want.items() if artifact["ArtifactType"] == kind}
    check("boto3 lists all of a type", of_kind == expected_uris, of_kind ^ expected_uris)


def boto3_meets_errors(client, want):
    uri, artifact = next(iter(want.items()))
    try:
        client.create_artifact(ArtifactType="x", Source=artifact["Source"])
        check("boto3 is told that an artifact exists", False)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        check("boto3 is told that an artifact exists", code == "ValidationException", code)
    try:
        client.describe_artifact(ArtifactArn="arn:aws:sagemaker:eu-west-1:000000000000:artifact/0")
        check("boto3 gets the modelled ResourceNotFound", False)
    except client.exceptions.ResourceNotFound:
        check("boto3 gets the modelled ResourceNotFound", True)


def boto3_times(client):
    before = datetime.now(timezone.utc)
    time.sleep(1.1)  # boto3 sends whole seconds
    arn = client.create_artifact(ArtifactType="Time", Source={"SourceUri": "s3://time"})["ArtifactArn"]
    made = client.describe_artifact(ArtifactArn=arn)["CreationTime"]
    near = made.tzinfo is not None and abs(made - datetime.now(timezone.utc)) < timedelta(minutes=1)
    check("boto3 reads times", near, made)

    def listed(**filters):
        return [a["ArtifactArn"] for a in client.list_artifacts(**filters)["ArtifactSummaries"]]

    check("boto3 filters by CreatedAfter", listed(CreatedAfter=before + timedelta(seconds=1)) == [arn])
    check("boto3 filters by CreatedBefore", arn not in listed(CreatedBefore=before, MaxResults=100))
    first = client.list_artifacts(SortBy="CreationTime", SortOrder="Ascending", MaxResults=1)
    check("boto3 sorts", first["ArtifactSummaries"][0]["ArtifactArn"] != arn and "NextToken" in first)
    client.delete_artifact(ArtifactArn=arn)


def boto3_changes(client):
    source = {"SourceUri": "s3://by/boto3", "SourceTypes": [{"SourceIdType": "Custom", "Value": "1"}]}
    arn = client.create_artifact(
        ArtifactName="by-boto3", ArtifactType="Model", Source=source,
        Properties={"a": "1", "b": "1"}, Tags=[{"Key": "k", "Value": "v"}],
    )["ArtifactArn"]
    client.update_artifact(
        ArtifactArn=arn, ArtifactName="by-boto3-2", Properties={"b": "2", "c": "2"},
        PropertiesToRemove=["a"],
    )
    there = client.describe_artifact(ArtifactArn=arn)
    right = (there["ArtifactName"], there["Properties"], there["Source"])
    check("boto3 updates", right == ("by-boto3-2", {"b": "2", "c": "2"}, source), there)
    client.create_artifact(
        ArtifactName="by-boto3", ArtifactType="Model", Source={"SourceUri": "s3://other"}
    )
    refused("boto3 gets the modelled ConflictException", "ConflictException",
            client.update_artifact, ArtifactArn=arn, ArtifactName="by-boto3")
    all_tags = client.add_tags(
        ResourceArn=arn, Tags=[{"Key": "k", "Value": "w"}, {"Key": "größe", "Value": ""}]
    )["Tags"]
    check("boto3 adds tags", {t["Key"]: t["Value"] for t in all_tags} == {"k": "w", "größe": ""})
    client.delete_tags(ResourceArn=arn, TagKeys=["k"])
    check("boto3 deletes tags", tags_of(client, arn) == {"größe": ""})
    paged = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    check("boto3 pages tags", [len(page["Tags"]) for page in paged] == [1])
    answer = client.delete_artifact(Source=source)
    check("boto3 deletes by Source", answer["ArtifactArn"] == arn, answer)
    refused("boto3 is told that it is gone", "ResourceNotFound",
            client.delete_artifact, ArtifactArn=arn)
    refused("boto3 is told that its tags are gone", "ValidationException",
            client.list_tags, ResourceArn=arn)
    error = refused("boto3 is told what is wrong", "ValidationException",
                    client.create_artifact, ArtifactName="a_b", ArtifactType="x",
                    Source={"SourceUri": "s3://x"})
    said = error.response["Error"]["Message"]
    check("boto3 is told in the words of the service", said.startswith(
        "1 validation error detected: Value 'a_b' at 'artifactName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: "), said)
    refused("boto3 is told that there are no actions", "UnknownOperationException",
            client.list_actions)
    client.delete_artifact(Source={"SourceUri": "s3://other"})


def misbehave(endpoint, **settings):
    request = urllib.request.Request(
        f"{endpoint}/_lineload/misbehaviour", json.dumps(settings).encode(),
        {"Content-Type": "application/json"}, method="PUT",
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def boto3_is_throttled(client, endpoint):
    misbehave(endpoint, tps={"ListTags": 5})
    patient = boto3.client(
        "sagemaker", endpoint_url=endpoint,
        config=Config(retries={"mode": "standard", "max_attempts": 10}),
    )
    arn = client.list_artifacts(MaxResults=1)["ArtifactSummaries"][0]["ArtifactArn"]
    retried = sum(
        patient.list_tags(ResourceArn=arn)["ResponseMetadata"]["RetryAttempts"] for _ in range(12)
    )
    check("boto3's standard retries get through a throttle", retried > 0, retried)
    misbehave(endpoint, tps={"ListTags": 0.01})
    client.list_tags(ResourceArn=arn)
    refused("boto3 is throttled", "ThrottlingException", client.list_tags, ResourceArn=arn)
    misbehave(endpoint, max_artifacts=1)
    refused("boto3 is told of the quota", "ResourceLimitExceeded",
            client.create_artifact, ArtifactType="x", Source={"SourceUri": "s3://one/too/many"})
    misbehave(endpoint, faults=[{"kind": "error-500", "probability": 1, "operation": "ListTags"}])
    refused("boto3 meets a fault", "InternalFailure", client.list_tags, ResourceArn=arn)
    misbehave(endpoint)
    client.list_tags(ResourceArn=arn)


def cli_takes_manifests(endpoint, folder):
    """`--cli-input-yaml` is the CLI's version 2; version 1, which PyPI has, takes JSON."""
    manifest = pathlib.Path(folder) / "by-cli.json"
    artifact = {
        "ArtifactName": "by-cli",
        "ArtifactType": "Model",
        "Source": {"SourceUri": "s3://by/cli"},
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    manifest.write_text(json.dumps(artifact))
    made = cli(endpoint, "create-artifact", "--cli-input-json", f"file://{manifest}")
    arn = made["ArtifactArn"]
    shown = cli(endpoint, "describe-artifact", "--artifact-arn", arn)
    check("the AWS CLI describes it", shown["ArtifactName"] == "by-cli", shown)
    if can_import():
        again = run_import(folder, endpoint, str(manifest))
        report = json.loads((pathlib.Path(folder) / "r.json").read_text())
        check("lineload finds what the CLI made", report["counts"]["existed"] == 1, again)
    cli(endpoint, "update-artifact", "--artifact-arn", arn, "--properties", "Rows=12")
    shown = cli(endpoint, "describe-artifact", "--artifact-arn", arn)
    check("the AWS CLI updates", shown["Properties"] == {"Rows": "12"}, shown)
    tags = cli(endpoint, "add-tags", "--resource-arn", arn, "--tags", "Key=l,Value=w")
    check("the AWS CLI adds tags", len(tags["Tags"]) == 2, tags)
    cli(endpoint, "delete-tags", "--resource-arn", arn, "--tag-keys", "k")
    tags = cli(endpoint, "list-tags", "--resource-arn", arn)
    check("the AWS CLI deletes and lists tags", tags["Tags"] == [{"Key": "l", "Value": "w"}], tags)
    listed = cli(endpoint, "list-artifacts", "--page-size", "7", "--query", "length(ArtifactSummaries)")
    check("the AWS CLI lists page by page", listed > 7, listed)
    gone = cli(endpoint, "delete-artifact", "--source", "SourceUri=s3://by/cli")
    check("the AWS CLI deletes by Source", gone["ArtifactArn"] == arn, gone)


def cli_2_takes_yaml(endpoint):
    """Version 2 of the AWS CLI, where there is one, reads manifests of one artifact as they stand."""
    folders = [*os.environ["PATH"].split(os.pathsep), "/usr/bin"]
    found = [shutil.which("aws", path=folder) for folder in folders]

    def version(aws):
        return subprocess.run([aws, "--version"], capture_output=True, text=True).stdout

    aws = next((aws for aws in found if aws and version(aws).startswith("aws-cli/2.")), None)
    if aws is None:
        print("skip  there is no version 2 of the AWS CLI here (Debian's awscli is one)", flush=True)
        return
    client = boto3.client("sagemaker", endpoint_url=endpoint)
    one_each = [MANIFESTS / "examples" / "one.yaml"]
    for manifest in sorted(MANIFESTS.glob("**/*.yaml")):
        documents = list(yaml.safe_load_all(manifest.read_text()))
        if len(documents) == 1 and isinstance(documents[0], dict) and "Source" in documents[0]:
            one_each.append(manifest)
    for manifest in one_each[:12]:
        artifact = yaml.safe_load(manifest.read_text())
        client.delete_artifact(Source=artifact["Source"])
        made = subprocess.run(
            [aws, "sagemaker", "create-artifact", "--endpoint-url", endpoint, "--output", "json",
             "--cli-input-yaml", f"file://{manifest}"],
            capture_output=True, text=True, env={**os.environ, **ENV},
        )
        name = manifest.name
        check(f"version 2 of the AWS CLI takes {name}", made.returncode == 0, made.stderr)
        there = client.describe_artifact(ArtifactArn=json.loads(made.stdout)["ArtifactArn"])
        keys = ("ArtifactName", "ArtifactType", "Source", "Properties")
        same = all(there.get(key) == artifact.get(key) for key in keys if key in artifact)
        check(f"what it made of {name} is what it says", same, there)


def sagemaker_sdk_works(endpoint):
    """The lineage classes of the SageMaker Python SDK, where it is installed."""
    if importlib.util.find_spec("sagemaker") is None:
        print("skip  the SageMaker Python SDK is not installed (LINELOAD_INTEROP_SDK=1)", flush=True)
        return
    # The SDK imports a `schema` of its own, and not the one beside this file.
    here = str(pathlib.Path(__file__).parent.resolve())
    sys.path[:] = [folder for folder in sys.path if str(pathlib.Path(folder).resolve()) != here]
    from sagemaker.lineage.artifact import Artifact
    from sagemaker.session import Session

    client = boto3.client("sagemaker", endpoint_url=endpoint)
    session = Session(sagemaker_client=client, default_bucket="unused")
    made = Artifact.create(
        artifact_name="by-sdk", source_uri="s3://by/sdk", artifact_type="Model",
        properties={"k": "v"}, sagemaker_session=session,
    )
    loaded = Artifact.load(made.artifact_arn, sagemaker_session=session)
    right = (loaded.artifact_name, loaded.source.source_uri, loaded.properties)
    check("the SageMaker SDK creates and loads", right == ("by-sdk", "s3://by/sdk", {"k": "v"}))
    loaded.properties = {"k": "w"}
    loaded.properties_to_remove = []
    loaded.save()
    again = Artifact.load(made.artifact_arn, sagemaker_session=session)
    check("the SageMaker SDK saves", again.properties == {"k": "w"}, again.properties)
    loaded.set_tag({"Key": "a", "Value": "b"})
    check("the SageMaker SDK tags", tags_of(client, made.artifact_arn) == {"a": "b"})
    loaded.delete()
    left = list(Artifact.list(source_uri="s3://by/sdk", sagemaker_session=session))
    check("the SageMaker SDK deletes and lists", left == [], left)


def cli(endpoint, *words):
    """What `aws sagemaker …` prints."""
    aws = str(pathlib.Path(sys.executable).parent / "aws")
    ran = subprocess.run(
        [aws, "--endpoint-url", endpoint, "--output", "json", "sagemaker", *words],
        capture_output=True, text=True, env={**os.environ, **ENV},
    )
    check(f"aws sagemaker {words[0]}", ran.returncode == 0, ran.stderr)
    return json.loads(ran.stdout) if ran.stdout.strip() else None


def can_import():
    """Whether this lineload is built with the AWS SDK."""
    helped = subprocess.run([LINELOAD, "--help"], capture_output=True, text=True)
    return any(line.split()[:1] == ["import"] for line in helped.stdout.splitlines())


def run_import(folder, endpoint, *paths):
    ran = subprocess.run(
        [LINELOAD, "import", *paths, "--endpoint-url", endpoint, "--yes", "--rate", "unlimited",
         "--report", "r.json"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, **ENV},
    )
    check(f"lineload import {' '.join(paths)}", ran.returncode == 0, ran.stdout + ran.stderr)
    return ran.stdout


def main():
    os.environ.update(ENV)
    want = expected()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [LINELOAD, "serve", "--isolated", "--db", "registry.sqlite3"],
            cwd=folder, stdout=subprocess.PIPE, text=True,
        )
        try:
            endpoint = server.stdout.readline().strip().removeprefix("listening on ")
            client = boto3.client(
                "sagemaker", endpoint_url=endpoint, config=Config(retries={"max_attempts": 0})
            )
            if can_import():
                run_import(folder, endpoint, str(MANIFESTS))
            else:
                print("no `lineload import` in this build: boto3 writes in its place", flush=True)
                boto3_writes(client, want)
            boto3_reads_back(client, want)
            boto3_meets_errors(client, want)
            boto3_times(client)
            boto3_changes(client)
            boto3_is_throttled(client, endpoint)
            cli_takes_manifests(endpoint, folder)
            cli_2_takes_yaml(endpoint)
            sagemaker_sdk_works(endpoint)
        finally:
            server.terminate()
            server.wait()


main()
