"""Prints the SBOM of the binary for a target: a CycloneDX document of the crates that are linked into it.

    sbom.py TARGET [CARGO OPTION]...

From `cargo metadata` and Cargo.lock, without the network: build and test dependencies are left out.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

target, options = sys.argv[1], sys.argv[2:]
command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
metadata = json.loads(subprocess.run([*command, *options], check=True, capture_output=True).stdout)
locked = tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]
checksums = {(one["name"], one["version"]): one.get("checksum") for one in locked}
packages = {one["id"]: one for one in metadata["packages"]}
nodes = {one["id"]: one for one in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]


def linked(node):
    """Returns the crates that a crate links, in a stable order."""
    normal = (one for one in node["deps"] if any(kind["kind"] is None for kind in one["dep_kinds"]))
    # A procedural macro runs in the compiler.
    macro = lambda one: any("proc-macro" in made["kind"] for made in packages[one]["targets"])
    return sorted(one["pkg"] for one in normal if not macro(one["pkg"]))


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, kind):
    made = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package.get("license"):
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


seen, waiting = set(), [root]
while waiting:
    one = waiting.pop()
    if one not in seen:
        seen.add(one)
        waiting.extend(linked(nodes[one]))

names = sorted(seen - {root}, key=lambda one: (packages[one]["name"], packages[one]["version"]))
print(json.dumps({
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {
        "component": component(packages[root], "application"),
        "properties": [{"name": "cargo:target", "value": target}],
    },
    "components": [component(packages[one], "library") for one in names],
    "dependencies": [
        {"ref": purl(packages[one]), "dependsOn": [purl(packages[other]) for other in linked(nodes[one])]}
        for one in [root, *names]
    ],
}, indent=2))
