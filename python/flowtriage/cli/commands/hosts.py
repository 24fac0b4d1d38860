"""`flowtriage hosts`."""

from __future__ import annotations

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.cli.csv_output import print_csv
from flowtriage.cli.hunting import (
    Allow,
    Csv,
    Detectors,
    FindingsHost,
    MinSeverity,
    check_output,
    hunt_source,
    print_next,
    print_notes,
)
from flowtriage.cli.options import Databases, Json, Limit
from flowtriage.cli.output import SEEN, TableColumn, output, print_facts, print_json, print_table
from flowtriage.cli.source import Source, takes_source
from flowtriage.detect import detector_status
from flowtriage.detect.select import severities_from

EXAMPLES = """
[b]Examples[/b]

flowtriage hosts --sample

flowtriage hosts conn.log.gz --internal 10.0.0.0/8 --min-severity warning

flowtriage hosts 'logs/conn.*.log.gz' --allow allow.toml --csv > hosts.csv
"""
_COLUMNS = (
    TableColumn("host", "Host"),
    TableColumn("high", "High", "count"),
    TableColumn("warning", "Warning", "count"),
    TableColumn("information", "Information", "count"),
    TableColumn("flows", "Flows", "count"),
    TableColumn("bytes_out", "Sent", "bytes"),
    TableColumn("bytes_in", "Received", "bytes"),
    TableColumn("peers", "Peers", "count", optional=True),
    TableColumn("networks", "Networks", "count", optional=True),
    TableColumn("countries", "Countries", "list", flexible=True, optional=True),
    *SEEN,
)


@takes_source
def hosts(
    source: Source,
    min_severity: MinSeverity = None,
    detector: Detectors = None,
    host: FindingsHost = None,
    allow: Allow = None,
    top: Limit = 20,
    as_json: Json = False,
    as_csv: Csv = False,
    asn: Databases = None,
) -> None:
    """List the internal hosts of a log, those with the most severe findings first."""
    check_output(as_json, as_csv)
    hunted = hunt_source(
        source,
        min_severity=min_severity,
        detectors=detector,
        host=host,
        allow=allow,
        show_allowed=False,
        asn=asn,
    )
    table = hunted.hosts
    if min_severity is not None:
        table = _with_findings(table, min_severity)
    if as_json:
        print_json(
            {
                "report": hunted.report.to_dict(),
                "detectors": detector_status(hunted.shown.findings).to_pylist(),
                "hosts": table.to_pylist(),
                "allowed": hunted.shown.hidden.num_rows,
                "allow_list_problems": list(hunted.shown.problems),
            }
        )
    elif as_csv:
        print_csv(table)
        print_notes(hunted.shown)
    else:
        with output() as console:
            print_facts(console, hunted.facts())
            if table.num_rows:
                shown = table.slice(0, top)
                print_table(console, "Internal hosts", _COLUMNS, shown, total=table.num_rows)
                print_next(
                    console, f"flowtriage hunt {source.shown} --host {table['host'][0].as_py()}"
                )


def _with_findings(table: pa.Table, min_severity: str) -> pa.Table:
    """Return the hosts with findings of a severity or a higher one."""
    counts = reduce(pc.add, (table[name] for name in severities_from(min_severity)))
    return table.filter(pc.greater(counts, 0))
