"""From raw logs to enriched tables, with every file configured, on both databases."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

pytest.importorskip("sklearn")

import flowtriage as ft
import gti_program
from command_line import run
from oa_work import snapshot

pytestmark = pytest.mark.extra

LOGS = [
    ("2013-09-15", "zeek/zat_conn.log"),
    ("2024-12-20", "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt"),
    ("2018-01-12", "netflow/slips_test1.nfdump171.csv"),
]
INTERNAL = {
    "192.168.0.0,192.168.255.255,lan": "192.168.0.0/16",
    "10.0.0.0,10.255.255.255,cloud": "10.0.0.0/8",
    "147.32.80.0,147.32.80.255,campus": "147.32.80.0/24",
}
NETWORKS = {
    "192.168.33.10": "the desk",
    "192.168.0.0/16": "lan",
    "10.0.101.0/24": "nodes",
    "10.0.0.0/8": "cloud",
    "147.32.80.0/22": "campus",
    "54.0.0.0/8": "a cloud provider; '--",
}
LIMIT = 60


def number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def last(address: str) -> int:
    """The last part of an IPv4 address, by which the stand-ins tell good from bad."""
    return number(address) & 255


def configured(folder: Path, url: str, public: list[str]) -> Path:
    """Write a configuration, and everything that it names."""
    context = folder / "context"
    context.mkdir()
    (context / "ipranges.csv").write_text("\n".join(INTERNAL) + "\n")
    lines = ["ip,name", *(f'{network},"{name}"' for network, name in NETWORKS.items())]
    (context / "networkcontext_1.csv").write_text("\n".join(lines) + "\n")
    with (context / "iploc.csv").open("w") as file:
        for first in range(1, 224, 2):
            ends = [str(first << 24), str((first + 1 << 24) - 1)]
            place = ["XX", "X", f"S{first}", f"C{first}", "1.0", "2.0", f"O{first}", f"d{first}.x"]
            file.write(",".join(f'"{field}"' for field in [*ends, *place]) + "\n")
    blocked = [address for address in public if last(address) % 2 == 0]
    (folder / "bad.txt").write_text("\n".join(blocked) + "\n")
    known = {a: json.dumps({"a": [{"rep": last(a)}]}) for a in public if last(a) % 5}
    gti, _ = gti_program.written(folder, known)
    file = folder / "flowtriage.toml"
    file.write_text(
        f"""
        [store]
        url = "{url}"
        [ranking]
        limit = {LIMIT}
        iterations = 3
        [reputation]
        block_lists = ["bad.txt"]
        gti = "{gti.name}"
        [folders]
        data = "data"
        ipynb = "ipynb"
        flows = "flows"
        [context]
        ipranges = "context/ipranges.csv"
        network_context = "context/networkcontext_1.csv"
        iploc = "context/iploc.csv"
        """
    )
    return file


def expected(address: str, public: list[str]) -> dict[str, Any]:
    """What the files say of an address, found the slow way."""
    ip = ipaddress.ip_address(address)
    v4 = ip.version == 4
    holding = [ipaddress.ip_network(n) for n in NETWORKS if ip in ipaddress.ip_network(n)]
    narrowest = max(holding, key=lambda network: network.prefixlen, default=None)
    names = {ipaddress.ip_network(network): name for network, name in NETWORKS.items()}
    first = number(address) >> 24 if v4 else 0
    placed = v4 and first < 224 and first % 2 == 1
    said = []
    if address in public:
        rep = last(address)
        worst, text = -1, "Unverified"
        if rep % 5:
            for least, severity, label in ((0, 1, "Minimal"), (15, -1, "Unverified")):
                worst, text = (severity, label) if rep >= least else (worst, text)
            for least, severity, label in ((30, 2, "Medium"), (50, 3, "High")):
                worst, text = (severity, label) if rep >= least else (worst, text)
        said.append((worst, f"gti:{text}:{worst}"))
        if rep % 2 == 0:
            said.append((3, f"bad:High:3:{address}"))
    return {
        "internal": any(ip in ipaddress.ip_network(network) for network in INTERNAL.values()),
        "context": names.get(narrowest),
        "geoloc": f"S{first};C{first} O{first}" if placed else None,
        "domain": f"d{first}.x" if placed else None,
        "rep": "::".join(t for _, t in sorted(said, key=lambda s: (-s[0], s[1]))) or None,
    }


@pytest.mark.slow
@pytest.mark.parametrize(("day", "log"), LOGS, ids=[log.partition("/")[0] for _, log in LOGS])
def test_a_run_stores_the_same_enriched_rows_in_both_databases(
    shared: Path, tmp_path: Path, server: Any, day: str, log: str
) -> None:
    flows = ft.read_flows(shared / log).to_arrow()
    addresses = sorted({*flows["src_ip"].to_pylist(), *flows["dst_ip"].to_pylist()} - {None})
    known = ft.AsnDatabase().lookup(addresses)
    public = known.filter(pc.equal(known["ip_type"], "Public"))["address"].to_pylist()
    snapshots = []
    for name, url in (
        ("duckdb", f"duckdb:///{tmp_path}/flows.duckdb"),
        ("postgresql", server.new_database()),
    ):
        folder = tmp_path / name
        folder.mkdir()
        command = ["oa", "run", day, "--config", str(configured(folder, url, public)), "--json"]
        done = json.loads(run(*command, "--flows", str(shared / log)).stdout)
        notes = {step["name"]: step["note"] for step in done["steps"]}
        assert "failed" not in notes["reputation"]
        assert "without" not in notes["context"] + notes["geolocation"]
        snapshots.append(snapshot(ft.FlowStore(url)))
    assert snapshots[0] == snapshots[1]
    rows = snapshots[0]["flow_scores"]
    assert len(rows) == LIMIT
    assert len(snapshots[0]["flow_edge"]) >= LIMIT
    for row in rows:
        for side, internal, end in (
            ("src", "srcip_internal", row["srcip"]),
            ("dst", "destip_internal", row["dstip"]),
        ):
            facts = {name: row[f"{side}_{name}"] for name in ("context", "geoloc", "domain", "rep")}
            assert {"internal": row[internal], **facts} == expected(end, public)
    texts = [row[f"{side}_rep"] or "" for row in rows for side in ("src", "dst")]
    assert any(text.startswith("bad:High:3:") and "::gti:" in text for text in texts)
    assert any(row["src_context"] or row["dst_context"] for row in rows)
    of_day = flows.filter(pc.equal(pc.strftime(flows["start_time"], "%Y-%m-%d"), day))
    counted = pc.add(of_day["flows"], pc.fill_null(of_day["denied_flows"], 0))
    total = sum(row["total"] for row in snapshots[0]["flow_ingest_summary"])
    assert total == pc.sum(counted).as_py() > 0
