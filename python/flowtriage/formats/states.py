"""Records that tell all of a flow since it began, each a later state of it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core
from flowtriage.formats.marks import COUNTERS, mark

_COMPARED = (
    "start_time",
    "end_time",
    "src_ip",
    "dst_ip",
    "src_port",
    "dst_port",
    "protocol",
    "src_bytes",
    "dst_bytes",
    "flows",
    "denied_flows",
    "host",
)


def without_earlier_states(tables: list[pa.Table]) -> list[pa.Table]:
    """Leave out rows that tell an earlier state of a flow, of which a later row tells more.

    Zeek's logs of connections that are still open tell them so, and so do such a log and
    `conn.log` together. A flow is told from others by its start, to the microsecond, its 5-tuple
    and the machine that saw it; the last state has the latest end and the most bytes.
    """
    of_flow = [mark(table, COUNTERS) == "flow" for table in tables]
    compared = [t.select(_COMPARED) for t, chosen in zip(tables, of_flow, strict=True) if chosen]
    if not compared:
        return tables
    joined = pa.concat_tables([table.replace_schema_metadata(None) for table in compared])
    repeated = _core.repeated_starts(joined.select(["start_time"]).to_reader())["start_time"]
    if not len(repeated):
        return tables
    alike = pc.is_in(joined["start_time"], repeated.combine_chunks())
    found = _core.earlier_states(joined.filter(alike).to_reader())["earlier"]
    if not pc.any(found).as_py():
        return tables
    earlier = pc.replace_with_mask(
        alike.combine_chunks(), alike.combine_chunks(), found.combine_chunks()
    )
    later, kept, place = pc.invert(earlier), [], 0
    for table, chosen in zip(tables, of_flow, strict=True):
        kept.append(table.filter(later.slice(place, len(table))) if chosen else table)
        place += len(table) if chosen else 0
    return kept
