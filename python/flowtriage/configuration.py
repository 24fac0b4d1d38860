"""Settings of Flow OA from a TOML file and environment variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from flowtriage.errors import ConfigurationError
from flowtriage.humanize import did_you_mean, sanitize

FILE = "flowtriage.toml"
PREFIX = "FLOWTRIAGE_"
_CONFIG = f"{PREFIX}CONFIG"
_MAX_LENGTH = 200


def _key(default: Any, about: str, minimum: float | None = None) -> Any:
    return field(default=default, metadata={"about": about, "minimum": minimum})


@dataclass(frozen=True)
class StoreSettings:
    """Database of the results."""

    url: str = _key(
        "duckdb:///flows.duckdb",
        "`duckdb:///file` (relative to the current folder), `duckdb:////absolute/path`, or "
        "`postgresql://user@server/database`; put the password into `PGPASSWORD` or `~/.pgpass`",
    )
    wait: float = _key(
        5.0, "seconds to wait for a DuckDB file that is locked by another process", 0
    )


@dataclass(frozen=True)
class FolderSettings:
    """Folders of files."""

    data: Path = _key(
        Path("data"), "contains `flow/<date>/`: the ranked results and the log of a run"
    )
    ipynb: Path = _key(Path("ipynb"), "contains `flow/<date>/`: the notebooks of a day")
    flows: Path = _key(
        Path("flows"), "raw flows as Parquet, partitioned by year, month, day and hour"
    )
    templates: Path | None = _key(
        None, "notebooks to copy for each day; by default those of the package"
    )


@dataclass(frozen=True)
class RankingSettings:
    """Scoring and ranking of flows."""

    limit: int = _key(500, "maximum number of suspicious connections per day", 1)
    threshold: float = _key(
        1.0,
        "maximum score; 1 disables the threshold. Spot's TOL is 1e-6, which no flow reaches on "
        "a day with fewer than about a million flows",
        0,
    )
    topics: int = _key(20, "number of topics", 2)
    alpha: float = _key(1.02, "Dirichlet prior of topics per document, 1 to 1.5", 1)
    beta: float = _key(1.001, "Dirichlet prior of words per topic, 1 to 1.5", 1)
    iterations: int = _key(20, "maximum number of training iterations", 1)
    duplication: int = _key(
        1000, "repetitions of a low-risk flow in training (Spot's DUPFACTOR)", 0
    )
    seed: int = _key(0, "random seed; the same seed gives the same ranks", 0)
    model: Path | None = _key(None, "saved model to apply instead of training one")
    feedback_days: int = _key(
        90, "number of days before the run whose analyst scores are used in training", 0
    )
    flow_conf: Path | None = _key(
        None, "Spot's `flow_conf.json`, if its column mapping is not the default"
    )


@dataclass(frozen=True)
class ContextSettings:
    """Internal network and geolocation."""

    ipranges: Path | None = _key(
        Path("context/ipranges.csv"), "internal network: `start_ip,end_ip,name`, or CIDR prefixes"
    )
    network_context: Path | None = _key(
        Path("context/networkcontext_1.csv"), "network names: `ip,name`, with a header"
    )
    iploc: Path | None = _key(Path("context/iploc.csv"), "Spot's geolocation and domain file")
    mmdb: tuple[Path, ...] = _key(
        (),
        "geolocation databases in MaxMind format, used without `iploc`; "
        "without both, the bundled databases provide the country",
    )


@dataclass(frozen=True)
class ReputationSettings:
    """Sources of reputation."""

    block_lists: tuple[Path, ...] = _key((), "block list files")
    msticpy: tuple[str, ...] = _key(
        (), "threat intelligence providers of msticpy to query, over the network"
    )
    gti: Path | None = _key(
        None, "Spot's `reputation_config.json`, whose `gti` names a client program to call"
    )
    timeout: float = _key(60.0, "timeout of a program or service, in seconds", 0)


@dataclass(frozen=True)
class Settings:
    """Settings of all sections.

    Attributes
    ----------
    source : Path or None
        The configuration file.
    given : frozenset of str
        Keys set in the file or the environment, such as `store.url`.
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
"""Settings class of each section."""


