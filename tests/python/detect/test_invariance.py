"""Findings do not depend on the order of flows, on chunks or on threads."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

import flowtriage as ft
import random_flows
from flowtriage import detect

LIMITS = (
    detect.Beacons(min_calls=8, few_calls=5, max_chance=0.05),
    detect.Retries(min_tries=4, min_failed=0.7, min_span=60),
    detect.PortScans(min_ports=8, min_failed=0.3),
    detect.HostSweeps(min_hosts=5, min_failed=0.5),
    detect.Floods(min_flows=6, min_failed=0.6, min_bytes=8_000),
    detect.Uploads(min_bytes=5_000, min_ratio=1.5),
    detect.LongConnections(min_duration=9),
    "port_mismatches",
    "rare_networks",
    detect.LateralFanOut(min_hosts=3),
)
_THREADS = """
import sys
import flowtriage as ft
import random_flows
from pyarrow import feather
from test_invariance import LIMITS

flows = random_flows.table(random_flows.flows(3))
feather.write_feather(ft.hunt(flows, detectors=LIMITS), sys.argv[1])
"""


@settings(max_examples=25)
@given(st.integers(0, 3), st.integers(0, 2**32))
def test_order_and_chunks_do_not_matter(seed: int, order: int) -> None:
    shuffle = random.Random(order)
    rows = random_flows.flows(seed)
    expected = ft.hunt(random_flows.table(rows), detectors=LIMITS)
    assert len(set(expected["detector"].to_pylist())) >= 7
    shuffle.shuffle(rows)
    cuts = sorted(shuffle.randrange(len(rows)) for _ in range(shuffle.randrange(6)))
    parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    batches = [batch for part in parts for batch in random_flows.table(part).to_batches()]
    chunked = pa.Table.from_batches(batches, random_flows.SCHEMA)
    found = ft.hunt(chunked, detectors=LIMITS)
    assert found.equals(expected)
    hosts = [ft.hosts(flows, detectors=LIMITS) for flows in (chunked, random_flows.table(rows))]
    assert hosts[0].equals(hosts[1])


def test_large_batches_are_split_alike() -> None:
    rows = [row for seed in range(4) for row in random_flows.flows(seed)]
    flows = pa.concat_tables([random_flows.table(rows)] * 20)
    small = pa.Table.from_batches(flows.combine_chunks().to_batches(max_chunksize=20_000))
    one = ft.hunt(flows.combine_chunks(), detectors=LIMITS)
    assert one.num_rows > 50
    assert ft.hunt(small, detectors=LIMITS).equals(one)
    twice = ft.hunt(pa.concat_tables([flows, flows]), detectors="uploads")
    assert sum(twice["flows"].to_pylist()) == 2 * sum(
        ft.hunt(flows, detectors="uploads")["flows"].to_pylist()
    )


def test_threads_do_not_matter(tmp_path: Path) -> None:
    made = []
    for threads in ("1", "2", "8"):
        path = tmp_path / threads
        folders = [Path(__file__).parent, Path(random_flows.__file__).parent]
        paths = os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONPATH": paths}
        command = [sys.executable, "-c", _THREADS, str(path)]
        subprocess.run(command, check=True, env=environment)
        made.append(feather.read_table(path))
    assert made[0].num_rows > 20
    assert made[0] == made[1] == made[2]
