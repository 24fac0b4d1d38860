"""Choices and lists: what does not exist is an error with the nearest names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from command_line import run
from flowtriage.enrich import BlockLists
from oa_work import sample_day
from small_logs import canonical, zeek

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def summary() -> ft.NetworkFlowResult:
    pytest.importorskip("msticpy")
    flows = canonical(3, dst_ip=["8.8.8.8", "1.1.1.1", "9.9.9.9"])
    return ft.NetworkFlowSummary(silent=True).run("10.20.0.5", data=flows)


@pytest.mark.parametrize("typed", ["AS15169 Google", "Gogle", "AS99999999", ""])
def test_an_as_that_does_not_exist_is_an_error_with_the_nearest(
    summary: ft.NetworkFlowResult, typed: str
) -> None:
    with pytest.raises(ft.ArgumentError, match="AS15169 ") as caught:
        summary.select_asns([typed])
    assert typed in str(caught.value)


@pytest.mark.parametrize("given", ["AS15169", "15169", 15169, "as15169", "AS 15169", "ASN 15169"])
def test_an_as_is_selected_by_number_or_label(summary: ft.NetworkFlowResult, given: Any) -> None:
    summary.select_asns([given])
    assert summary.asn_selector is not None
    (label,) = summary.asn_selector.selected_items
    assert label.startswith("AS15169 ")
    summary.select_asns([label])
    assert summary.asn_selector.selected_items == [label]
    summary.select_asns(label.partition(" ")[2].lower())
    assert summary.asn_selector.selected_items == [label]


def test_an_unknown_column_is_an_error_with_the_three_nearest() -> None:
    flows = canonical(src_bytes=[1], dst_bytes=[1])
    with pytest.raises(ft.ArgumentError, match=r"src_bytes.*dst_bytes|dst_bytes.*src_bytes"):
        ft.top_n(flows, key="src_ip", by="scr_bytes")
    with pytest.raises((ft.ArgumentError, ft.InputError), match="dst_port"):
        ft.top_n(flows, key="dst_prt", by="flows")
    with pytest.raises(ft.ArgumentError, match="dst_port"):
        ft.read_flows(flows, keep=["dst_prt"])


def test_an_unknown_format_or_option_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ft.ArgumentError, match="did you mean.*nfdump"):
        ft.read_flows(canonical(), format="nfdmp")
    with pytest.raises(ft.ArgumentError, match="did you mean.*flow_summary"):
        ft.NetworkFlowSummary.requested_options(["flow_sumary"])


def test_a_step_that_needs_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day, flows = sample_day()
    ft.write_flows(flows, tmp_path / "day.log", format="zeek")
    (tmp_path / "flowtriage.toml").write_text("[ranking]\niterations = 2\ntopics = 3\n")
    run("oa", "run", str(day), "--flows", "day.log", "--limit", "30")
    before = run("store", "read", "flow_scores", "--json").stdout
    for step in ("context", "geolocation", "reputation"):
        refused = run("oa", "run", str(day), "--step", step, status=2).stderr
        assert step in refused
        assert "store" in refused
    assert run("store", "read", "flow_scores", "--json").stdout == before


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a store of one suspicious connection, and its day."""
    from threat_work import DAY, IP, flow, suspicious

    monkeypatch.chdir(tmp_path)
    suspicious(ft.FlowStore("duckdb:///flows.duckdb"), flow(IP, "2001:db8::1"))
    return str(DAY)


@pytest.mark.parametrize("option", ["--dstip", "--srcip"])
def test_an_invalid_address_to_score_is_an_error(scored: str, option: str) -> None:
    refused = run("oa", "score", scored, "1", option, "999.1.1.1", status=2).stderr
    assert "999.1.1.1" in refused


@pytest.mark.parametrize("address", ["2001:DB8::1", "2001:db8:0:0::1", "2001[:]db8::1"])
def test_an_address_to_score_is_matched_in_any_notation(scored: str, address: str) -> None:
    run("oa", "score", scored, "1", "--dstip", address)
    rows = json.loads(run("store", "read", "flow_threat_investigation", "--json").stdout)
    assert [row["dstip"] for row in rows] == ["2001:db8::1"]


@pytest.mark.parametrize("command", [("store", "info"), ("store", "read", "flow_scores")])
def test_reading_a_store_does_not_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run(*command, "--store", "duckdb:///typo.duckdb", status=2).stderr
    assert "typo.duckdb" in refused
    assert not list(tmp_path.iterdir())


