"""Running the command line as a program."""

from __future__ import annotations

import errno
import os
import pty
import re
import subprocess
import sys
import textwrap
from pathlib import Path

PROGRAM = [sys.executable, "-m", "flowtriage.cli"]
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What must not reach a terminal unseen; a line feed may."""

_SETTINGS = {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in _SETTINGS},
    "PYTHONUTF8": "1",
    "TERM": "xterm-256color",
}


def run(
    *arguments: str | Path, stdin: bytes = b"", status: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT,
        timeout=120,
        check=False,
    )
    out, error = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, error
    return subprocess.CompletedProcess(done.args, done.returncode, out, error)


def run_code(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=120,
        check=False,
    )


def on_terminal(*arguments: str | Path, width: int) -> str:
    """What the program shows when stdout and stderr are a terminal."""
    own, its = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=its,
        stdout=its,
        stderr=its,
        env=ENVIRONMENT | {"COLUMNS": str(width)},
    )
    os.close(its)
    shown = b""
    try:
        while part := os.read(own, 65536):
            shown += part
    except OSError as error:
        assert error.errno == errno.EIO
    os.close(own)
    assert process.wait(timeout=120) == 0
    return shown.decode()
