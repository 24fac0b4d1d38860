"""Options shared by several commands, and the database, settings and store that they select."""

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

Files: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        help="Flow logs of one or more formats: files, folders, globs, URLs, or - for stdin.",
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="Address of the host, a CIDR prefix, several of them separated by commas, or its name "
        "if the log contains it.",
    ),
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="TIME",
        help="Only flows that start at or after this time, such as 2013-09-15 or "
        "2013-09-15T23:44:10Z; UTC unless a zone is given.",
    ),
]
End: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="TIME",
        help="Only flows that start at or before this time; a date alone includes that day.",
    ),
]
FormatName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        "--format",
        metavar="NAME",
        help="Format of the logs; default: detected from the content. "
        f"One of {', '.join(f.name for f in FORMATS)}.",
    ),
]
Zone: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Time zone of timestamps without one, such as Europe/Prague or +01:00; default: UTC.",
    ),
]
DateOrder: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--date-order",
        metavar="ORDER",
        help="Order of day and month in dates such as 3/4/2025: mdy or dmy.",
    ),
]
ColumnNames: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Column mapping of an unknown format: src_ip=a,dst_ip=b,start_time=t:ms."
        " For logs without a header: field names in order, or an AWS format string.",
    ),
]
Stitch: TypeAlias = Annotated[
    bool, typer.Option("--stitch", help="Merge unidirectional records into biflows.")
]
Deduplicate: TypeAlias = Annotated[
    bool,
    typer.Option("--deduplicate", help="Drop duplicate observations of a flow by other exporters."),
]
Internal: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--internal",
        metavar="NETS",
        help="Internal networks: comma-separated CIDR prefixes, or a file (ipranges.csv or "
        "Zeek's networks.cfg); default: private networks.",
    ),
]
Sample: TypeAlias = Annotated[
    bool, typer.Option("--sample", help="Use the bundled synthetic day instead of files.")
]
Databases: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--asn",
        metavar="DB",
        help="MaxMind database (.mmdb) to use instead of the bundled ones; may be repeated, the "
        "first database that contains an address wins.",
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of tables.")
]
Day: TypeAlias = Annotated[
    str, typer.Argument(metavar="DATE", help="Day in UTC, such as 2013-09-15.")
]
Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file; default: FLOWTRIAGE_CONFIG, then ./flowtriage.toml.",
    ),
]
StoreUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Store, such as duckdb:///flows.duckdb or postgresql://…; default: as configured.",
    ),
]
Limit: TypeAlias = Annotated[
    int, typer.Option("-n", "--top", metavar="N", min=1, help="Maximum number of rows.")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Confirm the deletion.")]


def open_database(paths: Sequence[Path] | None) -> AsnDatabase:
    """Open the given databases, or the bundled ones."""
    return AsnDatabase(list(paths)) if paths else bundled()


def open_store(config: Path | None, store: str | None) -> FlowStore:
    """Open the given store, or the configured one, which must exist."""
    chosen = read_settings(config, store).store
    return FlowStore(chosen.url, wait=chosen.wait, create=False)


def read_settings(config: Path | None, store: str | None = None) -> Settings:
    """Load the configuration; `store` replaces the configured URL."""
    settings = load_settings(config)
    return replace(settings, store=replace(settings.store, url=store)) if store else settings