def test_a_host_that_a_provider_did_not_find_is_reported_with_all_flows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("msticpy")
    pandas = pytest.importorskip("pandas")
    import azure_network as made

    frame = pandas.concat([made.flows()] * 5, ignore_index=True)
    driver = made.Sentinel({"AzureNetworkAnalytics_CL": frame})
    providers = ft.DataProviders(driver.provider(), ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(providers)
    nb.run("nohost", start=made.START, end=made.END, options=["flow_summary"])
    assert "nohost does not occur in the 25 records" in capsys.readouterr().out


def test_a_host_without_flows_is_reported_with_all_flows_of_the_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("msticpy")
    flows = canonical(3, dst_ip=["8.8.8.8", "1.1.1.1", "9.9.9.9"])
    for host in ("192.0.2.77", "2001:db8::/32"):
        ft.NetworkFlowSummary().run(host, data=flows, options=["flow_summary"])
        assert f"{host} does not occur in the 3 records" in capsys.readouterr().out


def test_a_block_list_reads_quoted_csv(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text('first_seen,comment,dst_ip\n2024,"a, ""b""\nc",192.0.2.1\n2025,x,"192.0.2.2"\n')
    (one,) = BlockLists(path).lists
    assert one.entries["network"].to_pylist() == ["192.0.2.1", "192.0.2.2"]
    hits = one.find(pa.array(["192.0.2.1", "192.0.2.2"]))["network"]
    assert hits.null_count == 0


def test_a_row_of_a_block_list_with_too_few_cells_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("first_seen,dst_ip\n2024,192.0.2.1\n2025\n")
    with pytest.warns(UserWarning, match="feed.csv"):
        (one,) = BlockLists(path).lists
    assert len(one.unusable) == 1


@pytest.mark.parametrize(
    ("window", "listed"),
    [
        ({"valid_until": "2020-01-01T00:00:00Z"}, False),
        ({"valid_from": "2999-01-01T00:00:00Z"}, False),
        ({"valid_from": "2020-01-01T00:00:00Z", "valid_until": "2999-01-01T00:00:00Z"}, True),
    ],
)
def test_a_stix_indicator_is_listed_within_its_validity(
    tmp_path: Path, window: dict[str, str], listed: bool
) -> None:
    fact = {"type": "indicator", "id": "indicator--1", "pattern_type": "stix"}
    objects = [
        fact | {"pattern": "[ipv4-addr:value = '192.0.2.1']"} | window,
        fact | {"pattern": "[ipv4-addr:value = '192.0.2.2']"},
    ]
    path = tmp_path / "stix.json"
    path.write_text(json.dumps({"type": "bundle", "objects": objects}))
    (one,) = BlockLists(path).lists
    found = one.find(pa.array(["192.0.2.1", "192.0.2.2"]))["network"].is_valid()
    assert found.to_pylist() == [listed, True]


def test_a_misp_attribute_is_listed_while_it_is_seen(tmp_path: Path) -> None:
    attributes = [
        {"type": "ip-dst", "value": "192.0.2.1", "last_seen": "2020-01-01T00:00:00Z"},
        {"type": "ip-dst", "value": "192.0.2.2", "first_seen": "2020-01-01T00:00:00Z"},
        {"type": "ip-dst", "value": "192.0.2.3", "deleted": True},
    ]
    path = tmp_path / "misp.json"
    path.write_text(json.dumps({"Event": {"info": "x", "Attribute": attributes}}))
    (one,) = BlockLists(path).lists
    found = one.find(pa.array(["192.0.2.1", "192.0.2.2", "192.0.2.3"]))["network"].is_valid()
    assert found.to_pylist() == [False, True, False]


def test_the_commands_state_bad_rows(tmp_path: Path) -> None:
    log = zeek(tmp_path / "conn.log", {}, {"id.orig_p": "many"}, {"id.resp_p": "x"})
    for command in (
        ("summary", "--host", "10.20.0.5"),
        ("top", "--key", "src_ip", "--by", "flows"),
    ):
        done = run(*command, log)
        assert re.search(r"Bad rows +2\b|\b2 bad", done.stdout + done.stderr)


ODD = [
    "zzz",
    "",
    5,
    b"x",
    ["a"],
    {},
    ("a", 1),
    float("nan"),
    "日本",
    "\ud800",
    "x" * 100_000,
    "9" * 6000,
]
"""What is near no name, or is none."""


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:10])
def test_odd_choices_are_errors_with_the_three_nearest(
    summary: ft.NetworkFlowResult, tmp_path: Path, odd: Any
) -> None:
    flows = canonical(2, src_bytes=[1, 2])
    refused = [
        lambda: ft.top_n(flows, key=[odd], by="flows"),
        lambda: ft.top_n(flows, key="src_ip", by=odd),
        lambda: ft.timeline(flows, by=odd),
        lambda: ft.write_flows(flows, tmp_path / "out", format=odd),
        lambda: ft.set_opt(odd, True),
        lambda: ft.NetworkFlowSummary.requested_options([odd]),
        lambda: summary.select_asns([odd]),
    ]
    if odd:
        refused.append(lambda: ft.read_flows(flows, format=odd))
    if isinstance(odd, str):
        refused.append(lambda: ft.read_flows(flows, keep=[odd]))
        refused.append(lambda: ft.read_flows(flows, columns={"src_ip": odd, "dst_ip": "dst_ip"}))
    for function in refused:
        with pytest.raises(ft.FlowtriageError) as caught:
            function()
        message = str(caught.value)
        assert re.search(r"did you mean .+, .+ or .+\?", message), message
        assert len(message) < 1500
        message.encode()


@pytest.mark.parametrize("name", ["keep", "tz", "date_order", "columns"])
@pytest.mark.parametrize("odd", [5, b"x", [5], 1.5, "x" * 100_000])
def test_odd_arguments_of_reading_are_errors(name: str, odd: Any) -> None:
    given = {"src_ip": odd, "dst_ip": "dst_ip"} if name == "columns" else odd
    with pytest.raises(ft.FlowtriageError) as caught:
        ft.read_flows(canonical(), **{name: [odd] if name == "keep" else given})
    assert len(str(caught.value)) < 1500


def test_a_mapping_to_an_unknown_column_has_the_three_nearest() -> None:
    flows = pa.table({"Client": ["10.0.0.1"], "Server": ["192.0.2.1"], "Port": [1], "Up": [1]})
    with pytest.raises(ft.FormatError, match="For 'cleint' did you mean Client, Port or Server"):
        ft.read_flows(flows, columns={"src_ip": "cleint", "dst_ip": "Server"})
