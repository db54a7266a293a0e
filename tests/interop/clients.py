"""boto3 and the AWS CLI read back from `lineload serve` what `lineload import` wrote, and write what
`lineload import` then finds there. Usage: clients.py LINELOAD MANIFESTS"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

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
    aws = [str(pathlib.Path(sys.executable).parent / "aws"), "--endpoint-url", endpoint]
    made = subprocess.run(
        [*aws, "sagemaker", "create-artifact", "--cli-input-json", f"file://{manifest}"],
        capture_output=True, text=True, env={**os.environ, **ENV},
    )
    check("the AWS CLI creates from a manifest as it stands", made.returncode == 0, made.stderr)
    arn = json.loads(made.stdout)["ArtifactArn"]
    shown = subprocess.run(
        [*aws, "sagemaker", "describe-artifact", "--artifact-arn", arn],
        capture_output=True, text=True, env={**os.environ, **ENV},
    )
    check("the AWS CLI describes it", json.loads(shown.stdout)["ArtifactName"] == "by-cli", shown)
    again = run_import(folder, endpoint, str(manifest))
    report = json.loads((pathlib.Path(folder) / "r.json").read_text())
    check("lineload finds what the CLI made", report["counts"]["existed"] == 1, again)


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
            [LINELOAD, "serve", "--db", "registry.sqlite3"],
            cwd=folder, stdout=subprocess.PIPE, text=True,
        )
        try:
            endpoint = server.stdout.readline().strip().removeprefix("listening on ")
            run_import(folder, endpoint, str(MANIFESTS))
            client = boto3.client(
                "sagemaker", endpoint_url=endpoint, config=Config(retries={"max_attempts": 0})
            )
            boto3_reads_back(client, want)
            boto3_meets_errors(client, want)
            cli_takes_manifests(endpoint, folder)
        finally:
            server.terminate()
            server.wait()


main()
