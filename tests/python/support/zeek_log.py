"""A Zeek log of 100 records, and compression with Zstandard."""

from __future__ import annotations

import pyarrow as pa

HEADER = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\torig_ip_bytes\n"


def line(number: int) -> str:
    return f"{number}.5\t10.0.0.1\t10.0.{number >> 8 & 255}.{number & 255}\ttcp\tSF\t{number}\n"


LINES = [line(n) for n in range(100)]
LOG = HEADER + "".join(LINES)


def zstd(content: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as file:
        file.write(content)
    return packed.getvalue().to_pybytes()
