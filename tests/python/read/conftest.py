"""Fixtures of the tests of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from zeek_log import LOG


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "conn.log"
    path.write_text(LOG)
    return path
