"""Progress of long-running tasks.

A task calls `report_progress`; a caller that displays progress wraps the task in `progress_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Listener: TypeAlias = Callable[[str, int, int | None], None]
"""Callback that receives the task, the amount done and the total amount or None."""
_listener: ContextVar[Listener | None] = ContextVar("flowtriage_progress", default=None)


def report_progress(task: str, done: int, total: int | None = None) -> None:
    """Report progress of a task; the total is None if unknown."""
    listener = _listener.get()
    if listener is not None:
        listener(task, done, total)


def is_followed() -> bool:
    """Return whether reported progress is sent to a listener."""
    return _listener.get() is not None


@contextmanager
def progress_to(listener: Listener) -> Iterator[None]:
    """Send progress reported within the block to `listener`.

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
