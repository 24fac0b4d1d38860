"""The commands `hunt` and `hosts`, run as a program."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from command_line import CONTROL, ENVIRONMENT, PROGRAM, on_terminal, run
from flowtriage import sample
from flowtriage.detect import at_least, detector_status
from small_logs import nfdump, zeek

pytestmark = pytest.mark.extra

ALLOW = """\
[[allow]]
dest = "{upload}"
reason = "backup of the site"

[[allow]]
port = 99999
reason = "wrong"

[[allow]]
detector = "port_scans"
reason = "scanner"
expires = 2020-01-01
"""


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a table after a round trip through JSON."""
    rows: list[dict[str, Any]] = json.loads(
        json.dumps(table.to_pylist(), default=datetime.isoformat)
    )
    return rows


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hunt") / "conn.log.gz"
    ft.write_flows(sample.office_day(), path, format="zeek")
    return path


@pytest.fixture
def allow(tmp_path: Path) -> Path:
    path = tmp_path / "allow.toml"
    path.write_text(ALLOW.format(upload=sample.UPLOAD.peer))
    return path


def test_json_equals_the_functions(log: Path) -> None:
    flows = ft.read_flows(log)
    findings = ft.hunt(flows)
    document = json.loads(run("hunt", log, "--json").stdout)
    assert document["findings"] == plain(findings)
    assert document["detectors"] == plain(detector_status(findings))
    assert document["report"] == flows.report.to_dict()
    assert document["allowed"] == document["allow_list_problems"] == []
    hosts = json.loads(run("hosts", log, "--json").stdout)
    assert hosts["hosts"] == plain(ft.hosts(flows))
    assert hosts["allowed"] == 0


def test_the_table_answers_which_host_and_for_what(log: Path) -> None:
    done = run("hunt", log)
    assert done.stderr == ""
    assert not CONTROL.search(done.stdout)
    findings = ft.hunt(log).to_pylist()
    lines = done.stdout.splitlines()
    assert re.search(r"^Findings +7: 1 high, 2 warning, 4 information$", done.stdout, re.M)
    places = [
        next(at for at, line in enumerate(lines) if row["summary"] in line) for row in findings
    ]
    assert places == sorted(places)
    assert all(
        lines[at].split()[:2] == [row["severity"], row["detector"]]
        for at, row in zip(places, findings, strict=True)
    )
    hint = re.findall(r"^Next: flowtriage (.*)$", done.stdout, re.M)
    assert hint[0] == f"summary {shlex.quote(str(log))} --host {sample.HOST_IP}"
    assert run(*shlex.split(hint[0])).stdout.startswith("Host ")
    assert run(*shlex.split(hint[1])).stdout


def test_hosts_come_by_severity(log: Path) -> None:
    done = run("hosts", log, "-n", "3")
    rows = [line.split() for line in done.stdout.splitlines()]
    first = next(row for row in rows if row and row[0] == sample.HOST_IP)
    assert first[1:5] == ["1", "2", "4", "7,310"]
    assert f"3 of {ft.hosts(log).num_rows} shown" in done.stdout
    assert f"Next: flowtriage hunt {log} --host {sample.HOST_IP}" in done.stdout
    severe = json.loads(run("hosts", log, "--json", "--min-severity", "warning").stdout)
    assert [row["host"] for row in severe["hosts"]] == [sample.HOST_IP]


def test_filters(log: Path) -> None:
    def found(*options: str) -> list[dict[str, Any]]:
        document = json.loads(run("hunt", log, "--json", *options).stdout)
        rows: list[dict[str, Any]] = document["findings"]
        return rows

    everything = ft.hunt(log)
    assert found("--min-severity", "warning") == plain(at_least(everything, "warning"))
    two = found("--detector", "port_scans", "--detector", "uploads")
    assert two == plain(ft.hunt(log, detectors=["port_scans", "uploads"]))
    assert [row["detector"] for row in two] == ["uploads", "port_scans"]
    of_peer = found("--host", f"{sample.SCAN.peer},{sample.RARE.peer}")
    assert [row["detector"] for row in of_peer] == ["port_scans", "rare_networks"]
    assert found("--host", "10.20.5.0/24") == [
        row for row in plain(everything) if row["source"].startswith("10.20.5.")
    ]
    assert found("--host", sample.HOST_NAME) == plain(everything)


