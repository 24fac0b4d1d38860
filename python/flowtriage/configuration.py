"""The configuration of Flow OA: one TOML file, and the environment over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from flowtriage.errors import ConfigurationError
from flowtriage.humanize import sanitize

FILE = "flowtriage.toml"
PREFIX = "FLOWTRIAGE_"
_CONFIG = f"{PREFIX}CONFIG"
_MAX_LENGTH = 200


def _about(text: str, least: float | None = None) -> dict[str, Any]:
    return {"about": text, "least": least}


@dataclass(frozen=True)
class StoreSettings:
    """Where results are kept."""

    url: str = field(
        default="duckdb:///flows.duckdb",
        metadata=_about(
            "`duckdb:///file` (relative to where the command runs), "
            "`duckdb:////from/the/root`, or `postgresql://user@server/database`; "
            "leave the password to `PGPASSWORD` or `~/.pgpass`"
        ),
    )
    wait: float = field(
        default=5.0,
        metadata=_about("seconds to wait for a DuckDB file that another process has open", least=0),
    )


@dataclass(frozen=True)
class FolderSettings:
    """Where files are kept."""

    data: Path = field(
        default=Path("data"),
        metadata=_about("holds `flow/<date>/`: the ranked results and the log of a run"),
    )
    ipynb: Path = field(
        default=Path("ipynb"), metadata=_about("holds `flow/<date>/`: the notebooks of a day")
    )
    flows: Path = field(
        default=Path("flows"), metadata=_about("raw flows as Parquet, by year, month, day and hour")
    )
    templates: Path | None = field(
        default=None,
        metadata=_about("notebooks to copy for each day; without it those of the package"),
    )


@dataclass(frozen=True)
class RankingSettings:
    """How flows are scored and ranked."""

    limit: int = field(
        default=500, metadata=_about("most rows of `flow_scores` for a day", least=1)
    )
    threshold: float = field(
        default=1.0,
        metadata=_about(
            "greatest score that is kept; 1 keeps all, so that `limit` alone decides. Spot's TOL "
            "is 1e-6, which no flow reaches on a day of less than about a million",
            least=0,
        ),
    )
    topics: int = field(default=20, metadata=_about("topics of the model", least=2))
    alpha: float = field(
        default=1.02, metadata=_about("prior of topics in a document, 1 to 1.5", least=1)
    )
    beta: float = field(
        default=1.001, metadata=_about("prior of words in a topic, 1 to 1.5", least=1)
    )
    iterations: int = field(default=20, metadata=_about("most passes over the words", least=1))
    duplication: int = field(
        default=1000,
        metadata=_about(
            "times that a flow of low risk is repeated in training (Spot's DUPFACTOR)", least=0
        ),
    )
    seed: int = field(
        default=0,
        metadata=_about("start of the random numbers; the same seed gives the same ranks", least=0),
    )
    model: Path | None = field(
        default=None, metadata=_about("stored model to apply instead of training one")
    )
    feedback_days: int = field(
        default=90,
        metadata=_about("days before the run whose scores of analysts weigh in", least=0),
    )
    flow_conf: Path | None = field(
        default=None, metadata=_about("Spot's `flow_conf.json`, if its columns are not the usual")
    )


@dataclass(frozen=True)
class ContextSettings:
    """What is known about the own network, and where addresses are."""

    ipranges: Path | None = field(
        default=Path("context/ipranges.csv"),
        metadata=_about("internal network: `start_ip,end_ip,name`, or CIDR prefixes"),
    )
    network_context: Path | None = field(
        default=Path("context/networkcontext_1.csv"),
        metadata=_about("names of networks: `ip,name`, with a header line"),
    )
    iploc: Path | None = field(
        default=Path("context/iploc.csv"), metadata=_about("Spot's file of geolocation and domains")
    )
    mmdb: tuple[Path, ...] = field(
        default=(),
        metadata=_about(
            "geolocation in MaxMind's format, used where there is no `iploc`; "
            "without either the databases shipped tell the country"
        ),
    )


@dataclass(frozen=True)
class ReputationSettings:
    """Who is asked about the reputation of addresses."""

    block_lists: tuple[Path, ...] = field(
        default=(), metadata=_about("files of known bad addresses")
    )
    msticpy: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "providers of msticpy's threat intelligence to ask; they go over the network"
        ),
    )
    gti: Path | None = field(
        default=None,
        metadata=_about(
            "Spot's `reputation_config.json`, whose `gti` names a client program to call"
        ),
    )
    timeout: float = field(
        default=60.0, metadata=_about("seconds that a program or service may take", least=0)
    )


@dataclass(frozen=True)
class Settings:
    """The whole configuration.

    Attributes
    ----------
    source : Path or None
        The file that it was read from.
    given : frozenset of str
        Keys that somebody set, such as `store.url`.
    """

    store: StoreSettings = field(default_factory=StoreSettings)
    folders: FolderSettings = field(default_factory=FolderSettings)
    ranking: RankingSettings = field(default_factory=RankingSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    reputation: ReputationSettings = field(default_factory=ReputationSettings)
    source: Path | None = None
    given: frozenset[str] = frozenset()


SECTIONS = {
    "store": StoreSettings,
    "folders": FolderSettings,
    "ranking": RankingSettings,
    "context": ContextSettings,
    "reputation": ReputationSettings,
}
"""Sections of the file, and what their keys are."""


def load_settings(
    path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Read the configuration.

    Parameters
    ----------
    path
        The TOML file; None takes the one that `FLOWTRIAGE_CONFIG` names, else `flowtriage.toml`
        in the current folder, else none. Paths in it are relative to its folder.
    environment
        Variables such as `FLOWTRIAGE_STORE_URL`, which come before the file; several values are
        separated by `:` (`;` on Windows). None is the environment of the process.

    Returns
    -------
    Settings
        The file, the environment over it, and defaults for the rest.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    ConfigurationError
        If the file is no TOML, or a key is unknown or has a value that it cannot have.

    Examples
    --------
    >>> settings = load_settings(environment={"FLOWTRIAGE_RANKING_LIMIT": "250"})
    >>> settings.ranking.limit
    250
    """
    variables = os.environ if environment is None else environment
    file = _file(path, variables)
    document = _document(file) if file else {}
    base = file.absolute().parent if file else Path.cwd()
    settings = Settings(source=file)
    for section, values in document.items():
        if section not in SECTIONS:
            raise _wrong(file, section, f"is unknown; there are {', '.join(SECTIONS)}")
        if not isinstance(values, dict):
            raise _wrong(file, section, "is a section; write it as [" + section + "]")
        for key, value in values.items():
            settings = _set(settings, section, key, value, str(file), base)
    for name, text in sorted(variables.items()):
        if name.startswith(PREFIX) and name != _CONFIG:
            section, _, key = name.removeprefix(PREFIX).lower().partition("_")
            if section in SECTIONS:
                value = _from_text(text, section, key)
                settings = _set(settings, section, key, value, name, Path.cwd())
    return settings


