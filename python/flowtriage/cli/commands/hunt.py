"""`flowtriage hunt`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.cli.csv_output import print_csv
from flowtriage.cli.hunting import (
    Allow,
    Csv,
    Detectors,
    FindingsHost,
    Hunted,
    MinSeverity,
    ShowAllowed,
    check_output,
    facts,
    hunt_source,
    print_next,
    print_notes,
)
from flowtriage.cli.options import Databases, Json, Limit
from flowtriage.cli.output import TableColumn, output, print_facts, print_json, print_table
from flowtriage.cli.source import Source, takes_source
from flowtriage.detect import detector_status

EXAMPLES = """
[b]Examples[/b]

flowtriage hunt --sample

flowtriage hunt conn.log.gz --min-severity warning

flowtriage hunt 'logs/conn.*.log.gz' --internal 10.0.0.0/8 --allow allow.toml

flowtriage hunt conn.log --detector beacons --detector uploads --csv > findings.csv
"""
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


@takes_source
def hunt(
    source: Source,
    min_severity: MinSeverity = None,
    detector: Detectors = None,
    host: FindingsHost = None,
    allow: Allow = None,
    show_allowed: ShowAllowed = False,
    top: Limit = 20,
    as_json: Json = False,
    as_csv: Csv = False,
    asn: Databases = None,
) -> None:
    """Show which host of a log to look at, and for what."""
    check_output(as_json, as_csv)
    hunted = hunt_source(
        source,
        min_severity=min_severity,
        detectors=detector,
        host=host,
        allow=allow,
        show_allowed=show_allowed,
        asn=asn,
    )
    findings = hunted.with_hidden() if show_allowed else hunted.findings
    if as_json:
        print_json(
            {
                "report": hunted.report.to_dict(),
                "detectors": detector_status(hunted.findings).to_pylist(),
                "findings": findings.to_pylist(),
                "allowed": hunted.hidden.to_pylist(),
                "allow_list_problems": list(hunted.problems),
            }
        )
    elif as_csv:
        print_csv(findings)
        print_notes(hunted)
    else:
        _show(source, hunted, findings, top)


def _show(source: Source, hunted: Hunted, findings: pa.Table, top: int) -> None:
    with output() as console:
        print_facts(console, facts(hunted))
        if not findings.num_rows:
            return
        shown = findings.slice(0, top)
        print_table(console, "Findings", _COLUMNS, shown, total=findings.num_rows, styles=_STYLES)
        commands = [f"flowtriage hosts {source.shown}"]
        if host := _host_of_first(hunted, findings):
            commands.insert(0, f"flowtriage summary {source.shown} --host {host}")
        print_next(console, *commands)


def _host_of_first(hunted: Hunted, findings: pa.Table) -> str | None:
    """Return the internal end of the first finding that has one."""
    known = hunted.hosts["host"].combine_chunks()
    for end in ("source", "dest"):
        first = findings[end].slice(0, 1)
        if pc.any(pc.is_in(first, value_set=known)).as_py():
            return str(first[0].as_py())
    return None
