"""Settings of Flow OA from a TOML file and environment variables."""

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


def _about(text: str, minimum: float | None = None) -> dict[str, Any]:
    return {"about": text, "minimum": minimum}


@dataclass(frozen=True)
class StoreSettings:
    """Database of the results."""

    url: str = field(
        default="duckdb:///flows.duckdb",
        metadata=_about(
            "`duckdb:///file` (relative to the current folder), `duckdb:////absolute/path`, or "
            "`postgresql://user@server/database`; put the password into `PGPASSWORD` or `~/.pgpass`"
        ),
    )
    wait: float = field(
        default=5.0,
        metadata=_about(
            "seconds to wait for a DuckDB file that is locked by another process", minimum=0
        ),
    )


@dataclass(frozen=True)
class FolderSettings:
    """Folders of files."""

    data: Path = field(
        default=Path("data"),
        metadata=_about("contains `flow/<date>/`: the ranked results and the log of a run"),
    )
    ipynb: Path = field(
        default=Path("ipynb"), metadata=_about("contains `flow/<date>/`: the notebooks of a day")
    )
    flows: Path = field(
        default=Path("flows"),
        metadata=_about("raw flows as Parquet, partitioned by year, month, day and hour"),
    )
    templates: Path | None = field(
        default=None,
        metadata=_about("notebooks to copy for each day; by default those of the package"),
    )


@dataclass(frozen=True)
class RankingSettings:
    """Scoring and ranking of flows."""

    limit: int = field(
        default=500, metadata=_about("maximum number of suspicious connections per day", minimum=1)
    )
    threshold: float = field(
        default=1.0,
        metadata=_about(
            "maximum score; 1 disables the threshold. Spot's TOL is 1e-6, which no flow reaches on "
            "a day with fewer than about a million flows",
            minimum=0,
        ),
    )
    topics: int = field(default=20, metadata=_about("number of topics", minimum=2))
    alpha: float = field(
        default=1.02, metadata=_about("Dirichlet prior of topics per document, 1 to 1.5", minimum=1)
    )
    beta: float = field(
        default=1.001, metadata=_about("Dirichlet prior of words per topic, 1 to 1.5", minimum=1)
    )
    iterations: int = field(
        default=20, metadata=_about("maximum number of training iterations", minimum=1)
    )
    duplication: int = field(
        default=1000,
        metadata=_about("repetitions of a low-risk flow in training (Spot's DUPFACTOR)", minimum=0),
    )
    seed: int = field(
        default=0,
        metadata=_about("random seed; the same seed gives the same ranks", minimum=0),
    )
    model: Path | None = field(
        default=None, metadata=_about("saved model to apply instead of training one")
    )
    feedback_days: int = field(
        default=90,
        metadata=_about(
            "number of days before the run whose analyst scores are used in training", minimum=0
        ),
    )
    flow_conf: Path | None = field(
        default=None,
        metadata=_about("Spot's `flow_conf.json`, if its column mapping is not the default"),
    )


@dataclass(frozen=True)
class ContextSettings:
    """Internal network and geolocation."""

    ipranges: Path | None = field(
        default=Path("context/ipranges.csv"),
        metadata=_about("internal network: `start_ip,end_ip,name`, or CIDR prefixes"),
    )
    network_context: Path | None = field(
        default=Path("context/networkcontext_1.csv"),
        metadata=_about("network names: `ip,name`, with a header"),
    )
    iploc: Path | None = field(
        default=Path("context/iploc.csv"), metadata=_about("Spot's geolocation and domain file")
    )
    mmdb: tuple[Path, ...] = field(
        default=(),
        metadata=_about(
            "geolocation databases in MaxMind format, used without `iploc`; "
            "without both, the bundled databases provide the country"
        ),
    )


@dataclass(frozen=True)
class ReputationSettings:
    """Sources of reputation."""

    block_lists: tuple[Path, ...] = field(default=(), metadata=_about("block list files"))
    msticpy: tuple[str, ...] = field(
        default=(),
        metadata=_about("threat intelligence providers of msticpy to query, over the network"),
    )
    gti: Path | None = field(
        default=None,
        metadata=_about(
            "Spot's `reputation_config.json`, whose `gti` names a client program to call"
        ),
    )
    timeout: float = field(
        default=60.0, metadata=_about("timeout of a program or service, in seconds", minimum=0)
    )


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
            raise _error(file, section, f"unknown section; give {', '.join(SECTIONS)}")
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
    given = path or variables.get(_CONFIG)
    if given:
        return Path(given)
    default = Path(FILE)
    return default if default.is_file() else None


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
        raise _error(source, name, f"unknown key; [{section}] has {', '.join(known)}")
    kind = get_type_hints(SECTIONS[section])[key]
    checked = _checked(value, kind, known[key], source, name, base)
    changed = replace(getattr(settings, section), **{key: checked})
    return replace(settings, given=settings.given | {name}, **{section: changed})


def _checked(value: Any, kind: Any, key: Field[Any], source: str, name: str, base: Path) -> Any:
    if kind in (tuple[Path, ...], tuple[str, ...]):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _error(source, name, f"expected a list of strings, got {_repr(value)}")
        return (
            tuple(_path(each, base) for each in value) if kind == tuple[Path, ...] else tuple(value)
        )
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
    """Resolve relative paths against a folder if they exist there.

    Parameters
    ----------
    settings
        The settings.
    folder
        Folder to search first, such as that of a DuckDB store.
    """

    def resolved(path: Any) -> Any:
        inside = folder / path if isinstance(path, Path) else None
        return inside if inside is not None and inside.exists() else path

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
