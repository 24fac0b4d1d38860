"""Fixtures of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

settings.register_profile(
    "flowtriage", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("flowtriage")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real logs and databases, which are not part of the repository."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the folder of real data is absent in CI")
        pytest.skip("the folder of real data is absent")
    return SHARED


@pytest.fixture(scope="session")
def zat(shared: Path) -> Path:
    """A Zeek log of 360 rows."""
    return shared / "zeek" / "zat_conn.log"
