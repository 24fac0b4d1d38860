"""Flows and peers of one address in a day of raw flows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from benchmarks import engines
from benchmarks.engines import Engine, Search, comparable
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.shapes import DAY, HOST, SEED

_NAMES = {
    "source": "src_ip",
    "dest": "dst_ip",
    "L7Protocol": "service",
    "TotalAllowedFlows": "flows",
    "first_seen": "start_time",
    "last_seen": "end_time",
}


@dataclass(frozen=True)
class _Store:
    """Raw flows on disk for the lifetime of the object."""

    folder: Path
    _kept: TemporaryDirectory[str]

    @property
    def files(self) -> list[str]:
        """The Parquet files."""
        return [str(file) for file in sorted(self.folder.glob("y=*/m=*/d=*/h=*/*.parquet"))]


def _store(table: pa.Table) -> _Store:
    """Ingest flows in time order, as a sensor writes them."""
    import pyarrow.parquet as pq

    from flowtriage.oa import RawFlows

    kept = TemporaryDirectory(prefix="flowtriage-bench-")
    log = Path(kept.name) / "flows.parquet"
    pq.write_table(_with_ports(table).sort_by("start_time"), log)
    raw = RawFlows(Path(kept.name) / "raw")
    raw.ingest(log)
    log.unlink()
    return _Store(raw.folder, kept)


def _with_ports(table: pa.Table) -> pa.Table:
    random = np.random.default_rng(SEED)
    columns = {name: table[old] for old, name in _NAMES.items()}
    columns |= {
        name: table[name] for name in table.column_names if name.startswith(("src_", "dst_"))
    }
    columns["src_port"] = pa.array(random.integers(1_024, 1 << 16, len(table)), pa.uint16())
    columns["dst_port"] = pa.array(random.choice([53, 80, 443], len(table)), pa.uint16())
    columns["protocol"] = pa.array(["tcp", "udp"]).take(pa.array(random.integers(0, 2, len(table))))
    return pa.table(columns)


def _flowtriage(store: _Store) -> Search:
    import flowtriage as ft
    from flowtriage.oa import RawFlows
    from flowtriage.schema import SEARCH_COLUMNS

    day = datetime.fromtimestamp(DAY / 1e6, UTC).date()
    flows = RawFlows(store.folder).read(day, addresses=[HOST], columns=SEARCH_COLUMNS)
    found = ft.expanded_search(flows, HOST)
    return Search(found, ft.connection_sets(found, HOST))


def _prepare_duckdb(table: pa.Table) -> tuple[Engine, _Store]:
    store = _store(table)
    return engines.duckdb(store.files), store


def _prepare_polars(table: pa.Table) -> tuple[Engine, _Store]:
    import polars as pl

    store = _store(table)
    return engines.polars(pl.scan_parquet(store.files)), store


def _other(prepared: tuple[Engine, _Store]) -> Search:
    engine, _kept = prepared
    return engine.search(HOST, internal=True)


def _facts(result: Search) -> Facts:
    return {"found": comparable(result.found), "peers": comparable(result.peers)}


JOB = Job(
    title="Search of an address",
    note=(
        "From a day of raw flows on disk (hourly Parquet, as in Flow OA, in the system's cache) to "
        "two Arrow tables: the flows of a host that occurs in every hour, by endpoints and ports, "
        "and its peers with their direction and the traffic of each side; `RawFlows.read`, "
        "`expanded_search` and `connection_sets` against DuckDB and Polars over the same files; "
        "these are told that the host is internal, and order addresses as strings."
    ),
    inputs=("zeek",),
    sizes=(1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _facts, _store),
        Peer("duckdb", "SQL", _other, _facts, _prepare_duckdb),
        Peer("polars", "lazy", _other, _facts, _prepare_polars),
    ),
)
