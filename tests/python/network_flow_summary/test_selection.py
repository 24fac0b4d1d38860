"""The selection of a host's flows is the same for every kind of pandas column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")

import pandas as pd

from flowtriage.errors import InputError
from flowtriage.inputs.timespan import parse_timespan
from flowtriage.network_flow_summary.selection import HostRequest, Selection, select_flows
from flowtriage.network_flow_summary.tables import index_data, network_flows
from small_provider import NEW, OLD, SmallProvider, new_record, record

A, B = "10.0.0.4", "10.0.0.5"
SPAN = parse_timespan(start="2024-05-01", end="2024-05-02")
ROWS = [
    record("a", A, A, B, flows=3),
    record("b", B, A, B, flows=3),
    record("b", B, B, A, flows=5, hour=2),
    record("b", B, B, "9.9.9.9", flows=7, hour=3),
    record("a", A, "8.8.8.8", A, flows=2, hour=60),
]
NEW_ROWS = [new_record("c", "10.0.0.6", A, "10.0.0.6", flows=9, hour=4)]
TEXTS = ["VMName", "L7Protocol", "SrcIP", "DestIP", "AllExtIPs", "RemoteRegion", "SrcVm", "DestVm"]


def texts(frame: Any, kind: str) -> Any:
    return frame.astype(dict.fromkeys([n for n in TEXTS if n in frame], kind))


VARIANTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda frame: frame,
    "nullable": lambda frame: frame.convert_dtypes(),
    "pyarrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "categorical": lambda frame: texts(frame, "category"),
    "strings": lambda frame: texts(frame, "string"),
    "objects": lambda frame: frame.astype(object),
    "repeated index": lambda frame: frame.set_axis([0] * len(frame)),
    "index": lambda frame: frame.set_index("FlowStartTime"),
    "seconds": lambda frame: frame.assign(FlowEndTime=frame["FlowEndTime"].astype(str)),
    **{
        repr(empty): (lambda frame, empty=empty: frame.assign(RemoteRegion=empty, FlowType=empty))
        for empty in (None, np.nan, pd.NA, pd.NaT, "", "-")
    },
}


def frames(variant: str) -> dict[str, Any]:
    change = VARIANTS[variant]
    old, new = (pd.DataFrame(rows) for rows in (ROWS, NEW_ROWS))
    return {OLD: change(old.drop(columns="PublicIPs")), NEW: change(new)}


def check(found: Selection) -> None:
    flows = network_flows(found.host.flows, found.rows, found.columns)
    names = ["src_ip", "dst_ip", "flows", "direction", "host"]
    assert set(flows[names].itertuples(index=False, name=None)) == {
        (A, B, 3, "outbound", "a"),
        (B, A, 5, "inbound", "b"),
        (A, "10.0.0.6", 9, "outbound", "c"),
    }
    assert len(flows) == 3
    assert found.flows.report.rows_duplicate == 1
    assert found.flows.report.rows_outside == 1
    assert (flows["VMName"].astype(object) == flows["host"]).all()
    peers = dict(zip(flows["host"], flows["AllExtIPs"].astype(str), strict=True))
    assert peers == {"a": B, "b": A, "c": A}
    assert flows["TotalAllowedFlows"].astype(int).tolist() == flows["flows"].tolist()
    data = index_data(found.host.flows, found.rows, found.columns)
    assert data.columns.is_unique
    assert flows.columns.is_unique
    assert sorted(data["FlowDirection"]) == ["I", "O", "O"]
    assert len(data.groupby(data["VMName"].astype(str))) == 3


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_kind_of_column_gives_the_same(variant: str) -> None:
    tables = frames(variant)
    for name, addresses in ((None, (A,)), ("a", ())):
        request = HostRequest(name, addresses, SPAN)
        check(select_flows(request, None, SmallProvider(tables)))
        check(select_flows(request, list(tables.values()), None))


def test_frames_that_cannot_be_read_are_refused() -> None:
    twice = pd.DataFrame([[1, 2]], columns=["SrcIP", "SrcIP"])
    request = HostRequest(None, (A,))
    with pytest.raises(InputError, match="SrcIP"):
        select_flows(request, twice, None)
    with pytest.raises(InputError, match="not recognised"):
        select_flows(request, pd.DataFrame({"x": [1]}), None)
    with pytest.raises(InputError):
        select_flows(request, pd.DataFrame(), None)
