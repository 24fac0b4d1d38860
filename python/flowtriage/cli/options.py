"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from flowtriage.configuration import Settings, load_settings
from flowtriage.enrich.asn import AsnDatabase, bundled
from flowtriage.formats import FORMATS
from flowtriage.store import FlowStore

_TIME = "in UTC unless a zone is given, like 2013-09-15 or 2013-09-15T23:44:10Z."
Files: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Flow logs, also of different formats: files, folders, globs, URLs, or - for stdin.",
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="IP", help="Address of the host, or its name where the log tells it."
    ),
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help=f"Only flows that start at or after it; {_TIME}"),
]
End: TypeAlias = Annotated[
    str | None,
    typer.Option("--end", metavar="TIME", help="Only flows that start at or before it."),
]
FormatName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        "--format",
        metavar="NAME",
        help=f"Format of the logs, if not to be recognised: {', '.join(f.name for f in FORMATS)}.",
    ),
]
Zone: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Zone of times that are written without one, like Europe/Prague or +01:00; else UTC.",
    ),
]
ColumnNames: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="For logs of no known format: src_ip=client,dst_ip=server,start_time=epoch:ms. For "
        "logs without a header: names of their fields in order, also as AWS writes them.",
    ),
]
Stitch: TypeAlias = Annotated[
    bool, typer.Option("--stitch", help="Join records of one direction to those that answer them.")
]
Deduplicate: TypeAlias = Annotated[
    bool,
    typer.Option("--deduplicate", help="Leave out what several machines reported of one flow."),
]
Internal: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--internal",
        metavar="NETS",
        help="Networks that are internal: prefixes between commas, or a file of them "
        "(ipranges.csv, or Zeek's networks.cfg); else private ones.",
    ),
]
Sample: TypeAlias = Annotated[
    bool, typer.Option("--sample", help="Use an invented day at an office instead of files.")
]
Databases: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--asn",
        metavar="DB",
        help="Database in MaxMind's format (.mmdb) instead of the one shipped; "
        "give it twice for two, of which the first that knows an address counts.",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of tables.")
]
Day: TypeAlias = Annotated[
    str, typer.Argument(metavar="DATE", help="The day, in UTC, such as 2013-09-15.")
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration, in place of FLOWTRIAGE_CONFIG or flowtriage.toml beside you.",
    ),
]
StoreUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Store, in place of the one configured: duckdb:///flows.duckdb, postgresql://…",
    ),
]
Most: TypeAlias = Annotated[int, typer.Option("-n", "--top", metavar="N", min=1, help="Most rows.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do it; without, nothing is done.")]


def open_database(paths: Sequence[Path] | None) -> AsnDatabase:
    """Open the databases asked for, or the one shipped."""
    return AsnDatabase(list(paths)) if paths else bundled()


def open_store(config: Path | None, store: str | None) -> FlowStore:
    """Open the store that is given or configured."""
    chosen = read_settings(config, store).store
    return FlowStore(chosen.url, wait=chosen.wait)


def read_settings(config: Path | None, store: str | None = None) -> Settings:
    """Read the configuration, with another store if one is given."""
    settings = load_settings(config)
    return replace(settings, store=replace(settings.store, url=store)) if store else settings
