"""The client of GTI: its calls and their results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gti_program
from flowtriage.enrich.reputation import look_up
from flowtriage.enrich.reputation.gti import Gti
from flowtriage.errors import FormatError
from flowtriage.oa.enrichment import spot_texts
from spot_files import written

GOOGLE, QUAD9 = "8.8.8.8", "9.9.9.9"


def client(folder: Path, known: dict[str, str], **settings: Any) -> tuple[Gti, Path]:
    config, log = gti_program.written(folder, known, **settings)
    return Gti.configured(config, timeout=20), log


def test_the_gti_client_is_called_as_spot_calls_it_but_without_a_shell(tmp_path: Path) -> None:
    known = {
        GOOGLE: '{"a":[{"rep":10}]}',
        QUAD9: '{"a":[{"rep":"75","cat":[1]}]}',
        "1.1.1.1": '{"a":[{"rep":30}]}',
        "1.0.0.1": '{"a":[{"rep":90,"aflag":1}]}',
        "8.8.4.4": "not JSON",
    }
    gti, log = client(tmp_path, known)
    found = look_up([*known, "10.0.0.1", "9.9.9.10"], [gti], non_public=True)
    assert spot_texts(found) == {
        GOOGLE: "gti:Minimal:1",
        QUAD9: "gti:High:3",
        "1.1.1.1": "gti:Medium:2",
        "1.0.0.1": "gti:Unverified:-1",
        "8.8.4.4": "gti:Unverified:-1",
        "9.9.9.10": "gti:Unverified:-1",
    }
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    query = '{"ci":{"cliid":"1"},"q":[{"op": "ip", "ip": "8.8.8.8"}]}'
    password = "'; touch hacked; '"
    assert calls[0] == ["-s", "gti.example", "-q", query, "-i", "o'hara", "-p", password, "-t"]
    assert len(calls) == 6
    assert not list(tmp_path.glob("*hacked*"))
    [row] = found.providers.to_pylist()
    assert (row["queried"], row["with_result"], row["hits"], row["failed"]) == (6, 4, 2, 2)
    assert "returned no JSON result" in row["reason"]
    assert found.problems == {}


def test_a_gti_client_that_always_fails_is_a_problem(tmp_path: Path) -> None:
    gti, log = client(tmp_path, {})
    found = look_up([GOOGLE, QUAD9, "1.1.1.1", "1.0.0.1"], [gti])
    assert spot_texts(found) == {}
    assert "ended with 1: no route" in found.problems["gti"]
    assert len(log.read_text().splitlines()) == 3
    absent, _ = client(tmp_path, {}, refclient=str(tmp_path / "absent"))
    assert "No such file" in look_up([GOOGLE], [absent]).problems["gti"]


@pytest.mark.parametrize("text", ["{", "{}", '{"gti": {}}', "[]"])
def test_an_invalid_gti_configuration_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="does not configure gti"):
        Gti.configured(written(tmp_path / "c.json", text))
