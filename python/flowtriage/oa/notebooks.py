"""The notebooks of a day: copies of templates, which know their day and where the store is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flowtriage.atomic import replacing
from flowtriage.errors import ConfigurationError
from flowtriage.humanize import sanitize
from flowtriage.oa.day import Day

TEMPLATES = Path(__file__).parent / "templates"
_TAG = "parameters"


def copy(work: Day) -> list[str]:
    """Copy the templates into the day's folder, but for those that are there already.

    A cell that is tagged `parameters` becomes one that sets `DATE`, `STORE`, `FLOWS` and
    `CONFIGURATION`.

    Returns
    -------
    list of str
        Names of the notebooks that were copied.

    Raises
    ------
    ConfigurationError
        If there is no notebook among the templates, or one is none.
    """
    folder = work.settings.folders.templates or TEMPLATES
    templates = sorted(folder.glob("*.ipynb"))
    if not templates:
        raise ConfigurationError(f"folders.templates: there is no notebook in {folder}")
    copied = []
    for template in templates:
        place = work.ipynb / template.name
        if place.exists():
            continue
        with replacing(place) as file:
            file.write(_filled(template, work))
        copied.append(template.name)
    return copied


def _filled(template: Path, work: Day) -> bytes:
    try:
        document = json.loads(template.read_text(encoding="utf-8"))
        for cell in document["cells"]:
            if _TAG in cell["metadata"].get("tags", ()):
                cell["source"] = _parameters(work)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{sanitize(str(template))} is no notebook: {error!r}") from None
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _parameters(work: Day) -> str:
    source = work.settings.source
    values: dict[str, Any] = {
        "DATE": work.day.isoformat(),
        "STORE": work.store.portable_url,
        "FLOWS": str(work.settings.folders.flows.absolute()),
        "CONFIGURATION": str(source.absolute()) if source else None,
    }
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())
