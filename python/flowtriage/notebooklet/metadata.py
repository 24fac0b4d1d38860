"""What a notebooklet says of itself, kept in a YAML file beside its class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flowtriage.errors import MissingExtraError
from flowtriage.notebooklet.display import Section


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


def load(path: Path) -> Metadata:
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
