"""What flowtriage shares with msticnb, where a session has loaded it."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, TypeVar, cast

_Error = TypeVar("_Error", bound=Exception)


def _part(module: str, name: str) -> Any:
    return getattr(sys.modules.get(f"msticnb.{module}"), name, None)


def current_providers() -> Any:
    """Return the current `DataProviders` of msticnb, or None."""
    shared = _part("data_providers", "DataProviders")
    return shared.current() if shared is not None else None


def register(notebooklet: type) -> None:
    """Make a class a virtual subclass of msticnb's `Notebooklet`, so that `isinstance` holds."""
    theirs = _part("notebooklet", "Notebooklet")
    if theirs is not None:
        theirs.register(notebooklet)


def as_theirs(error: _Error) -> _Error:
    """Return an error that an `except` clause for msticnb's class of that name catches too.

    Parameters
    ----------
    error
        An error whose class has the name of one in `msticnb.common`.

    Returns
    -------
    Exception
        The error itself where msticnb is not loaded.
    """
    ours: type = type(error)
    theirs = _part("common", ours.__name__)
    if theirs is None:
        return error
    return cast(_Error, _joint(ours, theirs)(*error.args))


@cache
def _joint(ours: type, theirs: type) -> type:
    body = {"__init__": Exception.__init__, "__doc__": ours.__doc__, "__module__": ours.__module__}
    return type(ours.__name__, (ours, theirs), body)
