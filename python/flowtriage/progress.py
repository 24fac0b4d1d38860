"""Progress of long work, told to whoever asked for it.

The work calls `report_progress`; a caller who wants to show it wraps the work in `progress_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Listener: TypeAlias = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and how much there is if known."""
_listener: ContextVar[Listener | None] = ContextVar("flowtriage_progress", default=None)


def report_progress(task: str, done: int, total: int | None = None) -> None:
    """Tell how far a task is.

    Parameters
    ----------
    task
        What is being done, for people.
    done
        Amount done, in the task's own unit.
    total
        Amount of the whole task, or None where it is not known.
    """
    listener = _listener.get()
    if listener is not None:
        listener(task, done, total)


@contextmanager
def progress_to(listener: Listener) -> Iterator[None]:
    """Have progress of the work within the block told to `listener`.

    Examples
    --------
    >>> with progress_to(lambda task, done, total: print(task, done, total)):
    ...     report_progress("reading", 1, 2)
    reading 1 2
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
