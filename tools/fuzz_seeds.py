"""Small valid inputs of every kind that flowtriage reads, for `tools/fuzz.py` to damage."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = 1_772_409_600
ISO = "2026-03-02T00:00:0{}Z"
OWN, PEERS = "10.20.0.5", ("1.1.1.1", "8.8.8.8", "2606:4700::1111", "10.20.0.9")
ROWS = 6
"""Records of each log."""


def logs() -> dict[str, bytes]:
    """Return a text log of every format, of `ROWS` records each, by format."""
    return {
        "canonical": _csv(*(_canonical(n) for n in range(ROWS))),
        "zeek": _zeek(),
        "zeek-json": _lines(*(_zeek_row(n) for n in range(ROWS))),
        "azure-nta": _lines(*(_nta(n) for n in range(ROWS))),
        "azure-network-analytics": _csv(*(_analytics(n) for n in range(ROWS))),
        "azure-nsg": _json({"records": [_nsg(n) for n in range(ROWS)]}),
        "azure-vnet": _json({"records": [_vnet(n) for n in range(ROWS)]}),
        "aws-vpc": b"\n".join(_aws(n) for n in range(ROWS)) + b"\n",
        "gcp-vpc": _json([_gcp(n) for n in range(ROWS)]),
        "suricata": _lines(*(_suricata(n) for n in range(ROWS))),
        "argus": _csv(*(_argus(n) for n in range(ROWS))),
        "nfdump": _csv(*(_nfdump(n) for n in range(ROWS))) + _NFDUMP_END,
        "spot": _csv(*(_spot(n) for n in range(ROWS))),
        "asim": _lines(*(_asim(n) for n in range(ROWS))),
        "ocsf": _lines(*(_ocsf(n) for n in range(ROWS))),
    }


BY_LINE = ("canonical", "zeek", "zeek-json", "aws-vpc", "suricata", "argus", "spot", "asim", "ocsf")
"""Formats with one record per line."""


def tables() -> dict[str, bytes]:
    """Return Parquet and Arrow files, and compressed logs, by the end of their name."""
    table = pa.Table.from_pylist([_canonical(n) for n in range(ROWS)])
    words = pa.array(["dns", "http", None] * 2).dictionary_encode()
    named = table.append_column("service", words)
    rest = {"parquet": io.BytesIO(), "nested.parquet": io.BytesIO(), "arrow": io.BytesIO()}
    pq.write_table(table, rest["parquet"], compression="none")
    pq.write_table(pa.Table.from_pylist([_ocsf(n) for n in range(ROWS)]), rest["nested.parquet"])
    with pa.ipc.new_file(rest["arrow"], named.schema) as writer:
        writer.write_table(named)
    zstd = pa.compress(_zeek(), codec="zstd", asbytes=True)
    packed = {"log.gz": gzip.compress(_zeek(), mtime=0), "log.zst": zstd}
    return packed | {name: file.getvalue() for name, file in rest.items()}


def block_lists() -> dict[str, bytes]:
    """Return block lists by the end of their name."""
    misp = {"Event": {"info": "x", "Attribute": [{"type": "ip-dst", "value": "192.0.2.1"}]}}
    pattern = "[ipv4-addr:value = '192.0.2.2']"
    stix = {"type": "bundle", "objects": [{"type": "indicator", "pattern": pattern}]}
    return {
        "txt": b"# list\n192.0.2.0/24 ; SBL1\n2001:db8::/32\n1.1.1.1\n",
        "csv": b'first_seen,comment,dst_ip\n2024,"a, ""b""",192.0.2.1\n2025,x,"192.0.2.2"\n',
        "misp.json": _json(misp),
        "stix.json": _json(stix),
    }


def settings() -> dict[str, bytes]:
    """Return files of networks and settings, by the end of their name."""
    return {
        "csv": b"10.0.0.0,10.0.255.255,office\n192.168.0.0,192.168.255.255,home\n",
        "cfg": b"10.0.0.0/8 office\n2001:db8::/32 lab\n",
        "toml": b'[store]\nurl = "duckdb:///x.duckdb"\n[ranking]\nlimit = 30\nthreshold = 0.1\n',
    }


def globe_files() -> dict[str, bytes]:
    """Return the files of a story, by name."""
    import tempfile
    from pathlib import Path

    import flowtriage as ft
    from flowtriage import sample
    from flowtriage.threat_investigation.story.spot_files import write_files
    from threat_story import peers

    sets = peers(ft.expanded_search(sample.office_day(), sample.HOST_IP)).slice(0, 4)
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(folder, sample.HOST_IP, sets)
        return {name: Path(path).read_bytes() for name, path in vars(files).items()}


def bundle() -> bytes:
    """Return a story bundle."""
    import tempfile
    from pathlib import Path

    from flowtriage.threat_investigation.story.bundle import write_bundle
    from threat_story import story

    with tempfile.TemporaryDirectory() as folder:
        return write_bundle(story(), Path(folder) / "story.zip").read_bytes()


