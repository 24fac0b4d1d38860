"""What options name, opened: databases, configuration, store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flowtriage.asn import AsnDatabase, embedded
from flowtriage.oa.configuration import Settings, load
from flowtriage.store import FlowStore


def open_database(paths: Sequence[Path] | None) -> AsnDatabase:
    """Open the databases asked for, or the one shipped."""
    return AsnDatabase(list(paths)) if paths else embedded()


def open_store(config: Path | None, store: str | None) -> FlowStore:
    """Open the store that is given or configured."""
    chosen = load_settings(config, store).store
    return FlowStore(chosen.url, wait=chosen.wait)


def load_settings(config: Path | None, store: str | None = None) -> Settings:
    """Read the configuration, with another store if one is given."""
    settings = load(config)
    return replace(settings, store=replace(settings.store, url=store)) if store else settings
