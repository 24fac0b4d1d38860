"""The tree and the index of notebooklets, and the search in them."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from flowtriage.catalogue.container import NBContainer
from flowtriage.errors import ArgumentError
from flowtriage.msticnb import base_class
from flowtriage.network_flow_summary import NetworkFlowSummary
from flowtriage.notebooklet import Notebooklet
from flowtriage.threat_investigation import FlowThreatInvestigation

OWN: tuple[type[Notebooklet], ...] = (FlowThreatInvestigation, NetworkFlowSummary)
FOLDER = ("azsent", "network")
"""Folder of the package's own notebooklets, that of msticnb's `NetworkFlowSummary`."""

nblts = NBContainer()
"""The notebooklets, by folder."""
nb_index: dict[str, type[Any]] = {}
"""The notebooklets by their full names, such as `nblts.azsent.network.NetworkFlowSummary`."""


def place(tree: Any, index: dict[str, type[Any]], folder: Iterable[str], cls: type[Any]) -> None:
    """Put a notebooklet into a folder of a tree, and into an index."""
    path = ["nblts", *folder]
    for name in path[1:]:
        if name not in vars(tree):
            setattr(tree, name, type(tree)())
        tree = vars(tree)[name]
    setattr(tree, cls.__name__, cls)
    index[".".join([*path, cls.__name__])] = cls


for own in OWN:
    place(nblts, nb_index, FOLDER, own)


def discover_modules(
    nb_path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
) -> NBContainer:
    """Return the tree of notebooklets, with those of further folders.

    Parameters
    ----------
    nb_path
        One or more folders whose modules define notebooklets. They are imported as a package, and
        appear in the tree under the name of the folder.

    Returns
    -------
    NBContainer
        `flowtriage.nblts`.

    Raises
    ------
    ArgumentError
        If there is no such folder.

    Warns
    -----
    UserWarning
        If a module cannot be imported.

    Examples
    --------
    >>> [name for name, _ in discover_modules().iter_classes()]
    ['FlowThreatInvestigation', 'NetworkFlowSummary']
    """
    paths = [nb_path] if isinstance(nb_path, str | os.PathLike) else nb_path or ()
    for path in paths:
        root = Path(path).resolve()
        if not root.is_dir():
            raise ArgumentError(f"{root} is not a folder; give one with modules of notebooklets")
        if str(root.parent) not in sys.path:
            sys.path.append(str(root.parent))
        for file in sorted(root.rglob("*.py")):
            parts = file.relative_to(root.parent).with_suffix("").parts
            if any(part.startswith((".", "_")) for part in parts[1:]):
                continue
            for cls in _notebooklets_of(".".join(parts)):
                place(nblts, nb_index, parts[:-1], cls)
    return nblts


def _notebooklets_of(module: str) -> Iterator[type[Any]]:
    """Import a module; return the notebooklets that it defines, also those based on msticnb's."""
    try:
        imported = import_module(module)
    except ImportError as error:
        warnings.warn(f"{module} cannot be imported: {error}", stacklevel=3)
        return
    bases = tuple(base for base in (Notebooklet, base_class()) if base is not None)
    for _, cls in inspect.getmembers(imported, inspect.isclass):
        if cls.__module__ == module and issubclass(cls, bases):
            yield cls


def find(keywords: str, full_match: bool = True) -> list[tuple[str, type[Any]]]:
    """Search the notebooklets for terms in their names, descriptions, options and docstrings.

    Parameters
    ----------
    keywords
        Regular expressions, separated by commas or spaces, case-insensitive.
    full_match
        Whether all terms have to match, instead of one or more.

    Returns
    -------
    list of (str, type)
        Name and class of each match, those with the most matching terms first.

    Examples
    --------
    >>> [name for name, _ in find("host, net.*", full_match=True)]
    ['NetworkFlowSummary']
    """
    matches = [(*cls.match_terms(keywords), name, cls) for name, cls in nblts.iter_classes()]
    wanted = [one for one in matches if one[0] or (one[1] and not full_match)]
    wanted.sort(key=lambda one: (one[0], one[1]), reverse=True)
    return [(name, cls) for _, _, name, cls in wanted]


def add_pivot_funcs(pivot: Any = None, **kwargs: Any) -> None:
    """Add all notebooklets to msticpy's entities, in their container `nblt`.

    Parameters
    ----------
    pivot
        msticpy's `Pivot` with the default timespan; None takes the current one.
    **kwargs
        Ignored; accepted for compatibility with msticnb.

    Raises
    ------
    MissingExtraError
        If msticpy is not installed.
    """
    for _, cls in nblts.iter_classes():
        if issubclass(cls, Notebooklet):
            cls.add_pivot_function(pivot)
