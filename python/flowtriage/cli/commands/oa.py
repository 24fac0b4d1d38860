"""`flowtriage oa`."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from warnings import catch_warnings, simplefilter

import typer

from flowtriage.cli.options import (
    ColumnNames,
    Config,
    DateOrder,
    Day,
    FormatName,
    Json,
    StoreUrl,
    Yes,
    Zone,
    open_store,
    read_settings,
)
from flowtriage.cli.output import output, print_json, progress_bar
from flowtriage.cli.source import print_warnings, read_options
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted, sanitize
from flowtriage.inputs.addresses import hosts_argument
from flowtriage.inputs.timespan import parse_day
from flowtriage.oa import queries
from flowtriage.oa.check import check as check_settings
from flowtriage.oa.pipeline import STEPS, FlowOA
from flowtriage.quality import QualityWarning
from flowtriage.quality.notices import reading_notices
from flowtriage.store import FlowStore
from flowtriage.store.raw_flows import RawFlows

RUN_EXAMPLES = """
[b]Examples[/b]

flowtriage oa run 2013-09-15 --flows conn.log

flowtriage oa run 2013-09-15 --store postgresql://hunter@db/flows

flowtriage oa run 2013-09-15 --results flow_results.csv --limit 250
"""
SCORE_EXAMPLES = """
[b]Examples[/b]

flowtriage oa score 2013-09-15 3 --dstip 192.0.2.53 --dport 53
"""
INGEST_EXAMPLES = """
[b]Examples[/b]

flowtriage oa ingest 'logs/conn.*.log.gz'
"""
app = typer.Typer(help="Rank the suspicious flows of a day, enrich and store them (Flow OA).")


@app.command("run", epilog=RUN_EXAMPLES)
def run(
    date: Day,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="LOG", help="Further logs, as for --flows.")
    ] = None,
    flows: Annotated[
        list[str] | None,
        typer.Option(
            "--flows",
            metavar="LOG",
            help="Flow logs to ingest first: files, folders, globs, URLs; known files are skipped.",
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results", metavar="FILE", help="Read Spot's flow_results.csv instead of ranking."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="Maximum number of suspicious connections."
        ),
    ] = None,
    steps: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            metavar="NAME",
            help=f"Run only this step; may be repeated: {', '.join(s.name for s in STEPS)}. "
            f"{', '.join(s.name for s in STEPS if s.changes)} need store, too.",
        ),
    ] = None,
    store: StoreUrl = None,
    config: Config = None,
    format_name: FormatName = None,
    columns: ColumnNames = None,
    tz: Zone = None,
    date_order: DateOrder = None,
    as_json: Json = False,
) -> None:
    """Run all steps for a day; replaces the results of an earlier run of that day."""
    settings = read_settings(config, store)
    logs = [*(flows or ()), *(more or ())]
    options = read_options(format_name, columns, tz, date_order)
    oa = FlowOA(date, logs or None, settings=settings, results=results, limit=limit, **options)
    with progress_bar(), catch_warnings():
        simplefilter("ignore", QualityWarning)  # printed below
        done = oa.run(steps)
    if done.report:
        print_warnings(done.report)
    if as_json:
        print_json(done.to_dict())
    else:
        print(done)


@app.command("ingest", epilog=INGEST_EXAMPLES)
def ingest(
    files: Annotated[
        list[str], typer.Argument(metavar="LOG", help="Flow logs: files, folders, globs, URLs.")
    ],
    config: Config = None,
    format_name: FormatName = None,
    columns: ColumnNames = None,
    tz: Zone = None,
    date_order: DateOrder = None,
) -> None:
    """Add flow logs to the raw flows; known files are skipped."""
    folder = read_settings(config).folders.flows
    with progress_bar():
        done = RawFlows(folder).ingest(files, **read_options(format_name, columns, tz, date_order))
    for report in done.reports:
        if reading_notices(report):
            print_warnings(report)
    for name, reason in done.skipped.items():
        print(f"warning: {sanitize(name)}: {sanitize(reason)}", file=sys.stderr)
    print(f"{sanitize(str(done))}, into {sanitize(str(folder))}")


@app.command("check")
def check(config: Config = None, store: StoreUrl = None, as_json: Json = False) -> None:
    """Check the configuration: parts that are ready, skipped or missing."""
    settings = read_settings(config, store)
    findings = check_settings(settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        with output() as console:
            console.print(
                f"configuration: {sanitize(str(settings.source or 'none; defaults apply'))}"
            )
            for finding in findings:
                text = f"{finding.key} = {finding.value}: {finding.effect}"
                console.print(f"{finding.state:<8} {sanitize(text)}", soft_wrap=True)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


@app.command("score", epilog=SCORE_EXAMPLES)
def score(
    date: Day,
    risk: Annotated[
        int, typer.Argument(metavar="RISK", min=1, max=3, help="Risk: 1 high, 2 medium, 3 low.")
    ],
    srcip: Annotated[
        str | None, typer.Option("--srcip", metavar="IP", help="Source address or CIDR prefix.")
    ] = None,
    dstip: Annotated[
        str | None,
        typer.Option("--dstip", metavar="IP", help="Destination address or CIDR prefix."),
    ] = None,
    sport: Annotated[
        int | None, typer.Option("--sport", metavar="PORT", help="Source port.")
    ] = None,
    dport: Annotated[
        int | None, typer.Option("--dport", metavar="PORT", help="Destination port.")
    ] = None,
    config: Config = None,
    store: StoreUrl = None,
) -> None:
    """Score the suspicious connections of a day that match all given options."""
    day = parse_day(date)
    opened = open_store(config, store)
    ends = {"srcip": srcip, "dstip": dstip}
    hosts = {name: hosts_argument(ip.split(",")) for name, ip in ends.items() if ip is not None}
    scored = queries.score_connection(
        opened,
        day,
        risk,
        srcip=hosts.get("srcip"),
        dstip=hosts.get("dstip"),
        sport=sport,
        dport=dport,
    )
    if not scored:
        raise _nothing_scored(opened, day)
    print(f"{counted(scored, 'connection')} of {day} scored")


def _nothing_scored(store: FlowStore, day: dt.date) -> ArgumentError:
    days = store.days()
    if day in days:
        return ArgumentError(f"no suspicious connection of {day} matches; nothing was scored")
    known = f"days with a run: {', '.join(map(str, days[-5:]))}" if days else "no day was run"
    return ArgumentError(f"no run of {day} in the store, so nothing was scored; {known}")


@app.command("reset")
def reset(date: Day, yes: Yes = False, config: Config = None, store: StoreUrl = None) -> None:
    """Delete all analyst scores of a day."""
    day = parse_day(date)
    opened = open_store(config, store)
    if not yes:
        count = queries.get_scored_connections(opened, day).num_rows
        raise ArgumentError(f"this deletes {counted(count, 'score')} of {day}; confirm with --yes")
    print(f"{counted(queries.reset_scored_connections(opened, day), 'score')} of {day} deleted")
