"""docs/benchmarks.md: the output of `make bench`, then of `make bench-large`."""

from __future__ import annotations

from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
LARGE = "## From a data set on disk"
"""Heading of the second part."""


def parts(path: Path) -> tuple[str, str]:
    """Return both parts of a document; empty ones if it does not exist."""
    if not path.exists():
        return "", ""
    main, heading, large = path.read_text(encoding="utf-8").partition(LARGE)
    return main, heading + large


def write_main(text: str, path: Path = PATH) -> None:
    """Replace the first part and keep the second."""
    _write(path, text, parts(path)[1])


def write_large(text: str, path: Path = PATH) -> None:
    """Replace the second part, including its heading, and keep the first."""
    _write(path, parts(path)[0], text)


def _write(path: Path, *texts: str) -> None:
    kept = [text.strip() for text in texts if text.strip()]
    path.write_text("\n\n".join(kept) + "\n", encoding="utf-8")