def database() -> bytes:
    """Return a MaxMind database of two networks: 0.0.0.0/1 and 128.0.0.0/1."""
    data = [
        {"autonomous_system_number": 64496, "autonomous_system_organization": "Example"},
        {"autonomous_system_number": 64497, "country": {"iso_code": "NL"}},
    ]
    encoded = [_mmdb(one) for one in data]
    first = 1 + 16
    node = first.to_bytes(3, "big") + (first + len(encoded[0])).to_bytes(3, "big")
    about = {
        "node_count": 1,
        "record_size": 24,
        "ip_version": 4,
        "database_type": "GeoLite2-ASN",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": EPOCH,
        "description": {"en": "test"},
    }
    tree = node + bytes(16) + b"".join(encoded)
    return tree + b"\xab\xcd\xefMaxMind.com" + _mmdb(about)


_UNSIGNED = {"build_epoch": (9, 8), "record_size": (5, 2), "ip_version": (5, 2)}
_UNSIGNED |= {f"binary_format_{part}_version": (5, 2) for part in ("major", "minor")}


def _mmdb(value: Any, name: str = "") -> bytes:
    """Encode a value of the data section; the name of a field decides the width of integers."""
    if isinstance(value, dict):
        parts = (_mmdb(key) + _mmdb(one, key) for key, one in value.items())
        return _control(7, len(value)) + b"".join(parts)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_mmdb, value))
    if isinstance(value, str):
        return _control(2, len(value)) + value.encode()
    kind, width = _UNSIGNED.get(name, (6, 4))
    return _control(kind, width) + value.to_bytes(width, "big")


def _control(kind: int, size: int) -> bytes:
    head, more = (min(size, 29), bytes([size - 29]) if size >= 29 else b"")
    return (bytes([kind << 5 | head]) if kind < 8 else bytes([head, kind - 7])) + more


