"""What is configured, what is missing, and what is skipped for that."""

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
    """One part of the configuration.

    Attributes
    ----------
    key
        Its key, such as `context.ipranges`.
    state
        `ready`; `skipped`, where a run goes on without it; `missing`, where it cannot.
    value
        What is configured.
    effect
        What that means for a run.
    """

    key: str
    state: State
    value: str
    effect: str


_WITHOUT = {
    "ipranges": "srcip_internal and destip_internal stay empty",
    "network_context": "src_context and dst_context stay empty",
    "iploc": "geolocation comes from context.mmdb, or from the databases shipped; no domains",
}


def check(settings: Settings) -> list[Finding]:
    """Look at everything that a run needs or uses.

    Parameters
    ----------
    settings
        The configuration.

    Returns
    -------
    list of Finding
        One for each part, in the order of the configuration.

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
    """Refuse a configuration that names files which are not there.

    Raises
    ------
    ConfigurationError
        If it does; the message names the first.
    """
    files = [*_ranking_files(settings), *_context(settings), *_reputation(settings)]
    for finding in files:
        if finding.state == "missing":
            raise ConfigurationError(f"{finding.key}: {finding.effect} ({finding.value})")


def _store(settings: Settings) -> Finding:
    chosen = settings.store
    shown = without_password(chosen.url)
    try:
        path = open_engine(chosen.url, chosen.wait).path
        if path is not None and not path.exists():
            return Finding("store.url", "ready", shown, "there is none yet; the first run makes it")
        store = FlowStore(chosen.url, wait=chosen.wait)
        days = store.days()
    except FlowtriageError as error:
        return Finding("store.url", "missing", shown, str(error))
    return Finding("store.url", "ready", shown, f"schema {store.schema_version}, {len(days)} days")


def _flows(settings: Settings) -> Finding:
    folder = settings.folders.flows
    days = RawFlows(folder).days()
    if not days:
        return Finding("folders.flows", "skipped", str(folder), "empty: give logs with --flows")
    told = f"{len(days):,} days of raw flows, {days[0]} to {days[-1]}"
    return Finding("folders.flows", "ready", str(folder), told)


def _templates(settings: Settings) -> Finding:
    folder = settings.folders.templates or TEMPLATES
    names = sorted(path.name for path in folder.glob("*.ipynb"))
    if not names:
        return Finding("folders.templates", "missing", str(folder), "there is no notebook in it")
    return Finding("folders.templates", "ready", str(folder), ", ".join(names))


def _ranking(settings: Settings) -> Finding:
    chosen = settings.ranking
    value = f"limit {chosen.limit}, threshold {chosen.threshold:g}, seed {chosen.seed}"
    if find_spec("sklearn") is None:
        effect = 'scikit-learn is needed: pip install "flowtriage[oa]"; --results works without'
        return Finding("ranking", "missing", value, effect)
    return Finding("ranking", "ready", value, "flows are ranked by a topic model of their day")


def _ranking_files(settings: Settings) -> Iterator[Finding]:
    chosen = settings.ranking
    if chosen.model is not None:
        there = chosen.model.is_file()
        effect = "it is applied, and nothing is learnt" if there else "there is no such file"
        yield Finding("ranking.model", "ready" if there else "missing", str(chosen.model), effect)
    if chosen.flow_conf is not None:
        try:
            load_mapping(chosen.flow_conf)
        except (OSError, ConfigurationError) as error:
            yield Finding("ranking.flow_conf", "missing", str(chosen.flow_conf), str(error))
        else:
            effect = "its columns are read"
            yield Finding("ranking.flow_conf", "ready", str(chosen.flow_conf), effect)


def _context(settings: Settings) -> Iterator[Finding]:
    for name, effect in _WITHOUT.items():
        key = f"context.{name}"
        path = getattr(settings.context, name)
        if path is not None and path.is_file():
            yield Finding(key, "ready", str(path), "is used")
        elif key in settings.given and path is not None:
            yield Finding(key, "missing", str(path), "there is no such file")
        else:
            yield Finding(key, "skipped", str(path or "none"), f"no such file: {effect}")
    for path in settings.context.mmdb:
        there = path.is_file()
        effect = "is used where there is no iploc" if there else "there is no such file"
        yield Finding("context.mmdb", "ready" if there else "missing", str(path), effect)


def _reputation(settings: Settings) -> Iterator[Finding]:
    chosen = settings.reputation
    for path in chosen.block_lists:
        there = path.exists()
        effect = "is asked" if there else "there is no such file"
        key = "reputation.block_lists"
        yield Finding(key, "ready" if there else "missing", str(path), effect)
    for name in chosen.msticpy:
        known = find_spec("msticpy") is not None
        effect = "is asked, over the network" if known else "msticpy is not installed"
        yield Finding("reputation.msticpy", "ready" if known else "missing", name, effect)
    if chosen.gti is None:
        yield Finding("reputation.gti", "skipped", "none", "no client program is called")
    else:
        there = chosen.gti.is_file()
        effect = "its client program is called" if there else "there is no such file"
        yield Finding("reputation.gti", "ready" if there else "missing", str(chosen.gti), effect)
    if not (chosen.block_lists or chosen.msticpy or chosen.gti):
        effect = "nobody is asked: src_rep and dst_rep stay empty"
        yield Finding("reputation", "skipped", "none", effect)
