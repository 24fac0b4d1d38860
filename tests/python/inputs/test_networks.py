"""Internal networks: from files and as prefixes, and files that name none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.schema import SCHEMA

NETWORKS = {
    "ipranges.csv": "start_ip,end_ip,name\n203.0.113.0,203.0.113.255,office\n",
    "quoted.csv": '"203.0.113.0","203.0.113.127","a"\n203.0.113.128,203.0.113.255,b\n',
    "networks.cfg": "# comment\n203.0.113.0/24    Office\n[2001:db8::]/32  v6\n",
    "local.zeek": (
        "redef Site::local_nets += {\n  203.0.113.0/24, # office\n  [2001:db8::]/32,\n};\n"
    ),
    "crlf.csv": "\ufeff203.0.113.0,203.0.113.255,office\r\n\r\n",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_internal_networks_come_from_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(NETWORKS[name])
    flows = pa.Table.from_pylist(
        [
            {"src_ip": source, "dst_ip": dest, "flows": 1}
            for source, dest in [
                ("203.0.113.200", "192.0.2.1"),
                ("10.0.0.4", "203.0.113.9"),
                ("10.0.0.4", "10.0.0.5"),
                ("203.0.113.1", "203.0.113.255"),
            ]
        ],
        schema=SCHEMA,
    )
    for internal in (path, str(path)):
        told = ft.classify_direction(flows, internal=internal)
        assert told["direction"].to_pylist() == ["outbound", "inbound", "external", "internal"]
        assert set(told["direction_reason"].to_pylist()) == {"internal ranges"}


def test_a_prefix_alone_is_no_path() -> None:
    flows = pa.Table.from_pylist(
        [{"src_ip": "203.0.113.200", "dst_ip": "10.0.0.1", "flows": 1}], schema=SCHEMA
    )
    for internal in ("203.0.113.0/24", ["203.0.113.0/24"]):
        assert ft.classify_direction(flows, internal=internal)["direction"][0].as_py() == "outbound"


def test_files_that_name_no_network(tmp_path: Path) -> None:
    flows = SCHEMA.empty_table()
    path = tmp_path / "ranges.csv"
    path.write_text("10.0.0.0,10.0.0.255,a\nten,eleven,b\n")
    with pytest.raises(ArgumentError, match="line 2: invalid network 'ten,eleven,b'"):
        ft.classify_direction(flows, internal=path)
    path.write_text("10.0.0.9,10.0.0.1,backwards\n")
    with pytest.raises(ArgumentError, match="line 1"):
        ft.classify_direction(flows, internal=path)
    for text in ("", "\n", "# office\n", "start_ip,end_ip,name\n"):
        path.write_text(text)
        with pytest.raises(ArgumentError, match=r"ranges\.csv' names no network"):
            ft.classify_direction(flows, internal=path)
    for text in (",/", '"",10.0.0.0/8', " ,x/8,y"):
        path.write_text(f"10.0.0.0/8\n{text}\n")
        with pytest.raises(ArgumentError, match=r"ranges\.csv', line 2: invalid network"):
            ft.classify_direction(flows, internal=path)
    with pytest.raises(FileNotFoundError):
        ft.classify_direction(flows, internal=tmp_path / "absent.csv")
