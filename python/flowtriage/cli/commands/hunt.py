"""`flowtriage hunt`."""

from __future__ import annotations

from collections.abc import Iterator

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
    hunt_source,
    print_next,
    print_notes,
    print_shown,
)
from flowtriage.cli.options import Databases, Json, Limit
from flowtriage.cli.output import output, print_facts, print_json
from flowtriage.cli.source import Source, takes_source
from flowtriage.detect import detector_status

EXAMPLES = """
[b]Examples[/b]

flowtriage hunt --sample

flowtriage hunt conn.log.gz --min-severity warning

flowtriage hunt 'logs/conn.*.log.gz' --internal 10.0.0.0/8 --allow allow.toml

flowtriage hunt conn.log --detector beacons --detector uploads --csv > findings.csv
"""


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
    shown = hunted.shown
    if as_json:
        print_json(
            {
                "report": hunted.report.to_dict(),
                "detectors": detector_status(shown.findings).to_pylist(),
                "findings": shown.rows.to_pylist(),
                "allowed": shown.hidden.to_pylist(),
                "allow_list_problems": list(shown.problems),
            }
        )
    elif as_csv:
        print_csv(shown.rows)
        print_notes(shown)
    else:
        with output() as console:
            print_facts(console, hunted.facts())
            print_shown(console, shown, top)
            print_next(console, *_next(source, hunted))


def _next(source: Source, hunted: Hunted) -> Iterator[str]:
    """Yield the commands to go on with."""
    known = hunted.hosts["host"].combine_chunks()
    first = hunted.shown.rows.slice(0, 1)
    for end in ("source", "dest"):
        if pc.any(pc.is_in(first[end], value_set=known)).as_py():
            yield f"flowtriage summary {source.shown} --host {first[end][0].as_py()}"
            break
    if known:
        yield f"flowtriage hosts {source.shown}"
