"""`flowtriage convert`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flowtriage.cli.output import progress_bar
from flowtriage.cli.source import Source, read_from, reading, warn_of_losses
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.write import FORMATS, write_flows

EXAMPLES = """
[b]Examples[/b]

flowtriage convert conn.log.gz flows.parquet --format parquet

flowtriage convert 'logs/2024-*/' flows.json.gz --format asim

flowtriage convert PT1H.json conn.log --format zeek

flowtriage convert flows.csv flows.parquet --format parquet --from nfdump --tz Europe/Prague
"""


@reading
def convert(
    source: Source,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write; .gz or .zst packs text.")
    ],
    to: Annotated[
        str, typer.Option("--format", metavar="NAME", help=f"One of {', '.join(FORMATS)}.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace OUT if it is there already.")
    ] = False,
) -> None:
    """Write flow logs again in the format of another tool."""
    if out.exists() and not force:
        raise ArgumentError(f"{sanitize(str(out))} is there already; --force replaces it")
    with progress_bar():
        written = write_flows(source.parts(), out, format=to)
    written.report.flows = written.flows
    warn_of_losses(written.report)
    for name, count in written.dropped.items():
        print(
            f"warning: {to} has no place for {count:,} values of {sanitize(name)}",
            file=sys.stderr,
        )
    print(f"{read_from(written.report)} written to {sanitize(str(out))}")
