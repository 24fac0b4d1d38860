"""`flowtriage oa feedback`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from flowtriage.cli.options import Config, Day, Json, Most, StoreUrl, Yes, load_settings, open_store
from flowtriage.cli.output import Column, output, print_json, print_table, progress_bar
from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import day_of
from flowtriage.oa.day import no_flows
from flowtriage.oa.stored_feedback import compare_ranks, list_feedback, withdraw_feedback
from flowtriage.store.raw_flows import RawFlows

EXAMPLES = """
[b]Examples[/b]

flowtriage oa feedback list --date 2013-09-15

flowtriage oa feedback withdraw --ip 192.0.2.53 --yes

flowtriage oa feedback compare 2013-09-16
"""
app = typer.Typer(help="What analysts scored: list it, withdraw it, see what it does to ranks.")
Date: TypeAlias = Annotated[
    str | None, typer.Option("--date", metavar="DATE", help="Only what was scored of this day.")
]
Ip: TypeAlias = Annotated[
    str | None, typer.Option("--ip", metavar="IP", help="Only with this address at either end.")
]
Score: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--score", metavar="RISK", min=1, max=3, help="Only of this risk: 1 high, 2 medium, 3 low."
    ),
]
_LISTED = [
    Column("day", "Day"),
    Column("tstart", "Time (UTC)"),
    Column("srcip", "Source"),
    Column("sport", "Port"),
    Column("dstip", "Destination"),
    Column("dport", "Port"),
    Column("proto", "Protocol", optional=True),
    Column("score", "Risk"),
    Column("learnt", "Learnt"),
    Column("scored", "Scored (UTC)", optional=True),
]
_COMPARED = [
    Column("rank_before", "Rank\nwithout", "count"),
    Column("rank_after", "Rank\nwith", "count"),
    Column("treceived", "Time (UTC)"),
    Column("sip", "Source"),
    Column("sport", "Port"),
    Column("dip", "Destination"),
    Column("dport", "Port"),
    Column("proto", "Protocol", optional=True),
    Column("score_before", "Score\nwithout", optional=True),
    Column("score_after", "Score\nwith", optional=True),
]


@app.command("list", epilog=EXAMPLES)
def list_scores(
    date: Date = None,
    ip: Ip = None,
    score: Score = None,
    top: Most = 100,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """List what analysts scored, and whether later runs learn from it."""
    rows = list_feedback(open_store(config, store), date, ip=ip, score=score)
    if as_json:
        print_json(rows.to_pylist())
        return
    with output() as console:
        title = "Scores of analysts"
        print_table(console, title, _LISTED, rows.slice(0, top), total=rows.num_rows)


@app.command("withdraw", epilog=EXAMPLES)
def withdraw(
    date: Date = None,
    ip: Ip = None,
    score: Score = None,
    yes: Yes = False,
    config: Config = None,
    store: StoreUrl = None,
) -> None:
    """Forget what analysts scored: of a day, with an address, of a risk; or all."""
    opened = open_store(config, store)
    if not yes:
        count = list_feedback(opened, date, ip=ip, score=score).num_rows
        raise ArgumentError(f"{count:,} scores would be lost; --yes forgets them")
    print(f"{withdraw_feedback(opened, date, ip=ip, score=score):,} scores forgotten")


@app.command("compare", epilog=EXAMPLES)
def compare(
    date: Day,
    top: Most = 100,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Rank a day without and with the scores before it, and show the flows they are about."""
    settings = load_settings(config, store)
    day = day_of(date)
    raw = RawFlows(settings.folders.flows)
    flows = raw.read(day)
    if not flows.num_rows:
        raise no_flows(raw, day)
    with progress_bar():
        rows = compare_ranks(open_store(config, store), flows, day, settings.ranking)
    if as_json:
        print_json(rows.to_pylist())
        return
    with output() as console:
        title = f"Ranks of {day}, without and with the scores of earlier days"
        print_table(console, title, _COMPARED, rows.slice(0, top), total=rows.num_rows)