def test_internal_networks_move_findings(log: Path) -> None:
    networks = f"{sample.HOST_IP}/32"
    document = json.loads(run("hosts", log, "--json", "--internal", networks).stdout)
    assert [row["host"] for row in document["hosts"]] == [sample.HOST_IP]
    findings = json.loads(run("hunt", log, "--json", "--internal", networks).stdout)["findings"]
    assert findings == plain(ft.hunt(log, internal=networks))
    assert findings != plain(ft.hunt(log))


def test_what_the_allow_list_hides_is_counted_and_one_option_away(log: Path, allow: Path) -> None:
    done = run("hunt", log, "--allow", allow)
    assert re.search(r"^Findings +5: 2 warning, 3 information$", done.stdout, re.M)
    counted = f"2 by {allow}, hidden; --show-allowed shows them"
    assert re.search(rf"^Allowed +{re.escape(counted)}$", done.stdout, re.M)
    assert sample.UPLOAD.peer not in done.stdout
    assert done.stderr.splitlines() == [
        f"warning: {allow}, line 5: invalid port 99999; give an integer from 0 to 65535",
        f"warning: {allow}, line 9: expired, ignored: detector port_scans: scanner, "
        "until 2020-01-01",
    ]
    again = run("hunt", log, "--allow", allow, "--show-allowed").stdout
    allowed_lines = [line for line in again.splitlines() if sample.UPLOAD.peer in line]
    assert len(allowed_lines) == 2
    assert all("allowed: backup of the site" in line for line in allowed_lines)
    document = json.loads(run("hunt", log, "--allow", allow, "--json").stdout)
    assert len(document["allow_list_problems"]) == 2
    assert {row["dest"] for row in document["allowed"]} == {sample.UPLOAD.peer}
    shown = json.loads(run("hunt", log, "--allow", allow, "--show-allowed", "--json").stdout)
    order = ft.hunt(log)["finding"].to_pylist()
    assert [row["finding"] for row in shown["findings"]] == order
    hosts = json.loads(run("hosts", log, "--allow", allow, "--json").stdout)
    assert (hosts["hosts"][0]["high"], hosts["allowed"]) == (0, 2)


def test_csv_is_complete(log: Path, allow: Path) -> None:
    done = run("hunt", log, "--csv", "--allow", allow)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    findings = json.loads(run("hunt", log, "--json", "--allow", allow).stdout)["findings"]
    assert list(rows[0]) == list(findings[0])
    for row, finding in zip(rows, findings, strict=True):
        assert row["summary"] == finding["summary"]
        assert row["context"] == "; ".join(finding["context"])
        assert float(row["score"]) == finding["score"]
        assert row["dst_port"] == ("" if finding["dst_port"] is None else str(finding["dst_port"]))
        assert row["first_seen"] == f"{finding['first_seen'][:19]}Z"
    assert rows[0]["evidence"].startswith(
        "calls=288 (threshold 12); period_seconds=299.967821 (threshold 1); "
    )
    assert done.stderr.splitlines()[-1].startswith("warning: Allowed: 2 by ")
    hosts = list(csv.DictReader(io.StringIO(run("hosts", log, "--csv").stdout)))
    assert hosts[0]["countries"].startswith("BG; BT; CZ")


def test_untrusted_text_is_no_formula_and_no_control_sequence(tmp_path: Path) -> None:
    """The protocol of a finding comes from the log."""
    protocol = '=hyperlink("http://e";"x")\x1b[31m\u202e'
    rows = [
        {
            "ts": str(1772409600 + 60 * number),
            "uid": f"C{number}",
            "id.resp_h": "8.8.8.8",
            "proto": protocol,
        }
        for number in range(60)
    ]
    log = zeek(tmp_path / "conn.log", *rows)
    findings = ft.hunt(log).to_pylist()
    hostile = [row for row in findings if row["protocol"] == protocol]
    assert hostile
    text = run("hunt", log, "--csv").stdout
    assert not CONTROL.search(text)
    cells = [row["protocol"] for row in csv.DictReader(io.StringIO(text))]
    assert r"""'=hyperlink("http://e";"x")\x1b[31m\u202e""" in cells
    shown = run("hunt", log).stdout
    assert not CONTROL.search(shown)
    document = run("hunt", log, "--json").stdout
    assert document.isascii()
    assert json.loads(document)["findings"] == plain(ft.hunt(log))


