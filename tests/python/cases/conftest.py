"""Fixtures of the cases."""

import os
from pathlib import Path

import pytest

OPEN = frozenset(Path(__file__).with_name("open.txt").read_text(encoding="utf-8").splitlines())
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
    """Expect the cases of `open.txt` to fail: their answers are still wrong."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.extra)
            if item.nodeid.rpartition("cases/")[2] in OPEN:
                item.add_marker(pytest.mark.xfail(reason="wrong answer, open", strict=True))
