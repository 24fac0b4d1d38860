"""From a log on disk to an answer: the flow index, the flows of a host, the top peers."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.engines import comparable
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.shapes import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.logs import Written

PEAK = "peak memory of the process, bytes"
"""Name of a figure of results."""


def _zeek(table: pa.Table) -> Written:
    from benchmarks import logs

    return logs.zeek(table)


def _zeek_json(table: pa.Table) -> Written:
    from benchmarks import logs

    return logs.zeek_json(table)


def _packed(table: pa.Table) -> Written:
    from benchmarks import logs

    return logs.packed(logs.zeek(table))


def _index(log: Written) -> pa.Table:
    import flowtriage as ft

    return ft.flow_index(log.path)


def _other_index(log: Written, *, engine: str) -> pa.Table:
    from benchmarks import scans

    return getattr(scans, engine)(log).flow_index(ordered=False)


def _index_facts(result: pa.Table) -> Facts:
    kept = [name for name in result.column_names if result[name].null_count < result.num_rows]
    return {"index": comparable(result.select([n for n in kept if n != "FlowDirection"]))}


def _run(log: Written) -> pa.Table:
    import flowtriage as ft

    return pa.table(ft.NetworkFlowSummary(silent=True).run(HOST, data=log.path).flow_index)


def _peers_of_host(log: Written, *, engine: str) -> pa.Table:
    from benchmarks import scans

    return getattr(scans, engine)(log, HOST).flow_index(ordered=False)


def _run_facts(result: pa.Table) -> Facts:
    names = ["source", "dest", "L7Protocol", "TotalAllowedFlows", "src_bytes", "dst_bytes"]
    return {"index": comparable(result.select(names))}


def _process(code: str, log: Written) -> pa.Table:
    """Run a program with the log, its kind and its columns; its last line is JSON rows."""
    from pathlib import Path

    arguments = [str(log.path), json.dumps(log.names)]
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return pa.Table.from_pylist(json.loads(done.stdout))


_COMMAND = """
import sys
from flowtriage.cli import main
sys.argv = ["flowtriage", "top", sys.argv[1], "--key", "dest", "--by", "bytes", "--json"]
main()
"""
_ENGINE = """
import json, sys
from pathlib import Path
from benchmarks import scans
from benchmarks.logs import Written
log = Written(Path(sys.argv[1]), json.loads(sys.argv[2]), None)
top = scans.{engine}(log).top_n("dest", "bytes", 20)
print(json.dumps(top.select(["dest", "flows", "src_bytes", "dst_bytes"]).to_pylist()))
"""


def _top_facts(result: pa.Table) -> Facts:
    names = ["dest", "flows", "src_bytes", "dst_bytes"]
    return {"top": comparable(result.select(names))}


def _peak(_result: pa.Table) -> dict[str, int]:
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    return {PEAK: peak}


def _peers(
    own: Callable[[Written], Any],
    other: Callable[..., Any],
    facts: Callable[[Any], Facts],
    prepare: Callable[[pa.Table], Written],
) -> tuple[Peer, ...]:
    others = (
        Peer(engine, "", partial(other, engine=engine), facts, prepare)
        for engine in ("polars", "duckdb")
    )
    return Peer(FLOWTRIAGE, "", own, facts, prepare), *others


_NOTE = (
    "The log is on disk, in the system's cache. Polars scans it lazily on its streaming engine, "
    "DuckDB by its own reader; both are given the types of the columns, and read those they need. "
)

INDEX = Job(
    title="Flow index of a Zeek log",
    note=(
        f"{_NOTE}`ft.flow_index(path)` also decides the direction and who initiated each flow, and "
        "orders its result; the others return groups in any order."
    ),
    inputs=("zeek",),
    sizes=(100_000, 1_000_000, 10_000_000),
    peers=_peers(_index, _other_index, _index_facts, _zeek),
)
INDEX_JSON = Job(
    title="Flow index of a Zeek JSON log",
    note=f"{_NOTE}As above, of one JSON object per line, without the keys of missing values.",
    inputs=("zeek",),
    sizes=(1_000_000,),
    peers=_peers(_index, _other_index, _index_facts, _zeek_json),
)
INDEX_PACKED = Job(
    title="Flow index of a gzip Zeek log",
    note=f"{_NOTE}As above, compressed by gzip.",
    inputs=("zeek",),
    sizes=(1_000_000,),
    peers=_peers(_index, _other_index, _index_facts, _packed),
)
HOST_RUN = Job(
    title="`NetworkFlowSummary().run(host, data=log)`",
    note=(
        f"{_NOTE}flowtriage makes the whole result, with the summary by AS, silently and without "
        "plots; the others group the host's flows by peer and service."
    ),
    inputs=("zeek",),
    sizes=(1_000_000, 10_000_000),
    peers=_peers(_run, _peers_of_host, _run_facts, _zeek),
)
TOP = Job(
    title="`flowtriage top` of a Zeek log",
    note=(
        f"{_NOTE}The 20 destinations with the most bytes, from the start of the process to its "
        "end, with imports."
    ),
    inputs=("zeek",),
    sizes=(1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", partial(_process, _COMMAND), _top_facts, _zeek, _peak),
        *(
            Peer(
                engine,
                "",
                partial(_process, _ENGINE.format(engine=engine)),
                _top_facts,
                _zeek,
                _peak,
            )
            for engine in ("polars", "duckdb")
        ),
    ),
)
