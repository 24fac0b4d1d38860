"""`ti_results` of the notebooklet: flows, ledger, what is shown, and what is stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import flowtriage as ft

pytest.importorskip("msticpy")

import pandas as pd

import azure_network
from azure_network import WEB
from flowtriage.progress import progress_to
from flowtriage.render.html_tables import html_table
from ti_service import CLOSES, HANGS, Service, serving, ti_lookup

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

GOOGLE, ONE, HOSTILE = "8.8.8.8", "1.1.1.1", "<script>alert(1)</script>\u202e"
LOOK_UP = [
    *("Ioc", "IocType", "QuerySubtype", "Provider", "Result", "Severity", "Details"),
    *("RawResult", "Reference", "Status", "SafeIoc"),
]


def flows() -> pd.DataFrame:
    """Flows of `web`: with 8.8.8.8 by two protocols out and one in, with 1.1.1.1 out."""
    base = azure_network.flows()
    back = base.iloc[[2]].assign(AllExtIPs=GOOGLE, SrcIP=GOOGLE)
    other = base.iloc[[0]].assign(L7Protocol="dns", AllowedOutFlows=3)
    return pd.concat([base, back, other], ignore_index=True)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving({GOOGLE: [HOSTILE, "B"]}) as service:
        yield service


def selected(service: Service, *names: str, silent: bool = True) -> ft.NetworkFlowResult:
    providers = ft.DataProviders("LocalFlows", LocalFlows_paths=[])
    nb = ft.NetworkFlowSummary(providers, silent=silent)
    nb.data_providers.providers["tilookup"] = ti_lookup(service.url, *names)
    result = nb.run(WEB, data=flows(), options=["flow_summary"])
    result.select_asns([15169, 13335])
    return result


def test_flows_follow_the_columns_of_the_look_up(service: Service) -> None:
    result = selected(service, "OTX", "GreyNoise")
    result.lookup_ti_for_asn_ips()
    found = result.ti_results
    index = result.flow_index
    assert found.columns.tolist() == [*LOOK_UP, *index.columns]
    assert {"source", "dest", "L7Protocol", "FlowDirection"} < set(index.columns)
    for provider in ("OTX", "GreyNoise"):
        for address in (GOOGLE, ONE):
            mine = found[(found["Provider"] == provider) & (found["Ioc"] == address)]
            theirs = index[(index["source"] == address) | (index["dest"] == address)]
            columns = ["source", "dest", "L7Protocol", "FlowDirection", "TotalAllowedFlows"]
            assert sorted(mine[columns].to_numpy().tolist()) == sorted(
                theirs[columns].to_numpy().tolist()
            )
    assert found["TotalAllowedFlows"].dtype == index["TotalAllowedFlows"].dtype
    assert len(found) == 8
    assert set(found.loc[found["Ioc"] == GOOGLE, "FlowDirection"]) == {"I", "O"}
    assert found["Severity"].tolist()[:6] == ["high"] * 6
    assert (found["SafeIoc"] == found["Ioc"]).all()


def test_further_columns_of_a_look_up_stand_before_those_of_the_flows() -> None:
    class Sure:
        def lookup_iocs(self, data: dict[str, str]) -> pd.DataFrame:
            own = {"Confidence": [90 + len(ioc) for ioc in data], "source": "feed"}
            return pd.DataFrame({"Ioc": list(data), "Result": True, "Severity": "high", **own})

    nb = ft.NetworkFlowSummary(ft.DataProviders("LocalFlows", LocalFlows_paths=[]), silent=True)
    nb.data_providers.providers["tilookup"] = Sure()
    result = nb.run(WEB, data=flows(), options=["flow_summary"])
    result.select_asns([15169, 13335])
    result.lookup_ti_for_asn_ips()
    found = result.ti_results
    assert found.columns.tolist() == [
        *(*LOOK_UP, "Confidence", "lookup_source", *result.flow_index.columns)
    ]
    assert (found["Confidence"] == 90 + found["Ioc"].str.len()).all()
    assert set(found["lookup_source"]) == {"feed"}
    assert set(found["source"]) <= set(result.flow_index["source"])


def test_without_results_the_columns_are_the_same(service: Service) -> None:
    service.trouble |= {GOOGLE: CLOSES, ONE: CLOSES}
    result = selected(service, "OTX")
    result.lookup_ti_for_asn_ips()
    assert result.ti_results.empty
    assert result.ti_results.columns.tolist() == [*LOOK_UP, *result.flow_index.columns]
    assert result.ti_ledger["status"].tolist() == ["failed"] * 2
    assert result.ti_coverage["failed"].tolist() == [2]


def test_details_are_shown_as_each_provider_gave_them(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.trouble[ONE] = CLOSES
    result = selected(service, "OTX", "GreyNoise", silent=False)
    capsys.readouterr()
    result.lookup_ti_for_asn_ips()
    shown = capsys.readouterr().out
    assert "Addresses without an answer" in shown
    assert "\u202e" not in shown
    hits = result.ti_results.drop_duplicates(["Ioc", "Provider"]).iloc[:2]
    html = html_table(hits[["Provider", "Details"]])
    rows = {row.partition("</td>")[0]: row for row in html.split("<tr><td>")[1:]}
    assert "pulse_count" in rows["OTX"]
    assert "Classification" not in rows["OTX"]
    assert "Classification" in rows["GreyNoise"]
    assert "pulse_count" not in rows["GreyNoise"]
    for page in (html, result._repr_html_()):
        assert "<script>alert" not in page
        assert "\u202e" not in page
    assert "&lt;script&gt;alert" in html


def test_the_time_limit_is_an_option_and_said(service: Service) -> None:
    service.trouble[ONE] = service.trouble[GOOGLE] = HANGS
    result = selected(service, "OTX")
    steps: list[tuple[str, int, int | None]] = []
    with progress_to(lambda *step: steps.append(step)):
        result.lookup_ti_for_asn_ips(time_limit=0.5)
    assert set(result.ti_ledger["reason"]) == {"time limit"}
    said = result.sections[-1].contents
    assert "Stopped at the time limit: 2 of 2 queries have no answer." in said
    assert steps == sorted(steps)
    assert ("threat intelligence", 0, 2) in steps
    nb = result.notebooklet
    with pytest.raises(ft.FlowtriageError, match="time_limit"):
        nb.lookup_ti_for_asn_ips(time_limit=0)
