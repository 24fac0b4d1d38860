"""`python -m accuracy` on a truth file of the synthetic day."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("polars")
pytest.importorskip("numpy")

from accuracy import figures
from accuracy.__main__ import main
from flowtriage import sample, write_flows

pytestmark = pytest.mark.extra

BEACON = {
    "detector": "beacon",
    "src": sample.HOST_IP,
    "dst": sample.BEACON.peer,
    "port": 443,
    "strength": "sure",
}
SCAN = {
    "detector": "scan",
    "shape": "vertical",
    "src": sample.SCAN.peer,
    "dst": sample.HOST_IP,
    "strength": "sure",
    "basis": "independent",
}
OTHER = {"detector": "tunnel", "src": sample.HOST_IP, "dst": sample.UPLOAD.peer}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "beacon").mkdir(parents=True)
    write_flows(sample.office_day(), tmp_path / "data" / "beacon" / "day.log", format="zeek")
    return tmp_path


def scored(folder: Path, **entry: Any) -> str:
    entry = {"file": "beacon/day.log", "internal": ["10.0.0.0/8", "fd00::/8"], **entry}
    truth, output = folder / "truth.json", folder / "accuracy.md"
    truth.write_text(json.dumps({"files": [entry]}), encoding="utf-8")
    arguments = ["--truth", str(truth), "--data", str(folder / "data"), "--output", str(output)]
    main([*arguments, "--no-grid", "--worklist", str(folder / "list.md")])
    return output.read_text(encoding="utf-8")


def cells(text: str, first: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_capture_without_optional_fields_is_scored(folder: Path) -> None:
    before = figures.PATH.read_bytes()
    text = scored(folder, truth=[BEACON, SCAN, OTHER])
    assert cells(text, "flowtriage")[1:3] == ["1.00 (1 of 1)", "1.00 (1 of 1)"]
    assert cells(text, "`beacon/day.log`")[4] == "1/1"
    assert cells(text, "scan | independent | sure")[3:] == ["1", "1", "1.00"]
    assert cells(text, "beacon | not stated | sure")[3:] == ["1", "1", "1.00"]
    assert cells(text, "tunnel | not stated | no detector")[3:] == ["1", "0", "0.00"]
    assert "not measured" in text
    assert figures.PATH.read_bytes() == before


def test_the_document_names_no_address_and_the_worklist_does(folder: Path) -> None:
    wrong = {**BEACON, "dst": sample.RARE.peer}
    text = scored(folder, truth=[wrong])
    assert re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text) == []
    assert "| nothing |" in text
    assert "| `beacon/day.log` | beacons | " in text
    worklist = (folder / "list.md").read_text(encoding="utf-8")
    assert f"{sample.HOST_IP} → {sample.RARE.peer} 443" in worklist
    assert f"{sample.HOST_IP} → {sample.BEACON.peer} 443" in worklist


def test_addresses_of_texts_are_left_out(folder: Path) -> None:
    missed = {**BEACON, "dst": sample.RARE.peer, "why": f"calls {sample.RARE.peer} | <b>"}
    line = cells(scored(folder, truth=[missed]).replace("\\|", "/"), "`beacon/day.log` | beacon")
    assert line[4] == "calls ‹address› / \\<b\\>"


def test_errors_end_the_program_with_a_message(folder: Path) -> None:
    with pytest.raises(SystemExit, match="no such file; give a truth file with --truth"):
        main(["--truth", str(folder / "absent.json")])
    (folder / "data" / "beacon" / "day.log").write_text("no log\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"day\.log: .*format"):
        scored(folder, truth=[BEACON])
