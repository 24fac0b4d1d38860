"""What the commands `hunt` and `hosts` share: options, the hunt, and what is said about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias
from warnings import catch_warnings, simplefilter

import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.text import Text

from flowtriage.analysis.addresses import within_networks
from flowtriage.cli.options import open_database
from flowtriage.cli.output import TableColumn, print_table, progress_bar
from flowtriage.cli.source import Source, count_flows, print_warnings
from flowtriage.detect import (
    SEVERITIES,
    AllowList,
    about,
    at_least,
    detector_status,
)
from flowtriage.detect.allowed import count_again
from flowtriage.detect.hunt import COLUMNS, hunting
from flowtriage.detect.select import severities_from
from flowtriage.detect.thresholds import DETECTORS
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, sanitize
from flowtriage.quality.numbers import few
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import Flows

MinSeverity: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--min-severity",
        metavar="SEVERITY",
        help="Only findings of this severity or a higher one: information, warning or high.",
    ),
]
Detectors: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        metavar="NAME",
        help=f"Run only this detector; may be repeated: {', '.join(DETECTORS)}.",
    ),
]
FindingsHost: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="Only findings about this host: its address, a CIDR prefix, several of them separated "
        "by commas, or its name if the log contains it. The whole log is read.",
    ),
]
Allow: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--allow",
        metavar="FILE",
        help="Allow-list (.toml or .csv): findings that it has are hidden and counted.",
    ),
]
ShowAllowed: TypeAlias = Annotated[
    bool, typer.Option("--show-allowed", help="Show what --allow hides, with its reason.")
]
Csv: TypeAlias = Annotated[
    bool, typer.Option("--csv", help="Print CSV with a header, safe for spreadsheets.")
]
_MAX_LINE = 300
_STYLES = {"high": "bold red", "warning": "yellow"}
_COLUMNS = (
    TableColumn("severity", "Severity"),
    TableColumn("detector", "Detector", optional=True),
    TableColumn("summary", "Finding", "sentence", flexible=True),
    TableColumn("score", "Score", "score", optional=True),
    TableColumn("as_name", "AS", flexible=True, optional=True),
    TableColumn("context", "Context", "list", flexible=True, optional=True),
    TableColumn("first_seen", "First seen\n(UTC)", "time", optional=True),
    TableColumn("last_seen", "Last seen\n(UTC)", "time", optional=True),
)


@dataclass(frozen=True)
class Shown:
    """Findings after all options.

    `findings` are those that the allow-list does not have, `hidden` those that it has, `order` the
    ids of all in their order; `problems` has what of the allow-list does not apply.
    """

    findings: pa.Table
    hidden: pa.Table
    order: pa.Array
    allow: Path | None
    show_allowed: bool
    problems: tuple[str, ...]

    @property
    def rows(self) -> pa.Table:
        """The findings to show, in their order."""
        if not self.show_allowed:
            return self.findings
        both = pa.concat_tables([self.findings.replace_schema_metadata(None), self.hidden])
        return both.take(pc.sort_indices(pc.index_in(both["finding"], value_set=self.order)))

    def restricted(self, select: Callable[[pa.Table], pa.Table]) -> Shown:
        """Return a selection of the findings."""
        return replace(self, findings=select(self.findings), hidden=select(self.hidden))


@dataclass(frozen=True)
class Hunted:
    """Findings and internal hosts of a log, after all options."""

    shown: Shown
    report: ReadReport
    hosts: pa.Table

    def facts(self) -> dict[str, str]:
        """Return what was read, found and hidden, and what could not be answered."""
        read = {
            "Source": few(self.report.sources),
            "Records": count_flows(self.report),
            "Time": self.report.span,
        }
        return {label: text for label, text in (read | facts(self.shown)).items() if text}


def hunt_source(
    source: Source,
    *,
    min_severity: str | None,
    detectors: Sequence[str] | None,
    host: str | None,
    allow: Path | None,
    show_allowed: bool,
    asn: Sequence[Path] | None,
) -> Hunted:
    """Read the flows and hunt in them, with a progress bar; print warnings about both."""
    chosen = _checked(detectors)
    if min_severity is not None:
        severities_from(min_severity)
    allow_list = read_allow_list(allow, show_allowed)
    database = open_database(asn)
    function = hunting(internal=source.networks, detectors=chosen, asn=database)
    if host is None:
        addresses = None
        (found, hosts), report = source.over(function, COLUMNS)
    else:
        flows, addresses = _host_of(source, host)
        report = flows.report
        if report.rows_of_other_hosts:
            (found, hosts), report = source.over(function, COLUMNS)
        else:
            found, hosts = function(flows.to_arrow().to_reader())
    print_warnings(report)
    with progress_bar():
        shown = show(found, allow_list, allow, show_allowed, database)
        hosts = count_again(hosts, shown.hidden)
    if addresses is not None:
        shown = shown.restricted(partial(about, hosts=addresses))
        hosts = hosts.filter(within_networks(hosts["host"].combine_chunks(), addresses))
    if min_severity is not None:
        shown = shown.restricted(partial(at_least, severity=min_severity))
    return Hunted(shown, report, hosts)


def read_allow_list(allow: Path | None, show_allowed: bool) -> AllowList:
    """Read the allow-list, if there is one, and print what of it does not apply."""
    if allow is None:
        if show_allowed:
            raise ArgumentError("--show-allowed needs an allow-list; give --allow FILE")
        return AllowList()
    with catch_warnings():
        simplefilter("ignore")  # printed here
        allow_list = AllowList(allow)
    for problem in allow_list.problems():
        print(f"warning: {sanitize(problem, _MAX_LINE)}", file=sys.stderr)
    return allow_list


def show(
    found: pa.Table,
    allow_list: AllowList,
    allow: Path | None,
    show_allowed: bool,
    asn: AsnDatabase,
) -> Shown:
    """Apply the allow-list, which was read from `allow`, to findings."""
    findings, hidden = allow_list.apply(found, asn=asn)
    order = found["finding"].combine_chunks()
    return Shown(findings, hidden, order, allow, show_allowed, tuple(allow_list.problems()))


def check_output(as_json: bool, as_csv: bool) -> None:
    """Raise `ArgumentError` for two kinds of output."""
    if as_json and as_csv:
        raise ArgumentError("give --json or --csv, not both")


def facts(shown: Shown) -> dict[str, str]:
    """Return what was found and hidden, and what could not be answered."""
    found = {"Findings": count_findings(shown.findings), "Allowed": _allowed(shown)}
    return {label: text for label, text in (found | _not_run(shown)).items() if text}


def print_notes(shown: Shown) -> None:
    """Print to stderr what `facts` states, for output that has no place for it."""
    for label, text in facts(shown).items():
        if label != "Findings":
            print(f"warning: {label}: {sanitize(text, _MAX_LINE)}", file=sys.stderr)


def print_shown(console: Console, shown: Shown, top: int) -> None:
    """Print the first findings as a table, if there are any."""
    rows = shown.rows
    if rows.num_rows:
        first, total = rows.slice(0, top), rows.num_rows
        print_table(console, "Findings", _COLUMNS, first, total=total, styles=_STYLES)


def count_findings(findings: pa.Table) -> str:
    """Return the number of findings, in all and by severity."""
    counts = {name: _count(findings, name) for name in SEVERITIES}
    by_severity = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"{findings.num_rows:,}" + (f": {by_severity}" if by_severity else "")


def print_next(console: Console, *commands: str) -> None:
    """Print how to go on."""
    console.print()
    for command in commands:
        console.print(Text(f"Next: {sanitize(command, _MAX_LINE)}", "dim"), soft_wrap=True)


def _allowed(shown: Shown) -> str:
    """Return how many findings the allow-list has; empty without one."""
    if shown.allow is None:
        return ""
    how = "shown" if shown.show_allowed else "hidden; --show-allowed shows them"
    return f"{shown.hidden.num_rows:,} by {shown.allow}, {how}"


def _not_run(shown: Shown) -> dict[str, str]:
    """Return as label and text which detectors the source did not allow, and why."""
    status = detector_status(shown.findings).to_pylist()
    return {f"Not run: {one['detector']}": one["reason"] for one in status if not one["ran"]}


def _count(findings: pa.Table, severity: str) -> int:
    return int(pc.sum(pc.equal(findings["severity"], severity), min_count=0).as_py())


def _checked(detectors: Sequence[str] | None) -> list[str] | None:
    for name in detectors or ():
        if name not in DETECTORS:
            raise ArgumentError(f"unknown detector {name!r}{did_you_mean(name, DETECTORS)}")
    return list(dict.fromkeys(detectors)) if detectors else None


def _host_of(source: Source, host: str) -> tuple[Flows, list[str]]:
    """Read a log, or of a large one the flows of a host; return them and the host's addresses."""
    flows, selected = source.read_host(host)
    if not selected.addresses:
        raise ArgumentError(f"the log has no address of host {host!r}; give its address")
    return flows, [*selected.addresses]
