"""Interoperability with msticnb, if the session has loaded it."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, TypeVar, cast

_Error = TypeVar("_Error", bound=Exception)


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(f"msticnb.{module}"), name, None)


def current_providers() -> Any:
    """Return msticnb's current `DataProviders`, or None."""
    theirs = _attribute("data_providers", "DataProviders")
    return theirs.current() if theirs is not None else None


def register(notebooklet: type) -> None:
    """Register a class as a virtual subclass of msticnb's `Notebooklet`."""
    theirs = _attribute("notebooklet", "Notebooklet")
    if theirs is not None:
        theirs.register(notebooklet)


def as_theirs(error: _Error) -> _Error:
    """Return an equivalent error that is also an instance of msticnb's class of the same name.

    Parameters
    ----------
    error
        An error whose class name exists in `msticnb.common`.

    Returns
    -------
    Exception
        The error itself if msticnb is not loaded.
    """
    ours: type = type(error)
    theirs = _attribute("common", ours.__name__)
    if theirs is None:
        return error
    return cast(_Error, _common_subclass(ours, theirs)(*error.args))


@cache
def _common_subclass(ours: type, theirs: type) -> type:
    body = {"__init__": Exception.__init__, "__doc__": ours.__doc__, "__module__": ours.__module__}
    return type(ours.__name__, (ours, theirs), body)
