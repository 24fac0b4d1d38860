"""The examples of docs/findings.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.detect import AllowList
from flowtriage.detect.allow_entry import CRITERIA

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "findings.md").read_text(encoding="utf-8")


def files(folder: Path) -> list[Path]:
    """The files that the page shows, in TOML and CSV."""
    found = [
        re.search(r"```toml\n(.*?)```", TEXT, re.S),
        re.search(r"((?: {4}.*,.*\n){3})\n\|", TEXT),
    ]
    paths = [folder / "allow.toml", folder / "allow.csv"]
    for path, text in zip(paths, found, strict=True):
        assert text
        path.write_text(re.sub("^ {4}", "", text[1], flags=re.M))
    return paths


def test_both_files_have_the_same_entries(tmp_path: Path) -> None:
    toml, csv = map(AllowList, files(tmp_path))
    assert list(toml) == list(csv)
    assert [one.reason for one in toml] == ["nightly backup", "telemetry of the door locks"]


def test_the_table_has_all_criteria() -> None:
    table = TEXT.split("| key | a finding matches if |")[1].split("\n\n")[0]
    first = re.findall(r"^\| (`.*?`) \|", table, re.M)
    assert re.findall(r"`(\w+)`", " ".join(first)) == list(CRITERIA)


def test_the_python_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files(tmp_path)
    ft.write_flows(sample.office_day(), "conn.log", format="zeek")
    names: dict[str, Any] = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.S)), names)
    assert f"high {sample.HOST_IP} sent 4.5 GB to {sample.UPLOAD.peer}" in capsys.readouterr().out
    *_, last = AllowList("allow.toml")
    assert (last.reason, last.dest) == ("backup of the file server", sample.UPLOAD.peer)
