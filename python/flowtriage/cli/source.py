"""The flows that a command reads, and the rows that could not be used."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar, get_args

import typer

from flowtriage.analysis.hosts import HostFlows, busiest_addresses
from flowtriage.analysis.read_host import read_flows_of_host
from flowtriage.cli.options import (
    ColumnNames,
    DateOrder,
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
from flowtriage.humanize import counted, sanitize
from flowtriage.inputs.arrow import FlowReader
from flowtriage.inputs.hosts import parse_host
from flowtriage.inputs.networks import parse_networks
from flowtriage.inputs.timespan import Timespan, parse_timespan
from flowtriage.quality import notices
from flowtriage.quality.report import ReadReport
from flowtriage.read.batches import aggregated_columns
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.read_flows import flow_report, read_flows
from flowtriage.read.streaming import local_logs, streamed
from flowtriage.sample import office_day

_MAX_LINE = 300
_T = TypeVar("_T")


@dataclass(frozen=True)
class Source:
    """Logs to read and the options for reading them, as given on the command line."""

    files: Files = None
    format_name: FormatName = None
    columns: ColumnNames = None
    tz: Zone = None
    date_order: DateOrder = None
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
                self._logs(),
                stitch=self.stitch,
                deduplicate=self.deduplicate,
                internal=self._networks(),
                **self._options(),
            )
        if self.use_sample:
            flows.report.sources = ["synthetic day at an office"]
        return flows

    def read_host(self, host: str) -> tuple[Flows, HostFlows]:
        """Read the flows of a host, with a progress bar; without any, exit with status 1."""
        request = self.request()
        with progress_bar():
            flows, selected = read_flows_of_host(
                request,
                *parse_host(hosts_of(host)),
                stitch=self.stitch,
                deduplicate=self.deduplicate,
            )
            if not selected.flows.num_rows:
                looked_at = request if local_logs(request.source) else flows.to_arrow()
                exit_without(host, flows.report, busiest_addresses(looked_at))
        if len(hosts_of(host)) > 1 and selected.absent:
            absent = sanitize(", ".join(selected.absent), _MAX_LINE)
            print(f"warning: no flows of {absent}", file=sys.stderr)
            selected = selected.present()
        if self.use_sample:
            flows.report.sources = ["synthetic day at an office"]
        return flows, selected

    def report(self) -> ReadReport:
        """Read the flows only for their report, with a progress bar."""
        if self.stitch or self.deduplicate:
            return self.read().report
        with progress_bar():
            return flow_report(self._logs(), internal=self._networks(), **self._options())

    def stream(self) -> Flows | ReadRequest:
        """Return a request that reads in batches, or the flows if an option needs all of them."""
        if self.stitch or self.deduplicate or self.internal:
            return self.read()
        return self.request()

    def over(
        self, function: Callable[[FlowReader], _T], keys: Sequence[str]
    ) -> tuple[_T, ReadReport]:
        """Call an aggregate of the core by keys with the flows, with a progress bar.

        Logs are streamed, unless an option needs all flows.
        """
        request = self.request()
        if self.stitch or self.deduplicate or not local_logs(request.source):
            flows = self.read()
            return function(flows.to_arrow().to_reader()), flows.report
        with progress_bar():
            return streamed(request, function, targets=aggregated_columns(keys), measured=True)

    def request(self) -> ReadRequest:
        """Return the request to read the flows."""
        networks = self._networks()
        internal = None if networks is None else parse_networks(networks)
        return ReadRequest.parse(self._logs(), internal=internal, **self._options())

    @property
    def timespan(self) -> Timespan | None:
        """Requested timespan."""
        return parse_timespan(start=self.start, end=self.end)

    @property
    def networks(self) -> str | list[str] | None:
        """Internal networks: their file, or the networks."""
        return self._networks()

    @property
    def shown(self) -> str:
        """Arguments of a command that reads the same logs, for a shell."""
        if self.use_sample:
            return "--sample"
        return " ".join(shlex.quote(name) for name in self.files or ())

    def _logs(self) -> Any:
        if bool(self.files) == self.use_sample:
            raise ArgumentError(
                "give files or --sample, not both" if self.files else "give a FILE, or --sample"
            )
        if not self.files:
            return office_day()
        return [sys.stdin.buffer if name == "-" else name for name in self.files]

    def _options(self) -> dict[str, Any]:
        if self.use_sample:
            return {"timespan": self.timespan}
        options = read_options(self.format_name, self.columns, self.tz, self.date_order)
        return {"timespan": self.timespan, **options}

    def _networks(self) -> str | list[str] | None:
        if self.internal is None or Path(self.internal).exists():
            return self.internal
        return self.internal.split(",")


def read_options(
    format_name: str | None, columns: str | None, tz: str | None, date_order: str | None
) -> dict[str, Any]:
    """Convert command-line options to keyword arguments of `read_flows`."""
    mapping = _mapping(columns) if columns and "=" in columns else columns
    return {"format": format_name, "columns": mapping, "tz": tz, "date_order": date_order}


def takes_source(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the parameter `source` of a command by the fields of `Source` as options.

    A flag that the command itself declares takes precedence over the same flag of `Source`.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    taken = {name for parameter in own for name in _flags(parameter)}
    added = []
    for parameter in inspect.signature(Source, eval_str=True).parameters.values():
        flags = _flags(parameter)
        if free := [name for name in flags if name not in taken]:
            kind, option = get_args(parameter.annotation)
            option = copy(option)
            # typer keeps the first flag in the field for the default.
            option.default, *option.param_decls = free
            parameter = parameter.replace(annotation=Annotated[kind, option])
        added.append(parameter.replace(kind=parameter.KEYWORD_ONLY))
    others = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.name != "source"]
    # The log files come before other arguments, such as the output file.
    parameters = [added[0], *others, *added[1:]]

    @wraps(command)
    def run(**arguments: Any) -> None:
        source = Source(**{p.name: arguments.pop(p.name) for p in added})
        command(source=source, **arguments)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def hosts_of(host: str) -> list[str]:
    """Split the value of `--host` at its commas."""
    return [one for part in host.split(",") if (one := part.strip())]


def exit_without(host: str, report: ReadReport, busiest: Sequence[str]) -> NoReturn:
    """Print the top sources instead of the flows of a host; exit with status 1."""
    message = f"no flows of host {host} in {count_flows(report)}"
    if busiest:
        message += f"; top sources: {', '.join(busiest)}"
    print(sanitize(message, _MAX_LINE), file=sys.stderr)
    raise typer.Exit(1)


def count_flows(report: ReadReport) -> str:
    """Format the number of records, and of the rows that are not among them."""
    lost = {"bad": report.rows_bad, "outside the timespan": report.rows_outside}
    text = ", ".join(f"{count:,} {why}" for why, count in lost.items() if count)
    return counted(report.known_records, "record") + (
        f" (of {counted(report.rows_read, 'row')}: {text})" if text else ""
    )


def print_warnings(report: ReadReport) -> None:
    """Print what limits the flows to stderr: bad rows and notices, or that there are none."""
    if report.rows_bad or not report.known_records:
        print(f"warning: {count_flows(report)}", file=sys.stderr)
    for row in report.bad_rows:
        print(f"warning: {sanitize(str(row), _MAX_LINE)}", file=sys.stderr)
    for label, text in notices(report).items():
        if label not in ("Bad rows", "Outside the timespan"):
            print(f"warning: {label}: {sanitize(text, _MAX_LINE)}", file=sys.stderr)


def _mapping(columns: str) -> dict[str, str | tuple[str, str]]:
    pairs = [pair.partition("=") for pair in columns.split(",")]
    mapping: dict[str, str | tuple[str, str]] = {}
    for target, _, field in pairs:
        name, _, unit = field.strip().rpartition(":")
        timed = name and unit in get_args(Unit)
        mapping[target.strip()] = (name, unit) if timed else field.strip()
    return mapping


def _flags(parameter: inspect.Parameter) -> list[str]:
    """Return the flags of an option, such as `--format`."""
    infos = [part for part in get_args(parameter.annotation)[1:] if hasattr(part, "param_decls")]
    names = [name for info in infos for name in (info.default, *(info.param_decls or ()))]
    return [name for name in names if isinstance(name, str) and name.startswith("-")]
