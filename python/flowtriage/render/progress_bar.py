"""A progress bar in a notebook or a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flowtriage.progress import is_followed, progress_to
from flowtriage.render.notebook import in_notebook


@contextmanager
def progress_bar(unit: str, *, silent: bool) -> Iterator[None]:
    """Show progress reported within the block, with tqdm.

    Nothing is shown if `silent`, if tqdm is missing, if a listener follows the progress already,
    or outside of notebooks and terminals.
    """
    if silent or is_followed() or not (in_notebook() or sys.stderr.isatty()):
        yield
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield
        return
    with tqdm(unit=unit, leave=False) as bar:

        def show(task: str, done: int, total: int | None) -> None:
            if bar.total != total:
                bar.reset(total)
                bar.set_description(task)
            bar.update(done - bar.n)

        with progress_to(show):
            yield
