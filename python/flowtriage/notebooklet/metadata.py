"""What a notebooklet says of itself, kept in a YAML file beside its class."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowtriage.errors import ArgumentError, MissingExtraError
from flowtriage.render.notebook import in_notebook
from flowtriage.render.section import Section


@dataclass(frozen=True)
class Metadata:
    """What a notebooklet says of itself.

    Attributes
    ----------
    name, description
        Name of the class and what it is for.
    default_options, other_options
        Options of `run` with what they do.
    keywords, entity_types, req_providers
        Terms to find it by, kinds of entity that it takes, providers that it needs.
    sections
        Titles and texts of its display sections, by the name of the result attribute.
    """

    name: str
    description: str
    default_options: dict[str, str]
    other_options: dict[str, str]
    keywords: tuple[str, ...]
    entity_types: tuple[str, ...]
    req_providers: tuple[str, ...]
    sections: dict[str, Section]

    def __str__(self) -> str:
        """Show one setting a line, without the sections."""
        return "\n".join(f"{n}: {_listed(v)}" for n, v in vars(self).items() if n != "sections")


def load_metadata(path: Path) -> Metadata:
    """Read a notebooklet's metadata.

    Parameters
    ----------
    path
        The YAML file.

    Raises
    ------
    MissingExtraError
        If the extra `notebook` is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtraError(
            'notebooklets need the notebook extra: pip install "flowtriage[notebook]"'
        ) from None
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    about = content["metadata"]
    return Metadata(
        name=about["name"],
        description=about["description"],
        default_options=_options(about["default_options"]),
        other_options=_options(about["other_options"]),
        keywords=tuple(about["keywords"]),
        entity_types=tuple(about["entity_types"]),
        req_providers=tuple(about["req_providers"]),
        sections={name: Section(**section) for name, section in content["sections"].items()},
    )


def _options(listed: list[dict[str, str]]) -> dict[str, str]:
    return {name: text for option in listed for name, text in option.items()}


def _listed(setting: str | tuple[str, ...] | dict[str, str]) -> str:
    return setting if isinstance(setting, str) else ", ".join(setting) or "none"


class _MetadataOfClass:
    """The metadata of whichever class it is asked through, read when first asked for."""

    def __get__(self, instance: object, owner: type) -> Metadata:
        return _metadata(owner)


class HasMetadata:
    """What a notebooklet says of itself.

    Attributes
    ----------
    metadata : Metadata
        What the notebooklet says of itself, from the YAML file beside its class.
    """

    metadata = _MetadataOfClass()

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
    def get_settings(cls, print_settings: bool = True) -> str | None:
        """Print the metadata, one setting a line, or return it.

        Parameters
        ----------
        print_settings
            Whether to print it; then nothing is returned.

        Returns
        -------
        str or None
            The metadata, unless they are printed.
        """
        if not print_settings:
            return str(cls.metadata)
        print(cls.metadata)
        return None

    @classmethod
    def match_terms(cls, search_terms: str) -> tuple[bool, int]:
        """Look for terms in what the notebooklet says of itself.

        Parameters
        ----------
        search_terms
            Terms with commas or spaces between them, plain or regular expressions; case does
            not count. What is no regular expression is looked for as it is.

        Returns
        -------
        tuple of (bool, int)
            Whether all terms were found, and how many were.

        Examples
        --------
        >>> from flowtriage import NetworkFlowSummary
        >>> NetworkFlowSummary.match_terms("host, flow, mailbox")
        (False, 2)
        """
        about = cls.metadata
        words = [about.name, about.description, *about.keywords, *about.entity_types]
        text = " ".join([*words, *cls.all_options(), inspect.getdoc(cls) or ""])
        terms = [term for term in re.split(r"[,\s]+", search_terms) if term]
        found = sum(bool(_pattern(term).search(text)) for term in terms)
        return found == len(terms), found

    @classmethod
    def get_help(cls, fmt: str = "html") -> str:
        """Return the documentation of the notebooklet.

        Parameters
        ----------
        fmt
            `html`, or `md` for Markdown.

        Raises
        ------
        ArgumentError
            If the format is another one.
        """
        from flowtriage.notebooklet.help import get_help

        return get_help(cls, fmt)

    @classmethod
    def show_help(cls) -> None:
        """Show the documentation: as a page in a notebook, as Markdown in a terminal."""
        text = cls.get_help("md")
        if not in_notebook():
            print(text)
            return
        from IPython.display import display

        display({"text/html": cls.get_help("html"), "text/plain": text}, raw=True)

    @classmethod
    def import_cell(cls) -> None:
        """Put the text of the notebooklet's module into a new cell, to be changed and run.

        The class that the cell makes is one of its own: it runs as this one does, until it is
        changed. Outside of a notebook the text is printed.
        """
        module = inspect.getmodule(cls)
        if module is None or module.__name__ == "__main__":
            raise ArgumentError(f"{cls.__name__} is defined in a cell already")
        source = inspect.getsource(module)
        original = f"from {module.__name__} import {cls.__name__} as _Original"
        text = f"{source}\n\n{original}\n\n{cls.__name__}.metadata = _Original.metadata\n"
        ipython = sys.modules.get("IPython")
        shell: Any = ipython.get_ipython() if ipython else None
        if shell is None:
            print(text)
        else:
            shell.set_next_input(text)

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
        """Return a display section.

        Parameters
        ----------
        name
            Its name in the metadata, mostly that of a result attribute.
        *contents
            What it is to hold, as `Section` takes it.
        """
        return cls.metadata.sections[name].with_contents(*contents)


def _pattern(term: str) -> re.Pattern[str]:
    try:
        return re.compile(term, re.IGNORECASE)
    except re.error:
        return re.compile(re.escape(term), re.IGNORECASE)


@cache
def _metadata(cls: type) -> Metadata:
    """Metadata beside the module of a class, or else of the nearest of its bases."""
    for kind in cls.__mro__:
        module = Path(getattr(sys.modules.get(kind.__module__), "__file__", None) or ".")
        beside = module.parent / f"{module.parent.name}.yaml"
        if beside.is_file():
            return load_metadata(beside)
    raise AttributeError(f"{cls.__name__} has no metadata: there is no YAML file beside its module")
