"""Large logs are searched for a host: the results are those of reading them whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from command_line import run
from flowtriage import sample
from flowtriage.analysis import read_host
from flowtriage.network_flow_summary import NetworkFlowResult
from flowtriage.quality import QualityWarning

pytestmark = pytest.mark.extra

FORMS = {"zeek": "conn.log", "ocsf": "day.json", "parquet": "day.parquet"}


@pytest.fixture(params=FORMS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / FORMS[request.param]
    ft.write_flows(sample.office_day(), path, format=request.param)
    return path


def summary(value: Any, data: Any, **options: Any) -> NetworkFlowResult:
    return ft.NetworkFlowSummary(silent=True).run(value, data=data, **options)


OWN = (sample.HOST_IP, sample.HOST_NAME)
"""Names of the host whose machine logged all flows."""


@pytest.mark.filterwarnings("ignore::flowtriage.quality.QualityWarning")
@pytest.mark.parametrize(
    "value",
    [
        sample.HOST_IP,
        sample.SCAN.peer,
        "10.20.30.0/24",
        sample.HOST_NAME,
        ["9.9.9.9", sample.BEACON.peer],
    ],
)
def test_a_run_on_a_searched_log(log: Path, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = summary(value, log)
    monkeypatch.setattr(read_host, "LARGE", 0)
    searched = summary(value, log)
    assert searched.flow_index is not None and len(searched.flow_index)
    assert searched.flow_index.equals(whole.flow_index)
    assert searched.flow_summary.astype(str).equals(whole.flow_summary.astype(str))
    assert searched.network_flows.equals(whole.network_flows)
    assert searched.sections[0].contents[0] == whole.sections[0].contents[0]
    assert searched.report.rows_read == whole.report.rows_read
    others = searched.report.rows_of_other_hosts
    assert searched.report.records + others == whole.report.records
    assert (others > 0, whole.report.rows_of_other_hosts) == (value not in OWN, 0)


def test_a_host_that_a_searched_log_lacks(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_host, "LARGE", 0)
    with pytest.warns(QualityWarning, match="does not occur in the 8,193 records"):
        result = summary("192.0.2.1", log, options=[])
    busiest = ft.top_n(log, key="source", by="flows", n=5)["source"].to_pylist()
    assert f"The busiest sources are {', '.join(busiest)}." in str(result.sections[0].contents[0])


@pytest.mark.slow
def test_a_large_log_is_searched(tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    ft.write_flows(sample.office_day(), log, format="zeek")
    head, _, rows = log.read_text().partition("#types")
    types, _, rows = rows.partition("\n")
    copies = read_host.LARGE // len(rows) + 1
    log.write_text(f"{head}#types{types}\n" + rows.replace("10.20.", "10.99.") * copies + rows)
    assert read_host.is_large(log)
    assert not read_host.is_large([log, sample.office_day()])
    result = summary(sample.HOST_IP, log, options=["flow_summary"])
    whole = summary(sample.HOST_IP, sample.office_day(), options=["flow_summary"])
    assert result.report.records == whole.network_flows.shape[0]
    assert result.report.rows_of_other_hosts > 100_000
    shown = run("summary", log, "--host", sample.HOST_IP).stdout
    assert "Other hosts" in shown