def keys(section: str) -> dict[str, Field[Any]]:
    """Return the keys of a section; the metadata `about` of each says what it is."""
    return {each.name: each for each in fields(SECTIONS[section])}


def _file(path: str | os.PathLike[str] | None, variables: Mapping[str, str]) -> Path | None:
    named = path or variables.get(_CONFIG)
    if named:
        return Path(named)
    usual = Path(FILE)
    return usual if usual.is_file() else None


def _document(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{sanitize(str(file))} is no TOML: {error}") from None


def _set(
    settings: Settings, section: str, key: str, value: Any, where: str, base: Path
) -> Settings:
    known = keys(section)
    name = f"{section}.{key}"
    if key not in known:
        raise _wrong(where, name, f"is unknown; [{section}] has {', '.join(known)}")
    kind = get_type_hints(SECTIONS[section])[key]
    checked = _checked(value, kind, known[key], where, name, base)
    changed = replace(getattr(settings, section), **{key: checked})
    return replace(settings, given=settings.given | {name}, **{section: changed})


def _checked(value: Any, kind: Any, key: Field[Any], where: Any, name: str, base: Path) -> Any:
    if kind in (tuple[Path, ...], tuple[str, ...]):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _wrong(where, name, f"is {_shown(value)}; give a list of texts")
        return (
            tuple(_path(each, base) for each in value)
            if kind == tuple[Path, ...]
            else (tuple(value))
        )
    if kind in (Path, Path | None):
        if not isinstance(value, str) or (kind is Path and not value):
            raise _wrong(where, name, f"is {_shown(value)}; give a path as text")
        return _path(value, base) if value else None
    if kind is str:
        if not isinstance(value, str) or not value:
            raise _wrong(where, name, f"is {_shown(value)}; give a text")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        raise _wrong(where, name, f"is {_shown(value)}; give {_NUMBERS[kind]}")
    least = key.metadata["least"]
    if not value >= least:
        raise _wrong(where, name, f"is {value}; it cannot be less than {least}")
    return kind(value)


_NUMBERS = {int: "a whole number", float: "a number"}


def _path(text: str, base: Path) -> Path:
    return base / Path(text).expanduser()


def _from_text(text: str, section: str, key: str) -> Any:
    """Read the value of a variable as the type that its key has."""
    kind = get_type_hints(SECTIONS[section]).get(key)
    if kind in (tuple[Path, ...], tuple[str, ...]):
        return [part for part in text.split(os.pathsep) if part]
    if kind in (int, float):
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
    return text


def _shown(value: Any) -> str:
    return sanitize(repr(value), _MAX_LENGTH)


def _wrong(where: Any, name: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{sanitize(str(where))}: {sanitize(name, _MAX_LENGTH)} {what}")


def beside(settings: Settings, folder: Path) -> Settings:
    """Return settings whose relative paths are those in a folder, where it has them.

    Parameters
    ----------
    settings
        The settings.
    folder
        Folder to look in first, such as that of a DuckDB store.
    """

    def found(path: Any) -> Any:
        inside = folder / path if isinstance(path, Path) else None
        return inside if inside is not None and inside.exists() else path

    folders, context = settings.folders, settings.context
    return replace(
        settings,
        folders=replace(folders, data=found(folders.data), flows=found(folders.flows)),
        context=replace(
            context,
            ipranges=found(context.ipranges),
            network_context=found(context.network_context),
            iploc=found(context.iploc),
            mmdb=tuple(map(found, context.mmdb)),
        ),
    )
