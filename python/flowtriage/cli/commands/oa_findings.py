"""`flowtriage oa findings`."""

from __future__ import annotations

from flowtriage.cli.csv_output import print_csv
from flowtriage.cli.hunting import (
    Allow,
    Csv,
    MinSeverity,
    ShowAllowed,
    check_output,
    facts,
    print_notes,
    print_shown,
    read_allow_list,
    show,
)
from flowtriage.cli.options import Config, Day, Json, Limit, StoreUrl, open_database, open_store
from flowtriage.cli.output import output, print_facts, print_json
from flowtriage.detect import detector_status
from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import parse_day
from flowtriage.oa import queries

EXAMPLES = """
[b]Examples[/b]

flowtriage oa findings 2013-09-15

flowtriage oa findings 2013-09-15 --min-severity warning --allow allow.toml
"""


def findings(
    date: Day,
    min_severity: MinSeverity = None,
    allow: Allow = None,
    show_allowed: ShowAllowed = False,
    top: Limit = 20,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show the findings that the run of a day stored."""
    check_output(as_json, as_csv)
    day = parse_day(date)
    allow_list = read_allow_list(allow, show_allowed)
    found = queries.findings(open_store(config, store), day, min_severity=min_severity)
    status = detector_status(found)
    if not status.num_rows:
        raise ArgumentError(f"no findings of {day} in the store; run flowtriage oa run {day}")
    shown = show(found, allow_list, allow, show_allowed, open_database(None))
    if as_json:
        print_json(
            {
                "day": day,
                "detectors": status.to_pylist(),
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
            print_facts(console, {"Day": day.isoformat(), **facts(shown)})
            print_shown(console, shown, top)