def test_what_could_not_run_is_stated_with_the_reason(tmp_path: Path) -> None:
    log = nfdump(tmp_path / "flows.csv", {}, {"sa": "10.20.0.6"})
    status = {row["detector"]: row["reason"] for row in plain(detector_status(ft.hunt(log)))}
    reasons = {name: reason for name, reason in status.items() if reason}
    assert "port_mismatches" in reasons
    text = run("hunt", log)
    for name, reason in reasons.items():
        assert re.search(rf"^Not run: {name} +{re.escape(reason)}$", text.stdout, re.M)
    assert re.search(r"^Findings +0$", text.stdout, re.M)
    assert "Unidirectional records: 2 of 2" in text.stderr
    noted = run("hunt", log, "--csv").stderr
    assert f"warning: Not run: port_mismatches: {reasons['port_mismatches']}\n" in noted


def test_bad_rows_are_reported(tmp_path: Path) -> None:
    log = zeek(tmp_path / "conn.log", {}, {"ts": "never"})
    for command in ("hunt", "hosts"):
        error = run(command, log).stderr
        assert error.startswith("warning: 1 record (of 2 rows: 1 bad)\nwarning: ")
        assert "'never' is not a time" in error


def test_stdin_globs_and_folders(log: Path, tmp_path: Path) -> None:
    expected = json.loads(run("hunt", log, "--json").stdout)["findings"]
    piped = run("hunt", "-", "--json", stdin=log.read_bytes())
    assert json.loads(piped.stdout)["findings"] == expected
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "conn.1.log.gz").write_bytes(log.read_bytes())
    for source in (folder, folder / "conn.*.log.gz"):
        assert json.loads(run("hunt", source, "--json").stdout)["findings"] == expected
    hint = re.findall(r"^Next: flowtriage (.*)$", run("hunt", folder).stdout, re.M)[0]
    assert shlex.split(hint)[1] == str(folder)


def test_wrong_arguments_are_errors_before_the_log_is_read(tmp_path: Path) -> None:
    absent = tmp_path / "absent.log"
    for options, message in (
        (["--detector", "beacon"], "unknown detector 'beacon'; did you mean beacons"),
        (["--min-severity", "low"], "unknown severity 'low'"),
        (["--json", "--csv"], "give --json or --csv, not both"),
        (["--show-allowed"], "--show-allowed needs an allow-list"),
        (["--allow", str(tmp_path / "none.toml")], "none.toml: No such file"),
    ):
        assert message in run("hunt", absent, *options, status=2).stderr
    assert "absent.log" in run("hunt", absent, status=2).stderr


def test_a_host_without_flows(log: Path) -> None:
    done = run("hunt", log, "--host", "203.0.113.7", status=1)
    assert f"no flows of host 203.0.113.7 in 8,193 records; top sources: {sample.HOST_IP}" in (
        done.stderr
    )


@pytest.mark.parametrize("width", [40, 80, 250])
def test_terminals_of_any_width(log: Path, width: int) -> None:
    shown = on_terminal("hunt", log, width=width)
    assert "\x1b[1;31mhigh" in shown
    text = re.sub("\x1b[^A-Za-z]*[A-Za-z]", "", shown)
    table = text.split("Findings\r\n")[-1].split("Next: ")[0]
    assert max(map(len, table.splitlines())) <= width
    assert ("terminal too narrow for: " in text) == (width < 250)
    assert sample.BEACON.peer in re.sub(r"\s", "", text) or width == 40


def test_no_color(log: Path) -> None:
    import pty

    own, its = pty.openpty()
    environment = ENVIRONMENT | {"NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen(
        [*PROGRAM, "hunt", str(log)], stdin=its, stdout=its, stderr=its, env=environment
    ) as process:
        os.close(its)
        shown = b""
        try:
            while part := os.read(own, 65536):
                shown += part
        except OSError:
            pass
        assert process.wait(timeout=120) == 0
    os.close(own)
    assert b"high" in shown
    assert not re.search(rb"\x1b\[[\d;]*3[13]m", shown)
