"""Makes tests/fixtures/inventories: what DVC, MLflow, the AWS CLI and others write, by running them.

Nothing of it is typed from memory: each file is the output of its tool, against moto where it talks to AWS.
Ids, hashes and times are those of the run that made them, so run it only to add something, and look at
what changes.

    python3 -m venv target/inventories
    target/inventories/bin/pip install -r tests/interop/inventories.txt
    target/inventories/bin/python tests/interop/inventories.py

The AWS CDK needs Node.js.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "inventories"
TOOLS = pathlib.Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_CONFIG_GLOBAL": os.devnull,
}
FIXED = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
         (("NAME", "Example"), ("EMAIL", "example@example.com"), ("DATE", "2026-01-01T00:00:00Z"))}


def run(*command, directory, **environment):
    """Runs a tool and returns what it prints."""
    ran = subprocess.run(command, cwd=directory, env={**ENVIRONMENT, **FIXED, **environment},
                         capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{command}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Moto:
    """AWS, as far as moto plays it."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = subprocess.Popen([TOOLS / "moto_server", "-p", str(self.port)],
                                       env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.1)
        sys.exit("moto does not start")

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def aws(self, *command):
        return run("aws", "--endpoint-url", self.url, *command, directory=ROOT)

    def client(self, service):
        import boto3
        return boto3.client(service, endpoint_url=self.url, region_name="eu-central-1",
                            aws_access_key_id="testing", aws_secret_access_key="testing")


def dvc(work, moto):
    """A repository with two remotes, one of them with versions, a pipeline and an import."""
    def repository(name, url):
        root = work / name
        root.mkdir()
        run("git", "init", "-q", directory=root)
        run("git", "remote", "add", "origin", f"https://git.example.com/team/{name}.git", directory=root)
        run("dvc", "init", "-q", directory=root)
        run("dvc", "remote", "add", "-q", "--default", "storage", url, directory=root)
        return root

    def commit(root):
        run("git", "add", "-A", directory=root)
        run("git", "commit", "-q", "-m", "data", directory=root)

    root = repository("churn", "s3://example-lake/dvc")
    run("dvc", "remote", "add", "-q", "models", "s3://example-models/churn/", directory=root)
    for number in range(3):
        write(root / "data" / "raw" / f"part-{number}.csv", f"customer,churned\n{number},0\n")
    write(root / "data" / "labels.csv", "customer,label\n1,stays\n")
    write(root / "train.py",
          "import pathlib\npathlib.Path('model.json').write_text('{\"depth\": 3}')\n"
          "pathlib.Path('metrics.json').write_text('{\"auc\": 0.9}')\n")
    run("dvc", "add", "-q", "data/raw", "data/labels.csv", directory=root)
    write(root / "dvc.yaml", """\
stages:
  train:
    cmd: python train.py
    deps:
    - data/raw
    - train.py
    outs:
    - model.json:
        remote: models
    metrics:
    - metrics.json:
        cache: false
artifacts:
  churn:
    path: model.json
    type: model
    desc: Churn within 30 days
    labels:
    - churn
""")
    run("dvc", "repro", "-q", directory=root)
    commit(root)
    other = repository("reports", "s3://example-lake/reports")
    run("dvc", "import", "-q", "--no-download", str(root), "data/labels.csv", directory=other)

    versions = repository("versions", "s3://example-versions/data")
    run("dvc", "remote", "modify", "-q", "storage", "endpointurl", moto.url, directory=versions)
    run("dvc", "remote", "modify", "-q", "storage", "version_aware", "true", directory=versions)
    s3 = moto.client("s3")
    bucket = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="example-versions", CreateBucketConfiguration=bucket)
    s3.put_bucket_versioning(Bucket="example-versions",
                             VersioningConfiguration={"Status": "Enabled"})
    write(versions / "images" / "a" / "1.txt", "one\n")
    write(versions / "images" / "2.txt", "two\n")
    write(versions / "labels.csv", "image,label\n1,cat\n")
    run("dvc", "add", "-q", "images", "labels.csv", directory=versions)
    run("dvc", "push", "-q", directory=versions)
    for root in (root, other, versions):
        kept = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts
                and (path.suffix == ".dvc" or path.name in ("dvc.lock", "dvc.yaml")
                     or path.relative_to(root) == pathlib.Path(".dvc/config"))]
        for path in kept:
            text = path.read_text().replace(moto.url, "http://127.0.0.1:5000")
            text = text.replace(str(work), "/work")
            write(ROOT / "dvc" / root.name / path.relative_to(root), text)


