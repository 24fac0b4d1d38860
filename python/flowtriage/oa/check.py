"""Check a configuration: ready, skipped and missing parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from flowtriage.configuration import Settings
from flowtriage.errors import ConfigurationError, FlowtriageError
from flowtriage.humanize import counted
from flowtriage.oa.notebooks import TEMPLATES
from flowtriage.oa.results import load_mapping
from flowtriage.store import FlowStore
from flowtriage.store.engine import open_engine, without_password
from flowtriage.store.raw_flows import RawFlows

State = Literal["ready", "skipped", "missing"]


@dataclass(frozen=True)
class Finding:
    """State of one part of the configuration, and its effect on a run.

    `skipped`: a run continues without it; `missing`: a run fails.
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
    """Check everything that a run needs or uses, in the order of the configuration.

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
    url, wait = settings.store.url, settings.store.wait
    shown = without_password(url)
    try:
        path = open_engine(url, wait).path
        if path is not None and not path.exists():
            return Finding("store.url", "ready", shown, "does not exist; the first run creates it")
        store = FlowStore(url, wait=wait, create=False)
        days = store.days()
    except FlowtriageError as error:
        return Finding("store.url", "missing", shown, str(error))
    return Finding(
        "store.url", "ready", shown, f"schema {store.schema_version}, {counted(len(days), 'day')}"
    )


def _flows(settings: Settings) -> Finding:
    folder = settings.folders.flows
    days = RawFlows(folder).days()
    if not days:
        return Finding("folders.flows", "skipped", str(folder), "no flows; give logs with --flows")
    days_text = f"{counted(len(days), 'day')} of raw flows, {days[0]} to {days[-1]}"
    return Finding("folders.flows", "ready", str(folder), days_text)


def _templates(settings: Settings) -> Finding:
    folder = settings.folders.templates or TEMPLATES
    names = ", ".join(sorted(path.name for path in folder.glob("*.ipynb")))
    return _needed("folders.templates", folder, bool(names), names, "no notebooks in the folder")


def _ranking(settings: Settings) -> Finding:
    section = settings.ranking
    value = f"limit {section.limit}, threshold {section.threshold:g}, seed {section.seed}"
    installed = find_spec("sklearn") is not None
    missing = 'scikit-learn is missing: pip install "flowtriage[oa]"; --results works without'
    return _needed("ranking", value, installed, "a topic model of the day ranks the flows", missing)


def _ranking_files(settings: Settings) -> Iterator[Finding]:
    model, flow_conf = settings.ranking.model, settings.ranking.flow_conf
    if model is not None:
        yield _needed("ranking.model", model, model.is_file(), "applied without training")
    if flow_conf is not None:
        problem = ""
        try:
            load_mapping(flow_conf)
        except (OSError, ConfigurationError) as error:
            problem = str(error)
        effect = "its column mapping is used"
        yield _needed("ranking.flow_conf", flow_conf, not problem, effect, problem)


def _context(settings: Settings) -> Iterator[Finding]:
    for name, effect in _SKIPPED_EFFECTS.items():
        key = f"context.{name}"
        path = getattr(settings.context, name)
        exists = path is not None and path.is_file()
        if exists or (key in settings.given and path is not None):
            yield _needed(key, path, exists, "used")
        else:
            yield Finding(key, "skipped", str(path or "none"), f"file not found: {effect}")
    for path in settings.context.mmdb:
        yield _needed("context.mmdb", path, path.is_file(), "used without iploc")


def _reputation(settings: Settings) -> Iterator[Finding]:
    section = settings.reputation
    for path in section.block_lists:
        yield _needed("reputation.block_lists", path, path.exists(), "queried")
    for name in section.msticpy:
        installed = find_spec("msticpy") is not None
        effects = "queried over the network", "msticpy is not installed"
        yield _needed("reputation.msticpy", name, installed, *effects)
    gti = section.gti
    if gti is None:
        yield Finding("reputation.gti", "skipped", "none", "no client program configured")
    else:
        yield _needed("reputation.gti", gti, gti.is_file(), "its client program is called")
    if not (section.block_lists or section.msticpy or gti):
        effect = "no sources: src_rep and dst_rep are null"
        yield Finding("reputation", "skipped", "none", effect)


def _needed(
    key: str, value: object, ready: bool, effect: str, problem: str = "file not found"
) -> Finding:
    """Return the finding of a part without which a run fails."""
    return Finding(key, "ready" if ready else "missing", str(value), effect if ready else problem)
