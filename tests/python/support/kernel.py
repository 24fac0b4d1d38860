"""Running notebooks, each with a kernel of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def execute(notebook: Any, folder: str | Path) -> None:
    """Run all cells of a notebook in a folder; raise what one of them raises."""
    from nbclient import NotebookClient

    where = {"metadata": {"path": folder}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where)
    # Playwright keeps the event loop of this thread running.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, client.async_execute()).result()
