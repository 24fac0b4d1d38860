"""The test that msticnb has of its NetworkFlowSummary, on a host with flows and on one without."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowtriage as nb

pytest.importorskip("msticpy")

import pandas as pd
from bokeh.models import LayoutDOM
from msticpy.common.timespan import TimeSpan
from msticpy.datamodel.entities import Host

import azure_network

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
TABLES = ("SecurityEvent", "AzureNetworkAnalytics_CL", "Heartbeat", "VMComputer")


@pytest.mark.parametrize(("host", "found"), [("web", True), ("myhost", False)])
@pytest.mark.parametrize("day", ["2024-05-01", "2019-05-01"])
def test_a_run_on_local_data_with_the_steps_after_it(
    host: str, found: bool, day: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = azure_network.local_data(tmp_path, flows=azure_network.flows())
    nb.init(
        query_provider="LocalData",
        providers=["tilookup"],
        LocalData_data_paths=parameters["data_paths"],
    )
    summary = nb.nblts.azsent.network.NetworkFlowSummary()
    summary.query_provider.schema.update({table: {} for table in TABLES})
    result = summary.run(
        value=host, timespan=TimeSpan(start=day, period="1D"), options=["+geo_map"]
    )
    assert isinstance(result.host_entity, Host)
    assert isinstance(result.network_flows, pd.DataFrame)
    for name in ("plot_flows_by_protocol", "plot_flows_by_direction", "plot_flow_values"):
        assert isinstance(getattr(result, name), LayoutDOM)
    assert isinstance(result.flow_index, pd.DataFrame)
    assert isinstance(result.flow_summary, pd.DataFrame)
    assert result.geo_map is not None
    has_flows = found and day.startswith("2024")
    assert (len(result.flow_index) > 0) is has_flows
    capsys.readouterr()
    result.select_asns()
    result.lookup_ti_for_asn_ips()
    drawn = result.show_selected_asn_map()
    said = capsys.readouterr().out
    assert (result.asn_selector is not None) is has_flows
    assert (drawn is not None) is has_flows
    assert result.geo_map_selected is drawn
    assert ("there is no ASN to select" in said) is not has_flows
