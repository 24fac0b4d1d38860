"""`flowtriage oa score` and `flowtriage oa feedback`."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import flowtriage as ft
from command_line import run
from oa_office import DROP, UPLOADER, office

pytestmark = pytest.mark.extra
EARLIER, DAY = "2013-09-14", "2013-09-15"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of a day, and the raw flows of the next."""
    monkeypatch.chdir(tmp_path)
    flows = office()
    ft.write_flows(flows, tmp_path / "later.parquet", format="parquet")
    at = flows.column_names.index("start_time")
    moved = pc.subtract(flows["start_time"], pa.scalar(dt.timedelta(days=1)))
    earlier = flows.set_column(at, "start_time", moved)
    ft.write_flows(earlier, tmp_path / "earlier.parquet", format="parquet")
    run("oa", "run", EARLIER, "--flows", "earlier.parquet")
    run("oa", "ingest", "later.parquet")
    return tmp_path


def test_scores_are_given_listed_compared_and_withdrawn(folder: Path) -> None:
    scored = run("oa", "score", EARLIER, "3", "--srcip", UPLOADER, "--dstip", DROP)
    assert scored.stdout == f"3 connections of {EARLIER} scored\n"
    injected = run("oa", "score", EARLIER, "1", "--srcip", "' OR 1=1 --", status=2).stderr
    assert "invalid IP address" in injected
    nothing = (
        (EARLIER, "--srcip", "192.0.2.250", f"no suspicious connection of {EARLIER} matches"),
        (EARLIER, "--dport", "99999", "invalid dport 99999; give an integer from 0 to 65535"),
        (EARLIER, "--dstip", "0.0.0.0/0", "'0.0.0.0/0' is all of IPv4"),
        (DAY, "--dport", "53", f"no run of {DAY} in the store.*days with a run: {EARLIER}"),
    )
    for day, option, value, message in nothing:
        assert re.search(message, run("oa", "score", day, "1", option, value, status=2).stderr)
    assert "no connections selected" in run("oa", "score", EARLIER, "1", status=2).stderr
    assert "RISK" in run("oa", "score", EARLIER, "4", "--dport", "443", status=2).stderr
    shown = run("oa", "feedback", "list").stdout
    assert shown.count(DROP) == 3
    listed = json.loads(run("oa", "feedback", "list", "--ip", DROP, "--json").stdout)
    assert [(row["score"], row["learnt"], row["day"]) for row in listed] == [(3, True, EARLIER)] * 3
    assert json.loads(run("oa", "feedback", "list", "--date", DAY, "--json").stdout) == []

    compared = json.loads(run("oa", "feedback", "compare", DAY, "--json").stdout)
    assert [row["dip"] for row in compared] == [DROP] * 3
    assert max(row["rank_before"] for row in compared) < 20
    assert min(row["rank_after"] for row in compared) > 1000
    table = run("oa", "feedback", "compare", DAY, "-n", "1").stdout
    assert "Rank without  Rank with" in table
    assert "1 of 3 shown" in table
    refused = run("oa", "feedback", "compare", "2001-01-01", status=2).stderr
    assert f"available days: {EARLIER}, {DAY}" in refused

    kept = run("oa", "feedback", "withdraw", "--ip", DROP, status=2).stderr
    assert "this deletes 3 scores; confirm with --yes" in kept
    done = run("oa", "feedback", "withdraw", "--ip", DROP, "--score", "3", "--yes").stdout
    assert done == "3 scores deleted\n"
    assert json.loads(run("oa", "feedback", "compare", DAY, "--json").stdout) == []
