"""Progress of the work, as a bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from flowtriage.progress import shown_by
from flowtriage.report.text import visible

_LONGEST_TASK = 48


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show the progress of the work within the block, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(task: str, done: int, total: int | None) -> None:
        if task not in tasks:
            tasks[task] = bar.add_task(visible(task, _LONGEST_TASK), total=total)
        bar.update(tasks[task], completed=done, total=total)

    with bar, shown_by(show):
        yield
