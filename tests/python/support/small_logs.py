"""Small logs, written from the values that a test is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

_ZEEK = {
    "ts": "1772409600.1",
    "uid": "C1",
    "id.orig_h": "10.20.0.5",
    "id.orig_p": "50000",
    "id.resp_h": "1.1.1.1",
    "id.resp_p": "443",
    "proto": "tcp",
    "duration": "0.1",
    "orig_bytes": "50",
    "resp_bytes": "50",
    "conn_state": "SF",
    "history": "ShADadFf",
    "orig_pkts": "2",
    "orig_ip_bytes": "110",
    "resp_pkts": "2",
    "resp_ip_bytes": "110",
}
_ARGUS = {
    "StartTime": "2026/03/02 00:00:01.000000",
    "Dur": "0.1",
    "Proto": "tcp",
    "SrcAddr": "10.20.0.5",
    "Sport": "50000",
    "Dir": "   ->",
    "DstAddr": "1.1.1.1",
    "Dport": "443",
    "State": "FSPA_FSPA",
    "TotPkts": "8",
    "TotBytes": "612",
    "SrcBytes": "300",
}
_NFDUMP = {
    "ts": "2026-03-02 00:00:01",
    "te": "2026-03-02 00:00:05",
    "td": "4.000",
    "sa": "10.20.0.5",
    "da": "1.1.1.1",
    "sp": "50000",
    "dp": "443",
    "pr": "TCP",
    "flg": "...AP...",
    "ipkt": "10",
    "ibyt": "5000",
    "opkt": "0",
    "obyt": "0",
}
_OCSF = {
    "class_uid": 4001,
    "time": 1772409600000,
    "src_endpoint": {"ip": "9.9.9.9", "port": 56858},
    "dst_endpoint": {"ip": "10.20.0.5", "port": 3389},
    "activity_id": 6,
    "connection_info": {"protocol_num": 6},
    "traffic": {"bytes_out": 40, "packets_out": 1},
}


def zeek(path: Path, *rows: dict[str, Any]) -> Path:
    """Write a Zeek log; what a row does not give is usual."""
    header = "#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t" + "\t".join(_ZEEK)
    lines = ["\t".join(str(value) for value in (_ZEEK | row).values()) for row in rows]
    return _write(path, header, *lines)


def argus(path: Path, *rows: dict[str, str], without: tuple[str, ...] = ()) -> Path:
    """Write an Argus log, without some of its columns."""
    names = [name for name in _ARGUS if name not in without]
    return _write(
        path, ",".join(names), *(",".join((_ARGUS | row)[name] for name in names) for row in rows)
    )


def nfdump(path: Path, *rows: dict[str, str], trailer: str = "") -> Path:
    """Write an nfdump log, with the numbers of its summary."""
    end = ("Summary", "flows,bytes,packets,avg_bps,avg_pps,avg_bpp", trailer) if trailer else ()
    return _write(
        path, ",".join(_NFDUMP), *(",".join((_NFDUMP | row).values()) for row in rows), *end
    )


def ocsf(path: Path, *rows: dict[str, Any]) -> Path:
    """Write OCSF events."""
    return _write(path, *(json.dumps(_OCSF | row) for row in rows))


def canonical(rows: int = 1, **columns: Any) -> pa.Table:
    """Return flows from 10.20.0.5 to 1.1.1.1 in the canonical schema; columns replace or add."""
    usual = {
        "start_time": pa.array([1772409600000000] * rows, pa.timestamp("us", "UTC")),
        "src_ip": ["10.20.0.5"] * rows,
        "dst_ip": ["1.1.1.1"] * rows,
        "src_port": pa.array([50_000] * rows, pa.uint16()),
        "dst_port": pa.array([443] * rows, pa.uint16()),
        "flows": [1] * rows,
    }
    return pa.table(usual | columns)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
