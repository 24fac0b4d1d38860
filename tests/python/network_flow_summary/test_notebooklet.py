"""The notebooklet `NetworkFlowSummary`."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError, InputError, MsticnbMissingParameterError
from flowtriage.schema import SCHEMA

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

AZURE = "azure_nta/az_net_flows_2019-02-12_13.csv"
DEFAULT = ["plot_flows", "plot_flow_values", "flow_summary", "resolve_host", "findings"]
TITLES = [
    "Host Network Summary",
    "Findings",
    "Timeline of network flows by protocol type.",
    "Timeline of network flows by direction.",
    "Timeline of network flows quantity.",
    "Flow Index.",
    "Flow Summary with ASN details.",
    "Map of geographic location of all IPs communicating with host",
]


@pytest.fixture(scope="module")
def day() -> pa.Table:
    return sample.office_day()


@pytest.fixture(scope="module")
def result(day: pa.Table) -> ft.NetworkFlowResult:
    return ft.NetworkFlowSummary(silent=True).run(sample.HOST_IP, data=day, options=["+geo_map"])


def test_every_attribute_of_the_result_is_filled(result: ft.NetworkFlowResult) -> None:
    later = {"geo_map_selected", "ti_results"}
    attributes = {
        "host_entity",
        "findings",
        "detector_status",
        "network_flows",
        "plot_flows_by_protocol",
        "plot_flows_by_direction",
        "plot_flow_values",
        "flow_index",
        "flow_index_data",
        "flow_summary",
        "geo_map",
    }
    assert set(result.attributes()) == attributes
    assert all(hasattr(result, name) for name in later)
    assert type(result.host_entity).__name__ == "Host"
    assert result.host_entity.IpAddress.Address == sample.HOST_IP
    assert type(result.geo_map).__name__ == "FoliumMap"
    for name in ("network_flows", "flow_index", "flow_index_data", "flow_summary"):
        assert type(getattr(result, name)).__name__ == "DataFrame"


def test_index_and_summary_equal_the_verbs(result: ft.NetworkFlowResult, day: pa.Table) -> None:
    flows = ft.classify_direction(day, host=sample.HOST_IP)
    mask = pa.compute.or_(
        pa.compute.equal(flows["src_ip"], sample.HOST_IP),
        pa.compute.equal(flows["dst_ip"], sample.HOST_IP),
    )
    flows = flows.filter(mask)
    assert result.flow_index is not None
    assert result.flow_summary is not None
    assert result.flow_index_data is not None
    assert result.flow_index.equals(ft.flow_index(flows).to_pandas())
    expected = ft.flow_summary(flows)
    assert result.flow_summary["DestASN"].tolist() == expected["DestASN"].to_pylist()
    assert result.flow_summary["dest_ips"].tolist() == expected["dest_ips"].to_pylist()
    total = result.flow_index_data["TotalAllowedFlows"].sum()
    assert total == result.flow_index["TotalAllowedFlows"].sum()
    assert total == pa.compute.sum(flows["flows"]).as_py()
    assert len(result.flow_index_data) == flows.num_rows
    assert set(result.flow_index_data["FlowDirection"]) == set(result.flow_index["FlowDirection"])
    assert list(result.flow_index.columns[:5]) == [
        "source",
        "dest",
        "L7Protocol",
        "FlowDirection",
        "TotalAllowedFlows",
    ]
    assert list(result.flow_summary.columns[:6]) == [
        "DestASN",
        "SourceASN",
        "TotalAllowedFlows",
        "L7Protocols",
        "source_ips",
        "dest_ips",
    ]


def test_every_section_is_shown_under_its_title(
    day: pa.Table, capsys: pytest.CaptureFixture[str]
) -> None:
    result = ft.NetworkFlowSummary().run(sample.HOST_IP, data=day, options=["+geo_map"])
    shown = capsys.readouterr().out
    assert [section.title for section in result.sections] == TITLES
    places = [shown.index(f"{title}\n") for title in TITLES]
    assert places == sorted(places)
    assert "I = inbound, O = outbound" in shown


def test_silent_runs_show_nothing(day: pa.Table, capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    quiet = nb.run(sample.HOST_IP, data=day, options=["flow_summary"])
    assert capsys.readouterr().out == ""
    assert len(quiet.sections) == 3
    nb.run(sample.HOST_IP, data=day, options=["flow_summary"], silent=False)
    assert "Flow Index." in capsys.readouterr().out
    nb.silent = False
    nb.run(sample.HOST_IP, data=day, options=["flow_summary"], silent=True)
    assert capsys.readouterr().out == ""
    assert nb.result is not quiet


def test_options_are_those_of_the_notebooklet() -> None:
    nb = ft.NetworkFlowSummary
    assert nb.default_options() == DEFAULT
    assert nb.all_options() == [*DEFAULT, "geo_map"]
    for option in nb.all_options():
        assert f"- {option}: " in nb.list_options()
    assert nb.requested_options(None) == set(DEFAULT)
    assert nb.requested_options(["+geo_map", "-plot_flows"]) == {*DEFAULT, "geo_map"} - {
        "plot_flows"
    }
    assert nb.requested_options(["geo_map"]) == {"geo_map"}
    assert nb.requested_options([]) == set()
    assert nb.name() == "NetworkFlowSummary"
    assert nb.entity_types() == ["host", "ip_address"]
    with pytest.raises(ArgumentError, match="unknown options: 'colour'; did you mean "):
        nb.requested_options(["colour"])


def test_options_choose_what_is_made(day: pa.Table) -> None:
    run = ft.NetworkFlowSummary(silent=True).run
    only = run(sample.HOST_IP, data=day, options=["plot_flow_values"])
    assert only.plot_flow_values is not None
    assert only.flow_index is None
    assert only.plot_flows_by_protocol is None
    with pytest.raises(ArgumentError, match="unknown options"):
        run(sample.HOST_IP, data=day, options=["+nothing"])


def test_azure_host_by_address_by_name_and_by_entity(shared: Path) -> None:
    from msticpy.datamodel.entities import Host, IpAddress

    run = ft.NetworkFlowSummary(silent=True).run

    def total(value: Any, **kwargs: Any) -> tuple[int, int, Any]:
        found = run(value, data=shared / AZURE, **kwargs)
        assert found.flow_index is not None
        assert found.flow_summary is not None
        return (
            int(found.flow_index["TotalAllowedFlows"].sum()),
            int(found.flow_summary["TotalAllowedFlows"].sum()),
            found.host_entity,
        )

    by_address = total("10.0.3.5")
    assert by_address[:2] == (2300, 2300)
    assert by_address[2].HostName == "msticalertswin1"
    by_name = total("MSTICAlertsWin1")
    assert by_name[:2] == (2300, 2300)
    assert by_name[2].IpAddress.Address == "10.0.3.5"
    unresolved = total("MSTICAlertsWin1", options=["-resolve_host"])
    assert unresolved[:2] == (2262, 2262)

    host = Host(HostName="MSTICAlertsWin1", OSVersion="10")
    before = dict(host.properties)
    by_entity = total(host)
    assert by_entity[:2] == (2300, 2300)
    assert by_entity[2].OSVersion == "10"
    assert dict(host.properties) == before
    entity = Host()
    entity.IpAddress = IpAddress(Address="10.0.3.5")
    assert total(entity)[:2] == (2300, 2300)


@dataclasses.dataclass
class TimeSpan:
    start: Any
    end: Any


def test_timespan_filters(shared: Path) -> None:
    run = ft.NetworkFlowSummary(silent=True).run
    start, end = datetime(2019, 2, 12, 14, tzinfo=UTC), datetime(2019, 2, 12, 18, tzinfo=UTC)
    spans: list[dict[str, Any]] = [
        {"timespan": TimeSpan(start, end)},
        {"timespan": TimeSpan(start.replace(tzinfo=None), end.replace(tzinfo=None))},
        {"start": "2019-02-12T14:00", "end": "2019-02-12T18:00"},
    ]
    from msticpy.common.timespan import TimeSpan as MsticpyTimeSpan

    spans.append({"timespan": MsticpyTimeSpan(start=start, end=end)})
    rows = []
    for span in spans:
        found = run("10.0.3.5", data=shared / AZURE, options=[], **span)
        assert found.network_flows is not None
        assert found.network_flows["start_time"].between(start, end).all()
        assert found.timespan is not None
        rows.append(len(found.network_flows))
    assert 0 < rows[0] < 336
    assert len(set(rows)) == 1
    with pytest.raises(ArgumentError, match="before"):
        run("10.0.3.5", data=shared / AZURE, start="2019-02-13", end="2019-02-12")


def test_data_takes_every_form(shared: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run = ft.NetworkFlowSummary(silent=True).run
    path = shared / AZURE
    forms = [str(path), path, [path], pandas.read_csv(path), ft.read_flows(path)]
    forms.append(ft.read_flows(path).to_arrow())
    totals = set()
    for data in forms:
        found = run("10.0.3.5", data=data, options=["flow_summary"])
        assert found.flow_index is not None
        totals.add(found.flow_index["TotalAllowedFlows"].sum())
    assert totals == {2300}


def test_frames_given_as_data_are_not_changed(shared: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(shared / AZURE)
    before = frame.copy(deep=True)
    ft.NetworkFlowSummary(silent=True).run("10.0.3.5", data=frame)
    assert frame.equals(before)


@pytest.mark.parametrize(
    "peers",
    [
        ["8.8.8.8", "10.0.0.9"],
        ["10.0.0.9"],
        ["8.8.8.8"],
        ["2606:4700::1", "fd00::9"],
        [],
    ],
    ids=["mixed", "private", "public", "ipv6", "none"],
)
def test_peers_of_every_kind(peers: list[str]) -> None:
    host = "fd00::1" if any(":" in p for p in peers) else "10.0.0.1"
    names = ("start_time", "src_ip", "dst_ip", "service", "flows")
    rows = [
        dict(zip(names, (datetime(2024, 1, 1, tzinfo=UTC), host, peer, None, 1), strict=True))
        for peer in peers
    ]
    schema = SCHEMA
    flows = pa.Table.from_pylist(rows, schema=schema)
    found = ft.NetworkFlowSummary(silent=True).run(host, data=flows, options=["+geo_map"])
    assert found.flow_summary is not None
    assert found.flow_summary["TotalAllowedFlows"].sum() == len(peers)
    assert found.geo_map is not None
    assert found.plot_flow_values is not None


def test_a_host_that_does_not_occur_is_said_so(day: pa.Table) -> None:
    found = ft.NetworkFlowSummary(silent=True).run("192.0.2.77", data=day)
    assert found.flow_index is not None
    assert found.flow_index.empty
    (notice,) = found.sections[0].contents
    assert "192.0.2.77 does not occur" in str(notice)
    assert sample.HOST_IP in str(notice)


def test_missing_parameters_are_named(day: pa.Table) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    with pytest.raises(MsticnbMissingParameterError, match="value is missing"):
        nb.run(data=day)
    with pytest.raises(MsticnbMissingParameterError, match="data is missing"):
        nb.run(sample.HOST_IP)
    with pytest.raises(FileNotFoundError):
        nb.run(sample.HOST_IP, data="absent.log")
    with pytest.raises(InputError, match="not recognised"):
        nb.run(sample.HOST_IP, data=pa.table({"a": [1]}))
    with pytest.raises(ArgumentError, match="neither a HostName nor an address"):
        nb.run(object(), data=day)
    with pytest.raises(TypeError, match="unexpected keyword argument 'top'"):
        nb.run(sample.HOST_IP, data=day, top=5)
    with pytest.raises(ArgumentError, match="unknown parameters quiet; .*named after a provider"):
        ft.NetworkFlowSummary(quiet=True)


def test_result_shows_as_html_and_as_text(result: ft.NetworkFlowResult) -> None:
    page = result._repr_html_()
    for name in ("flow_index", "flow_summary", "plot_flow_values"):
        assert f"<h4>{name}</h4>" in page
        assert name in repr(result)
    assert f"{result.report.rows_read:,}" in page


def test_plots_hold_bins_and_not_flows(result: ft.NetworkFlowResult) -> None:
    from bokeh.embed import json_item

    plots = (
        result.plot_flows_by_protocol,
        result.plot_flows_by_direction,
        result.plot_flow_values,
    )
    assert sum(len(json.dumps(json_item(plot))) for plot in plots) < 3_000_000


def test_hostile_names_stay_text_in_the_report(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    flows = pa.Table.from_pylist(
        [
            {
                "start_time": datetime(2024, 1, 1, tzinfo=UTC),
                "src_ip": "10.0.0.1",
                "dst_ip": "8.8.8.8",
                "service": hostile,
                "flows": 1,
            }
        ]
    )
    found = ft.NetworkFlowSummary(silent=True).run("10.0.0.1", data=flows)
    page = found.write_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert hostile not in page
    assert hostile not in found._repr_html_()
