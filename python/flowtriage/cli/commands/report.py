"""`flowtriage report`."""

from __future__ import annotations

from flowtriage.cli.options import Json
from flowtriage.cli.output import output, print_facts, print_json
from flowtriage.cli.source import Source, takes_source

EXAMPLES = """
[b]Examples[/b]

flowtriage report conn.log.gz

flowtriage report logs/ --internal ipranges.csv --json
"""


@takes_source
def report(source: Source, as_json: Json = False) -> None:
    """Report the quality of flow logs in one pass; they may be larger than memory."""
    result = source.report()
    if as_json:
        print_json(result.to_dict())
        return
    bad = {f"Bad row {number}": str(row) for number, row in enumerate(result.bad_rows, 1)}
    with output() as console:
        print_facts(console, result.facts() | bad)
