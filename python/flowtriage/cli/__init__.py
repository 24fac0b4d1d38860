"""The command line `flowtriage`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Arguments after the program name; None takes them from `sys.argv`.

    Returns
    -------
    int
        Exit status: 0 success, 1 nothing found, 2 invalid input or arguments, 130 interrupted,
        141 output pipe closed.
    """
    if find_spec("typer") is None or find_spec("rich") is None:
        print(
            'flowtriage: the command line needs typer and rich: pip install "flowtriage[cli]"',
            file=sys.stderr,
        )
        return 1
    from flowtriage.cli.app import run

    return run(sys.argv[1:] if arguments is None else arguments)
