"""`flowtriage summary`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, cast
from warnings import catch_warnings, simplefilter

import pyarrow as pa
import typer

from flowtriage.analysis.aggregate import flow_index, flow_summary, top_n
from flowtriage.analysis.folding import fold_index, fold_summary
from flowtriage.analysis.hosts import HostFlows
from flowtriage.cli.findings import print_findings
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
from flowtriage.cli.source import Source, hosts_of, takes_source
from flowtriage.detect import detector_status
from flowtriage.detect.of_host import HostFindings, findings_of_host, peers_of
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.quality import QualityWarning
from flowtriage.quality.numbers import flows_text
from flowtriage.quality.sums import exact_sum
from flowtriage.read.flows import Flows
from flowtriage.render.folded import FoldedTable
from flowtriage.sample import HOST_NAME

EXAMPLES = """
[b]Examples[/b]

flowtriage summary --sample

flowtriage summary conn.log --host 10.20.30.41 --top 10

flowtriage summary conn.*.log.gz --host 10.20.30.41 --html report.html

flowtriage summary conn.log --host 10.20.30.41 --json
"""
_OF_HOST = ("Host", "Host records", "Host flows")
_FLOW_COUNTS = ("flows", "denied_flows")
_FLOWS = TableColumn("TotalAllowedFlows", "Flows", "count")
_BY_AS = (
    TableColumn("DestASN", "Destination AS", flexible=True),
    TableColumn("SourceASN", "Source AS", flexible=True),
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


@takes_source
def summary(
    source: Source,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Address of the host, a CIDR prefix, several of them separated by commas, or its "
            "name if the log contains it; required without --sample.",
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option("-n", "--top", metavar="N", min=1, help="Maximum number of rows per table."),
    ] = 20,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="OUT",
            help="Also write a self-contained HTML report with plots; "
            'needs pip install "flowtriage\\[notebook]".',
        ),
    ] = None,
    as_json: Json = False,
    asn: Databases = None,
) -> None:
    """Summarise a host's flows: findings, and sums by AS, peer and protocol."""
    if host is None:
        if not source.use_sample:
            raise ArgumentError("--host is missing; give the address or name of the host")
        host = HOST_NAME
    if html:
        _check_path(html)
    database = open_database(asn)
    flows, selected = source.read_host(host)
    if html:
        found, index, by_as = _write_html(html, flows, host, source, database)
    else:
        found = findings_of_host(
            flows.to_arrow(),
            selected,
            whole=not flows.report.rows_of_other_hosts,
            internal=source.networks,
            asn=database,
        )
        index = flow_index(selected.flows)
        by_as = flow_summary(index, asn=database)
    tables = {
        "flow_summary": by_as,
        "flow_index": index.sort_by(_INDEX_ORDER),
        "protocols": top_n(
            selected.flows, key=["protocol", "L7Protocol"], by="flows", n=index.num_rows
        ),
    }
    if as_json:
        print_json(_document(flows, selected, found, tables, top))
    else:
        facts = _facts(flows, selected, database, bundled=not asn)
        _show(facts, found, tables, top, selected.addresses)
    if html:
        print(f"report written to {sanitize(str(html.resolve()))}", file=sys.stderr)


def _check_path(path: Path) -> None:
    """Raise an error for an unusable path of the report before the flows are read."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory; give a file", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such directory", str(path.parent))


def _write_html(
    path: Path, flows: Flows, host: str, source: Source, database: AsnDatabase
) -> tuple[HostFindings, pa.Table, pa.Table]:
    """Write the report of the notebooklet; return its findings, flow index and summary by AS."""
    from flowtriage.network_flow_summary import NetworkFlowSummary

    with redirect_stdout(sys.stderr), progress_bar(), catch_warnings():
        simplefilter("ignore", QualityWarning)  # the facts of the report state it
        result = NetworkFlowSummary(silent=True).run(
            value=hosts_of(host),
            data=flows,
            timespan=source.timespan,
            asn=database,
            deduplicate=False,
            internal=source.networks,
        )
        result.write_html(path)
    tables = result.host_tables
    return cast(HostFindings, tables.found), tables.index, tables.by_as


def _document(
    flows: Flows, host: HostFlows, found: HostFindings, tables: Mapping[str, pa.Table], top: int
) -> dict[str, Any]:
    tables = {"findings": found.table, **tables}
    addresses = list(host.addresses)
    return {
        "host": {
            "name": host.name,
            "addresses": addresses,
            "records": host.flows.num_rows,
            **dict(zip(_FLOW_COUNTS, _counts(host), strict=True)),
        },
        "report": flows.report.to_dict(),
        "detectors": detector_status(found.table).to_pylist(),
        "groups": {name: table.num_rows for name, table in tables.items()},
        **{name: table.slice(0, top).to_pylist() for name, table in tables.items()},
    }


def _counts(host: HostFlows) -> list[int]:
    return [exact_sum(host.flows[name]) for name in _FLOW_COUNTS]


def _facts(
    flows: Flows, host: HostFlows, database: AsnDatabase, *, bundled: bool
) -> dict[str, str]:
    names = database.lookup(host.addresses)["as_name"].to_pylist()
    known = [f"{a} ({name})" for a, name in zip(host.addresses, names, strict=True)]
    named = ", ".join([*([host.name] if host.name else []), *known])
    return {
        "Host": host.label if host.networks else named,
        "Host records": f"{host.flows.num_rows:,} of {flows.report.known_records:,}",
        "Host flows": flows_text(*_counts(host)),
        "ASN database": "bundled (flowtriage db info)" if bundled else repr(database),
        **flows.report.facts(),
        **{f"Bad row {n}": str(row) for n, row in enumerate(flows.report.bad_rows, 1)},
    }


def _show(
    facts: Mapping[str, str],
    found: HostFindings,
    tables: Mapping[str, pa.Table],
    top: int,
    addresses: Sequence[str],
) -> None:
    named = peers_of(found.table, addresses)
    sections = (
        ("Flow summary by AS", _BY_AS, fold_summary(tables["flow_summary"], named)),
        ("Flow index, by number of flows", _INDEX, fold_index(tables["flow_index"], named)),
        ("Protocols", _PROTOCOLS, FoldedTable(tables["protocols"], {}, 0)),
    )
    with output() as console:
        print_facts(console, {label: facts[label] for label in _OF_HOST})
        print_findings(console, found, top)
        console.print()
        print_facts(console, {k: fact for k, fact in facts.items() if k not in _OF_HOST})
        for title, columns, folded in sections:
            table = folded.table
            print_table(
                console, title, columns, table.slice(0, top), total=table.num_rows, muted=addresses
            )
            if folded.count:
                console.print(f"{folded.count:,} rows with few flows are folded", style="dim")
