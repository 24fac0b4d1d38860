"""Reading the flows that a command asks for, and saying what became of them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, BinaryIO, get_args

import typer

from flowtriage import sample
from flowtriage.analysis.hosts import HostFlows, busiest_addresses, flows_of_host
from flowtriage.cli.options import (
    ColumnNames,
    Deduplicate,
    End,
    Files,
    FormatName,
    Internal,
    Sample,
    Start,
    Stitch,
    Zone,
)
from flowtriage.cli.output import progress_bar
from flowtriage.errors import ArgumentError
from flowtriage.formats.declaration import Unit
from flowtriage.humanize import sanitize
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.timespan import Timespan, parse_timespan
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.read_flows import flow_report, read_flows

_LINE = 300


@dataclass(frozen=True)
class Source:
    """Where flows come from and how they are read, as the command line tells it."""

    files: Files = None
    format_name: FormatName = None
    columns: ColumnNames = None
    tz: Zone = None
    start: Start = None
    end: End = None
    stitch: Stitch = False
    deduplicate: Deduplicate = False
    internal: Internal = None
    use_sample: Sample = False

    def read(self) -> Flows:
        """Read the flows, with a progress bar."""
        with progress_bar():
            flows = read_flows(
                self._place(),
                stitch=self.stitch,
                deduplicate=self.deduplicate,
                internal=self._networks(),
                **self._options(),
            )
        if self.use_sample:
            flows.report.sources = ["invented day at an office"]
        return flows

    def report(self) -> ReadReport:
        """Read the flows for their report only, with a progress bar."""
        if self.stitch or self.deduplicate:
            return self.read().report
        with progress_bar():
            return flow_report(self._place(), internal=self._networks(), **self._options())

    def parts(self) -> Flows | ReadRequest:
        """Return the flows, or what reads them a part at a time where that is enough."""
        if self.stitch or self.deduplicate or self.internal:
            return self.read()
        return ReadRequest.parse(self._place(), **self._options())

    @property
    def span(self) -> Timespan | None:
        """The span of time that was asked for."""
        return parse_timespan(start=self.start, end=self.end)

    def _place(self) -> Any:
        if bool(self.files) == self.use_sample:
            raise ArgumentError(
                "give files or --sample, not both" if self.files else "give a FILE, or --sample"
            )
        return standard_input(self.files) if self.files else sample.office_day()

    def _options(self) -> dict[str, Any]:
        if self.use_sample:
            return {"timespan": self.span}
        return {"timespan": self.span, **reading_options(self.format_name, self.columns, self.tz)}

    def _networks(self) -> str | list[str] | None:
        if self.internal is None or Path(self.internal).exists():
            return self.internal
        return self.internal.split(",")


def reading_options(format_name: str | None, columns: str | None, tz: str | None) -> dict[str, Any]:
    """Return options of `read_flows` as the command line tells them."""
    mapping = columns and "=" in columns
    return {
        "format": format_name,
        "columns": _mapping(columns) if columns and mapping else columns,
        "tz": tz,
    }


def _mapping(columns: str) -> dict[str, str | tuple[str, str]]:
    pairs = [pair.partition("=") for pair in columns.split(",")]
    mapping: dict[str, str | tuple[str, str]] = {}
    for target, _, place in pairs:
        name, _, unit = place.strip().rpartition(":")
        timed = name and unit in get_args(Unit)
        mapping[target.strip()] = (name, unit) if timed else place.strip()
    return mapping


def reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of reading in place of its parameter `source`.

    Options of the command's own name win over those of reading that have it, too.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    taken = {name for parameter in own for name in _flags(parameter)}
    asked = []
    for parameter in inspect.signature(Source, eval_str=True).parameters.values():
        flags = _flags(parameter)
        if free := [name for name in flags if name not in taken]:
            kind, option = get_args(parameter.annotation)
            option = copy(option)
            # typer takes the first name in the place of a default.
            option.default, *option.param_decls = free
            parameter = parameter.replace(annotation=Annotated[kind, option])
        asked.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    others = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own
        if parameter.name != "source"
    ]
    # Logs stand before what else has no name, such as the file to write.
    everything = [asked[0], *others, *asked[1:]]

    @wraps(command)
    def run(**arguments: Any) -> None:
        source = Source(**{p.name: arguments.pop(p.name) for p in asked})
        command(source=source, **arguments)

    run.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in everything}
    return run


def _flags(parameter: inspect.Parameter) -> list[str]:
    """Names of an option, such as `--format`."""
    infos = [part for part in get_args(parameter.annotation)[1:] if hasattr(part, "param_decls")]
    names = [name for info in infos for name in (info.default, *(info.param_decls or ()))]
    return [name for name in names if isinstance(name, str) and name.startswith("-")]


def standard_input(files: Sequence[str]) -> list[str | BinaryIO]:
    """Return the sources that files stand for: themselves, but standard input for a dash."""
    return [sys.stdin.buffer if name == "-" else name for name in files]


def select_host(flows: Flows, host: str) -> HostFlows:
    """Select the flows of a host; if there are none, say so and end the program."""
    address = parse_address(host)
    name, addresses = (None, (address,)) if address else (host.strip(), ())
    selected = flows_of_host(flows.to_arrow(), name, addresses)
    if selected.flows.num_rows:
        return selected
    message = f"{host} occurs nowhere in the {read_from(flows.report)}."
    if busiest := busiest_addresses(flows.to_arrow()):
        message += f" The busiest sources are {', '.join(busiest)}."
    print(sanitize(message, _LINE), file=sys.stderr)
    raise typer.Exit(1)


def read_from(report: ReadReport) -> str:
    """Say how many flows there are, and what became of the other rows."""
    lost = {"bad": report.rows_bad, "outside the timespan": report.rows_outside}
    text = ", ".join(f"{count:,} {why}" for why, count in lost.items() if count)
    return f"{report.flows:,} flows" + (f" (of {report.rows_read:,} rows: {text})" if text else "")


def warn_of_losses(report: ReadReport) -> None:
    """Say on stderr which rows could not be used, or that there is nothing at all."""
    if report.rows_bad or not report.flows:
        print(f"warning: {read_from(report)}", file=sys.stderr)
    for row in report.bad_rows:
        print(f"warning: {sanitize(str(row), _LINE)}", file=sys.stderr)
