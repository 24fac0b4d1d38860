"""`flowtriage store`."""

from __future__ import annotations

from typing import Annotated

import typer

from flowtriage.cli.options import Config, Json, Limit, StoreUrl, open_store
from flowtriage.cli.output import TableColumn, output, print_facts, print_json, print_rows
from flowtriage.humanize import counted
from flowtriage.inputs.timespan import parse_day
from flowtriage.store import TABLES
from flowtriage.store.tables import table_schema

EXAMPLES = """
[b]Examples[/b]

flowtriage store info

flowtriage store read flow_scores --date 2013-09-15 --top 20
"""
app = typer.Typer(help="Inspect the store of Flow OA.")


@app.command("info", epilog=EXAMPLES)
def info(config: Config = None, store: StoreUrl = None, as_json: Json = False) -> None:
    """Show the URL, schema version, days and row counts of the store."""
    opened = open_store(config, store)
    rows = {name: opened.count(name) for name in TABLES}
    days = [day.isoformat() for day in opened.days()]
    if as_json:
        print_json({"url": opened.url, "schema": opened.schema_version, "days": days, "rows": rows})
        return
    facts = {
        "Store": opened.url,
        "Schema": str(opened.schema_version),
        "Days": ", ".join(days) or "none",
        **{name: counted(count, "row") for name, count in rows.items()},
    }
    with output() as console:
        print_facts(console, facts)


@app.command("read", epilog=EXAMPLES)
def read(
    table: Annotated[str, typer.Argument(metavar="TABLE", help=f"Table: {', '.join(TABLES)}.")],
    day: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Only rows of this day.")
    ] = None,
    top: Limit = 20,
    config: Config = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Show rows of a table."""
    table_schema(table)
    opened = open_store(config, store)
    order = ["day", "rank"] if table == "flow_scores" else ["day"]
    rows = opened.read(table, day=parse_day(day) if day else None, order=order, limit=top)
    columns = [TableColumn(name, name) for name in rows.column_names]
    print_rows(table, columns, rows, as_json=as_json)
