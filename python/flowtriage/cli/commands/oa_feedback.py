"""`flowtriage oa feedback`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from flowtriage.cli.options import (
    Config,
    Day,
    Json,
    Limit,
    StoreUrl,
    Yes,
    open_store,
    read_settings,
)
from flowtriage.cli.output import TableColumn, print_rows, progress_bar
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted
from flowtriage.inputs.addresses import address_argument
from flowtriage.inputs.timespan import parse_day
from flowtriage.oa.day import no_flows
from flowtriage.oa.stored_feedback import compare_ranks, list_feedback, withdraw_feedback
from flowtriage.store.raw_flows import RawFlows

EXAMPLES = """
[b]Examples[/b]

flowtriage oa feedback list --date 2013-09-15

flowtriage oa feedback withdraw --ip 192.0.2.53 --yes

flowtriage oa feedback compare 2013-09-16
"""
app = typer.Typer(help="List and withdraw analyst scores, and compare ranks with and without them.")
Date: TypeAlias = Annotated[
    str | None, typer.Option("--date", metavar="DATE", help="Only scores of this day.")
]
Ip: TypeAlias = Annotated[
    str | None,
    typer.Option("--ip", metavar="IP", help="Only scores of this address, source or destination."),
]
Score: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--score",
        metavar="RISK",
        min=1,
        max=3,
        help="Only scores of this risk: 1 high, 2 medium, 3 low.",
    ),
]
_LISTED = [
    TableColumn("day", "Day"),
    TableColumn("tstart", "Time (UTC)"),
    TableColumn("srcip", "Source"),
    TableColumn("sport", "Port"),
    TableColumn("dstip", "Destination"),
    TableColumn("dport", "Port"),
    TableColumn("proto", "Protocol", optional=True),
    TableColumn("score", "Risk"),
    TableColumn("learnt", "Used in\ntraining"),
    TableColumn("scored", "Scored (UTC)", optional=True),
]
_COMPARED = [
    TableColumn("rank_before", "Rank\nwithout", "count"),
    TableColumn("rank_after", "Rank\nwith", "count"),
    TableColumn("treceived", "Time (UTC)"),
    TableColumn("sip", "Source"),
    TableColumn("sport", "Port"),
    TableColumn("dip", "Destination"),
    TableColumn("dport", "Port"),
    TableColumn("proto", "Protocol", optional=True),
    TableColumn("score_before", "Score\nwithout", optional=True),
    TableColumn("score_after", "Score\nwith", optional=True),
]


@app.command("list", epilog=EXAMPLES)
def list_scores(
    date: Date = None,
    ip: Ip = None,
    score: Score = None,
    top: Limit = 100,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """List analyst scores, and whether later runs use them in training."""
    address = None if ip is None else address_argument(ip)
    rows = list_feedback(open_store(config, store), date, ip=address, score=score)
    print_rows("Analyst scores", _LISTED, rows, as_json=as_json, limit=top)


@app.command("withdraw", epilog=EXAMPLES)
def withdraw(
    date: Date = None,
    ip: Ip = None,
    score: Score = None,
    yes: Yes = False,
    config: Config = None,
    store: StoreUrl = None,
) -> None:
    """Delete analyst scores: of a day, an address or a risk, or all."""
    address = None if ip is None else address_argument(ip)
    opened = open_store(config, store)
    if not yes:
        count = list_feedback(opened, date, ip=address, score=score).num_rows
        raise ArgumentError(f"this deletes {counted(count, 'score')}; confirm with --yes")
    deleted = withdraw_feedback(opened, date, ip=address, score=score)
    print(f"{counted(deleted, 'score')} deleted")


@app.command("compare", epilog=EXAMPLES)
def compare(
    date: Day,
    top: Limit = 100,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Rank a day without and with the scores of earlier days; show the scored flows."""
    settings = read_settings(config, store)
    day = parse_day(date)
    raw = RawFlows(settings.folders.flows)
    flows = raw.read(day)
    if not flows.num_rows:
        raise no_flows(raw, day)
    with progress_bar():
        rows = compare_ranks(open_store(config, store), flows, day, settings.ranking)
    title = f"Ranks of {day}, without and with the scores of earlier days"
    print_rows(title, _COMPARED, rows, as_json=as_json, limit=top)
