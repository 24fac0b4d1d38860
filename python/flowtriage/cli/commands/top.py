"""`flowtriage top`."""

from __future__ import annotations

from typing import Annotated

import typer

from flowtriage.analysis.aggregate import top_function
from flowtriage.cli.options import Host, Json
from flowtriage.cli.output import MEASURES, SEEN, TableColumn, print_rows
from flowtriage.cli.source import Source, print_warnings, takes_source
from flowtriage.errors import ArgumentError

EXAMPLES = """
[b]Examples[/b]

flowtriage top --sample --key dest --by bytes

flowtriage top conn.log --key source --key dst_port --by flows -n 10

flowtriage top conn.log --key L7Protocol --by packets --host 10.20.30.41
"""
_COUNTS = (
    TableColumn("flows", "Flows", "count"),
    *MEASURES,
    TableColumn("src_packets", "Source\npackets", "count", optional=True),
    TableColumn("dst_packets", "Dest\npackets", "count", optional=True),
    *SEEN,
)


@takes_source
def top(
    source: Source,
    key: Annotated[
        list[str],
        typer.Option(
            "--key",
            metavar="COLUMN",
            help="Column to group by: source, dest, L7Protocol, FlowDirection, protocol, dst_port "
            "or any other string or integer column; may be repeated up to four times.",
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="MEASURE",
            help="Measure to rank by: flows, bytes, packets, denied_flows, src_bytes, dst_bytes, "
            "src_packets or dst_packets.",
        ),
    ],
    n: Annotated[
        int, typer.Option("-n", "--top", metavar="N", min=1, help="Maximum number of groups.")
    ] = 20,
    host: Host = None,
    as_json: Json = False,
) -> None:
    """Show the top groups of flows, such as the busiest sources or ports."""
    key = list(dict.fromkeys(key))
    for name in key:
        if name in {column.name for column in _COUNTS}:
            raise ArgumentError(f"--key {name} is a measure; group by a column such as dest")
    ranked = top_function(key, by, n)
    if host is None:
        table, report = source.over(ranked, key)
    else:
        flows, selected = source.read_host(host)
        table, report = ranked(selected.flows.to_reader()), flows.report
    print_warnings(report)
    keys = [
        TableColumn(name, name, "direction" if name == "FlowDirection" else "text") for name in key
    ]
    title = f"Top {n:,} of {', '.join(key)} by {by}" + (f", host {host}" if host else "")
    print_rows(title, [*keys, *_COUNTS], table, as_json=as_json)
