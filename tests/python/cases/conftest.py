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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.extra)