def _lines(*rows: Mapping[str, Any]) -> bytes:
    return b"".join(_json(row) + b"\n" for row in rows)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _csv(*rows: Mapping[str, Any]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    return "\n".join([*lines, ""]).encode()


def _peer(n: int) -> str:
    return PEERS[n % len(PEERS)]


def _canonical(n: int) -> dict[str, Any]:
    times = {"start_time": ISO.format(n), "end_time": ISO.format(n + 1)}
    ends = {"src_ip": OWN, "dst_ip": _peer(n), "src_port": 50_000 + n, "dst_port": 443}
    return times | ends | {"protocol": "tcp", "src_bytes": 900, "dst_bytes": 70, "flows": 1}


def _zeek_row(n: int) -> dict[str, Any]:
    return {
        "ts": EPOCH + n + 0.25,
        "uid": f"C{n}",
        "id.orig_h": OWN,
        "id.orig_p": 50_000 + n,
        "id.resp_h": _peer(n),
        "id.resp_p": 443,
        "proto": "tcp",
        "duration": 0.5,
        "orig_bytes": 50,
        "resp_bytes": 50,
        "conn_state": "SF",
        "history": "ShADadFf",
        "orig_pkts": 2,
        "orig_ip_bytes": 110,
        "resp_pkts": 2,
        "resp_ip_bytes": 110,
    }


def _zeek() -> bytes:
    rows = [_zeek_row(n) for n in range(ROWS)]
    head = "#separator \\x09\n#unset_field\t-\n#path\tconn\n#fields\t" + "\t".join(rows[0])
    return "\n".join([head, *("\t".join(map(str, row.values())) for row in rows), ""]).encode()


def _nta(n: int) -> dict[str, Any]:
    return {
        "SubType": "FlowLog",
        "FlowStartTime": ISO.format(n),
        "FlowEndTime": ISO.format(n + 1),
        "SrcIp": OWN,
        "DestIp": "",
        "DestPort": 443,
        "L4Protocol": "T",
        "L7Protocol": "https",
        "FlowDirection": "Outbound",
        "AllowedInFlows": 0,
        "AllowedOutFlows": 5,
        "BytesSrcToDest": 900,
        "BytesDestToSrc": 90,
        "DestPublicIps": f"1.1.1.1|3|3|6|5|600|60 9.9.9.{n}|2|2|3|3|300|30",
        "SrcVm": "sub/group/vm1",
        "AclRule": "web",
    }


def _analytics(n: int) -> dict[str, Any]:
    times = {"FlowStartTime": ISO.format(n), "FlowEndTime": ISO.format(n + 1)}
    ends = {"VMIPAddress": OWN, "SrcIP": "", "DestIP": "", "PublicIPs": f"1.1.1.1 9.9.9.{n}"}
    counts = {"AllowedOutFlows": 5, "AllowedInFlows": 0, "DeniedInFlows": 1, "DeniedOutFlows": 0}
    return times | ends | {"FlowDirection": "O", "L4Protocol": "T", "DestPort": 443.0} | counts


def _nsg(n: int) -> dict[str, Any]:
    tuples = [f"{EPOCH + n},{OWN},{_peer(n)},50000,443,T,O,A,{s},2,900,2,90" for s in "BE"]
    flows = [{"rule": "r", "flows": [{"mac": "000D3A", "flowTuples": tuples}]}]
    return {"time": ISO.format(n), "properties": {"Version": 2, "flows": flows}}


def _vnet(n: int) -> dict[str, Any]:
    tuples = [f"{EPOCH + n}000,{OWN},{_peer(n)},50000,443,6,O,{s},NX,2,900,2,90" for s in "BE"]
    groups = [{"rule": "r", "flowTuples": tuples}]
    record = {"flows": [{"aclID": "a", "flowGroups": groups}]}
    return {"time": ISO.format(n), "macAddress": "00224871", "flowRecords": record}


def _aws(n: int) -> bytes:
    ends = f"{OWN} {_peer(n)} {50_000 + n} 443"
    return f"2 1 eni-{n} {ends} 6 5 900 {EPOCH + n} {EPOCH + n + 60} ACCEPT OK".encode()


def _gcp(n: int) -> dict[str, Any]:
    ends = {"src_ip": OWN, "dest_ip": _peer(n), "src_port": 50_000 + n, "dest_port": 443}
    counts = {"bytes_sent": "900", "packets_sent": "9", "reporter": "SRC"}
    times = {"start_time": ISO.format(n), "end_time": ISO.format(n + 1)}
    return {"jsonPayload": {"connection": ends | {"protocol": 6}} | counts | times}


def _suricata(n: int) -> dict[str, Any]:
    counts = {"pkts_toserver": 2, "pkts_toclient": 2, "bytes_toserver": 110, "bytes_toclient": 90}
    flow = counts | {"start": ISO.format(n), "end": ISO.format(n + 1), "state": "closed"}
    ends = {"src_ip": OWN, "src_port": 50_000 + n, "dest_ip": _peer(n), "dest_port": 443}
    return (
        {"timestamp": ISO.format(n), "event_type": "flow", "proto": "TCP"} | ends | {"flow": flow}
    )


def _argus(n: int) -> dict[str, Any]:
    times = {"StartTime": f"2026/03/02 00:00:0{n}.000000", "Dur": "0.1", "Proto": "tcp"}
    ends = {"SrcAddr": OWN, "Sport": "50000", "Dir": "   ->", "DstAddr": _peer(n), "Dport": "443"}
    return times | ends | {"State": "CON", "TotPkts": 8, "TotBytes": 612, "SrcBytes": 300}


_NFDUMP_END = b"Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n%d,%d,%d,1,1,1\n" % (
    ROWS,
    5000 * ROWS,
    10 * ROWS,
)


def _nfdump(n: int) -> dict[str, Any]:
    times = {"ts": f"2026-03-02 00:00:0{n}", "te": f"2026-03-02 00:00:0{n + 1}", "td": "1.000"}
    ends = {"sa": OWN, "da": _peer(n), "sp": 50_000 + n, "dp": 443, "pr": "TCP", "flg": "...AP..."}
    return times | ends | {"ipkt": 10, "ibyt": 5000, "opkt": 0, "obyt": 0}


def _spot(n: int) -> dict[str, Any]:
    times = {"treceived": f"2026-03-02 00:00:0{n}", "tdur": 1.5}
    ends = {"sip": OWN, "dip": _peer(n), "sport": 50_000 + n, "dport": 443, "proto": "TCP"}
    return times | ends | {"ipkt": 10, "ibyt": 5000, "opkt": 0, "obyt": 0, "rip": "10.0.0.1"}


def _asim(n: int) -> dict[str, Any]:
    times = {"EventStartTime": ISO.format(n), "EventEndTime": ISO.format(n + 1)}
    ends = {"SrcIpAddr": OWN, "DstIpAddr": _peer(n), "SrcPortNumber": 50_000 + n}
    more = {"DstPortNumber": 443, "NetworkProtocol": "TCP", "DvcAction": "Allow", "EventCount": 1}
    return times | ends | more | {"EventSchema": "NetworkSession", "SrcBytes": 900, "DstBytes": 90}


def _ocsf(n: int) -> dict[str, Any]:
    return {
        "class_uid": 4001,
        "time": (EPOCH + n) * 1000,
        "src_endpoint": {"ip": OWN, "port": 50_000 + n},
        "dst_endpoint": {"ip": _peer(n), "port": 443},
        "activity_id": 6,
        "connection_info": {"protocol_num": 6},
        "traffic": {"bytes_out": 40, "bytes_in": 90, "packets_out": 1},
    }
