"""Query providers that fail, cut their answers or say little."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import flowtriage as ft
from flowtriage.errors import MsticnbDataProviderError
from flowtriage.providers.service_limits import row_limit
from flowtriage.quality import QualityWarning
from small_provider import NEW, OLD, SmallProvider, new_record, record

pytest.importorskip("msticpy")
pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
SPAN = {"start": "2024-05-01", "end": "2024-05-02"}
A, B = "10.0.0.4", "10.0.0.5"
ROWS = pd.DataFrame([record("a", A, A, "8.8.8.8", flows=5, denied=1)])
MORE = pd.DataFrame([new_record("a", A, A, "9.9.9.9", flows=7, hour=5)])


def run(tables: dict[str, Any], value: str = A, **kwargs: Any) -> Any:
    provider = kwargs.pop("provider", None) or SmallProvider(tables)
    providers = ft.DataProviders(provider, ["-tilookup", "-geolitelookup"])
    options = ["flow_summary", "resolve_host"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        nb = ft.NetworkFlowSummary(providers, silent=True)
        return nb.run(value, **{"options": options, **SPAN, **kwargs})


def total(found: Any) -> int:
    return int(found.flow_index["TotalAllowedFlows"].sum())


def heading(found: Any) -> str:
    return " ".join(map(str, found.sections[0].contents))


BROKEN: list[Any] = [ValueError("no quota"), "no quota", pd.DataFrame({"quota": [1]})]


@pytest.mark.parametrize("value", [A, "a"])
@pytest.mark.parametrize("broken", BROKEN, ids=["error", "text", "columns"])
def test_a_query_that_fails_names_its_table(broken: Any, value: str) -> None:
    with pytest.raises(MsticnbDataProviderError, match=f"query of {OLD} failed.*quota"):
        run({OLD: broken}, value)
    with pytest.raises(MsticnbDataProviderError, match=f"(?s){OLD} failed.*{NEW} failed"):
        run({OLD: broken, NEW: broken}, value)


@pytest.mark.parametrize("value", [A, "a"])
@pytest.mark.parametrize("broken", BROKEN, ids=["error", "text", "columns"])
def test_the_other_table_is_used_if_one_fails(broken: Any, value: str) -> None:
    found = run({OLD: ROWS, NEW: broken}, value)
    assert total(found) == 5
    assert f"query of {NEW} failed" in found.report.facts()["Incomplete answers"]
    assert f"query of {NEW} failed" in heading(found)
    assert total(run({OLD: broken, NEW: MORE}, value)) == 7
    assert total(run({OLD: ROWS, NEW: MORE}, value)) == 12


@pytest.mark.parametrize("by", ["by_ip", "by_host"])
def test_one_failing_query_of_a_table_costs_no_flows_of_the_other(by: str) -> None:
    beat = pd.DataFrame({"Computer": ["a"], "ComputerIP": [A], "OSType": ["Linux"]})
    others = {f"list_azure_network_flows_{by}": RuntimeError(f"timeout of {by}")}
    provider = SmallProvider({OLD: ROWS}, get_heartbeat_for_host=beat, **others)
    found = run({}, "a", provider=provider)
    assert total(found) == 5
    message = f"query of {OLD} failed: timeout of {by}"
    assert found.report.incomplete == [message]
    assert message in found.report.facts()["Incomplete answers"]
    assert message in heading(found)
    others = {name: RuntimeError("timeout") for name in vars(provider.Network) if "flows" in name}
    provider = SmallProvider({OLD: ROWS}, get_heartbeat_for_host=beat, **others)
    with pytest.raises(MsticnbDataProviderError, match=f"^query of {OLD} failed: timeout$"):
        run({}, "a", provider=provider)


def test_a_failing_query_without_another_that_answers_is_an_error() -> None:
    others = {"list_azure_network_flows_by_host": RuntimeError("timeout of by_host")}
    with pytest.raises(MsticnbDataProviderError, match="timeout of by_host"):
        run({}, "a", provider=SmallProvider({OLD: ROWS}, **others))


def test_an_error_of_msticpy_is_told_in_its_words() -> None:
    from msticpy.common.exceptions import MsticpyDataQueryError

    error = MsticpyDataQueryError("Semantic error", title="Query Failure", help_uri="https://x.y")
    with pytest.raises(MsticnbDataProviderError) as told:
        run({OLD: error})
    assert str(told.value).startswith(f"query of {OLD} failed: Query Failure Semantic error")


def test_a_silent_run_warns_of_a_table_that_failed() -> None:
    provider = SmallProvider({OLD: ROWS, NEW: ValueError("no quota")})
    providers = ft.DataProviders(provider, ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(providers, silent=True)
    with pytest.warns(QualityWarning, match=f"query of {NEW} failed: no quota"):
        nb.run(A, options=[], **SPAN)


@pytest.mark.parametrize("value", [A, "a"])
def test_an_answer_of_nothing(value: str) -> None:
    for nothing in (pd.DataFrame(), ROWS.head(0)):
        found = run({OLD: nothing}, value)
        assert found.network_flows.empty
        assert found.report.incomplete == []
        assert total(run({OLD: nothing, NEW: MORE}, value)) == 7
    found = run({OLD: None}, value)
    assert found.network_flows.empty
    assert found.report.incomplete == [f"query of {OLD} returned None instead of a table"]
    assert total(run({OLD: None, NEW: MORE}, value)) == 7


@pytest.mark.parametrize("case", [str.lower, str.upper, str.swapcase])
def test_columns_in_any_letter_case(case: Callable[[str], str]) -> None:
    beat = pd.DataFrame({"TimeGenerated": ["2024-05-01"], "Computer": ["A"], "OSType": ["Linux"]})
    tables = {OLD: ROWS.rename(columns=case), NEW: MORE.rename(columns=case)}
    provider = SmallProvider(tables, get_heartbeat_for_host=beat.rename(columns=case))
    found = run({}, "a", provider=provider)
    assert total(found) == 12
    assert found.host_entity.OSFamily.name == "Linux"
    assert case("FlowStartTime") in found.network_flows


@pytest.mark.parametrize(
    "missing",
    [
        ["VMName"],
        ["L7Protocol", "L4Protocol", "DestPort"],
        ["FlowEndTime", "TimeGenerated"],
        ["SrcIP", "DestIP"],
        ["AllExtIPs", "VMIPAddress", "PublicIPs"],
        ["DeniedInFlows", "DeniedOutFlows", "ResourceGroup", "VMRegion", "FlowType"],
    ],
    ids=lambda names: names[0],
)
def test_columns_may_be_missing(missing: list[str]) -> None:
    found = run({OLD: ROWS.drop(columns=missing)})
    assert total(found) == 5
    assert not set(missing) & set(found.network_flows)


def test_a_result_of_the_number_of_rows_at_which_services_cut() -> None:
    frame = ROWS.iloc[np.zeros(30_000, dtype=int)]
    found = run({OLD: frame}, options=[])
    assert found.report.incomplete == [
        f"{OLD}: exactly 30,000 rows, a limit of the service: rows are missing; give a shorter "
        "timespan"
    ]
    assert "exactly 30,000 rows" in heading(found)
    assert row_limit(pd.DataFrame({"SrcIP": [A] * 500_000}))
    assert row_limit(pd.DataFrame({"SrcIP": [A] * 499_999})) is None
    assert run({OLD: frame.iloc[:-1]}, options=[]).report.incomplete == []


@pytest.mark.parametrize("rows", [30_000, 500_000])
def test_a_given_table_of_the_number_of_rows_at_which_services_cut(rows: int) -> None:
    frame = ROWS[["FlowStartTime", "SrcIP", "DestIP", "FlowDirection", "AllowedOutFlows"]]
    frame = frame.iloc[np.zeros(rows, dtype=int)]
    nb = ft.NetworkFlowSummary(silent=True)
    with pytest.warns(QualityWarning, match=f"exactly {rows:,} rows"):
        found = nb.run(A, data=frame, options=[])
    message = f"exactly {rows:,} rows, at which services cut results: rows may be missing"
    assert found.report.incomplete == [f"DataFrame: {message}"]
    assert message in heading(found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        assert nb.run(A, data=frame.iloc[:-1], options=[]).report.incomplete == []


def test_a_result_of_the_size_at_which_services_cut() -> None:
    assert row_limit(pd.DataFrame({"PublicIPs": ["x" * 999] * 64_000}))
    assert row_limit(pd.DataFrame({"PublicIPs": ["x" * 999] * 50_000})) is None
    assert row_limit(pd.DataFrame({"PublicIPs": ["x" * 999] * 90_000})) is None


def test_partial_results_are_stated_and_other_warnings_pass() -> None:
    def partly(**_: Any) -> pd.DataFrame:
        text = "Partial results returned. This may indicate a query timeout."
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return ROWS

    found = run({OLD: partly})
    assert total(found) == 5
    assert "Partial results returned" in found.report.facts()["Incomplete answers"]

    def old(**_: Any) -> pd.DataFrame:
        warnings.warn("this client is old", UserWarning, stacklevel=2)
        return ROWS

    with pytest.warns(UserWarning, match="this client is old"):
        assert run({OLD: old}).report.incomplete == []


def test_an_error_about_too_many_rows_says_what_to_do() -> None:
    error = RuntimeError("Query result set has exceeded the internal record count limit 500000")
    with pytest.raises(MsticnbDataProviderError, match="give a shorter timespan"):
        run({OLD: error})


def test_denied_flows_that_the_query_leaves_out_are_stated() -> None:
    found = run({OLD: ROWS})
    assert f"The query of {OLD} leaves out records of denied flows only." in heading(found)
    assert any("leaves out" in limit for limit in found.report.limits)
    assert "leaves out" not in heading(run({NEW: MORE}))
    denied = pd.DataFrame([record("a", A, A, "8.8.8.8", flows=0, denied=1)])
    assert "leaves out" not in heading(run({OLD: denied}))


def other_machine(year: int) -> pd.DataFrame:
    rows = [record("winhost", B, B, "8.8.8.8", hour=hour) for hour in range(25)]
    frame = pd.DataFrame(rows)
    for name in ("FlowStartTime", "FlowEndTime"):
        frame[name] = frame[name].map(lambda time: time.replace(year=year))
    return frame


@pytest.mark.parametrize("value", [A, "a"])
@pytest.mark.parametrize("year", [2019, 2024])
def test_flows_of_another_machine_are_told_in_number_name_and_time(value: str, year: int) -> None:
    found = run({OLD: other_machine(year)}, value)
    assert found.network_flows.empty
    text = heading(found)
    assert f"{value} does not occur in the 25 records returned" in text
    assert f"25 of winhost ({year}-05-01 00:00:00 – {year}-05-02 00:10:00 UTC)" in text
    assert ("25 start outside it" in text) == (year == 2019)
    assert found.report.records == 0


@pytest.mark.parametrize("value", [B, "winhost"])
def test_flows_outside_the_timespan_are_told(value: str) -> None:
    found = run({OLD: other_machine(2019)}, value)
    assert found.network_flows.empty
    text = heading(found)
    assert "has no flows in the timespan 2024-05-01" in text
    assert "25 of winhost (2019-05-01 00:00:00 – 2019-05-02 00:10:00 UTC)" in text
    assert found.report.other_hosts == []


def test_flows_of_files_outside_the_timespan_are_told(tmp_path: Any) -> None:
    other_machine(2019).to_csv(tmp_path / "flows.csv", index=False)
    nb = ft.NetworkFlowSummary(silent=True)
    with pytest.warns(QualityWarning, match="Host not found: None of the 25 records"):
        found = nb.run(B, data=tmp_path / "flows.csv", options=[], **SPAN)
    assert (
        "None of the 25 records read starts in the timespan (2019-05-01 00:00:00 – "
        "2019-05-02 00:00:00 UTC)" in heading(found)
    )


def test_nan_and_none_and_a_dash_are_no_addresses() -> None:
    for empty in (None, np.nan, pd.NA, "", "-"):
        rows = pd.concat([ROWS, ROWS.assign(SrcIP=empty, VMIPAddress=empty, VMName=empty)])
        assert total(run({OLD: rows})) == 5
