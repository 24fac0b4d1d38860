"""The base of all notebooklets."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.display import Section, show
from flowtriage.notebooklet.metadata import Metadata, load
from flowtriage.notebooklet.result import NotebookletResult


class _MetadataOfClass:
    """The metadata of whichever class it is asked through, read when first asked for."""

    def __get__(self, instance: object, owner: type[Notebooklet]) -> Metadata:
        return _metadata(owner)


class Notebooklet(ABC):
    """A packaged investigation that is run on an entity and a timespan.

    Parameters
    ----------
    data_providers
        Where flows come from when no data is given.
    silent
        Whether to show nothing while running.

    Attributes
    ----------
    metadata : Metadata
        What the notebooklet says of itself, from the YAML file beside its class.
    """

    metadata = _MetadataOfClass()

    def __init__(self, data_providers: Any = None, **kwargs: Any) -> None:
        self.data_providers = data_providers
        self._silent = bool(kwargs.pop("silent", False))
        self._result: NotebookletResult | None = None
        if kwargs:
            raise ArgumentError(f"unknown parameters: {', '.join(sorted(kwargs))}")

    @abstractmethod
    def run(
        self,
        value: Any = None,
        data: Any = None,
        timespan: Any = None,
        options: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> NotebookletResult:
        """Run the notebooklet."""

    @property
    def result(self) -> NotebookletResult | None:
        """Result of the most recent run."""
        return self._result

    @property
    def silent(self) -> bool:
        """Whether runs show nothing."""
        return self._silent

    @silent.setter
    def silent(self, value: bool) -> None:
        self._silent = bool(value)

    @classmethod
    def name(cls) -> str:
        """Return the name of the notebooklet."""
        return cls.metadata.name

    @classmethod
    def description(cls) -> str:
        """Return what the notebooklet is for."""
        return cls.metadata.description

    @classmethod
    def default_options(cls) -> list[str]:
        """Return the options of a run that names none."""
        return list(cls.metadata.default_options)

    @classmethod
    def all_options(cls) -> list[str]:
        """Return all options, the default ones first."""
        return [*cls.metadata.default_options, *cls.metadata.other_options]

    @classmethod
    def list_options(cls) -> str:
        """Return the options and what they do, as text."""
        parts = []
        for title, options in (
            ("Default Options", cls.metadata.default_options),
            ("Other Options", cls.metadata.other_options),
        ):
            parts += [title, "-" * len(title), *(f"- {n}: {t}" for n, t in options.items()), ""]
        return "\n".join(parts)

    @classmethod
    def print_options(cls) -> None:
        """Print the options and what they do."""
        print(cls.list_options())

    @classmethod
    def keywords(cls) -> list[str]:
        """Return the terms by which the notebooklet is found."""
        return list(cls.metadata.keywords)

    @classmethod
    def entity_types(cls) -> list[str]:
        """Return the kinds of entity that the notebooklet takes."""
        return list(cls.metadata.entity_types)

    @classmethod
    def choose_options(cls, options: Iterable[str] | None) -> set[str]:
        """Return the options of a run.

        Parameters
        ----------
        options
            Names of options; None means the default ones. Names with `+` are added to the
            default ones, names with `-` are taken from them.

        Raises
        ------
        ArgumentError
            If a name is not an option.
        """
        if options is None:
            return set(cls.default_options())
        names = [options] if isinstance(options, str) else list(options)
        known = cls.all_options()
        unknown = [name for name in names if name.lstrip("+-") not in known]
        if unknown:
            raise ArgumentError(
                f"unknown options: {', '.join(map(repr, unknown))}; "
                f"{cls.name()} has {', '.join(known)}"
            )
        changes = [name for name in names if name[0] in "+-"]
        chosen = {name for name in names if name[0] not in "+-"}
        if changes:
            chosen |= set(cls.default_options())
        chosen |= {name[1:] for name in changes if name[0] == "+"}
        return chosen - {name[1:] for name in changes if name[0] == "-"}

    @classmethod
    def section(cls, name: str, *contents: object) -> Section:
        """Return the display section of a result attribute, holding `contents`."""
        return cls.metadata.sections[name].holding(*contents)

    def _present(self, result: NotebookletResult, section: Section, *, silent: bool) -> None:
        """Keep a section in the result, and show it unless silent."""
        result.sections.append(section)
        if not silent:
            show(section)


@cache
def _metadata(cls: type[Notebooklet]) -> Metadata:
    module = Path(inspect.getfile(cls))
    return load(module.parent / f"{module.parent.name}.yaml")
