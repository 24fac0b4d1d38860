"""Truth files: what is read, and the errors of files that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("polars")

from accuracy.captures import is_reported
from accuracy.truth import UNKNOWN, TruthError, read_truth

pytestmark = pytest.mark.extra


def written(folder: Path, *files: dict[str, Any]) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps({"files": files}), encoding="utf-8")
    for each in files:
        log = folder / str(each.get("file", ""))
        if log != folder:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
    return path


def test_optional_fields_may_be_absent(tmp_path: Path) -> None:
    line = {"detector": "beacon", "src": "10.0.0.1"}
    capture = read_truth(written(tmp_path, {"file": "beacon/a.log", "truth": [line]}))[0]
    assert (capture.kind, capture.internal, capture.rows) == ("beacon", (), None)
    assert capture.ignore == () and capture.negative_for == frozenset()
    label = capture.truth[0]
    assert (label.dest, label.port, label.shape, label.strength) == (None, None, None, UNKNOWN)


def test_addresses_are_canonical(tmp_path: Path) -> None:
    line = {"detector": "beacon", "src": "FD00:0::1", "dst": "2001:DB8::0:2", "proto": "TCP"}
    entry = {"file": "a.log", "kind": "beacon", "internal": ["fd00::/8"], "truth": [line]}
    capture = read_truth(written(tmp_path, entry))[0]
    label = capture.truth[0]
    assert (label.source, label.dest, label.protocol) == ("fd00::1", "2001:db8::2", "tcp")
    assert capture.is_internal(label.source) and not capture.is_internal(label.dest)
    assert is_reported(capture, label)


def test_the_folder_of_the_captures_is_an_argument(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = written(tmp_path, {"file": "a.log"})
    (other / "a.log").touch()
    assert read_truth(path)[0].path == tmp_path / "a.log"
    assert read_truth(path, other)[0].path == other / "a.log"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, r'files\[0\]: expected an object with the name of a "file"'),
        ({"file": "a", "truth": {}, "internal": "x"}, "internal must be a list, got 'x'"),
        ({"file": "a", "internal": ["x"]}, "internal: 'x' is not a network; give CIDR prefixes"),
        ({"file": "a", "truth": ["x"]}, r"truth\[0\]: expected an object, got 'x'"),
        ({"file": "a", "truth": [{"src": "10.0.0.1"}]}, r'truth\[0\]: "detector" is missing'),
        ({"file": "a", "truth": [{"detector": "scan"}]}, r'truth\[0\]: give "src" or "dst"'),
        ({"file": "a", "ignore": [{"src": "x"}]}, r"ignore\[0\]: src: 'x' is not an IP address"),
        ({"file": "a", "ignore": [{"port": 70_000}]}, "port must be 0 to 65535, got 70000"),
    ],
)
def test_an_error_names_the_entry(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(TruthError, match=message):
        read_truth(written(tmp_path, entry))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="no such file; give a truth file with --truth"):
        read_truth(tmp_path / "absent.json")
    path = tmp_path / "truth.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(TruthError, match="not a JSON file"):
        read_truth(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(TruthError, match='expected an object with a list "files"'):
        read_truth(path)
    path.write_text('{"files": [{"file": "a.log"}]}', encoding="utf-8")
    with pytest.raises(TruthError, match=r"1 of 1 captures are absent, such as a\.log"):
        read_truth(path)
