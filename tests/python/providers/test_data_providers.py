"""The providers of a session: which there are, how they are loaded, and runs on them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
HOST = "10.0.0.4"


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
    for missing in ({}, {"end": "2030-01-01"}):
        with pytest.raises(MsticnbMissingParameterError, match="timespan is missing"):
            nb.run(sample.HOST_IP, **missing)


def test_a_start_without_an_end_queries_until_now() -> None:
    pytest.importorskip("msticpy")
    import pandas as pd

    from small_provider import OLD, SmallProvider, record

    provider = SmallProvider({OLD: pd.DataFrame([record("web", HOST, HOST, "52.1.2.3")])})
    nb = ft.NetworkFlowSummary(ft.DataProviders(provider, ALONE), silent=True)
    for span in ({"start": "2024-01-01"}, {"timespan": ("2024-01-01", None)}):
        before = datetime.now(UTC)
        found = nb.run(HOST, options=[], **span)
        assert found.timespan.start == datetime(2024, 1, 1, tzinfo=UTC)
        assert before <= found.timespan.end <= datetime.now(UTC)
        assert len(found.network_flows) == 1


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


def test_the_class_has_the_attributes_of_its_instance(day: Path) -> None:
    kind = ft.DataProviders
    assert kind.current() is None
    for name in ("query_provider", "providers", "failures", "provider_names"):
        assert getattr(kind, name) is None
    assert ft.data_providers == {}
    with pytest.raises(AttributeError):
        _ = kind.LocalFlows
    ft.init(providers=["tilookup"], LocalFlows_paths=day)
    made = kind.current()
    assert made is not None
    assert kind.query_provider is made.query_provider is kind.LocalFlows
    assert kind.providers is made.providers is ft.data_providers
    assert ft.data_providers["LocalFlows"] is made.query_provider
    assert kind.tilookup is made["TILookup"]
    with pytest.raises(AttributeError, match="no attribute 'mailbox'"):
        _ = kind.mailbox
    with pytest.raises(AttributeError, match="no attribute '_private'"):
        _ = kind._private
    ft.init(providers=["-tilookup", "-geolitelookup"], LocalFlows_paths=day)
    assert list(ft.data_providers) == list(kind.providers) == ["LocalFlows"]


def test_providers_are_added_to_the_defaults_and_removed() -> None:
    from msticpy.context import TILookup
    from msticpy.data import QueryProvider

    assert ft.QueryProvider is QueryProvider
    ft.init(query_provider="LocalData", providers=["+ipstacklookup", "-geolitelookup"])
    first = ft.DataProviders.current()
    assert first is not None
    assert set(ft.data_providers) == {"LocalData", "ipstacklookup", "tilookup"}
    assert isinstance(ft.data_providers["LocalData"], ft.QueryProvider)
    assert isinstance(ft.data_providers["tilookup"], TILookup)
    ft.init("LocalData", providers=["+ipstacklookup", "-geolitelookup"])
    assert set(ft.data_providers) == set(first.providers)
    ft.init(query_provider=QueryProvider("LocalData"), providers=["tilookup"])
    assert ft.DataProviders.current() is not first
    assert set(ft.data_providers) == {"LocalData", "tilookup"}


def test_providers_of_msticnb_are_those_of_the_class(msticnb: Any, tmp_path: Path) -> None:
    from azure_network import flows, msticnb_providers

    theirs = msticnb_providers(msticnb, tmp_path, flows())
    assert ft.DataProviders.query_provider is theirs.query_provider
    assert ft.data_providers is theirs.providers
