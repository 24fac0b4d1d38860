"""What the commands `hunt` and `hosts` share: options, the hunt, and what is said about it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias
from warnings import catch_warnings, simplefilter

import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.text import Text

from flowtriage.analysis.addresses import within_networks
from flowtriage.analysis.hosts import busiest_addresses, flows_of_host
from flowtriage.cli.options import open_database
from flowtriage.cli.output import progress_bar
from flowtriage.cli.source import Source, count_flows, exit_without, hosts_of, print_warnings
from flowtriage.detect import (
    SEVERITIES,
    AllowList,
    about,
    at_least,
    detector_status,
    survey,
)
from flowtriage.detect.allowed import count_again
from flowtriage.detect.select import severities_from
from flowtriage.detect.thresholds import DETECTORS
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, sanitize
from flowtriage.inputs.hosts import parse_host
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


@dataclass(frozen=True)
class Hunted:
    """Findings and hosts of a log, after all options.

    `findings` are those to show, `hidden` those that the allow-list hides, `order` the ids of
    all in their order, `hosts` the internal hosts; `problems` has what of the allow-list does not
    apply.
    """

    report: ReadReport
    findings: pa.Table
    hidden: pa.Table
    order: pa.Array
    hosts: pa.Table
    allow: Path | None
    show_allowed: bool
    problems: tuple[str, ...]

    def with_hidden(self) -> pa.Table:
        """Return shown and hidden findings in their order."""
        both = pa.concat_tables([self.findings.replace_schema_metadata(None), self.hidden])
        return both.take(pc.sort_indices(pc.index_in(both["finding"], value_set=self.order)))


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
    allow_list = AllowList()
    if allow is not None:
        with catch_warnings():
            simplefilter("ignore")  # printed below
            allow_list = AllowList(allow)
    elif show_allowed:
        raise ArgumentError("--show-allowed needs an allow-list; give --allow FILE")
    database = open_database(asn)
    flows = source.read()
    addresses = None if host is None else _addresses(flows, host)
    with progress_bar():
        found, hosts = survey(flows, internal=source.networks, detectors=chosen, asn=database)
        order = found["finding"].combine_chunks()
        found, hidden = allow_list.apply(found, asn=database)
        hosts = count_again(hosts, hidden)
    if addresses is not None:
        found, hidden = about(found, addresses), about(hidden, addresses)
        hosts = hosts.filter(within_networks(hosts["host"].combine_chunks(), addresses))
    if min_severity is not None:
        found, hidden = at_least(found, min_severity), at_least(hidden, min_severity)
    print_warnings(flows.report)
    problems = tuple(allow_list.problems())
    for problem in problems:
        print(f"warning: {sanitize(problem, _MAX_LINE)}", file=sys.stderr)
    return Hunted(flows.report, found, hidden, order, hosts, allow, show_allowed, problems)


def check_output(as_json: bool, as_csv: bool) -> None:
    """Raise `ArgumentError` for two kinds of output."""
    if as_json and as_csv:
        raise ArgumentError("give --json or --csv, not both")


def facts(hunted: Hunted) -> dict[str, str]:
    """Return what was read, found and hidden, and what could not be answered."""
    found = {
        "Source": few(hunted.report.sources),
        "Records": count_flows(hunted.report),
        "Time": hunted.report.span,
        "Findings": count_findings(hunted.findings),
        "Allowed": allowed_text(hunted),
        **_not_run(hunted),
    }
    return {label: text for label, text in found.items() if text}


def print_notes(hunted: Hunted) -> None:
    """Print to stderr what `facts` states, for output that has no place for it."""
    notes = {"Allowed": allowed_text(hunted), **_not_run(hunted)}
    for label, text in notes.items():
        if text:
            print(f"warning: {label}: {sanitize(text, _MAX_LINE)}", file=sys.stderr)


def count_findings(findings: pa.Table) -> str:
    """Return the number of findings, in all and by severity."""
    counts = {name: _count(findings, name) for name in SEVERITIES}
    by_severity = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f"{findings.num_rows:,}" + (f": {by_severity}" if by_severity else "")


def allowed_text(hunted: Hunted) -> str:
    """Return how many findings the allow-list has; empty without one."""
    if hunted.allow is None:
        return ""
    how = "shown" if hunted.show_allowed else "hunt --show-allowed shows them"
    return f"{hunted.hidden.num_rows:,} by {hunted.allow}; {how}"


def print_next(console: Console, *commands: str) -> None:
    """Print how to go on."""
    console.print()
    for command in commands:
        console.print(Text(f"Next: {sanitize(command, _MAX_LINE)}", "dim"), soft_wrap=True)


def _not_run(hunted: Hunted) -> dict[str, str]:
    """Return as label and text which detectors the source did not allow, and why."""
    status = detector_status(hunted.findings).to_pylist()
    return {f"Not run: {one['detector']}": one["reason"] for one in status if not one["ran"]}


def _count(findings: pa.Table, severity: str) -> int:
    return int(pc.sum(pc.equal(findings["severity"], severity), min_count=0).as_py())


def _checked(detectors: Sequence[str] | None) -> list[str] | None:
    for name in detectors or ():
        if name not in DETECTORS:
            raise ArgumentError(f"unknown detector {name!r}{did_you_mean(name, DETECTORS)}")
    return list(dict.fromkeys(detectors)) if detectors else None


def _addresses(flows: Flows, host: str) -> list[str]:
    """Return the addresses and networks of a host; without flows of it, exit with status 1."""
    selected = flows_of_host(flows.to_arrow(), *parse_host(hosts_of(host)))
    if not selected.flows.num_rows:
        exit_without(host, flows.report, busiest_addresses(flows.to_arrow()))
    return [*selected.addresses]
