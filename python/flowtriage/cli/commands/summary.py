"""`flowtriage summary`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from flowtriage import sample
from flowtriage.analysis.aggregate import flow_index, flow_summary, top_n
from flowtriage.analysis.hosts import HostFlows
from flowtriage.cli.options import Databases, Json, open_database
from flowtriage.cli.output import (
    MEASURES,
    SEEN,
    TableColumn,
    output,
    print_facts,
    print_json,
    print_table,
    progress_bar,
)
from flowtriage.cli.source import Source, reading, select_host
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.read.flows import Flows

EXAMPLES = """
[b]Examples[/b]

flowtriage summary --sample

flowtriage summary conn.log --host 10.20.30.41 --top 10

flowtriage summary conn.*.log.gz --host 10.20.30.41 --html report.html

flowtriage summary conn.log --host 10.20.30.41 --json
"""
_FLOWS = TableColumn("TotalAllowedFlows", "Flows", "count")
_NETWORKS = (
    TableColumn("DestASN", "Dest network", flexible=True),
    TableColumn("SourceASN", "Source network", flexible=True),
    _FLOWS,
    *MEASURES,
    TableColumn("L7Protocols", "Protocols", "list", flexible=True),
    TableColumn("dest_ips", "Dest\nIPs", "size", optional=True),
    TableColumn("source_ips", "Source\nIPs", "size", optional=True),
    *SEEN,
)
_INDEX = (
    TableColumn("source", "Source"),
    TableColumn("dest", "Dest"),
    TableColumn("L7Protocol", "Protocol", flexible=True),
    TableColumn("FlowDirection", "Direction", "direction"),
    _FLOWS,
    *MEASURES,
    *SEEN,
)
_PROTOCOLS = (
    TableColumn("protocol", "Transport"),
    TableColumn("L7Protocol", "Protocol", flexible=True),
    TableColumn("flows", "Flows", "count"),
    *MEASURES,
    *SEEN,
)
_INDEX_ORDER = [
    ("TotalAllowedFlows", "descending"),
    *((name, "ascending") for name in ("source", "dest", "L7Protocol", "FlowDirection")),
]


@reading
def summary(
    source: Source,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="IP",
            help="Address of the host, or its name where the log tells it; "
            "needed unless the sample is used.",
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            "-n", "--top", metavar="N", min=1, help="Most rows of each table, greatest first."
        ),
    ] = 20,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="OUT",
            help="Also write a report with plots that needs no network to be seen; "
            'needs pip install "flowtriage\\[notebook]".',
        ),
    ] = None,
    as_json: Json = False,
    asn: Databases = None,
) -> None:
    """Show whom a host talked to: by network owner, by peer and by protocol."""
    if host is None:
        if not source.use_sample:
            raise ArgumentError("--host is missing; whose flows are wanted?")
        host = sample.HOST_NAME
    if html:
        _check_place(html)
    database = open_database(asn)
    flows = source.read()
    selected = select_host(flows, host)
    if html:
        _write_html(html, flows, host, (source.start, source.end), database)
    index = flow_index(selected.flows).sort_by(_INDEX_ORDER)
    tables = {
        "flow_summary": flow_summary(index, asn=database),
        "flow_index": index,
        "protocols": top_n(
            selected.flows, key=["protocol", "L7Protocol"], by="flows", n=index.num_rows
        ),
    }
    if as_json:
        print_json(_document(flows, selected, tables, top))
    else:
        facts = _facts(flows, selected, database, shipped=not asn)
        _show(facts, tables, top, selected.addresses)
    if html:
        print(f"report written to {sanitize(str(html.resolve()))}", file=sys.stderr)


def _check_place(path: Path) -> None:
    """Refuse a place for the report before long work is done for it."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory; name a file in it", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such directory", str(path.parent))


def _write_html(
    path: Path,
    flows: Flows,
    host: str,
    timespan: tuple[str | None, str | None],
    database: AsnDatabase,
) -> None:
    from flowtriage.network_flow_summary import NetworkFlowSummary

    with redirect_stdout(sys.stderr), progress_bar():
        notebooklet = NetworkFlowSummary(silent=True)
        result = notebooklet.run(value=host, data=flows, timespan=timespan, asn=database)
        result.write_html(path)


def _document(
    flows: Flows, host: HostFlows, tables: Mapping[str, pa.Table], top: int
) -> dict[str, Any]:
    return {
        "host": {
            "name": host.name,
            "addresses": list(host.addresses),
            "flows": host.flows.num_rows,
        },
        "report": flows.report.to_dict(),
        "groups": {name: table.num_rows for name, table in tables.items()},
        **{name: table.slice(0, top).to_pylist() for name, table in tables.items()},
    }


def _facts(
    flows: Flows, host: HostFlows, database: AsnDatabase, *, shipped: bool
) -> dict[str, str]:
    owners = database.lookup(host.addresses)["as_name"].to_pylist()
    known = [f"{a} ({owner})" for a, owner in zip(host.addresses, owners, strict=True)]
    return {
        "Host": ", ".join([*([host.name] if host.name else []), *known]),
        "Host's flows": f"{host.flows.num_rows:,} of {flows.report.flows:,}",
        "Owners from": "database shipped (flowtriage db info)" if shipped else repr(database),
        **flows.report.facts(),
        **{f"Bad row {n}": str(row) for n, row in enumerate(flows.report.bad_rows, 1)},
    }


def _show(
    facts: Mapping[str, str],
    tables: Mapping[str, pa.Table],
    top: int,
    addresses: Sequence[str],
) -> None:
    sections = (
        ("flow_summary", "Networks at both ends, by owner (ASN)", _NETWORKS),
        ("flow_index", "Flow index, most flows first", _INDEX),
        ("protocols", "Protocols", _PROTOCOLS),
    )
    with output() as console:
        print_facts(console, facts)
        for name, title, columns in sections:
            table = tables[name]
            print_table(
                console,
                title,
                columns,
                table.slice(0, top),
                total=table.num_rows,
                muted=addresses,
            )
