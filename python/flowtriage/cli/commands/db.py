"""`flowtriage db`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flowtriage.cli.options import Json, open_database
from flowtriage.cli.output import output, print_facts, print_json
from flowtriage.enrich.asn import DatabaseFile

EXAMPLES = """
[b]Examples[/b]

flowtriage db info

flowtriage db info GeoLite2-ASN.mmdb --json
"""
app = typer.Typer(help="Inspect the AS and country databases.")


@app.callback()
def _database() -> None:
    """Keep `info` a subcommand although it is the only one."""


@app.command("info", epilog=EXAMPLES)
def info(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="MaxMind database files; default: the bundled ones."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show source, date, licences, attributions and warnings of the databases."""
    files = open_database(paths).files
    if as_json:
        print_json([asdict(file) for file in files])
        return
    with output() as console:
        for index, file in enumerate(files):
            if index:
                console.print()
            print_facts(console, _facts(file))


def _facts(file: DatabaseFile) -> dict[str, str]:
    facts = {
        "File": file.path,
        "Type": file.kind,
        "Source": file.source,
        "Built": f"{file.built:%Y-%m-%d %H:%M:%S} UTC",
        "Networks": f"{file.networks:,}",
        "Licences": ", ".join(file.licences),
        "Description": None if file.attributions else file.description,
        "Attribution": "; ".join(file.attributions),
        "Warning": file.warning,
    }
    return {label: fact for label, fact in facts.items() if fact}
