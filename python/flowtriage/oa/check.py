"""Check a configuration: ready, skipped and missing parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from flowtriage.configuration import Settings
from flowtriage.errors import ConfigurationError, FlowtriageError
from flowtriage.oa.notebooks import TEMPLATES
from flowtriage.oa.results import load_mapping
from flowtriage.store import FlowStore
from flowtriage.store.engine import open_engine, without_password
from flowtriage.store.raw_flows import RawFlows

State = Literal["ready", "skipped", "missing"]


@dataclass(frozen=True)
class Finding:
    """State of one part of the configuration.

    Attributes
    ----------
    key
        Key, such as `context.ipranges`.
    state
        `ready`; `skipped` if a run continues without it; `missing` if a run fails.
    value
        Configured value.
    effect
        Effect on a run.
    """

    key: str
    state: State
    value: str
    effect: str


_SKIPPED_EFFECTS = {
    "ipranges": "srcip_internal and destip_internal are null",
    "network_context": "src_context and dst_context are null",
    "iploc": "geolocation from context.mmdb or the bundled databases; no domains",
}


def check(settings: Settings) -> list[Finding]:
    """Check everything that a run needs or uses.

    Parameters
    ----------
    settings
        The configuration.

    Returns
    -------
    list of Finding
        One finding per part, in the order of the configuration.

    Examples
    --------
    >>> [finding.state for finding in check(Settings()) if finding.key == "reputation.gti"]
    ['skipped']
    """
    return [
        _store(settings),
        _flows(settings),
        _templates(settings),
        _ranking(settings),
        *_ranking_files(settings),
        *_context(settings),
        *_reputation(settings),
    ]


def require(settings: Settings) -> None:
    """Check that all configured files exist.

    Raises
    ------
    ConfigurationError
        If a file is missing; the message names the first one.
    """
    files = [*_ranking_files(settings), *_context(settings), *_reputation(settings)]
    for finding in files:
        if finding.state == "missing":
            raise ConfigurationError(f"{finding.key}: {finding.effect} ({finding.value})")


def _store(settings: Settings) -> Finding:
    configured = settings.store
    shown = without_password(configured.url)
    try:
        path = open_engine(configured.url, configured.wait).path
        if path is not None and not path.exists():
            return Finding("store.url", "ready", shown, "does not exist; the first run creates it")
        store = FlowStore(configured.url, wait=configured.wait)
        days = store.days()
    except FlowtriageError as error:
        return Finding("store.url", "missing", shown, str(error))
    return Finding("store.url", "ready", shown, f"schema {store.schema_version}, {len(days)} days")


def _flows(settings: Settings) -> Finding:
    folder = settings.folders.flows
    days = RawFlows(folder).days()
    if not days:
        return Finding("folders.flows", "skipped", str(folder), "no flows; give logs with --flows")
    days_text = f"{len(days):,} days of raw flows, {days[0]} to {days[-1]}"
    return Finding("folders.flows", "ready", str(folder), days_text)


def _templates(settings: Settings) -> Finding:
    folder = settings.folders.templates or TEMPLATES
    names = sorted(path.name for path in folder.glob("*.ipynb"))
    if not names:
        return Finding("folders.templates", "missing", str(folder), "no notebooks in the folder")
    return Finding("folders.templates", "ready", str(folder), ", ".join(names))


def _ranking(settings: Settings) -> Finding:
    section = settings.ranking
    value = f"limit {section.limit}, threshold {section.threshold:g}, seed {section.seed}"
    if find_spec("sklearn") is None:
        effect = 'scikit-learn is missing: pip install "flowtriage[oa]"; --results works without'
        return Finding("ranking", "missing", value, effect)
    return Finding("ranking", "ready", value, "a topic model of the day ranks the flows")


def _ranking_files(settings: Settings) -> Iterator[Finding]:
    section = settings.ranking
    if section.model is not None:
        exists = section.model.is_file()
        effect = "applied without training" if exists else "file not found"
        yield Finding("ranking.model", "ready" if exists else "missing", str(section.model), effect)
    if section.flow_conf is not None:
        try:
            load_mapping(section.flow_conf)
        except (OSError, ConfigurationError) as error:
            yield Finding("ranking.flow_conf", "missing", str(section.flow_conf), str(error))
        else:
            effect = "its column mapping is used"
            yield Finding("ranking.flow_conf", "ready", str(section.flow_conf), effect)


def _context(settings: Settings) -> Iterator[Finding]:
    for name, effect in _SKIPPED_EFFECTS.items():
        key = f"context.{name}"
        path = getattr(settings.context, name)
        if path is not None and path.is_file():
            yield Finding(key, "ready", str(path), "used")
        elif key in settings.given and path is not None:
            yield Finding(key, "missing", str(path), "file not found")
        else:
            yield Finding(key, "skipped", str(path or "none"), f"file not found: {effect}")
    for path in settings.context.mmdb:
        exists = path.is_file()
        effect = "used without iploc" if exists else "file not found"
        yield Finding("context.mmdb", "ready" if exists else "missing", str(path), effect)


def _reputation(settings: Settings) -> Iterator[Finding]:
    section = settings.reputation
    for path in section.block_lists:
        exists = path.exists()
        effect = "queried" if exists else "file not found"
        key = "reputation.block_lists"
        yield Finding(key, "ready" if exists else "missing", str(path), effect)
    for name in section.msticpy:
        installed = find_spec("msticpy") is not None
        effect = "queried over the network" if installed else "msticpy is not installed"
        yield Finding("reputation.msticpy", "ready" if installed else "missing", name, effect)
    if section.gti is None:
        yield Finding("reputation.gti", "skipped", "none", "no client program configured")
    else:
        exists = section.gti.is_file()
        effect = "its client program is called" if exists else "file not found"
        yield Finding("reputation.gti", "ready" if exists else "missing", str(section.gti), effect)
    if not (section.block_lists or section.msticpy or section.gti):
        effect = "no sources: src_rep and dst_rep are null"
        yield Finding("reputation", "skipped", "none", effect)
