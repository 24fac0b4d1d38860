"""`flowtriage asn`."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from flowtriage.cli.options import Databases, Json, open_database
from flowtriage.cli.output import TableColumn, print_rows
from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import SINGLE, parse_address, parse_network, refang

EXAMPLES = """
[b]Examples[/b]

flowtriage asn 8.8.8.8 2606:4700:4700::1111

cut -f 5 conn.log | grep -v '^#' | sort -u | flowtriage asn -

flowtriage asn 8.8.8.8 --asn GeoLite2-ASN.mmdb --json
"""
_COLUMNS = (
    TableColumn("address", "Address"),
    TableColumn("asn", "ASN", "asn"),
    TableColumn("as_name", "AS name", flexible=True),
    TableColumn("country", "Country"),
    TableColumn("prefix", "Prefix"),
    TableColumn("ip_type", "Type"),
)


def asn(
    addresses: Annotated[
        list[str], typer.Argument(metavar="IP", help="IP addresses, or - to read them from stdin.")
    ],
    databases: Databases = None,
    as_json: Json = False,
) -> None:
    """Look up the AS, country and prefix of addresses."""
    database = open_database(databases)
    if addresses == ["-"]:
        addresses = _standard_input()
    for position, address in enumerate(addresses, 1):
        if parse_address(refang(address)) is None:
            network = f" but a network; {SINGLE}" if parse_network(refang(address)) else ""
            raise ArgumentError(f"address {position}: {address!r} is not an IP address{network}")
    table = database.lookup(addresses)
    print_rows("Autonomous systems", _COLUMNS, table, as_json=as_json)


def _standard_input() -> list[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    return sys.stdin.read().split()
