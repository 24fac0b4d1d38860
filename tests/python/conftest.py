"""Fixtures of all tests."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import flowtriage as ft
from postgresql import Server, installed

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]

settings.register_profile(
    "flowtriage",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    derandomize=True,
)
settings.register_profile(
    "explore", settings.get_profile("flowtriage"), derandomize=False, max_examples=1000
)
settings.load_profile("flowtriage")


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds the providers that another one made."""
    monkeypatch.setattr(ft.DataProviders, "_latest", None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real logs and databases, which are not part of the repository."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the folder of real data is absent in CI")
        pytest.skip("the folder of real data is absent")
    return SHARED


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is absent in CI")
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own."""
    if not installed():
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is absent in CI")
        pytest.skip("no PostgreSQL on this machine")
    with Server() as running:
        yield running


@pytest.fixture(params=["duckdb", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, of each kind."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path}/flows.duckdb"
    return request.getfixturevalue("server").new_database()


@pytest.fixture(scope="session")
def zat(shared: Path) -> Path:
    """A Zeek log of 360 rows."""
    return shared / "zeek" / "zat_conn.log"


@pytest.fixture
def msticnb() -> Iterator[Any]:
    """The library msticnb, loaded for one test only."""
    yield pytest.importorskip("msticnb")
    for name in [name for name in sys.modules if name.partition(".")[0] == "msticnb"]:
        del sys.modules[name]
