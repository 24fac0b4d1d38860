"""Every notation of a missing value in an Azure table is read as the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import flowtriage as ft
from small_provider import new_record, record

A = "10.0.0.4"
ROWS = {
    make.__name__: make("a", A, A, "8.8.8.8", flows=5, denied=1) for make in (record, new_record)
}


def read(row: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    flows = ft.read_flows(pd.DataFrame([row]).astype(object))
    return flows.to_arrow().to_pylist(), flows.report.rows_bad


@pytest.mark.parametrize("missing", ["-", "N/A", " - ", "", "NaN", "null", np.nan])
@pytest.mark.parametrize(("table", "column"), [(t, c) for t, row in ROWS.items() for c in row])
def test_a_dash_is_a_missing_value_as_none_is(table: str, column: str, missing: Any) -> None:
    row = ROWS[table]
    found = read(row | {column: missing})
    assert found == read(row | {column: None})
    if column not in ("SrcIp", "DestIp"):
        assert [(one["src_ip"], one["dst_ip"]) for one in found[0]] == [(A, "8.8.8.8")]
        assert found[1] == 0


def test_a_dash_is_no_host_and_loses_no_flow() -> None:
    row = ROWS["record"] | {"VMName": "-", "SrcIP": "-", "DestPort": "-", "DeniedInFlows": "-"}
    ((flow,), bad) = read(row)
    assert bad == 0
    assert (flow["host"], flow["src_ip"], flow["dst_port"]) == (None, A, None)
    assert (flow["flows"], flow["denied_flows"]) == (5, 1)
