"""Registration of the notebooklets with msticnb."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from flowtriage.catalogue.discovery import FOLDER, OWN, place
from flowtriage.errors import MissingExtraError


def register() -> None:
    """Put the notebooklets of this package into msticnb's `nblts` and `nb_index`.

    msticnb's `find`, `browse` and `add_pivot_funcs` then work with them, and its own
    `NetworkFlowSummary` is replaced; that class stays in its module
    `msticnb.nb.azsent.network.network_flow_summary`. A later `msticnb.init` or
    `msticnb.discover_modules` keeps them.

    Raises
    ------
    MissingExtraError
        If msticnb is not installed.
    """
    try:
        msticnb: Any = import_module("msticnb")
        modules: Any = import_module("msticnb.read_modules")
    except ImportError as error:
        raise MissingExtraError(
            f"register() needs msticnb ({error}): pip install msticnb"
        ) from None

    def place_own() -> None:
        for cls in OWN:
            place(modules.nblts, modules.nb_index, FOLDER, cls)

    discover = modules.discover_modules
    if not hasattr(discover, "flowtriage"):
        discover()
        modules.discover_modules = msticnb.discover_modules = _then(discover, place_own)
    place_own()


def _then(discover: Callable[..., Any], place_own: Callable[[], None]) -> Callable[..., Any]:
    """Return msticnb's `discover_modules`, which puts in its own classes, followed by ours."""

    @wraps(discover)
    def discover_modules(*args: Any, **kwargs: Any) -> Any:
        found = discover(*args, **kwargs)
        place_own()
        return found

    vars(discover_modules)["flowtriage"] = True
    return discover_modules
