"""Polars: lazy queries on its streaming engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from benchmarks.engines.engine import (
    BOTH_SIDES,
    CANONICAL,
    FLOWS,
    KEYS,
    SUMS,
    Engine,
    Search,
)

_LISTS = {"L7Protocols": "L7Protocol", "source_ips": "source", "dest_ips": "dest"}


class Polars(Engine):
    """Queries of flows, which are converted from Arrow for each question.

    Parameters
    ----------
    flows
        An Arrow table or a data frame; or a lazy frame, also of canonical flows.
    """

    def __init__(self, flows: pa.Table | pl.DataFrame | pl.LazyFrame) -> None:
        if isinstance(flows, pl.LazyFrame):
            flows = _named_as_index(flows)
            self._names, self._whole = flows.collect_schema().names(), set[str]()
        else:
            self._names = pa.table(flows).column_names
            counts = pl.DataFrame(flows).null_count().row(0, named=True)
            self._whole = {name for name, nulls in counts.items() if not nulls}
        self._flows = flows

    def flow_index(self, *, ordered: bool = True) -> pa.Table:
        return _answer(self.index_query(ordered=ordered))

    def index_query(self, *, ordered: bool) -> pl.LazyFrame:
        """Return the query of `flow_index`."""
        query = self._grouped(self._lazy(), list(KEYS))
        return query.sort(KEYS, nulls_last=True) if ordered else query

    def flow_summary(self, labels: Mapping[str | None, str]) -> pa.Table:
        columns = {"address": list(labels), "label": list(labels.values())}
        known = pl.LazyFrame(columns, {"address": pl.String, "label": pl.String})
        flows = self._lazy()
        for end, label in (("dest", "DestASN"), ("source", "SourceASN")):
            own = known.rename({"label": label})
            flows = flows.join(own, left_on=end, right_on="address", nulls_equal=True)
        lists = [
            pl.col(column).drop_nulls().unique().sort().alias(name)
            for name, column in _LISTS.items()
        ]
        query = self._grouped(flows, ["DestASN", "SourceASN"], lists)
        order = [FLOWS, "DestASN", "SourceASN"]
        return _answer(query.sort(order, descending=[True, False, False]))

    def timeline(self, by: str, width: timedelta) -> pa.Table:
        start = pl.col("first_seen").dt.truncate(width).alias("bin_start")
        query = self._grouped(self._lazy(), [start, pl.col(by).alias("series")], flows="flows")
        ordered = query.sort("bin_start", "series", nulls_last=True)
        return _answer(ordered.with_columns(bin_end=pl.col("bin_start") + width))

    def top_n(self, key: str, by: str, n: int) -> pa.Table:
        query = self._grouped(self._lazy(), [key], flows="flows")
        rank = _either(*BOTH_SIDES[by]) if by in BOTH_SIDES else pl.col(by)
        ordered = query.sort([rank, pl.col(key)], descending=[True, False], nulls_last=True)
        return _answer(ordered.head(n))

    def search(self, ip: str, *, internal: bool) -> Search:
        """Find flows, and peers from what was found."""
        flows = self._lazy()
        absent = dict.fromkeys((*SUMS, "src_port", "dst_port"), pl.Int64)
        flows = flows.with_columns(
            pl.lit(None, kind).alias(name)
            for name, kind in (absent | {"protocol": pl.String}).items()
            if name not in self._names
        )
        found = _found(flows, ip).collect(engine="streaming")
        return Search(found.to_arrow(), _answer(_peers(found.lazy(), ip, internal)))

    def _lazy(self) -> pl.LazyFrame:
        flows = self._flows
        return pl.DataFrame(flows).lazy() if isinstance(flows, pa.Table) else flows.lazy()

    def _grouped(
        self,
        frame: pl.LazyFrame,
        keys: list[Any],
        more: list[pl.Expr] | None = None,
        flows: str = FLOWS,
    ) -> pl.LazyFrame:
        """Group, with sums, null for groups without values, and first and last time."""
        sums = [
            pl.col(name).sum() if name in self._whole else _total(pl.col(name)).alias(name)
            for name in SUMS
            if name in self._names
        ]
        times = [pl.col("first_seen").min(), pl.col("last_seen").max()]
        grouped = frame.group_by(keys).agg(
            *(more or ()), pl.col(FLOWS).sum().alias(flows), *sums, *times
        )
        absent = [name for name in SUMS if name not in self._names]
        return grouped.with_columns(pl.lit(None, pl.Int64).alias(name) for name in absent)


def _named_as_index(flows: pl.LazyFrame) -> pl.LazyFrame:
    names = flows.collect_schema().names()
    if "src_ip" not in names:
        return flows
    last = pl.max_horizontal("start_time", "end_time").alias("last_seen")
    return flows.with_columns(last).rename({old: new for new, old in CANONICAL.items()})


def _answer(query: pl.LazyFrame) -> pa.Table:
    return query.collect(engine="streaming").to_arrow()


def _total(values: pl.Expr) -> pl.Expr:
    return pl.when(values.count() > 0).then(values.sum())


def _either(source: str, dest: str) -> pl.Expr:
    one, other = pl.col(source), pl.col(dest)
    return pl.coalesce(one + other, one, other)


def _per_flow(value: pl.Expr, allowed: str, denied: str) -> pl.Expr:
    flows = pl.col(allowed).sum().cast(pl.Float64) + pl.col(denied).sum().cast(pl.Float64)
    return pl.when(flows > 0).then(value / flows)


def _found(flows: pl.LazyFrame, ip: str) -> pl.LazyFrame:
    ends = {"source": "src_ip", "dest": "dst_ip"}
    keys = [*ends.values(), "src_port", "dst_port"]
    records = {unit: _either(*sides) for unit, sides in BOTH_SIDES.items()}
    own = flows.filter((pl.col("source") == ip) | (pl.col("dest") == ip)).with_columns(**records)
    units = [pl.col(unit).max().alias(f"max_{unit}") for unit in BOTH_SIDES]
    means = [
        _per_flow(_total(pl.col(unit)), FLOWS, "denied_flows").alias(f"mean_{unit}")
        for unit in BOTH_SIDES
    ]
    grouped = (
        own.rename(ends)
        .group_by(keys)
        .agg(
            pl.col("first_seen").min(),
            pl.col("last_seen").max(),
            pl.col(FLOWS).sum().alias("connections"),
            *units,
            *means,
            *(_total(pl.col(name)).alias(name) for name in SUMS[1:]),
            _total(pl.col("denied_flows")).alias("denied_connections"),
            pl.col("protocol").drop_nulls().unique().sort().str.join(",").alias("protocols"),
        )
    )
    return grouped.sort(keys, nulls_last=True)


def _peers(found: pl.LazyFrame, ip: str, internal: bool) -> pl.LazyFrame:
    peer = pl.when(pl.col("dst_ip").eq_missing(ip)).then("src_ip").otherwise("dst_ip")
    own = found.with_columns(peer=peer).with_columns(
        sent=pl.col("src_ip").eq_missing(pl.col("peer")),
        received=pl.col("dst_ip").eq_missing(pl.col("peer")),
    )
    sent, received = pl.col("sent"), pl.col("received")

    def both(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        first, second = _total(one), _total(other)
        return pl.coalesce(first + second, first, second)

    traffic = []
    for unit, (source, dest) in BOTH_SIDES.items():
        out, back = pl.col(source), pl.col(dest)
        whole = both(out, back)
        traffic += [
            whole.alias(unit),
            both(out.filter(sent), back.filter(received)).alias(f"{unit}_from_peer"),
            both(back.filter(sent), out.filter(received)).alias(f"{unit}_to_peer"),
            pl.col(f"max_{unit}").max(),
            _per_flow(whole, "connections", "denied_connections").alias(f"mean_{unit}"),
        ]
    ports = pl.col("src_port").filter(sent).append(pl.col("dst_port").filter(received))
    connections = pl.col("connections")
    one_way = pl.when(sent.any() == internal).then(pl.lit("inbound")).otherwise(pl.lit("outbound"))
    grouped = own.group_by("peer").agg(
        pl.when(sent.any() & received.any())
        .then(pl.lit("two-way"))
        .otherwise(one_way)
        .alias("direction"),
        connections.sum(),
        connections.filter(sent).sum().alias("connections_from_peer"),
        connections.filter(received).sum().alias("connections_to_peer"),
        pl.col("denied_connections").sum(),
        *traffic,
        pl.col("first_seen").min(),
        pl.col("last_seen").max(),
        ports.drop_nulls()
        .unique()
        .sort()
        .head(10)
        .cast(pl.String)
        .str.join(",")
        .alias("peer_ports"),
    )
    return grouped.sort("peer", nulls_last=True)
