"""`flowtriage report`."""

from __future__ import annotations

from flowtriage.cli.options import Json
from flowtriage.cli.output import output, print_facts, print_json
from flowtriage.cli.source import Source, reading

EXAMPLES = """
[b]Examples[/b]

flowtriage report conn.log.gz

flowtriage report logs/ --internal ipranges.csv --json
"""


@reading
def report(source: Source, as_json: Json = False) -> None:
    """Show how far flow logs can be trusted; they may be larger than memory."""
    told = source.report()
    if as_json:
        print_json(told.to_dict())
        return
    bad = {f"Bad row {number}": str(row) for number, row in enumerate(told.bad_rows, 1)}
    with output() as console:
        print_facts(console, told.facts() | bad)
