"""Threats among the peers of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import sanitize, sanitize_array

if TYPE_CHECKING:
    import pandas as pd

_FACTS = {"address": "Ioc", "severity": "Severity", "source": "Provider", "details": "Details"}
_MAX_DETAILS = 300


def threat_table(hits: pd.DataFrame) -> pa.Table:
    """Summarise `Reputation.hits`, the most severe first, by address.

    `severity` is the maximum, `threat` the details of each provider.
    """
    texts = {name: hits[column].map(str).tolist() for name, column in _FACTS.items()}
    texts["details"] = [sanitize(text, _MAX_DETAILS) for text in texts["details"]]
    rows = pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()})
    line = pc.binary_join_element_wise(sanitize_array(rows["source"]), rows["details"], ": ")
    groups = rows.append_column("line", line).group_by("address", use_threads=False)
    found = groups.aggregate([("severity", "first"), ("line", "list")])
    threat = pc.binary_join(found["line_list"], "\n")
    columns = [found["address"], found["severity_first"], threat]
    return pa.table(columns, names=["address", "severity", "threat"])


def mark_threats(peers: pa.Table, threats: pa.Table) -> pa.Table:
    """Add `severity` and `threat` to peers; peers in `threats` get the kind threat."""
    known = threats.take(pc.index_in(peers["address"], value_set=threats["address"]))
    kind = pc.if_else(pc.is_valid(known["threat"]), "threat", peers["kind"])
    peers = peers.set_column(peers.column_names.index("kind"), "kind", kind)
    for name in ("severity", "threat"):
        peers = peers.append_column(name, known[name])
    return peers
