"""Damaged files: an error of the project or a counted bad row, and the rest is read."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from damage import mutated
from limited import outcome
from small_logs import canonical

TUPLE = "1594238636,10.1.0.4,8.8.8.8,1000,443,T,O,A"
IMPORTED = (
    "01-arrow-offset-segv.arrow",
    "02-parquet-utf8-segv.parquet",
    "02b-parquet-utf8-panic.parquet",
    "03-arrow-dict-index-panic.arrow",
    "14-parquet-oserror.parquet",
    "14b-parquet-arrowinvalid.parquet",
    "14c-parquet-unicodedecode.parquet",
    "14d-arrow-notimplemented.arrow",
)


def azure(*tuples: object) -> dict[str, object]:
    return {"properties": {"flows": [{"flows": [{"flowTuples": list(tuples)}]}]}, "category": "x"}


def written(path: Path, *documents: object) -> Path:
    path.write_text("\n".join(map(json.dumps, documents)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", IMPORTED)
def test_a_damaged_arrow_or_parquet_file_is_an_error_or_a_bad_row(cases: Path, name: str) -> None:
    code = "[read(sys.argv[1]) for _ in range(50)][-1]"
    done = outcome(code, cases / "fuzz" / name)
    if "value" in done:
        assert done["value"]["bad"] > 0
    else:
        assert done["error"] == "FormatError"
        assert name in done["message"]


@pytest.mark.parametrize("name", IMPORTED[:4])
@pytest.mark.parametrize("function", ["ft.flow_report", "ft.flow_index", "ft.classify_direction"])
def test_no_function_dies_of_a_damaged_file(cases: Path, name: str, function: str) -> None:
    code = f"bool({function}(sys.argv[1]))"
    assert outcome(code, cases / "fuzz" / name).get("error", "FormatError") == "FormatError"


@pytest.mark.parametrize("kind", ["parquet", "arrow", "dictionary"])
def test_random_damage_to_a_small_file_is_never_another_error(tmp_path: Path, kind: str) -> None:
    service = pa.array(["dns", "http", None]).dictionary_encode()
    flows = canonical(3, service=service if kind == "dictionary" else service.cast(pa.string()))
    path = tmp_path / f"flows.{kind}"
    if kind == "parquet":
        pq.write_table(flows, path)
    else:
        with pa.ipc.new_file(path, flows.schema) as writer:
            writer.write_table(flows)
    assert mutated(path, "ft.read_flows") == []


@pytest.mark.parametrize("offsets", [(0, 1 << 30), (0, -8), (8, 0), (1 << 30, 8)])
@pytest.mark.parametrize("function", ["ft.flow_index", "ft.classify_direction", "ft.stitch"])
def test_a_foreign_stream_with_wrong_offsets_is_an_error(
    tmp_path: Path, offsets: tuple[int, int], function: str
) -> None:
    flows = canonical()
    path = tmp_path / "stream"
    with pa.ipc.new_stream(path, flows.schema) as writer:
        writer.write_table(flows)
    content = path.read_bytes()
    right = struct.pack("<ii", 0, len("10.20.0.5"))
    before, found, after = content.rpartition(right)
    assert found
    path.write_bytes(before + struct.pack("<ii", *offsets) + after)
    done = outcome(f"len({function}(pa.ipc.open_stream(open(sys.argv[1], 'rb')).read_all()))", path)
    assert done.get("error") in ("InputError", "FormatError")


def test_a_foreign_stream_with_a_wrong_dictionary_key_is_an_error() -> None:
    code = """(
        bad := pa.DictionaryArray.from_arrays(
            pa.array([7], pa.int8()), pa.array(["10.0.0.1"]), safe=False),
        len(ft.flow_index(pa.table({"src_ip": bad, "dst_ip": ["8.8.8.8"], "flows": [1]}))))[-1]"""
    assert outcome(code)["error"] in ("InputError", "FormatError")


def test_concatenated_documents_are_all_read(cases: Path, tmp_path: Path) -> None:
    flows = ft.read_flows(cases / "fuzz" / "05-azure-records-concatenated.json")
    assert (len(flows), flows.report.rows_bad) == (4, 0)
    three = written(tmp_path / "x.json", *[{"records": [azure(TUPLE)]} for _ in range(3)])
    assert len(ft.read_flows(three)) == 3


@pytest.mark.parametrize(
    ("name", "rows", "bad"), [("27-tuples-lost.json", 3, 1), ("27b-tuples-silent.json", 1, 1)]
)
def test_a_part_that_is_no_flow_tuple_is_counted(
    cases: Path, name: str, rows: int, bad: int
) -> None:
    flows = ft.read_flows(cases / "fuzz" / name)
    assert (len(flows), flows.report.rows_bad) == (rows, bad)


@pytest.mark.parametrize("odd", [None, 5, {}, [], True, ["1,2"], "", "junk"])
def test_any_other_value_among_flow_tuples_is_counted(tmp_path: Path, odd: object) -> None:
    log = written(tmp_path / "x.json", {"records": [azure(TUPLE, odd, TUPLE), azure(TUPLE)]})
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_bad) == (3, 1)


def test_extra_columns_of_azure_records_stand_beside_all_rows(cases: Path, tmp_path: Path) -> None:
    flows = ft.read_flows(cases / "fuzz" / "06-keep-azure.json", keep=True)
    assert (len(flows), flows.report.rows_bad) == (1, 0)
    log = written(tmp_path / "x.json", {"records": [azure(TUPLE, TUPLE), azure(TUPLE)]})
    kept = ft.read_flows(log, keep=True).to_arrow()
    assert kept["category"].to_pylist() == ["x"] * 3


@pytest.mark.parametrize(
    ("log", "rows"),
    [
        ("azure_nsg/danifitz_2020_PT1H.json", None),
        ("azure_vnet/csp451_2026_PT1H.json", None),
    ],
)
def test_extra_columns_lose_no_row_of_a_real_log(shared: Path, log: str, rows: None) -> None:
    plain = ft.read_flows(shared / log)
    kept = ft.read_flows(shared / log, keep=True)
    assert len(kept) == len(plain)
    assert kept.to_arrow().select(plain.to_arrow().column_names).equals(plain.to_arrow())


def test_a_quote_that_never_closes_is_a_bad_row(cases: Path) -> None:
    flows = ft.read_flows(cases / "fuzz" / "08-open-quote.csv")
    assert flows.to_arrow()["src_ip"].to_pylist() == ["10.0.0.2", "10.0.0.3"]
    assert [row.number for row in flows.report.bad_rows] == [2]


@pytest.mark.slow
@pytest.mark.parametrize("label", ['"x', 'x"', 'x"y', '"x"y', '"x ""y'])
@pytest.mark.parametrize("others", [False, True])
def test_a_stray_quote_costs_one_row_whatever_the_size(
    tmp_path: Path, label: str, others: bool
) -> None:
    header = "StartTime,SrcAddr,DstAddr,Dur,Label"
    good = [f"{n},10.0.0.1,8.8.8.8,1,{chr(34) * others}y{chr(34) * others}" for n in range(1, 4)]
    stray = f"9,10.0.0.9,8.8.8.8,1,{label}"
    counts = []
    for copies in (1, 500_000):
        path = tmp_path / f"{copies}.csv"
        path.write_text("\n".join([header, *good, stray, *(good * copies)]) + "\n")
        report = ft.flow_report(path)
        counts.append(
            (report.flows - 3 * copies, report.rows_bad, [r.number for r in report.bad_rows])
        )
    small, large = counts
    assert small == large
    assert small[0] >= 3
    assert small[0] + small[1] == 4


@pytest.mark.parametrize("name", ["22-keep-surrogate-key.json", "22b-keep-nul-key.json"])
def test_odd_json_keys_are_an_error_that_names_the_file(cases: Path, name: str) -> None:
    done = outcome("read(sys.argv[1], keep=True)", cases / "fuzz" / name)
    if "error" in done:
        assert name in done["message"]
    else:
        assert done["value"] == {"rows": 1, "bad": 0}


@pytest.mark.parametrize("key", ["\udfff", "", "a\x00b", "\u202e", "k" * 70_000])
def test_other_odd_keys_do_not_end_a_read(tmp_path: Path, key: str) -> None:
    row = {"ts": 1, "id.orig_h": "10.0.0.1", "id.resp_h": "8.8.8.8", "orig_pkts": 1, key: 1}
    log = written(tmp_path / "odd.json", row)
    done = outcome("read(sys.argv[1], keep=True)", log)
    assert done.get("value") == {"rows": 1, "bad": 0} or "odd.json" in done["message"]


def test_a_bundle_that_was_cut_is_a_format_error(cases: Path) -> None:
    from flowtriage.threat_investigation import open_bundle

    with pytest.raises(ft.FormatError, match="16-bundle-cut-oserror.zip"):
        open_bundle(cases / "fuzz" / "16-bundle-cut-oserror.zip")


@pytest.mark.extra
def test_damage_to_the_directory_of_a_bundle_is_a_format_error(tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    from flowtriage.threat_investigation import open_bundle
    from flowtriage.threat_investigation.story.bundle import write_bundle
    from threat_story import story

    content = write_bundle(story(), tmp_path / "story.zip").read_bytes()
    path = tmp_path / "damaged.zip"
    for at in range(1, 23):
        for value in (0x00, 0x7F, 0xFF):
            damaged = bytearray(content)
            damaged[-at] = value
            path.write_bytes(damaged)
            try:
                open_bundle(path)
            except ft.FormatError as error:
                assert "damaged.zip" in str(error)


@pytest.mark.extra
def test_random_damage_to_a_bundle_is_a_format_error(tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    from flowtriage.threat_investigation.story.bundle import write_bundle
    from threat_story import story

    path = write_bundle(story(), tmp_path / "story.zip")
    work = "__import__('flowtriage.threat_investigation', fromlist=['x']).open_bundle"
    assert mutated(path, work, 100) == []


def test_a_globe_of_nothing_is_a_format_error(cases: Path) -> None:
    from flowtriage.threat_investigation.story.spot_files import read_globe

    with pytest.raises(ft.FormatError, match="17-globe-stopiteration.json"):
        read_globe(cases / "fuzz" / "17-globe-stopiteration.json")


@pytest.mark.parametrize(
    "content",
    [
        '{"type":"FeatureCollection"}',
        "[]",
        '{"sourceips":{},"destips":[[]]}',
        '{"sourceips":[null]}',
    ],
)
def test_other_globes_are_format_errors(tmp_path: Path, content: str) -> None:
    from flowtriage.threat_investigation.story.spot_files import read_globe

    (tmp_path / "globe.json").write_text(content)
    with pytest.raises(ft.FormatError, match=r"globe\.json"):
        read_globe(tmp_path / "globe.json")


def test_a_database_with_an_impossible_date_is_a_database_error(cases: Path) -> None:
    with pytest.raises(ft.DatabaseError, match="18-mmdb-epoch.mmdb"):
        _ = ft.AsnDatabase(cases / "fuzz" / "18-mmdb-epoch.mmdb").files


def test_random_damage_to_a_database_is_a_database_error(cases: Path, tmp_path: Path) -> None:
    path = tmp_path / "asn.mmdb"
    path.write_bytes((cases / "fuzz" / "18-mmdb-epoch.mmdb").read_bytes())
    work = "lambda p: (ft.AsnDatabase(p).files, ft.AsnDatabase(p).lookup(['1.1.1.1', '::1']))"
    assert mutated(path, work) == []


def test_random_damage_to_a_text_log_loses_no_row_in_silence(tmp_path: Path) -> None:
    pick = random.Random(7)
    lines = ["start_time,src_ip,dst_ip,flows"]
    lines += [f"2024-01-01T00:00:{n:02},10.0.0.{n},8.8.8.8,1" for n in range(40)]
    path = tmp_path / "flows.csv"
    for _ in range(200):
        damaged = list(lines)
        at = pick.randrange(1, len(lines))
        cut = pick.randrange(len(damaged[at]))
        damaged[at] = damaged[at][:cut] + pick.choice('"\0,\r;\x1a\xff') + damaged[at][cut:]
        path.write_text("\n".join(damaged) + "\n", encoding="latin-1", newline="")
        try:
            report = ft.read_flows(path).report
        except ft.FormatError:
            continue
        assert report.flows + report.rows_bad >= 40, damaged[at]
