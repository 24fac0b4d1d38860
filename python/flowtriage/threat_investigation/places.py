"""Where the files of an investigation are: as configured, or beside the store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from flowtriage.oa.configuration import Settings, load
from flowtriage.store import FlowStore


def settings_for(
    configuration: Settings | str | os.PathLike[str] | None, store: FlowStore | None
) -> Settings:
    """Return the configuration of Flow OA, its relative paths looked for beside the store first.

    Parameters
    ----------
    configuration
        Settings, or the path of their TOML file; None takes them as `flowtriage.oa.load` does.
    store
        The store.
    """
    settings = configuration if isinstance(configuration, Settings) else load(configuration)
    folder = store.folder if store else None
    if folder is None:
        return settings

    def found(path: Any) -> Any:
        beside = folder / path if isinstance(path, Path) else None
        return beside if beside is not None and beside.exists() else path

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
