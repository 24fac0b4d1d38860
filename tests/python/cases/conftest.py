"""Fixtures of the cases."""

import os
from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "cases"


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of small inputs with known results, which is not part of the repository."""
    if not CASES.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the folder of cases is absent in CI")
        pytest.skip("the folder of cases is absent")
    return CASES
