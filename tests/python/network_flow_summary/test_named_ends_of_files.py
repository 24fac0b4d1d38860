"""The machine that a row of another one names is found in files, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from command_line import run
from flowtriage.analysis import read_host
from flowtriage.providers import LocalFlows

pytestmark = pytest.mark.extra

DB, FIRST, SECOND, OTHER = "10.0.0.5", "10.0.0.1", "10.0.0.2", "10.0.0.3"
USUAL = {
    "SubType": "FlowLog",
    "FlowStartTime": "2026-03-02T10:00:00Z",
    "DestPort": 443,
    "L4Protocol": "T",
    "AclRule": "r",
}


def row(source: str, dest: str, flows: int, **more: str) -> dict[str, Any]:
    inbound = dest == DB
    ends = {"SrcVm": "", "DestVm": "rg/db"} if inbound else {"SrcVm": "rg/db", "DestVm": ""}
    direction = {"FlowDirection": "Inbound" if inbound else "Outbound"}
    counts = {"AllowedInFlows": flows * inbound, "AllowedOutFlows": flows * (not inbound)}
    return {**USUAL, "SrcIp": source, "DestIp": dest, **direction, **counts, **ends, **more}


ROWS = [
    row(FIRST, DB, 3, SrcVm="rg/web"),
    row(DB, SECOND, 40, DestVm="rg/web"),
    row(OTHER, DB, 500, SrcVm="rg/web-2"),
    row(OTHER, DB, 6000, SrcVm="rg/web", FlowStartTime="2026-03-09T10:00:00Z"),
]
SPAN = {
    "start": datetime(2026, 3, 2, tzinfo=UTC),
    "end": datetime(2026, 3, 3, tzinfo=UTC),
}
EXPECTED = [(FIRST, DB, 3), (DB, SECOND, 40)]


def as_csv(path: Path) -> Path:
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


def as_lower_csv(path: Path) -> Path:
    pd.DataFrame(ROWS).rename(columns=str.lower).to_csv(path, index=False)
    return path


def as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def as_ipc(path: Path) -> Path:
    table = pa.Table.from_pylist(ROWS)
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return path


def as_json(path: Path) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in ROWS))
    return path


def as_late_json(path: Path) -> Path:
    """The columns first appear after the objects that are sampled."""
    plain = row("192.0.2.9", DB, 1)
    early: dict[str, Any] = {
        name: value for name, value in plain.items() if name not in ("SrcVm", "DestVm")
    }
    others = [early | {"DestPort": port} for port in range(1, 301)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in [*others, *ROWS]))
    return path


FORMS = [as_csv, as_lower_csv, as_parquet, as_ipc, as_json, as_late_json]


def found(result: ft.NetworkFlowResult) -> list[tuple[str, str, int]]:
    index = result.flow_index[["source", "dest", "TotalAllowedFlows"]]
    return sorted(index.itertuples(index=False, name=None))


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_a_row_of_the_peer_names_the_machine_at_the_other_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Callable[[Path], Path],
    *,
    large: bool,
) -> None:
    pytest.importorskip("msticpy")
    monkeypatch.setattr(read_host, "LARGE", 1 if large else 1 << 40)
    path = form(tmp_path / "nta")
    for value in ("web", "WEB", "rg/web"):
        nb = ft.NetworkFlowSummary(silent=True)
        assert found(nb.run(value, data=path, **SPAN)) == EXPECTED
    result = ft.NetworkFlowSummary(silent=True).run(FIRST, data=path, **SPAN)
    assert found(result) == EXPECTED[:1]


def test_tables_lists_and_the_provider_of_files_do_the_same(tmp_path: Path) -> None:
    pytest.importorskip("msticpy")
    half = len(ROWS) // 2
    path = as_csv(tmp_path / "nta.csv")
    tables = [pa.Table.from_pylist(part) for part in (ROWS[:half], ROWS[half:])]
    for data in (pa.Table.from_pylist(ROWS), tables, ROWS):
        nb = ft.NetworkFlowSummary(silent=True)
        assert found(nb.run("web", data=data, **SPAN)) == EXPECTED
    providers = ft.DataProviders(LocalFlows([path]), ["-tilookup", "-geolitelookup"])
    nb = ft.NetworkFlowSummary(providers, silent=True)
    result = nb.run("web", **SPAN)
    assert found(result) == EXPECTED
    assert "SrcVm" not in result.flow_index.columns


def test_an_ambiguous_name_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("msticpy")
    rows = [row(FIRST, DB, 1, SrcVm="a/web"), row(SECOND, DB, 1, SrcVm="b/web")]
    table = pa.Table.from_pylist(rows)
    with pytest.raises(ft.AmbiguousHostError, match="a/web.*b/web"):
        ft.NetworkFlowSummary(silent=True).run("web", data=table)


@pytest.mark.parametrize("large", [True, False])
def test_the_command_line_finds_it(tmp_path: Path, *, large: bool) -> None:
    path = as_csv(tmp_path / "nta.csv")
    if large:
        rows = [row("192.0.2.9", DB, 1)] * (read_host.LARGE // 60)
        pd.DataFrame([*ROWS, *rows]).to_csv(path, index=False)
        assert path.stat().st_size >= read_host.LARGE
    options = ["--start", "2026-03-02", "--end", "2026-03-02", "--json"]
    shown = json.loads(
        run("top", str(path), "--host", "web", "--key", "dest", "--by", "flows", *options).stdout
    )
    assert {one["dest"]: one["flows"] for one in shown} == {SECOND: 40, DB: 3}
