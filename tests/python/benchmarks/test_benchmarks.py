"""The benchmarks: a quick run of a part, and the report of given measurements."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pl = pytest.importorskip("polars")

from benchmarks import document, large, oa, report, shapes  # noqa: E402
from benchmarks.digest import digest  # noqa: E402
from benchmarks.measure import Case, Measurement, MeasurementError  # noqa: E402
from benchmarks.results import Results  # noqa: E402
from benchmarks.targets import TARGETS, Target  # noqa: E402

pytestmark = pytest.mark.extra

ROOT = Path(__file__).resolve().parents[3]
CASE = Case("index", "network", 1_000_000)


def measured(peer: str, *seconds: float, case: Case = CASE, total: str = "7") -> Measurement:
    return Measurement(
        case, peer, list(seconds), 1_000, 500, 3, {}, {"index: TotalAllowedFlows": total}
    )


def cells(text: str, first: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_quick_run_checks_results_and_writes_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--report", str(path)]
    command += ["--jobs", "index", "timeline", "top_n", "search", "asn"]
    command += ["--shapes", "zeek", "addresses"]
    command += ["--peers", "duckdb", "maxminddb"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = path.read_text(encoding="utf-8")
    titles = re.findall("^## (.+)$", text, re.MULTILINE)
    assert titles[0] == "Targets"
    assert titles[1:] == [
        "Flow index",
        "Timeline",
        "Top N",
        "Search of an address",
        "Autonomous systems of distinct addresses",
    ]
    assert "[5/5] asn: addresses, 100,000 rows" in done.stderr
    index = cells(text, "sensor log with bytes and packets, 100,000 | 9")
    assert len(index) == 7
    assert all(re.fullmatch(r"[\d.]+ m?s", cell) for cell in (index[2], index[3], index[5]))
    assert all(re.fullmatch(r"\*\*\d+(\.\d)? ×\*\*", index[column]) for column in (4, 6))
    assert all(f"| {target.work} |" in text for target, _ in TARGETS)


def test_logs_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--report", str(path)]
    command += ["--jobs", "read_zeek", "read_aws", "index_log", "--shapes", "zeek"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = path.read_text(encoding="utf-8")
    assert re.findall("^## (.+)$", text, re.MULTILINE)[1:] == [
        "Reading a Zeek log",
        "Reading an AWS VPC flow log",
        "Flow index of a Zeek log",
    ]
    assert text.count("sensor log with bytes and packets, 100,000 | 100,000 rows") == 2


def test_ratios_are_to_the_fastest_peer_of_a_form() -> None:
    results = Results({"Date": "today"})
    for one in (
        measured("flowtriage", 0.3, 0.1, 0.2),
        measured("polars, ordered", 1.0),
        measured("duckdb, ordered", 0.9),
        measured("polars, any order", 0.5),
    ):
        results.add(one)
    text = report.render(results)
    row = cells(text, "a network with high cardinality, 1,000,000 | 3 rows")
    assert row[2:] == ["200 ms", "1 s", "900 ms", "**4.5 ×**", "500 ms", "**2.5 ×**"]
    start = "`flow_index`, high cardinality, 1,000,000 rows"
    outcomes = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    assert "both ordered by key | at least 4.0 × | 4.5 × | reached |" in outcomes[0]
    assert "peers in any order | at least 4.0 × | 2.5 × | **not reached** |" in outcomes[1]


def test_times_of_different_results_are_not_compared() -> None:
    results = Results({})
    results.add(measured("flowtriage", 0.1))
    with pytest.raises(
        MeasurementError, match=r"flowtriage and polars.*TotalAllowedFlows \(7, 8\)"
    ):
        results.add(measured("polars, ordered", 0.1, total="8"))


def test_growth_is_between_sizes_of_one_shape() -> None:
    results = Results({})
    results.add(measured("flowtriage", 0.1))
    results.add(measured("flowtriage", 1.3, case=Case("index", "network", 10_000_000)))
    text = report.render(results)
    assert cells(text, "a network with high cardinality, 1,000,000 → ")[1:] == ["13.0 ×"]
    assert "| at most 12.0 × | 13.0 × | **not reached** |" in text


def test_targets_are_reached_or_not() -> None:
    minimum = Target("work", 4, "{:.1f} ×")
    maximum = Target("work", 3, "{:.2f} MB", minimum=False)
    assert minimum.row(4.0) == ("work", "at least 4.0 ×", "4.0 ×", "reached")
    assert minimum.row(3.9) == ("work", "at least 4.0 ×", "3.9 ×", "**not reached**")
    assert maximum.row(3.1) == ("work", "at most 3.00 MB", "3.10 MB", "**not reached**")
    assert maximum.row(None) == ("work", "at most 3.00 MB", "–", "not measured")


def test_results_survive_their_file(tmp_path: Path) -> None:
    results = Results({"Date": "today"}, [measured("flowtriage", 0.1, 0.2)])
    results.write(tmp_path / "new" / "bench.json")
    assert Results.read(tmp_path / "new" / "bench.json") == results


def test_digests_ignore_row_order_and_string_type() -> None:
    table = pa.table({"a": ["x", None, "y"], "n": [1, 2, None]})
    same = pa.table(
        {"a": pa.array(["y", "x", None]).dictionary_encode(), "n": pa.array([None, 1, 2])}
    )
    swapped = pa.table({"a": ["x", None, "y"], "n": [2, 1, None]})
    expected = digest({"t": table})
    assert expected == digest({"t": same})
    differing = {name for name, value in digest({"t": swapped}).items() if value != expected[name]}
    assert differing == {"t: whole rows"}


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_inputs_are_the_same_every_time_and_as_described(name: str) -> None:
    shape = shapes.SHAPES[name]
    table = shapes.make(name, 20_000)
    assert table.equals(shapes.make(name, 20_000))
    assert not table.equals(shapes.make(name, 20_000, part=1))
    assert pa.types.is_dictionary(table["source"].type) == shape.dictionary
    assert ("src_bytes" in table.column_names) == shape.volumes
    null_share = table["source"].null_count / table.num_rows
    assert null_share == pytest.approx(shape.nulls, abs=0.01)
    sources = pa.array(table["source"].to_pylist()).drop_null()
    with_colon = pa.compute.sum(pa.compute.match_substring(sources, ":")).as_py()
    assert with_colon / len(sources) == pytest.approx(0.5 if shape.ipv6 else 0, abs=0.02)
    outbound = pa.compute.sum(pa.compute.equal(table["FlowDirection"], "O")).as_py()
    assert outbound / table.num_rows == pytest.approx(1 if shape.outbound else 0.5, abs=0.02)


def test_inputs_hold_canonical_addresses() -> None:
    import ipaddress

    texts = pa.concat_arrays(
        [
            shapes.make("ipv6", 2_000)["dest"].combine_chunks(),
            shapes.make(shapes.ADDRESSES, 2_000)["address"].combine_chunks(),
        ]
    ).to_pylist()
    assert texts == [str(ipaddress.ip_address(text)) for text in texts]
    assert len(set(texts[2_000:])) == 2_000
    assert all(ipaddress.ip_address(text).is_global for text in texts[2_000:])


def test_each_program_replaces_its_own_part_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    document.write_large(f"{document.LARGE}\n\nold", path)
    document.write_main("# Benchmarks\n\nfirst\n", path)
    document.write_large(f"{document.LARGE}\n\nnew", path)
    document.write_main("# Benchmarks\n\nsecond\n", path)
    expected = f"# Benchmarks\n\nsecond\n\n{document.LARGE}\n\nnew\n"
    assert path.read_text(encoding="utf-8") == expected


@pytest.mark.skipif(sys.platform != "linux", reason="known on Linux only")
def test_memory_is_what_is_held() -> None:
    code = """
