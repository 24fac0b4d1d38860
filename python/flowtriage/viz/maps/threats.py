"""Threats among the peers of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import sanitize, sanitize_array

if TYPE_CHECKING:
    import pandas as pd

_FACTS = {"address": "Ioc", "severity": "Severity", "source": "Provider", "details": "Details"}
_SHOWN = 300


def threat_table(hits: pd.DataFrame) -> pa.Table:
    """Say of each address what is known against it.

    Parameters
    ----------
    hits
        Results of threat intelligence that count as threats, the most severe first.

    Returns
    -------
    pyarrow.Table
        One row per address: `address`, its greatest `severity`, and `threat`, what each provider
        says.
    """
    texts = {name: hits[column].map(str).tolist() for name, column in _FACTS.items()}
    texts["details"] = [sanitize(text, _SHOWN) for text in texts["details"]]
    rows = pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()})
    told = pc.binary_join_element_wise(sanitize_array(rows["source"]), rows["details"], ": ")
    grouped = (
        rows.append_column("told", told)
        .group_by("address", use_threads=False)
        .aggregate([("severity", "first"), ("told", "list")])
    )
    columns = {
        "address": grouped["address"],
        "severity": grouped["severity_first"],
        "threat": pc.binary_join(grouped["told_list"], "\n"),
    }
    return pa.table(columns)


def mark_threats(peers: pa.Table, threats: pa.Table) -> pa.Table:
    """Give peers the columns `severity` and `threat`, and those in `threats` the kind threat."""
    known = threats.take(pc.index_in(peers["address"], value_set=threats["address"]))
    kind = pc.if_else(pc.is_valid(known["threat"]), "threat", peers["kind"])
    peers = peers.set_column(peers.column_names.index("kind"), "kind", kind)
    for name in ("severity", "threat"):
        peers = peers.append_column(name, known[name])
    return peers
