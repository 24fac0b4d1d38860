"""Metadata of notebooklets, from a YAML file beside the class."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowtriage.errors import ArgumentError, MissingExtraError
from flowtriage.humanize import did_you_mean, quoted
from flowtriage.render.notebook import in_notebook
from flowtriage.render.section import Section


@dataclass(frozen=True)
class Metadata:
    """Metadata of a notebooklet.

    Attributes
    ----------
    name, mod_name, description
        Name of the class, its module and its purpose.
    default_options, other_options
        Options of `run` with their descriptions.
    inputs
        Parameters of `run` with the subject of the investigation.
    keywords, entity_types, req_providers
        Search terms, types of entities that it takes, and required providers.
    sections
        Titles and texts of the display sections, by name of the result attribute.
    """

    name: str
    mod_name: str
    description: str
    default_options: dict[str, str]
    other_options: dict[str, str]
    inputs: tuple[str, ...]
    keywords: tuple[str, ...]
    entity_types: tuple[str, ...]
    req_providers: tuple[str, ...]
    sections: dict[str, Section]

    @property
    def all_options(self) -> list[str]:
        """Names of all options, sorted."""
        return sorted([*self.default_options, *self.other_options])

    @property
    def search_terms(self) -> set[str]:
        """The name, entity types, keywords and options."""
        return {self.name, *self.entity_types, *self.keywords, *self.all_options}

    @property
    def options_doc(self) -> str:
        """The options and their descriptions as text."""
        parts = []
        for title, group in (("Default Options", "default"), ("Other Options", "other")):
            listed = [f"- {name}: {text}" for name, text in self.get_options(group)]
            parts += [title, "-" * len(title), *(listed or ["None"]), ""]
        return "\n".join(parts)

    def get_options(self, option_set: str = "all") -> list[tuple[str, str]]:
        """Return options and their descriptions.

        Parameters
        ----------
        option_set
            `default`, `other`, or `all`: the default ones first.

        Raises
        ------
        ArgumentError
            If there is no such set.
        """
        default, other = list(self.default_options.items()), list(self.other_options.items())
        sets = {"default": default, "other": other, "all": default + other}
        if option_set.casefold() not in sets:
            raise ArgumentError(f"unknown set of options {option_set!r}; give {', '.join(sets)}")
        return sets[option_set.casefold()]

    def __str__(self) -> str:
        """Return one setting per line, without the sections."""
        return "\n".join(f"{n}: {_listed(v)}" for n, v in vars(self).items() if n != "sections")


def load_metadata(path: Path, module: str) -> Metadata:
    """Read a notebooklet's metadata from the YAML file of its module."""
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
        mod_name=module,
        description=about["description"],
        default_options=_options(about["default_options"]),
        other_options=_options(about["other_options"]),
        inputs=tuple(about.get("inputs", ["value"])),
        keywords=tuple(about["keywords"]),
        entity_types=tuple(about["entity_types"]),
        req_providers=tuple(about["req_providers"]),
        sections={name: Section(**section) for name, section in content["sections"].items()},
    )


def _options(listed: list[dict[str, str]]) -> dict[str, str]:
    return {name: text for option in listed for name, text in option.items()}


def _listed(setting: str | tuple[str, ...] | dict[str, str]) -> str:
    return setting if isinstance(setting, str) else ", ".join(setting) or "none"


class _ModulePath:
    """Descriptor of the path of a class's module, empty if it has none."""

    def __get__(self, instance: object, owner: type) -> str:
        return str(getattr(sys.modules.get(owner.__module__), "__file__", None) or "")


class _MetadataOfClass:
    """Descriptor of a class's metadata, loaded at the first access."""

    def __get__(self, instance: object, owner: type) -> Metadata:
        return metadata_of(owner)


