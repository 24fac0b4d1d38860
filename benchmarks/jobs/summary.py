"""Index, autonomous systems and summary, against msticnb's own functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from benchmarks import engines
from benchmarks.engines import Engine
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.jobs import azure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Tables:
    index: pa.Table
    summary: pa.Table


@dataclass(frozen=True)
class _Frames:
    index: pd.DataFrame
    summary: pd.DataFrame


def _flowtriage(table: pa.Table) -> _Tables:
    import flowtriage as ft

    index = ft.flow_index(table)
    return _Tables(index, ft.flow_summary(index))


def _prepare_msticnb(table: pa.Table) -> pd.DataFrame:
    from msticnb.nb.azsent.network import network_flow_summary

    network_flow_summary.get_whois_df = azure.whois(table)
    return azure.frame(table)


def _msticnb(flows: pd.DataFrame) -> _Frames:
    from msticnb.nb.azsent.network import network_flow_summary as theirs

    index = theirs._extract_flow_ips(flows)
    return _Frames(theirs._get_flow_index(index).data, theirs._get_flow_summary(index))


def _with_labels(
    make: Callable[[pa.Table], Engine], table: pa.Table
) -> tuple[Engine, dict[str | None, str]]:
    return make(table), azure.labels(table)


def _other(prepared: tuple[Engine, dict[str | None, str]]) -> _Tables:
    engine, labels = prepared
    return _Tables(engine.flow_index(), engine.flow_summary(labels))


def _table_facts(result: _Tables) -> Facts:
    return azure.facts(result.index.to_pandas(), result.summary.to_pandas())


def _frame_facts(result: _Frames) -> Facts:
    return azure.facts(result.index, result.summary)


JOB = Job(
    title="Index, autonomous systems and summary",
    note=(
        "`ft.flow_index` and `ft.flow_summary` from an Arrow table, against the three functions "
        "of msticnb's `NetworkFlowSummary` that do the same from its DataFrame "
        "(`_extract_flow_ips`, `_get_flow_index`, `_get_flow_summary`), unchanged except "
        "msticpy's `get_whois_df`, which would query the network for half a second per address and "
        "is a dictionary of flowtriage's own results here, prepared untimed. msticnb fails on data "
        "that mixes private and public addresses at one end, so either all flows are outbound from "
        "private addresses, which it does not look up, or all addresses are public."
    ),
    inputs=("outbound", "public"),
    sizes=(100_000, 1_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _table_facts),
        Peer("msticnb", "functions", _msticnb, _frame_facts, _prepare_msticnb),
        Peer("polars", "labels given", _other, _table_facts, partial(_with_labels, engines.polars)),
        Peer("duckdb", "labels given", _other, _table_facts, partial(_with_labels, engines.duckdb)),
    ),
)
