"""Notebooklets as functions of msticpy's entities."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet
import pytest

import flowtriage as ft
from flowtriage import sample

pytest.importorskip("msticpy")

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(autouse=True)
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.parquet"
    pyarrow.parquet.write_table(sample.office_day(), path)
    ft.init(providers=["-tilookup", "-geolitelookup"], LocalFlows_paths=path)
    return path


def test_entities_run_the_notebooklet_over_the_timespan_of_the_pivot() -> None:
    from msticpy.datamodel.entities import IpAddress
    from msticpy.init.pivot import Pivot

    report = ft.read_flows(sample.office_day()).report
    pivot = Pivot()
    earlier = pivot.timespan
    try:
        pivot.set_timespan(start=report.start, end=report.end)
        found = IpAddress.nblt.network_flow_summary(
            IpAddress(Address=sample.HOST_IP), options=["flow_summary"]
        )
        assert type(found) is ft.NetworkFlowResult
        assert found.flow_index is not None
        assert not found.flow_index.empty
        assert found.timespan.start == report.start
        by_text = IpAddress.nblt.network_flow_summary(
            value=sample.HOST_IP, options=["flow_summary"]
        )
        assert by_text.flow_index.equals(found.flow_index)
        pivot.set_timespan(start="2001-01-01", end="2001-01-02")
        assert IpAddress.nblt.network_flow_summary(sample.HOST_IP, options=[]).network_flows.empty
    finally:
        pivot.timespan = earlier


def test_hosts_have_the_function_and_calls_may_give_their_own_span() -> None:
    from msticpy.datamodel.entities import Host

    span = {"start": "2001-01-01", "end": "2100-01-01"}
    found = Host.nblt.network_flow_summary(Host(HostName="nobody"), options=[], **span)
    assert "nobody does not occur" in str(found.sections[0].contents)
    assert "Summarise the network flows" in (Host.nblt.network_flow_summary.__doc__ or "")


def test_the_function_has_the_parameters_of_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from msticpy.init.pivot import Pivot

    added = []
    monkeypatch.setattr(Pivot, "add_pivot_function", lambda **given: added.append(given["func"]))
    ft.NetworkFlowSummary.add_pivot_function()
    [own, *parameters] = inspect.signature(ft.NetworkFlowSummary.run).parameters.values()
    assert own.name == "self"
    assert list(inspect.signature(added[0]).parameters.values()) == parameters


def test_all_notebooklets_become_pivot_functions() -> None:
    from msticpy.datamodel.entities import Host, IpAddress
    from msticpy.init.pivot import Pivot

    ft.add_pivot_funcs(Pivot(), namespace={}, providers=[])
    for entity, names in (
        (Host, {"network_flow_summary"}),
        (IpAddress, {"network_flow_summary", "flow_threat_investigation"}),
    ):
        assert names <= {name for name, _ in entity.nblt}
    assert "flow_threat_investigation" not in {name for name, _ in Host.nblt}
    span = {"start": "2001-01-01", "end": "2100-01-01"}
    found = IpAddress.nblt.flow_threat_investigation(
        value=IpAddress(Address=sample.BEACON.peer), options=["top_tables"], **span
    )
    assert isinstance(found, ft.FlowThreatResult)
    assert found.peers["peer"].tolist() == [sample.HOST_IP]


def test_a_pivot_of_its_own_has_its_own_timespan() -> None:
    from msticpy.datamodel.entities import IpAddress

    report = ft.read_flows(sample.office_day()).report
    pivot = SimpleNamespace(get_timespan=lambda: (report.start, report.end))
    ft.add_pivot_funcs(pivot)
    found = IpAddress.nblt.network_flow_summary(sample.HOST_IP, options=[], silent=True)
    assert found.timespan.end == report.end
    ft.add_pivot_funcs()
