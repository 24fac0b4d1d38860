"""The columns of a provider beside those of the flows."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

pytest.importorskip("msticpy")

import azure_network
import flowtriage as ft
from flowtriage import sample
from flowtriage.read.source_columns import SourceColumns
from small_provider import NEW, OLD, SmallProvider, new_record, record

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
SPAN = {"start": "2024-05-01", "end": "2024-05-02"}
A, B = "10.0.0.4", "10.0.0.5"
FRAME = pd.DataFrame(
    [
        record("a", A, A, "8.8.8.8", flows=5) | {"PublicIPs": ["8.8.8.8"]},
        record("b", B, A, B, flows=3, hour=2) | {"RemoteRegion": None},
        record("a", A, "9.9.9.9", A, flows=2, hour=3),
        record("b", B, B, "1.1.1.1", flows=9, hour=4),
    ],
    index=[7, 7, 1, 0],
)
OPTIONS = ["flow_summary", "resolve_host"]


def local(folder: Path, frame: pd.DataFrame) -> Any:
    parameters = azure_network.local_data(folder, flows=frame)
    named = {f"LocalData_{name}": given for name, given in parameters.items()}
    return ft.DataProviders("LocalData", ["-tilookup", "-geolitelookup"], **named)


def run(frame: pd.DataFrame, value: str = A, **kwargs: Any) -> Any:
    nb = ft.NetworkFlowSummary(silent=True)
    return nb.run(value, data=frame, options=OPTIONS, **kwargs)


@pytest.mark.parametrize("value", [A, "a"])
def test_a_provider_keeps_its_columns(tmp_path: Path, value: str) -> None:
    nb = ft.NetworkFlowSummary(local(tmp_path, FRAME), silent=True)
    found = nb.run(value, options=OPTIONS, **SPAN)
    flows, index = found.network_flows, found.flow_index_data
    assert len(flows) == len(index) == 3
    for frame in (flows, index):
        assert frame.columns.is_unique
        assert set(FRAME.columns) <= set(frame.columns)
        assert isinstance(frame.index, pd.RangeIndex)
    ordered = flows.sort_values("FlowStartTime")
    assert ordered["AllExtIPs"].tolist() == ["8.8.8.8", A, "9.9.9.9"]
    assert ordered["dst_ip"].tolist() == ["8.8.8.8", B, A]
    assert ordered["TotalAllowedFlows"].tolist() == ordered["flows"].tolist() == [5, 3, 2]
    assert ordered["PublicIPs"].tolist() == [["8.8.8.8"], [], []]
    assert (ordered["FlowStartTime"] == ordered["start_time"]).all()
    assert index.sort_values("FlowStartTime")["FlowDirection"].tolist() == ["O", "O", "I"]
    assert set(ft.NetworkFlowResult(description="x").attributes()) == set()


def test_cells_of_notebooks_go_on_working(tmp_path: Path) -> None:
    from msticpy.vis.timeline import display_timeline

    nb = ft.NetworkFlowSummary(local(tmp_path, FRAME), silent=True)
    result = nb.run(A, options=OPTIONS, **SPAN)
    counts = result.network_flows.groupby("VMName")["TotalAllowedFlows"].sum()
    assert counts.to_dict() == {"a": 7, "b": 3}
    regions = result.network_flows.groupby(["FlowType", "RemoteRegion"]).size()
    assert regions.to_dict() == {("IntraVNet", "westeurope"): 2}
    names = pd.DataFrame({"AllExtIPs": ["8.8.8.8"], "name": ["dns.google"]})
    assert result.network_flows.merge(names, on="AllExtIPs")["name"].tolist() == ["dns.google"]
    merged = result.flow_index_data.merge(names, left_on="dest", right_on="AllExtIPs")
    assert merged["DestPort"].tolist() == [443.0]
    assert result.network_flows.explode("PublicIPs").query("DestPort == 443").shape[0] == 3
    hourly = result.network_flows.set_index("FlowStartTime").resample("1h")["TotalAllowedFlows"]
    assert hourly.sum().tolist() == [5, 3, 2]
    plot = display_timeline(
        data=result.network_flows,
        group_by="L7Protocol",
        time_column="FlowStartTime",
        source_columns=["FlowType", "AllExtIPs", "L7Protocol", "FlowDirection"],
    )
    assert type(plot).__module__.startswith("bokeh")
    in_msticnb = ["VMName", "VMIPAddress", "PublicIPs", "SrcIP", "DestIP", "L4Protocol"]
    in_msticnb += ["L7Protocol", "DestPort", "FlowDirection", "AllExtIPs", "TotalAllowedFlows"]
    assert result.flow_index_data[[*in_msticnb, "source", "dest"]].shape == (3, 13)


def test_nothing_is_taken_until_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    of = SourceColumns.of

    def counted(self: SourceColumns, rows: pa.ChunkedArray, names: Any) -> pd.DataFrame:
        taken.append(len(rows))
        return of(self, rows, names)

    monkeypatch.setattr(SourceColumns, "of", counted)
    found = run(FRAME)
    assert taken == []
    assert found.network_flows is found.network_flows
    assert taken == [3]
    assert len(found.flow_index_data) == 3
    assert taken == [3, 3]


def test_no_column_twice_and_none_lost() -> None:
    frame = FRAME.assign(direction="mine", host="theirs", flows=-1, start_time="then", note="n")
    found = run(frame)
    flows = found.network_flows
    assert flows.columns.is_unique
    assert set(flows["direction_source"]) == {"mine"}
    assert set(flows["host_source"]) == {"theirs"}
    assert set(flows["flows_source"]) == {-1}
    assert set(flows["start_time_source"]) == {"then"}
    assert found.flow_index_data.columns.is_unique
    assert set(found.flow_index_data["note"]) == {"n"}
    canonical = run(sample.office_day().to_pandas(), sample.HOST_IP).network_flows
    of_arrow = run(sample.office_day(), sample.HOST_IP).network_flows  # type: ignore[arg-type]
    assert canonical.columns.tolist() == of_arrow.columns.tolist()


def test_named_levels_of_the_index_are_columns() -> None:
    found = run(FRAME.set_index(["FlowStartTime", "VMName"]))
    assert found.network_flows["VMName"].tolist() == ["a", "b", "a"]
    assert found.network_flows["FlowStartTime"].notna().all()


def test_both_tables_in_one_frame() -> None:
    new = pd.DataFrame([new_record("c", "10.0.0.6", A, "10.0.0.6", hour=9)])
    tables = {OLD: FRAME, NEW: new}
    providers = ft.DataProviders(SmallProvider(tables), ["-tilookup", "-geolitelookup"])
    found = ft.NetworkFlowSummary(providers, silent=True).run(A, options=OPTIONS, **SPAN)
    flows = found.network_flows.sort_values("FlowStartTime")
    assert flows["VMName"].tolist() == ["a", "b", "a", "c"]
    assert flows["AllExtIPs"].tolist() == ["8.8.8.8", A, "9.9.9.9", A]
    assert flows["VMIPAddress"].tolist() == [A, B, A, "10.0.0.6"]
    assert flows["SrcIP"].tolist() == flows["src_ip"].tolist()
    assert flows["DestVm"].fillna("").tolist() == ["", "", "", "c"]
    assert flows["host"].tolist() == ["a", "b", "a", "c"]
    assert flows["TotalAllowedFlows"].tolist() == [5, 3, 2, 1]


@pytest.mark.parametrize("kind", ["numpy", "Int64", "int64[pyarrow]", "category", "object"])
def test_rows_of_the_new_table_have_the_total_that_the_old_ones_have(kind: str) -> None:
    old = FRAME.assign(TotalAllowedFlows=[5, 3, 2, 9])
    old = old if kind == "numpy" else old.astype({"TotalAllowedFlows": kind})
    new = pd.DataFrame([new_record("c", "10.0.0.6", A, "10.0.0.6", hour=9, flows=4)])
    providers = ft.DataProviders(
        SmallProvider({OLD: old, NEW: new}), ["-tilookup", "-geolitelookup"]
    )
    found = ft.NetworkFlowSummary(providers, silent=True).run(A, options=OPTIONS, **SPAN)
    for frame in (found.network_flows, found.flow_index_data):
        totals = frame.sort_values("FlowStartTime")["TotalAllowedFlows"]
        assert totals.tolist() == [5, 3, 2, 4]
        assert totals.sum() == found.flow_index["TotalAllowedFlows"].sum()


def test_counters_of_the_source_are_those_of_the_whole_row() -> None:
    peers = "8.8.8.8|3|0|0|0|0|0 9.9.9.9|4|0|0|0|0|0"
    row = new_record("a", A, A, "", flows=7) | {"DestIp": None, "DestPublicIps": peers}
    flows = run(pd.DataFrame([row])).network_flows.sort_values("dst_ip")
    assert flows["dst_ip"].tolist() == ["8.8.8.8", "9.9.9.9"]
    assert flows["AllowedOutFlows"].tolist() == [7, 7]
    assert flows["flows"].sum() == flows["TotalAllowedFlows"].sum() == 7


def test_the_new_table_alone_has_the_columns_that_notebooks_use() -> None:
    rows = [new_record("a", A, A, "8.8.8.8", flows=3), new_record("c", "10.0.0.6", A, "10.0.0.6")]
    providers = ft.DataProviders(
        SmallProvider({NEW: pd.DataFrame(rows)}), ["-tilookup", "-geolitelookup"]
    )
    found = ft.NetworkFlowSummary(providers, silent=True).run(A, options=OPTIONS, **SPAN)
    for frame in (found.network_flows, found.flow_index_data):
        assert frame.groupby("VMName")["TotalAllowedFlows"].sum().to_dict() == {"a": 3, "c": 1}
        assert frame["AllExtIPs"].tolist() == ["8.8.8.8", A]
        assert frame.columns.is_unique
        assert not {"SrcIP", "DestIP"} & set(frame.columns)


def test_later_changes_of_the_frame_do_not_show() -> None:
    frame = FRAME.copy()
    found = run(frame)
    frame["VMName"] = "changed"
    del frame["AllExtIPs"]
    assert found.network_flows["VMName"].tolist() == ["a", "b", "a"]
    assert "AllExtIPs" in found.network_flows


def test_results_are_pickled_with_the_columns() -> None:
    found = run(FRAME)
    restored = pickle.loads(pickle.dumps(found))
    assert restored.network_flows.equals(found.network_flows)
    assert restored.flow_index_data.equals(found.flow_index_data)


def variants() -> dict[str, pd.DataFrame]:
    texts = ["VMName", "L7Protocol", "SrcIP", "DestIP", "AllExtIPs", "RemoteRegion", "FlowType"]
    plain = FRAME.drop(columns="PublicIPs")
    missing = {"None": None, "NaN": float("nan"), "NA": pd.NA, "empty": "", "dash": "-"}
    return {
        "numpy": plain,
        "nullable": plain.convert_dtypes(),
        "pyarrow": plain.convert_dtypes(dtype_backend="pyarrow"),
        "categorical": plain.astype(dict.fromkeys(texts, "category")),
        "strings": plain.astype("string"),
        "without rows": plain.head(0),
        "without zone": plain.assign(FlowStartTime=plain["FlowStartTime"].dt.tz_localize(None)),
    } | {name: plain.assign(RemoteRegion=value) for name, value in missing.items()}


@pytest.mark.parametrize("name", list(variants()))
def test_variants_of_pandas_give_the_same(name: str) -> None:
    frame = variants()[name]
    found, expected = run(frame), run(variants()["numpy"])
    names = expected.network_flows.columns
    columns = names[: names.get_loc("TimeGenerated")]
    if name == "without rows":
        assert found.network_flows.empty
        assert set(frame.columns) <= set(found.network_flows.columns)
        return
    assert found.network_flows[columns].equals(expected.network_flows[columns])
    assert found.flow_index.equals(expected.flow_index)
    for column in ("VMName", "AllExtIPs", "DestPort", "TotalAllowedFlows"):
        values = expected.network_flows[column]
        assert found.network_flows[column].astype(values.dtype).tolist() == values.tolist()
