"""Arguments with unpaired surrogates or null bytes, as damaged text has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.enrich import BlockLists
from flowtriage.inputs.addresses import parse_address, parse_network
from flowtriage.inputs.hosts import parse_host
from flowtriage.inputs.networks import parse_networks
from flowtriage.inputs.timespan import parse_day, parse_timespan
from flowtriage.store.raw_flows import RawFlows
from small_logs import canonical

FLOWS = canonical()
TEXTS = ("\udcfc", "\ud800", "10.0.0.1\udcfc", "web\ud800")
ARGUMENTS: dict[str, Callable[[Any], object]] = {
    "host": parse_host,
    "host entity": lambda text: parse_host(SimpleNamespace(HostName=text)),
    "day": parse_day,
    "start": lambda text: parse_timespan(start=text),
    "end": lambda text: parse_timespan(end=text),
    "networks": parse_networks,
    "network": lambda text: parse_networks([text]),
    "internal": lambda text: ft.classify_direction(FLOWS, internal=text),
    "host=": lambda text: ft.classify_direction(FLOWS, host=text),
    "search": lambda text: ft.expanded_search(FLOWS, text),
    "summary": lambda text: ft.NetworkFlowSummary().run(text, data=FLOWS, silent=True),
    "investigation": lambda text: ft.FlowThreatInvestigation().run(text, data=FLOWS, silent=True),
    "time zone": lambda text: ft.read_flows(FLOWS, tz=text),
    "order of dates": lambda text: ft.read_flows(FLOWS, date_order=text),
    "format": lambda text: ft.read_flows(FLOWS, format=text),
    "database": ft.AsnDatabase,
}


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("text", TEXTS)
def test_an_argument_with_unpaired_surrogates_is_invalid(name: str, text: str) -> None:
    with pytest.raises(ft.ArgumentError) as raised:
        ARGUMENTS[name](text)
    str(raised.value).encode()


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_no_address_and_no_network(text: str) -> None:
    assert parse_address(text) is None
    assert parse_network(text) is None


@pytest.mark.parametrize("path", ["\ud800", "a\0b"])
@pytest.mark.parametrize(
    "read", [ft.read_flows, ft.flow_index, ft.AsnDatabase, BlockLists, parse_networks]
)
def test_a_path_that_no_file_can_have_is_invalid(
    read: Callable[[str], object], path: str, tmp_path: Path
) -> None:
    for call in (read, RawFlows(tmp_path / "raw").ingest):
        with pytest.raises(ft.ArgumentError):
            call(path)


def test_a_name_that_is_not_utf8_is_a_path(tmp_path: Path) -> None:
    path = f"{tmp_path}/caf\udce9.csv"
    Path(path).write_text("10.0.0.0/8\n")
    assert parse_networks(path) == ["10.0.0.0/8"]
    with pytest.raises(FileNotFoundError):
        ft.read_flows(f"{tmp_path}/absent\udce9.log")


def test_cells_with_unpaired_surrogates_are_bad_values() -> None:
    row = {"start_time": 1, "src_ip": "10.0.0.1\udcfc", "dst_ip": "8.8.8.8", "flows": 1}
    columns = {name: name for name in row}
    report = ft.read_flows([row, row | {"src_ip": "10.0.0.1"}], columns=columns).report
    assert (report.records, report.rows_bad) == (1, 1)
    assert report.bad_rows[0].value == r"10.0.0.1\udcfc"
    with pytest.raises(ft.InputError, match=re.escape(r"row 1")):
        ft.AsnDatabase().lookup(["8.8.8.8", "8.8.8.8\udcfc"])


def test_cells_of_a_dataframe_likewise() -> None:
    pd = pytest.importorskip("pandas")
    sources = pd.Series(["1\udcfc", None, "::1"], dtype=object)
    frame = pd.DataFrame({"src_ip": sources, "dst_ip": "8.8.8.8", "flows": 1})
    frame = frame.assign(start_time=pd.Timestamp(1, tz="UTC"))
    report = ft.read_flows(frame, columns={name: name for name in frame.columns}).report
    assert report.records == 1
    assert [row.value for row in report.bad_rows] == [r"1\udcfc", None]
