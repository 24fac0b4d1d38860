"""Programs that stream more flows than fit into memory, and measure what they take of it."""

from __future__ import annotations

import os
import subprocess
import sys

STREAM = """
import resource, sys
import pyarrow as pa
import flowtriage as ft

ROWS = 1 << 18
batch = pa.record_batch({
    "src_ip": pa.array([f"10.0.{i >> 8 & 15}.{i & 255}" for i in range(ROWS)]),
    "dst_ip": pa.array(["192.0.2.1"] * ROWS),
    "flows": pa.array([1] * ROWS),
    "start_time": pa.array(range(ROWS), pa.timestamp("us", "UTC")),
})

def stream(times):
    return pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(times)))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
"""


def run(code: str, *arguments: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    ).stdout
