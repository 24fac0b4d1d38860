"""The findings about a run's host: what its section shows, and the flows behind one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.cards import finding_list
from flowtriage.detect.of_host import HostFindings
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, sanitize
from flowtriage.render.findings import TableLink

if TYPE_CHECKING:
    import pandas as pd

_NAME_LENGTH = 40


def findings_frame(table: pa.Table) -> pd.DataFrame:
    """Convert findings to pandas, with Python lists in the cells of the list columns."""
    frame: pd.DataFrame = table.to_pandas()
    for name in ("evidence", "context"):
        frame[name] = table[name].to_pylist()
    return frame


def section_contents(
    found: HostFindings, own: Collection[str], tables: Mapping[str, str]
) -> list[object]:
    """Return what the section of the findings contains.

    Parameters
    ----------
    found
        The findings.
    own
        Addresses of the host.
    tables
        Titles of the sections `flow_index` and `flow_summary`, if the run has them.
    """
    if not found.table.num_rows:
        return [found.none, *([found.context] if found.searched else [])]

    def links(row: Mapping[str, Any]) -> Sequence[TableLink]:
        made = (_link(row, own, name, title) for name, title in tables.items())
        return [link for link in made if link]

    rest = "result.findings has all of them."
    shown = finding_list(found.table, found.matching, links=links, rest=rest)
    return [found.context, shown, *([found.not_run] if found.not_run else [])]


def _link(row: Mapping[str, Any], own: Collection[str], name: str, title: str) -> TableLink | None:
    """Return the link to the rows of a finding; None if they have no AS."""
    if name == "flow_summary":
        as_name = sanitize(row["as_name"] or "")[:_NAME_LENGTH]
        several = not (row["source"] and row["dest"])
        return TableLink("Summary by AS", title, as_name) if as_name or several else None
    peers = [end for end in (row["source"], row["dest"]) if end and end not in own]
    return TableLink("Flow index", title, f'"{peers[0]}"' if peers else "")


def condition_of(finding: Any, found: HostFindings | None) -> str:
    """Return the `flows_filter` of a finding, given as its id, its row or its position.

    Raises
    ------
    ArgumentError
        If there is no such finding.
    """
    if hasattr(finding, "keys"):
        if "flows_filter" not in finding:
            raise ArgumentError("the row has no flows_filter; give a row of result.findings")
        return str(finding["flows_filter"])
    if found is None:
        raise ArgumentError("the result has no findings; use run() with the option findings")
    filters, ids = found.table["flows_filter"], found.table["finding"]
    count = len(ids)
    if isinstance(finding, Integral):
        at = int(finding)
        if not -count <= at < count:
            raise ArgumentError(f"no finding at {at}; the result has {count:,} findings")
        return str(filters[at % count])
    position = pc.index(ids, pa.scalar(str(finding))).as_py()
    if position < 0:
        near = did_you_mean(finding, ids.to_pylist()) if count else "; the result has no findings"
        raise ArgumentError(f"no finding {sanitize(str(finding), _NAME_LENGTH)!r}{near}")
    return str(filters[position])
