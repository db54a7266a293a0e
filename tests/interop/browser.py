"""The registry's page and the report of an import in a real Chromium, with artifacts that are meant to
harm. Skipped where there is none. Usage: browser.py LINELOAD [FOLDER-FOR-SCREENSHOTS]"""

import html.parser
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.dom.minidom

import boto3

LINELOAD = sys.argv[1]
SCREENSHOTS = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --enable-logging=stderr"
).split()
EVIL = (
    "</style></title></td>'\"><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"><svg onload=\"document.title='owned'\">"
    "<base href=http://evil.example/>\0\x1b[31m\u202egnirts"
)


class Dom(html.parser.HTMLParser):
    """What became of a page when the browser was done with it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.handlers = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on") or name == "style"]

    def handle_data(self, text):
        self.texts.append(text)


def check(name, condition, detail=""):
    print(("ok    " if condition else "FAIL  ") + name, detail if not condition else "", flush=True)
    if not condition:
        sys.exit(1)


def browse(url, picture=None):
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1600"]
        if picture and SCREENSHOTS:
            subprocess.run([*command, f"--screenshot={SCREENSHOTS / picture}", url],
                           capture_output=True, timeout=120, check=True)
        ran = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=120)
    loud = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    return Dom(ran.stdout), loud


def harmless(name, dom, loud):
    bad = {"script", "img", "base", "iframe", "object", "link"} & set(dom.tags)
    check(f"{name}: nothing of an artifact is markup", not bad and not dom.handlers, (bad, dom.handlers))
    check(f"{name}: no script ran", "owned" not in dom.texts)
    check(f"{name}: its own style is applied, and the policy has nothing to refuse", not loud, loud)


def report(folder):
    """The page that `import --report` writes; a binary without the AWS SDK has no `import`."""
    if subprocess.run([LINELOAD, "import", "--help"], capture_output=True).returncode != 0:
        print("skip  no report of an import: this binary has no `import`")
        return
    folder = pathlib.Path(folder)
    # JSON is YAML. The second of a source differs from the first, so that it is listed.
    for run, kind in enumerate(("Model", EVIL.replace("\0", ""))):
        artifact = {"ArtifactType": kind, "Source": {"SourceUri": "s3://lake/" + EVIL.replace("\0", "")}}
        (folder / "evil.yaml").write_text(json.dumps(artifact), encoding="utf-8")
        page = folder / f"{run}.html"
        subprocess.run([LINELOAD, "import", "evil.yaml", "--local=i.sqlite3", "--report", page.name],
                       cwd=folder, capture_output=True, timeout=120)
        xml.dom.minidom.parse(str(page))
        dom, loud = browse(page.as_uri(), f"report-{run}.png")
        harmless(f"report {run}", dom, loud)
    check("report 1: what differs is listed as text", "differs" in dom.texts
          and "<script>document.title='owned'</script>" in "".join(dom.texts), dom.texts)


def main():
    if CHROMIUM is None:
        print("skip  there is no Chromium here")
        return
    with tempfile.TemporaryDirectory() as folder:
        report(folder)
        server = subprocess.Popen([LINELOAD, "serve", "--isolated", "--db", "r.sqlite3"],
                                  cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            endpoint = server.stdout.readline().strip().removeprefix("listening on ")
            client = boto3.client("sagemaker", endpoint_url=endpoint, region_name="eu-west-1",
                                  aws_access_key_id="anybody", aws_secret_access_key="anything")
            for at in range(30):
                client.create_artifact(ArtifactName=f"plain-{at}", ArtifactType="DataSet",
                                       Source={"SourceUri": f"s3://lake/{at}"})
            arn = client.create_artifact(
                ArtifactType=EVIL,
                Source={"SourceUri": EVIL, "SourceTypes": [{"SourceIdType": "Custom", "Value": EVIL}]},
                Properties={EVIL: EVIL}, MetadataProperties={"CommitId": EVIL},
                Tags=[{"Key": "team", "Value": "größe"}],
            )["ArtifactArn"]
            harmless("the list", *browse(f"{endpoint}/", "list.png"))
            query = urllib.parse.urlencode({"arn": arn})
            dom, loud = browse(f"{endpoint}/_lineload/artifact?{query}", "artifact.png")
            harmless("one artifact", dom, loud)
            shown = "".join(dom.texts)
            check("one artifact: what is there is shown as text",
                  shown.count("<script>document.title='owned'</script>") == 6, shown)
            check("one artifact: what is not seen is shown by number", r"\u{202e}" in shown)
            check("one artifact: tags are shown", "größe" in shown)
            query = urllib.parse.urlencode({"q": EVIL})
            harmless("a search", *browse(f"{endpoint}/?{query}"))
            dom, _ = browse(f"{endpoint}/?q=PLAIN-2")
            found = [text for text in dom.texts if text.startswith("plain-")]
            check("a search finds", len(found) == 11, found)
        finally:
            server.terminate()
            server.wait()


main()
