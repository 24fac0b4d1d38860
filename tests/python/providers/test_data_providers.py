"""The providers of a session: which there are, how they are loaded, and runs on them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError, MsticnbDataProviderError, MsticnbMissingParameterError

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
ALONE = ["-tilookup", "-geolitelookup"]


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.parquet"
    pyarrow.parquet.write_table(sample.office_day(), path)
    return path


def test_names_of_providers() -> None:
    names = ft.DataProviders.list_providers()
    wanted = {"MSSentinel", "Kusto", "LocalData", "LocalFlows", "tilookup", "geolitelookup"}
    assert wanted | {"ipstacklookup"} <= set(names)
    assert "Unknown" not in names
    assert ft.DataProviders.get_def_providers() == ["tilookup", "geolitelookup"]


@pytest.mark.parametrize(
    ("asked", "loaded"),
    [
        (None, {"LocalFlows", "tilookup", "geolitelookup"}),
        (["-geolitelookup"], {"LocalFlows", "tilookup"}),
        (["-GeoLiteLookup", "-tilookup"], {"LocalFlows"}),
        (["tilookup"], {"LocalFlows", "tilookup"}),
        (["+LocalData"], {"LocalFlows", "tilookup", "geolitelookup", "LocalData"}),
    ],
)
def test_lists_of_providers(day: Path, asked: list[str] | None, loaded: set[str]) -> None:
    providers = ft.DataProviders("LocalFlows", asked, LocalFlows_paths=day)
    assert set(providers.providers) == loaded
    assert providers.failures == {}
    assert providers.query_provider is providers.LocalFlows is providers["localflows"]
    assert ft.DataProviders.current() is providers


def test_mixed_lists_and_unknown_names_are_refused(day: Path) -> None:
    with pytest.raises(ArgumentError, match="mixes names with and without"):
        ft.DataProviders("LocalFlows", ["tilookup", "-geolitelookup"], LocalFlows_paths=day)
    with pytest.raises(MsticnbDataProviderError, match="unknown provider 'Sentinal'.*MSSentinel"):
        ft.DataProviders("Sentinal", ALONE)
    with pytest.raises(ArgumentError, match="unknown parameters Splunk_host; .* named after"):
        ft.DataProviders("LocalFlows", ALONE, LocalFlows_paths=day, Splunk_host="x")
    with pytest.raises(FileNotFoundError, match="matches the pattern"):
        ft.DataProviders("LocalFlows", ALONE, LocalFlows_paths=day.parent / "*.log")
    assert ft.DataProviders.current() is None


def test_the_same_arguments_return_the_same_instance(day: Path) -> None:
    first = ft.DataProviders("LocalFlows", ALONE, LocalFlows_paths=day)
    assert ft.DataProviders("LocalFlows", ALONE, LocalFlows_paths=day) is first
    second = ft.DataProviders("LocalFlows", ["tilookup"], LocalFlows_paths=day)
    assert second is not first
    assert ft.DataProviders.current() is second


def test_a_provider_that_fails_is_told_and_stops_nothing(
    day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ft.init(providers=["LocalData"], LocalFlows_paths=day, LocalData_query_paths=7)
    shown = capsys.readouterr().out
    providers = ft.DataProviders.current()
    assert list(providers.providers) == ["LocalFlows"]
    assert "LocalData" in providers.failures
    assert shown.startswith("Loaded providers: LocalFlows\nLocalData: ")
    with pytest.raises(MsticnbDataProviderError, match="'LocalData' is not loaded .*Loaded prov"):
        ft.NetworkFlowSummary().get_provider("LocalData")


def test_providers_are_added_later_and_once(day: Path, tmp_path: Path) -> None:
    providers = ft.DataProviders("LocalFlows", ALONE, LocalFlows_paths=day)
    providers.add_provider("localdata", LocalData_data_paths=[str(tmp_path)], LocalFlows_paths="x")
    added = providers.LocalData
    assert providers["LocalData"] is added
    providers.add_provider("LocalData")
    assert providers.LocalData is added
    assert added.environment == "LocalData"
    with pytest.raises(MsticnbDataProviderError, match="unknown provider"):
        providers.add_provider("mailbox")


def test_required_providers(day: Path) -> None:
    providers = ft.DataProviders("LocalFlows", ["tilookup"], LocalFlows_paths=day)
    has = providers.has_required_providers
    assert has([]) == ([], [])
    assert has(["tilookup", "AzureSentinel|LocalData"]) == ([], [])
    assert has(["geolitelookup|ipstacklookup"]) == (["geolitelookup|ipstacklookup"], [])
    assert has(["mailbox", "geolitelookup"]) == (["mailbox", "geolitelookup"], ["mailbox"])


def test_aliases_of_an_environment_are_one_provider() -> None:
    from azure_network import Sentinel

    made = Sentinel({}).provider()
    providers = ft.DataProviders(made, ALONE)
    assert providers.query_provider is made
    for name in ("MSSentinel", "AzureSentinel", "LogAnalytics", "mssentinel"):
        assert providers[name] is made
        assert providers.has_required_providers([name]) == ([], [])
    nb = ft.NetworkFlowSummary(providers)
    assert nb.get_provider("AzureSentinel") is made
    assert nb.query_provider is made
    assert nb.data_providers is providers


def test_without_providers_construction_works_and_run_says_what_to_do() -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    assert nb.data_providers is None
    assert nb.query_provider is None
    with pytest.raises(MsticnbMissingParameterError, match=r"give data=.*flowtriage\.init"):
        nb.run("10.0.0.4", start="2024-05-01", end="2024-05-02")
    with pytest.raises(MsticnbDataProviderError, match="Loaded providers: none"):
        nb.get_provider("tilookup")


def test_local_flows_runs_like_data(day: Path) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    ft.init(providers=ALONE, LocalFlows_paths=[day.parent / "*.parquet"])
    span = {"start": "2024-01-01", "end": "2030-01-01"}
    by_provider = nb.run(sample.HOST_IP, **span)
    by_data = nb.run(sample.HOST_IP, data=day, **span)
    assert by_provider.flow_index is not None
    assert len(by_provider.flow_index) > 0
    assert by_provider.flow_index.equals(by_data.flow_index)
    for missing in ({}, {"start": "2024-01-01"}, {"end": "2030-01-01"}):
        with pytest.raises(MsticnbMissingParameterError, match="timespan is missing"):
            nb.run(sample.HOST_IP, **missing)


def test_data_defaults_to_its_own_span(day: Path) -> None:
    found = ft.NetworkFlowSummary(silent=True).run(sample.HOST_IP, data=day, options=[])
    flows = ft.read_flows(day)
    assert found.timespan is not None
    assert (found.timespan.start, found.timespan.end) == (flows.report.start, flows.report.end)
    assert found.network_flows is not None
    assert len(found.network_flows) > 0


def test_tables_of_the_query_provider(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    assert not nb.check_table_exists("Heartbeat")
    assert "No query provider" in capsys.readouterr().out
    ft.init(providers=ALONE, LocalFlows_paths=day)
    capsys.readouterr()
    assert nb.check_table_exists("day.parquet")
    assert capsys.readouterr().out == ""
    assert not nb.check_table_exists("Heartbeat")
    assert "no table Heartbeat" in capsys.readouterr().out
