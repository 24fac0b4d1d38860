"""Logs damaged at random are read as far as they go, or refused; nothing else happens."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

import flowtriage as ft
from flowtriage.errors import FormatError

LOGS = {
    "zeek": "zeek/zat_conn.log",
    "json": "zeek/zat_conn.json.log",
    "azure": "azure_nta/az_net_flows_2019-02-12_13.csv",
    "vnet": "azure_vnet/csp451_2026_PT1H.json",
    "argus": "argus/slips_test3-mixed.binetflow",
    "nfdump": "netflow/vast_example.nfdump171.csv",
}
INSERTED = [b'"', b"\n", b"\t", b",", b"\0", b"{", b"[", b"\xff\xfe", b"9" * 40, b"1e400", b"\r"]


def damage(content: bytes, dice: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice([1, 3, 20, 200])):
        place = dice.randrange(len(damaged) + 1)
        action = dice.randrange(4)
        if action == 0:
            damaged[place : place + 1] = bytes([dice.randrange(256)])
        elif action == 1:
            del damaged[place : place + dice.randrange(50)]
        elif action == 2:
            damaged[place:place] = dice.choice(INSERTED)
        else:
            damaged[place:place] = damaged[place : place + dice.randrange(200)]
    return bytes(damaged[: dice.randrange(len(damaged))] if dice.random() < 0.1 else damaged)


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_counted_or_refused(
    shared: Path, tmp_path: Path, name: str, packed: bool
) -> None:
    dice = random.Random(f"{name} {packed}")
    content = (shared / LOGS[name]).read_bytes()
    path = tmp_path / "damaged.log"
    outcomes = set()
    for _ in range(150):
        if packed:
            path.write_bytes(damage(gzip.compress(content), dice))
        else:
            path.write_bytes(damage(content, dice))
        try:
            flows = ft.read_flows(path)
        except FormatError as error:
            assert str(path) in str(error)
            outcomes.add("refused")
            continue
        report = flows.report
        assert ft.flow_index(flows).num_rows <= len(flows)
        if not report.rows_expanded:
            others = report.rows_bad + report.rows_skipped + report.rows_superseded
            assert len(flows) == report.rows_read - others
        outcomes.add("bad rows" if report.rows_bad else "read")
    assert len(outcomes) > 1
