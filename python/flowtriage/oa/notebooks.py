"""Copy the notebook templates of a day and set their parameters."""

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


def copy(day: Day) -> list[str]:
    """Copy the templates into the day's folder; keep existing notebooks, and return new names.

    Cells with the tag `parameters` are replaced by assignments of `DATE`, `STORE`, `FLOWS` and
    `CONFIGURATION`.
    """
    folder = day.settings.folders.templates or TEMPLATES
    templates = sorted(folder.glob("*.ipynb"))
    if not templates:
        raise ConfigurationError(f"folders.templates: no notebooks in {folder}")
    copied = []
    for template in templates:
        target = day.ipynb / template.name
        if target.exists():
            continue
        with replacing(target) as file:
            file.write(_filled(template, day))
        copied.append(template.name)
    return copied


def _filled(template: Path, day: Day) -> bytes:
    try:
        document = json.loads(template.read_text(encoding="utf-8"))
        for cell in document["cells"]:
            if _TAG in cell["metadata"].get("tags", ()):
                cell["source"] = _parameters(day)
        return json.dumps(document, indent=1, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"{sanitize(str(template))}: invalid notebook: {error!r}"
        ) from None


def _parameters(day: Day) -> str:
    source = day.settings.source
    values: dict[str, Any] = {
        "DATE": day.date.isoformat(),
        "STORE": day.store.portable_url,
        "FLOWS": str(day.settings.folders.flows.absolute()),
        "CONFIGURATION": str(source.absolute()) if source else None,
    }
    return "\n".join(f"{name} = {value!r}" for name, value in values.items())