def load_settings(
    path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Load the settings.

    Parameters
    ----------
    path
        The TOML file. None uses the file in `FLOWTRIAGE_CONFIG`, else `flowtriage.toml` in the
        current folder if it exists. Paths in the file are relative to its folder.
    environment
        Variables such as `FLOWTRIAGE_STORE_URL`, which override the file. Lists are separated by
        `:` (`;` on Windows). None uses the environment of the process.

    Returns
    -------
    Settings
        Values of the environment, the file, and defaults, in this order of precedence.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file cannot be read.
    ConfigurationError
        If the file is not valid TOML, a key is unknown, or a value is invalid.

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
            raise _error(file, section, f"unknown section{did_you_mean(section, SECTIONS)}")
        if not isinstance(values, dict):
            raise _error(file, section, f"expected a section; write [{section}]")
        for key, value in values.items():
            settings = _set(settings, section, key, value, str(file), base)
    for name, text in sorted(variables.items()):
        if name.startswith(PREFIX) and name != _CONFIG:
            section, _, key = name.removeprefix(PREFIX).lower().partition("_")
            if section in SECTIONS:
                value = _parse(text, section, key)
                settings = _set(settings, section, key, value, name, Path.cwd())
    return settings


def keys(section: str) -> dict[str, Field[Any]]:
    """Return the keys of a section; metadata `about` describes each key."""
    return {each.name: each for each in fields(SECTIONS[section])}


def _file(path: str | os.PathLike[str] | None, variables: Mapping[str, str]) -> Path | None:
    if given := path or variables.get(_CONFIG):
        return Path(given)
    return Path(FILE) if Path(FILE).is_file() else None


def _document(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{sanitize(str(file))} is not valid TOML: {error}") from None


def _set(
    settings: Settings, section: str, key: str, value: Any, source: str, base: Path
) -> Settings:
    known = keys(section)
    name = f"{section}.{key}"
    if key not in known:
        raise _error(source, name, f"unknown key{did_you_mean(key, known)}")
    kind = get_type_hints(SECTIONS[section])[key]
    checked = _checked(value, kind, known[key], source, name, base)
    changed = replace(getattr(settings, section), **{key: checked})
    return replace(settings, given=settings.given | {name}, **{section: changed})


def _checked(value: Any, kind: Any, key: Field[Any], source: str, name: str, base: Path) -> Any:
    if kind in (tuple[Path, ...], tuple[str, ...]):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _error(source, name, f"expected a list of strings, got {_repr(value)}")
        return tuple(_path(each, base) if kind == tuple[Path, ...] else each for each in value)
    if kind in (Path, Path | None):
        if not isinstance(value, str) or (kind is Path and not value):
            raise _error(source, name, f"expected a path, got {_repr(value)}")
        return _path(value, base) if value else None
    if kind is str:
        if not isinstance(value, str) or not value:
            raise _error(source, name, f"expected a string, got {_repr(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        raise _error(source, name, f"expected {_NUMBERS[kind]}, got {_repr(value)}")
    minimum = key.metadata["minimum"]
    if not value >= minimum:
        raise _error(source, name, f"must be {minimum} or more, got {value}")
    return kind(value)


_NUMBERS = {int: "an integer", float: "a number"}


def _path(text: str, base: Path) -> Path:
    return base / Path(text).expanduser()


def _parse(text: str, section: str, key: str) -> Any:
    """Parse the value of a variable as the type of its key."""
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


def _repr(value: Any) -> str:
    return sanitize(repr(value), _MAX_LENGTH)


def _error(source: Any, name: str, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{sanitize(str(source))}: {sanitize(name, _MAX_LENGTH)}: {reason}")


def beside(settings: Settings, folder: Path) -> Settings:
    """Resolve relative paths against a folder, such as that of a store, if they exist there."""

    def resolved(path: Any) -> Any:
        return folder / path if isinstance(path, Path) and (folder / path).exists() else path

    folders, context = settings.folders, settings.context
    return replace(
        settings,
        folders=replace(folders, data=resolved(folders.data), flows=resolved(folders.flows)),
        context=replace(
            context,
            ipranges=resolved(context.ipranges),
            network_context=resolved(context.network_context),
            iploc=resolved(context.iploc),
            mmdb=tuple(map(resolved, context.mmdb)),
        ),
    )