from benchmarks import memory
memory.reset_peak()
before = memory.resident()
block = bytearray(b"x" * 50_000_000)
during = memory.peak() - before
del block
memory.reset_peak()
print(during > 45_000_000, memory.peak() - before < 45_000_000)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["True", "True"]


def test_programs_agree_on_a_data_set_on_disk(tmp_path: Path) -> None:
    for part in range(2):
        table = shapes.make(large.SHAPE, 20_000, part)
        pq.write_table(table, tmp_path / f"{part}.parquet")
    ours, theirs = (large.read(program, tmp_path) for program in ("flowtriage", "duckdb"))
    assert 39_000 < ours.groups < 40_000
    assert ours.digests == theirs.digests


def test_the_large_part_reports_memory_and_growth() -> None:
    readings = {
        ("flowtriage", large.SMALL): large.DatasetMeasurement(2.0, 10**9, 5, {}),
        ("flowtriage", large.LARGE): large.DatasetMeasurement(26.0, 1_400_000_000, 5, {}),
    }
    text = large.render(readings, {large.SMALL: 1, large.LARGE: 2})
    assert text.startswith(document.LARGE)
    assert "| at most 1,500 MB | 1,400 MB | reached |" in text
    assert "| at most 12.0 × | 13.0 × | **not reached** |" in text


def test_a_day_of_flow_oa_is_measured_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oa, "ROWS", 9_000)
    oa.write_context(tmp_path)
    log = oa.DAYS["an office"](tmp_path)
    steps = oa.run(log)
    assert [step.count for step in steps if step.title.startswith(("Ingest logs", "Add"))] == [
        9_000,
        *[500] * 3,
    ]
    assert sum(step.seconds for step in steps[:-1]) <= steps[-1].seconds
    days = {"an office": steps, "at random": [oa.StepMeasurement("all", 200, 9, 10**9, 1)]}
    text = oa.render(days, [oa.StepMeasurement("embedded", 2.5, 1.5, None, 9_000)], 0.5)
    assert cells(text, "a day of 1,000,000 flows, an office: all steps")[-1] == "reached"
    assert cells(text, "a day of 1,000,000 flows, at random: all steps")[-1] == "**not reached**"
    assert cells(text, "enrichment")[2:] == ["2.50 s", "**not reached**"]
    assert str(tmp_path) not in text
