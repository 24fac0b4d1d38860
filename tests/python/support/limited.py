"""Programs with limits on time and memory, for inputs that can end a process."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

_PRELUDE = """
import json, sys
import pyarrow as pa
import flowtriage as ft

def outcome(work):
    try:
        return {"value": work()}
    except ft.FlowtriageError as error:
        return {"error": type(error).__name__, "message": str(error)}

def read(path, **options):
    flows = ft.read_flows(path, **options)
    return {"rows": len(flows), "bad": flows.report.rows_bad}
"""
_LIMIT = {resource.RLIMIT_CPU: 60, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 1 << 30}


def outcome(expression: str, *arguments: object, megabytes: int = 4096) -> dict[str, Any]:
    """Evaluate an expression over `sys.argv` in a process of its own.

    Returns
    -------
    dict
        `value` of the expression, or the class and `message` of a `FlowtriageError`. Any other
        end of the process is a failure of the test.
    """
    done = run(f"print(json.dumps(outcome(lambda: {expression})))", *arguments, megabytes=megabytes)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run(code: str, *arguments: object, megabytes: int = 4096) -> subprocess.CompletedProcess[str]:
    """Run code with limits."""

    def limit() -> None:
        for kind, value in {**_LIMIT, resource.RLIMIT_AS: megabytes << 20}.items():
            resource.setrlimit(kind, (value, value))

    return subprocess.run(
        [sys.executable, "-c", _PRELUDE + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
        preexec_fn=limit,
    )
