"""Interoperability with msticnb, if the session has loaded it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, TypeVar, cast

_Error = TypeVar("_Error", bound=Exception)
_BASE = "msticnb.notebooklet"


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(f"msticnb.{module}"), name, None)


def current_providers() -> Any:
    """Return msticnb's current `DataProviders`, or None."""
    theirs = _attribute("data_providers", "DataProviders")
    return theirs.current() if theirs is not None else None


def is_silent() -> bool:
    """Return whether msticnb's option `silent` is set."""
    return bool((_attribute("options", "_OPT_DICT") or {}).get("silent"))


def base_class() -> Any:
    """Return msticnb's `Notebooklet`, or None."""
    return _attribute("notebooklet", "Notebooklet")


class _Registrar(MetaPathFinder):
    """Import hook that registers a class whenever msticnb is loaded."""

    def __init__(self, notebooklet: type) -> None:
        self.notebooklet = notebooklet

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find msticnb's base module, and register the class after its execution."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == _BASE else None
        loader = spec.loader if spec else None
        if loader is not None:
            execute = loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                vars(module)["Notebooklet"].register(self.notebooklet)

            vars(loader)["exec_module"] = execute_and_register
        return spec


def keep_registered(notebooklet: type) -> None:
    """Register a class as a virtual subclass of msticnb's `Notebooklet`, now or once it is loaded.

    `isinstance` and `issubclass` then hold whichever of both packages is imported first.
    """
    theirs = base_class()
    if theirs is not None:
        theirs.register(notebooklet)
    sys.meta_path.insert(0, _Registrar(notebooklet))


def as_theirs(error: _Error) -> _Error:
    """Return an equivalent error that is also an instance of msticnb's class of the same name."""
    ours: type = type(error)
    theirs = _attribute("common", ours.__name__)
    if theirs is None:
        return error
    return cast(_Error, _common_subclass(ours, theirs)(*error.args))


@cache
def _common_subclass(ours: type, theirs: type) -> type:
    body = {"__init__": Exception.__init__, "__doc__": ours.__doc__, "__module__": ours.__module__}
    return type(ours.__name__, (ours, theirs), body)