class HasMetadata:
    """Mixin with the metadata of a notebooklet."""

    metadata = _MetadataOfClass()
    module_path = _ModulePath()

    @classmethod
    def name(cls) -> str:
        """Return the name of the notebooklet."""
        return cls.metadata.name

    @classmethod
    def description(cls) -> str:
        """Return the purpose of the notebooklet."""
        return cls.metadata.description

    @classmethod
    def default_options(cls) -> list[str]:
        """Return the default options of a run."""
        return list(cls.metadata.default_options)

    @classmethod
    def all_options(cls) -> list[str]:
        """Return all options, the default ones first."""
        return [*cls.metadata.default_options, *cls.metadata.other_options]

    @classmethod
    def list_options(cls) -> str:
        """Return the options and their descriptions as text."""
        return cls.metadata.options_doc

    @classmethod
    def print_options(cls) -> None:
        """Print the options and their descriptions."""
        print(cls.list_options())

    @classmethod
    def keywords(cls) -> list[str]:
        """Return the search terms of the notebooklet."""
        return list(cls.metadata.keywords)

    @classmethod
    def entity_types(cls) -> list[str]:
        """Return the types of entities that the notebooklet takes."""
        return list(cls.metadata.entity_types)

    @classmethod
    def get_settings(cls, print_settings: bool = True) -> str | None:
        """Print or return the metadata, one setting per line.

        Parameters
        ----------
        print_settings
            Whether to print the metadata instead of returning it.

        Returns
        -------
        str or None
            The metadata; None if printed.
        """
        if not print_settings:
            return str(cls.metadata)
        print(cls.metadata)
        return None

    @classmethod
    def match_terms(cls, search_terms: str) -> tuple[bool, int]:
        """Search the metadata and the docstring of the notebooklet for terms.

        Parameters
        ----------
        search_terms
            Regular expressions separated by commas or spaces, case-insensitive. An invalid
            expression is a literal string.

        Returns
        -------
        tuple of (bool, int)
            Whether all terms match, and the number of terms that match.

        Examples
        --------
        >>> from flowtriage import NetworkFlowSummary
        >>> NetworkFlowSummary.match_terms("host, flow, mailbox")
        (False, 2)
        """
        about = cls.metadata
        words = [*sorted(about.search_terms), about.description, inspect.getdoc(cls) or ""]
        text = " ".join(words)
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
            If the format is unknown.
        """
        from flowtriage.notebooklet.help import get_help

        return get_help(cls, fmt)

    @classmethod
    def show_help(cls) -> None:
        """Display the documentation as HTML in a notebook, as Markdown in a terminal."""
        text = cls.get_help("md")
        if not in_notebook():
            print(text)
            return
        from IPython.display import display

        display({"text/html": cls.get_help("html"), "text/plain": text}, raw=True)

    @classmethod
    def import_cell(cls) -> None:
        """Copy the source of the notebooklet's module to a new cell, for changes.

        The cell defines a class of its own, which runs as this one until it is changed. Outside
        of a notebook the source is printed.
        """
        module = inspect.getmodule(cls)
        if module is None or module.__name__ == "__main__":
            raise ArgumentError(f"{cls.__name__} is defined in a cell; edit that cell")
        source = inspect.getsource(module)
        original = f"from {module.__name__} import {cls.__name__} as _Original"
        same = f"{cls.__name__}.metadata = _Original.metadata"
        text = f"{source}\n\n{original}\n\n{same}\n{cls.__name__}.document_options()\n"
        ipython = sys.modules.get("IPython")
        shell: Any = ipython.get_ipython() if ipython else None
        if shell is None:
            print(text)
        else:
            shell.set_next_input(text)

    @classmethod
    def document_options(cls) -> None:
        """Append the options to the docstring of the class's own `run`, if they are known."""
        run = vars(cls).get("run")
        if run is None or "Default Options" in (run.__doc__ or ""):
            return
        with suppress(AttributeError, MissingExtraError):
            run.__doc__ = f"{inspect.getdoc(run) or ''}\n\n{cls.list_options()}".strip() + "\n"

    @classmethod
    def requested_options(cls, options: Iterable[str] | None) -> set[str]:
        """Return the requested options of a run.

        Parameters
        ----------
        options
            Names of options; None takes the default ones, `+name` adds to them and `-name`
            removes from them.

        Raises
        ------
        ArgumentError
            If an option is unknown, or the options are not names.
        """
        if options is None:
            return set(cls.default_options())
        if not isinstance(options, Iterable):
            raise ArgumentError(f"options {options!r} are not names; give a list of names")
        names = [options] if isinstance(options, str) else list(options)
        known = cls.all_options()
        unknown = [n for n in names if not isinstance(n, str) or _without_sign(n) not in known]
        if unknown:
            raise ArgumentError(
                f"unknown options: {', '.join(map(quoted, unknown))}; + or - in front of a name "
                "adds it to the default options or removes it"
                f"{did_you_mean(str(unknown[0]).lstrip('+-'), known)}"
            )
        changes = [name for name in names if name[0] in "+-"]
        requested = {name for name in names if name[0] not in "+-"}
        if changes:
            requested |= set(cls.default_options())
        requested |= {name[1:] for name in changes if name[0] == "+"}
        return requested - {name[1:] for name in changes if name[0] == "-"}

    @classmethod
    def section(cls, name: str, *contents: object) -> Section:
        """Return a display section.

        Parameters
        ----------
        name
            Its name in the metadata, usually that of a result attribute.
        *contents
            Contents as for `Section`.
        """
        return cls.metadata.sections[name].with_contents(*contents)


def _without_sign(name: str) -> str:
    return name[1:] if name[:1] in ("+", "-") else name


def _pattern(term: str) -> re.Pattern[str]:
    try:
        return re.compile(term, re.IGNORECASE)
    except re.error:
        return re.compile(re.escape(term), re.IGNORECASE)


@cache
def metadata_of(cls: type) -> Metadata:
    """Return the metadata beside the module of a class, or of its nearest base with metadata."""
    for kind in cls.__mro__:
        module = Path(getattr(sys.modules.get(kind.__module__), "__file__", None) or "none.py")
        for beside in (module.with_suffix(".yaml"), module.parent / f"{module.parent.name}.yaml"):
            if beside.is_file():
                return load_metadata(beside, kind.__module__)
    raise AttributeError(f"{cls.__name__} has no metadata: there is no YAML file beside its module")
