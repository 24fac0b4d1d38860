"""Work that is killed in the midst of it, in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    ["flowtriage.oa.ranking", "sklearn.decomposition", "adbc_driver_manager.dbapi"]
)


def killed_after(seconds: float, work: Callable[..., Any], *arguments: Any) -> bool:
    """Whether the work was killed before its end; if it was not, it must have succeeded."""
    process = _PROCESSES.Process(target=_work, args=(seconds, work, *arguments))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _work(seconds: float, work: Callable[..., Any], *arguments: Any) -> None:
    kill = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    kill.daemon = True
    kill.start()
    work(*arguments)
