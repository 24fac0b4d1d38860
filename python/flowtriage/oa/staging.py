"""Files of a day that come true together with what a run stores.

They wait in a hidden folder that bears the name of the run. Once the store has the run, they take
their places; if the run broke off in between, the next one finds which of the two it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowtriage.errors import StoreError

_WAITING = ".run-"


@contextmanager
def day_locked(folder: Path) -> Iterator[None]:
    """Let one run at a time at the files of a day.

    Raises
    ------
    StoreError
        If another run has them.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"another run of this day is at work in {folder}; wait for it, or end it"
            ) from None
        yield


def waiting(folder: Path, run: str) -> Path:
    """Return the folder where the files of a run wait; it is created."""
    place = folder / f"{_WAITING}{run}"
    place.mkdir()
    return place


def settle(folder: Path, stored: str | None) -> None:
    """Bring files that wait to their places if their run is the one stored; remove all others."""
    for place in folder.glob(f"{_WAITING}*"):
        if place.name == f"{_WAITING}{stored}":
            for file in place.iterdir():
                os.replace(file, folder / file.name)  # noqa: PTH105
        shutil.rmtree(place)
