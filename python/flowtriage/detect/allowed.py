"""Findings that an allow-list hides: kept with those that are shown, and counted."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.select import SEVERITIES

_HIDDEN = b"flowtriage.allowed"
"""Key of the schema metadata of findings: the hidden ones, as an Arrow stream."""


def allowed(findings: pa.Table) -> pa.Table:
    """Return the findings that the allow-list of `hunt` hid.

    Parameters
    ----------
    findings
        Result of `hunt` with `allow`.

    Returns
    -------
    pyarrow.Table
        The hidden findings; `context` has `allowed:` and the reason. Empty without an allow-list.

    Examples
    --------
    >>> from flowtriage import AllowList, hunt, sample
    >>> allow = AllowList()
    >>> _ = allow.add(detector="beacons", reason="known")
    >>> hidden = allowed(hunt(sample.office_day(), allow=allow))
    >>> hidden["detector"].unique().to_pylist()
    ['beacons']
    """
    stored = (findings.schema.metadata or {}).get(_HIDDEN)
    if stored is None:
        return findings.schema.remove_metadata().empty_table()
    return pa.ipc.open_stream(stored).read_all()


def with_hidden(applied: tuple[pa.Table, pa.Table]) -> pa.Table:
    """Return the shown findings with the hidden ones in their metadata."""
    shown, hidden = applied
    sink = pa.BufferOutputStream()
    plain = hidden.replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, plain.schema) as stream:
        stream.write_table(plain)
    metadata = {**(shown.schema.metadata or {}), _HIDDEN: sink.getvalue().to_pybytes()}
    return shown.replace_schema_metadata(metadata)


def count_again(hosts: pa.Table, hidden: pa.Table) -> pa.Table:
    """Return hosts without the hidden findings, the most severe first."""
    once = pc.fill_null(pc.not_equal(hidden["source"], hidden["dest"]), True)
    ends = pa.concat_tables(
        [
            pa.table({"host": hidden["source"], "severity": hidden["severity"]}),
            pa.table({"host": hidden["dest"], "severity": hidden["severity"]}).filter(once),
        ]
    )
    for name in SEVERITIES:
        of_severity = ends.filter(pc.equal(ends["severity"], name))["host"].drop_null()
        counted = pc.value_counts(of_severity.combine_chunks())
        at = pc.index_in(hosts["host"], value_set=counted.field("values"))
        fewer = pc.fill_null(counted.field("counts").take(at.combine_chunks()), 0)
        column = hosts.column_names.index(name)
        hosts = hosts.set_column(column, name, pc.subtract(hosts[name], fewer))
    order = [(name, "descending") for name in (*SEVERITIES, "flows")]
    return hosts.sort_by([*order, ("host", "ascending")])