def listing(moto):
    """`aws s3api list-objects-v2`."""
    s3 = moto.client("s3")
    bucket = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="example-lake", CreateBucketConfiguration=bucket)
    keys = ["churn/2026-01/part-0.csv", "churn/2026-01/part 1+2.csv", "churn/2026-02/part-0.csv",
            "images/cat/1.txt", "images/dog/ü%41.txt", "images/", "readme.txt"]
    for key in keys:
        s3.put_object(Bucket="example-lake", Key=key, Body=b"" if key[-1] == "/" else key.encode())
    parts = s3.create_multipart_upload(Bucket="example-lake", Key="images/all.tar")
    where = {"Bucket": "example-lake", "Key": "images/all.tar", "UploadId": parts["UploadId"]}
    part = s3.upload_part(**where, PartNumber=1, Body=b"tar")
    s3.complete_multipart_upload(**where, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    write(ROOT / "s3-objects.json", moto.aws("s3api", "list-objects-v2", "--bucket", "example-lake"))


def glue(moto):
    """`aws glue get-tables`."""
    client = moto.client("glue")
    client.create_database(DatabaseInput={"Name": "lake"})
    for name, location, keys in [("orders", "s3://example-lake/orders/", [("day", "date")]),
                                 ("customers", "s3://example-lake/customers/", []),
                                 ("view", "", [])]:
        client.create_table(DatabaseName="lake", TableInput={
            "Name": name, "Description": f"All {name}", "Owner": "data-platform",
            "TableType": "EXTERNAL_TABLE" if location else "VIRTUAL_VIEW",
            "Parameters": {"classification": "parquet", "recordCount": "1200"},
            "PartitionKeys": [{"Name": key, "Type": kind} for key, kind in keys],
            "StorageDescriptor": {
                "Location": location,
                "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "total", "Type": "double"}],
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "SerdeInfo": {"SerializationLibrary":
                              "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}}})
    write(ROOT / "glue-tables.json", moto.aws("glue", "get-tables", "--database-name", "lake"))


def models(moto):
    """`aws sagemaker list-model-packages` and `describe-model-package`."""
    client = moto.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="churn",
                                      ModelPackageGroupDescription="Churn within 30 days")
    arns = [client.create_model_package(
        ModelPackageGroupName="churn", ModelPackageDescription=f"Version {number}",
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{
                "Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/churn:1",
                "ModelDataUrl": f"s3://example-models/churn/{number}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]},
        MetadataProperties={"CommitId": "0a1b2c3", "Repository": "https://git.example.com/churn"},
    )["ModelPackageArn"] for number, status in [(1, "Approved"), (2, "PendingManualApproval")]]
    write(ROOT / "sagemaker-models.json",
          moto.aws("sagemaker", "list-model-packages", "--model-package-group-name", "churn"))
    write(ROOT / "sagemaker-model.json",
          moto.aws("sagemaker", "describe-model-package", "--model-package-name", arns[0]))


def images(moto):
    """`aws ecr describe-images`."""
    client = moto.client("ecr")
    client.create_repository(repositoryName="team/churn")
    for tag in ("1", "2", None):
        manifest = {"schemaVersion": 2,
                    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                    "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                               "size": 7023, "digest": f"sha256:{'0' * 63}{tag or 3}"},
                    "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                                "size": 32654, "digest": f"sha256:{'1' * 63}{tag or 3}"}]}
        tagged = {"imageTag": tag} if tag else {}
        client.put_image(repositoryName="team/churn", imageManifest=json.dumps(manifest), **tagged)
    write(ROOT / "ecr-images.json",
          moto.aws("ecr", "describe-images", "--repository-name", "team/churn"))


def runs(work):
    """The answer of MLflow's REST API to `runs/search`, and `mlflow experiments csv`."""
    os.environ.update({key: ENVIRONMENT[key] for key in ENVIRONMENT if key.startswith("MLFLOW")})
    # MLflow notes the branch of the repository that it runs in.
    os.chdir(work)
    import mlflow
    from mlflow.protos.service_pb2 import SearchRuns
    from mlflow.utils.proto_json_utils import message_to_json
    store = (work / "mlruns").as_uri()
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment("churn", artifact_location="s3://example-mlflow/1",
                                          tags={"team": "customer-analytics"})
    for depth, auc in [(3, 0.87), (5, 0.9)]:
        with mlflow.start_run(experiment_id=experiment, run_name=f"depth {depth}"):
            mlflow.log_params({"depth": depth, "learning_rate": 0.1})
            mlflow.log_metrics({"auc": auc})
            mlflow.set_tags({"stage": "training", "mlflow.source.git.commit": "0a1b2c3",
                             "mlflow.source.git.repoURL": "https://git.example.com/churn",
                             "mlflow.user": "example", "mlflow.source.name": "train.py"})
    found = mlflow.MlflowClient().search_runs([experiment])
    answer = SearchRuns.Response()
    answer.runs.extend(one.to_proto() for one in found)
    text = message_to_json(answer) + "\n"
    write(ROOT / "mlflow-runs.json", text.replace(str(work), "/work"))
    text = run("mlflow", "experiments", "csv", "-x", experiment, directory=work,
               MLFLOW_TRACKING_URI=store)
    write(ROOT / "mlflow-runs.csv", text.replace(str(work), "/work"))


def croissant(work):
    """Metadata of a dataset in Croissant, as MLCommons' own library writes it."""
    import mlcroissant
    distribution = [
        mlcroissant.FileObject(id="churn.csv", name="churn.csv", encoding_formats=["text/csv"],
                               content_url="https://data.example.com/churn.csv",
                               content_size="2048 B", sha256="4ab3" * 16),
        mlcroissant.FileObject(id="images", name="images.zip", content_url="data/images.zip",
                               encoding_formats=["application/zip"], sha256="9f86" * 16),
        mlcroissant.FileSet(id="jpegs", name="jpegs", contained_in=["images"],
                            encoding_formats=["image/jpeg"], includes="*.jpg"),
    ]
    metadata = mlcroissant.Metadata(
        name="churn", description="Customers, and whether they left.", version="1.2.0",
        url="https://data.example.com/churn", license="https://creativecommons.org/licenses/by/4.0/",
        date_published="2026-01-01", distribution=distribution, cite_as="Example (2026)")
    write(ROOT / "croissant.json", json.dumps(metadata.to_json(), indent=2, default=str) + "\n")


def datapackage(work):
    """A data package, as Frictionless describes one."""
    write(work / "data" / "orders.csv", "id,total\n1,2.5\n2,3.0\n")
    write(work / "data" / "customers.csv", "id,name\n1,Ada\n")
    before = os.getcwd()
    os.chdir(work)
    import frictionless
    package = frictionless.describe("data/*.csv", type="package", stats=True)
    package.infer(stats=True)
    package.name = "shop"
    package.title = "Orders and customers"
    package.version = "2026.1"
    package.licenses = [{"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}]
    write(ROOT / "datapackage.json", package.to_json() + "\n")
    os.chdir(before)


def cloudformation(work):
    """A CloudFormation template, as the AWS CDK writes it, and the same in YAML with short forms."""
    os.chdir(work)
    import aws_cdk as cdk
    from aws_cdk import aws_s3, aws_sagemaker
    app = cdk.App(analytics_reporting=False, outdir="cdk")
    stack = cdk.Stack(app, "Lineage", description="What the churn model is made of",
                      synthesizer=cdk.LegacyStackSynthesizer())
    stage = cdk.CfnParameter(stack, "Stage", default="prod", allowed_values=["test", "prod"])
    bucket = aws_s3.CfnBucket(stack, "Reports")
    artifact = aws_sagemaker.CfnArtifact

    def source(uri, **types):
        types = [artifact.ArtifactSourceTypeProperty(source_id_type=kind, value=value)
                 for kind, value in types.items()]
        return artifact.ArtifactSourceProperty(source_uri=uri, source_types=types or None)

    artifact(stack, "TrainingSet", artifact_type="DataSet", artifact_name="churn-training-set",
             source=source("s3://example-lake/churn/train.parquet",
                           MD5Hash="d90d8d8b6b0bd3563fc625853bdebfff"),
             properties={"Rows": "120000", "Owner": "customer-analytics"},
             metadata_properties=artifact.MetadataPropertiesProperty(
                 commit_id="0a1b2c3", repository="https://git.example.com/churn",
                 generated_by="train.py"),
             tags=[cdk.CfnTag(key="team", value="customer-analytics")])
    model = artifact(stack, "Model", artifact_type="Model",
                     artifact_name=cdk.Fn.sub("churn-${Stage}"),
                     source=source(f"s3://example-models-{stack.region}/churn/1/model.tar.gz"))
    model.cfn_options.condition = cdk.CfnCondition(
        stack, "IsProd", expression=cdk.Fn.condition_equals(stage.value_as_string, "prod"))
    artifact(stack, "Image", artifact_type="Image", artifact_name="churn-image",
             source=source(f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}/churn:1"))
    artifact(stack, "Report", artifact_type="Report", artifact_name="churn-report",
             source=source(f"s3://{bucket.ref}/report.html"))
    app.synth()
    text = (work / "cdk" / "Lineage.template.json").read_text() + "\n"
    write(ROOT / "cloudformation.json", text)
    write(ROOT / "cloudformation.yaml",
          run("cfn-flip", "-y", ROOT / "cloudformation.json", directory=work))


def parquet():
    """A Parquet file with a column of each type, and an S3 Inventory in Parquet, as pyarrow writes them."""
    import datetime
    import decimal
    import uuid
    import pyarrow as pa
    from pyarrow import parquet as pq
    utc = datetime.timezone.utc
    day = datetime.datetime(2026, 1, 2, 8, 30)
    columns = {
        "name": (pa.string(), ["orders", "churn", "bad_name"]),
        "location": (pa.string(), [f"s3://example-lake/{name}/" for name in ("orders", "churn", "bad")]),
        "rows": (pa.int64(), [1200, None, 3]),
        "files": (pa.uint16(), [3, 1, 0]),
        "active": (pa.bool_(), [True, False, None]),
        "share": (pa.float64(), [0.25, float("nan"), None]),
        "weight": (pa.float32(), [0.1, 2.0, None]),
        "price": (pa.decimal128(10, 2), [decimal.Decimal("12.50"), decimal.Decimal("-0.05"), None]),
        "created": (pa.timestamp("us", tz="UTC"), [day.replace(tzinfo=utc)] * 2 + [None]),
        "updated": (pa.timestamp("ns"), [day, day + datetime.timedelta(seconds=1), None]),
        "day": (pa.date32(), [day.date(), datetime.date(1969, 12, 31), None]),
        "at": (pa.time64("us"), [day.time(), datetime.time(0, 0), None]),
        "tags": (pa.list_(pa.string()), [["sales", "daily"], [], None]),
        "store": (pa.struct([("bucket", pa.string()), ("seen", pa.timestamp("ms", tz="UTC"))]),
                  [{"bucket": "example-lake", "seen": day.replace(tzinfo=utc)}, {"bucket": "b", "seen": None}, None]),
        "labels": (pa.map_(pa.string(), pa.int32()), [[("a", 1), ("b", 2)], [], None]),
        "digest": (pa.binary(), [bytes.fromhex("00ff10"), b"text", None]),
        "id": (pa.uuid(), [uuid.UUID(int=1).bytes, uuid.UUID(int=2).bytes, None]),
        "kind": (pa.dictionary(pa.int8(), pa.string()), ["table", "table", None]),
    }
    table = pa.table({name: pa.array(values, type=kind) for name, (kind, values) in columns.items()})
    pq.write_table(table, ROOT / "datasets.parquet", row_group_size=2, compression={
        name: codec for name, codec in zip(columns, ["snappy", "gzip", "zstd", "lz4", "none"] * 4)})

    objects = [("churn/part 1+2.csv", "v2", True, False, 2048), ("churn/part 1+2.csv", "v1", False, False, 1024),
               ("gone.csv", "v3", True, True, None), ("images/", "v1", True, False, 0),
               ("images/ü%41.txt", "v1", True, False, 12)]
    field = pa.field
    schema = pa.schema([
        field("bucket", pa.string(), nullable=False), field("key", pa.string(), nullable=False),
        field("version_id", pa.string()), field("is_latest", pa.bool_()), field("is_delete_marker", pa.bool_()),
        field("size", pa.int64()), field("last_modified_date", pa.timestamp("ms", tz="UTC")),
        field("e_tag", pa.string()), field("storage_class", pa.string())])
    rows = [dict(bucket="example-lake", key=key, version_id=version, is_latest=latest,
                 is_delete_marker=deleted, size=size, last_modified_date=day.replace(tzinfo=utc),
                 e_tag=None if deleted else "9b2cf535f27731c974343645a3985328",
                 storage_class=None if deleted else "STANDARD")
            for key, version, latest, deleted, size in objects]
    home = ROOT / "s3-inventory"
    (home / "data").mkdir(parents=True, exist_ok=True)
    for number, part in enumerate((rows[:3], rows[3:])):
        pq.write_table(pa.Table.from_pylist(part, schema=schema), home / "data" / f"{number}.parquet")
    files = [{"key": f"example-lake/all/data/{number}.parquet", "size": 1, "MD5checksum": "0"} for number in (0, 1)]
    shape = pq.ParquetFile(home / "data" / "0.parquet").schema
    (home / "manifest.json").write_text(json.dumps({
        "sourceBucket": "example-lake", "destinationBucket": "arn:aws:s3:::example-inventory",
        "version": "2016-11-30", "creationTimestamp": "1767312000000", "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { " + " ".join(f"{'required' if c.max_definition_level == 0 else 'optional'} {c.physical_type.lower()} {c.name};" for c in shape) + " }",
        "files": files}, indent=2) + "\n")


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, Moto() as moto:
        work = pathlib.Path(directory).resolve()
        shutil.rmtree(ROOT / "dvc", ignore_errors=True)
        dvc(work, moto)
        listing(moto)
        glue(moto)
        models(moto)
        images(moto)
        runs(work)
        croissant(work)
        datapackage(work)
        cloudformation(work)
        parquet()


if __name__ == "__main__":
    main()
