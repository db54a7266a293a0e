"""What `import --metrics` writes, as Prometheus's own parser for Python reads it, and by the rules of
`promtool check metrics` and of node_exporter's textfile collector.

    metrics.py LINELOAD MANIFESTS
"""

import math
import pathlib
import subprocess
import sys
import tempfile

from prometheus_client.parser import text_string_to_metric_families

# Suffixes that promtool keeps for types, and units that are not base units.
RESERVED = ("_count", "_sum", "_bucket", "_info")
UNITS = ("milliseconds", "minutes", "hours", "days", "kilobytes", "megabytes", "percent", "ms")


def check(text):
    families = list(text_string_to_metric_families(text))
    assert families, "nothing was written"
    assert text.endswith("\n"), "the last line does not end"
    seen = set()
    for family in families:
        name, kind = family.name, family.type
        # The parser takes `_total` off the name of a counter.
        whole = name + "_total" if kind == "counter" else name
        assert f"# HELP {whole} " in text, f"{whole}: no HELP"
        assert f"# TYPE {whole} {kind}\n" in text, f"{whole}: no TYPE"
        assert text.count(f"# HELP {whole} ") == 1, f"{whole}: HELP twice"
        assert family.documentation.strip().endswith("."), f"{whole}: {family.documentation!r}"
        assert name.startswith("lineload_") and name == name.lower(), name
        assert kind in ("counter", "gauge", "histogram"), f"{whole}: {kind}"
        if kind != "counter":
            assert not name.endswith("_total"), f"{name}: a {kind} that ends with _total"
        if kind == "gauge" and name != "lineload_run_info":
            assert not name.endswith(RESERVED), f"{name}: a reserved suffix"
        assert not any(part in UNITS for part in name.split("_")), f"{name}: not a base unit"
        assert family.samples, f"{whole}: no series"
        for sample in family.samples:
            # The collector refuses them.
            assert sample.timestamp is None, sample
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in seen, f"twice: {series}"
            seen.add(series)
            assert not math.isnan(sample.value), sample
            if kind == "counter":
                assert sample.name.endswith("_total") and sample.value >= 0, sample
            for label in sample.labels:
                assert label in ("le", "file") or not label.startswith("__"), sample
                assert (label == "le") <= (kind == "histogram"), sample
        if kind == "histogram":
            histogram(family)
    return {family.name: family for family in families}


def histogram(family):
    by_labels = {}
    for sample in family.samples:
        labels = tuple(sorted(item for item in sample.labels.items() if item[0] != "le"))
        by_labels.setdefault(labels, []).append(sample)
    for labels, samples in by_labels.items():
        buckets = [one for one in samples if one.name.endswith("_bucket")]
        bounds = [float(one.labels["le"]) for one in buckets]
        counts = [one.value for one in buckets]
        assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, (labels, bounds)
        assert counts == sorted(counts), (labels, counts)
        [total] = [one.value for one in samples if one.name.endswith("_count")]
        [_] = [one.value for one in samples if one.name.endswith("_sum")]
        assert counts[-1] == total, (labels, counts, total)


def value(families, name, **labels):
    of_name = families[name].samples
    [found] = [one.value for one in of_name if labels.items() <= one.labels.items()]
    return found


def main(lineload, manifests):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # A name with everything that a label has to escape.
        for name in ("plain.prom", 'a "b" \\ c.prom'):
            args = [lineload, "import", manifests, "--local", "--quiet", "--metrics", name]
            subprocess.run(args, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            families = check((folder / name).read_text())
            stem = name.removesuffix(".prom")
            of_file = [one.labels["file"] for family in families.values() for one in family.samples]
            assert set(of_file) == {stem}, (stem, set(of_file))
        created = value(families, "lineload_entries", outcome="created")
        existed = value(families, "lineload_entries", outcome="existed")
        assert (created, existed > 200) == (0, True), (created, existed)
        # Both in one directory, as a collector reads them: no series of one is a series of the other.
        series = [line.rsplit(" ", 1)[0] for path in folder.glob("*.prom")
                  for line in path.read_text().splitlines() if not line.startswith("#")]
        assert len(series) == len(set(series)), "two files have the same series"
        print(f"metrics: {len(series)} series in 2 files, as prometheus_client reads them")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
