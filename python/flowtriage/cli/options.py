"""Arguments that several commands share, and reading the flows that they ask for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, TypeAlias

import typer

from flowtriage import sample
from flowtriage.asn import AsnDatabase, embedded
from flowtriage.cli.progress import progress_bar
from flowtriage.errors import ArgumentError
from flowtriage.flows import Flows, read_flows
from flowtriage.formats import FORMATS
from flowtriage.formats.report import Report
from flowtriage.host import HostFlows, busiest_addresses, canonical_address, flows_of_host
from flowtriage.report.text import visible
from flowtriage.timespan import resolve

_TIME = "in UTC unless a zone is given, like 2013-09-15 or 2013-09-15T23:44:10Z."
_LINE = 300

Files: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Flow logs, also of different formats: files, folders, globs, URLs, or - for stdin.",
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="IP", help="Address of the host, or its name where the log tells it."
    ),
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help=f"Only flows that start at or after it; {_TIME}"),
]
End: TypeAlias = Annotated[
    str | None,
    typer.Option("--end", metavar="TIME", help="Only flows that start at or before it."),
]
FormatName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"Format of the logs, if not to be recognised: {', '.join(f.name for f in FORMATS)}.",
    ),
]
Sample: TypeAlias = Annotated[
    bool, typer.Option("--sample", help="Use an invented day at an office instead of files.")
]
Databases: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--asn",
        metavar="DB",
        help="Database in MaxMind's format (.mmdb) instead of the one shipped; "
        "give it twice for two, of which the first that knows an address counts.",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of tables.")
]


@dataclass(frozen=True)
class Source:
    """Where flows come from, as the command line tells it."""

    files: Sequence[str] | None
    sample: bool
    format: str | None
    start: str | None
    end: str | None

    def read(self) -> Flows:
        """Read the flows, with a progress bar."""
        if bool(self.files) == self.sample:
            raise ArgumentError(
                "give files or --sample, not both" if self.files else "give a FILE, or --sample"
            )
        span = resolve(start=self.start, end=self.end)
        if not self.files:
            flows = read_flows(sample.office_day(), timespan=span)
            flows.report.sources = ["invented day at an office"]
            return flows
        with progress_bar():
            return read_flows(standard_input(self.files), format=self.format, timespan=span)


def standard_input(files: Sequence[str]) -> list[str | BinaryIO]:
    """Return the sources that files stand for: themselves, but standard input for a dash."""
    return [sys.stdin.buffer if name == "-" else name for name in files]


def open_database(paths: Sequence[Path] | None) -> AsnDatabase:
    """Open the databases asked for, or the one shipped."""
    return AsnDatabase(list(paths)) if paths else embedded()


def select_host(flows: Flows, host: str) -> HostFlows:
    """Select the flows of a host; if there are none, say so and end the program."""
    address = canonical_address(host)
    name, addresses = (None, (address,)) if address else (host.strip(), ())
    selected = flows_of_host(flows.to_arrow(), name, addresses)
    if selected.flows.num_rows:
        return selected
    message = f"{host} occurs nowhere in the {read_from(flows.report)}."
    if busiest := busiest_addresses(flows.to_arrow()):
        message += f" The busiest sources are {', '.join(busiest)}."
    print(visible(message, _LINE), file=sys.stderr)
    raise typer.Exit(1)


def read_from(report: Report) -> str:
    """Say how many flows there are, and what became of the other rows."""
    lost = {"bad": report.rows_bad, "outside the timespan": report.rows_outside}
    text = ", ".join(f"{count:,} {why}" for why, count in lost.items() if count)
    return f"{report.flows:,} flows" + (f" (of {report.rows_read:,} rows: {text})" if text else "")


def warn_of_losses(report: Report) -> None:
    """Say on stderr which rows could not be used, or that there is nothing at all."""
    if report.rows_bad or not report.flows:
        print(f"warning: {read_from(report)}", file=sys.stderr)
    for row in report.bad_rows:
        print(f"warning: {visible(str(row), _LINE)}", file=sys.stderr)
