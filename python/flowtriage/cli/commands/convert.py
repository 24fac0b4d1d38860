"""`flowtriage convert`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flowtriage.cli.output import progress_bar
from flowtriage.cli.source import Source, count_flows, print_warnings, takes_source
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted, sanitize
from flowtriage.write import FORMATS, write_flows

EXAMPLES = """
[b]Examples[/b]

flowtriage convert conn.log.gz flows.parquet --format parquet

flowtriage convert 'logs/2024-*/' flows.json.gz --format asim

flowtriage convert PT1H.json conn.log --format zeek

flowtriage convert flows.csv flows.parquet --format parquet --from nfdump --tz Europe/Prague
"""


@takes_source
def convert(
    source: Source,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write; .gz or .zst compresses text.")
    ],
    to: Annotated[
        str,
        typer.Option("--format", metavar="NAME", help=f"Format to write: {', '.join(FORMATS)}."),
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing OUT.")] = False,
) -> None:
    """Convert flow logs to the format of another tool."""
    if out.exists() and not force:
        raise ArgumentError(f"{sanitize(str(out))} already exists; --force overwrites it")
    with progress_bar():
        written = write_flows(source.stream(), out, format=to)
    written.report.records = written.records
    print_warnings(written.report)
    for name, count in written.dropped.items():
        print(
            f"warning: {to} has no field for {sanitize(name)}: {counted(count, 'value')} dropped",
            file=sys.stderr,
        )
    print(f"{count_flows(written.report)} written to {sanitize(str(out))}")
