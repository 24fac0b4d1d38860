"""Files and names in docs/design.md exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "python" / "flowtriage"
TEXT = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
CODE = re.sub(r"^ {4}.*$", "", TEXT, flags=re.M)
NAMES = {*re.findall(r"`([A-Za-z_]\w+)`", CODE)}
PATHS = {*re.findall(r"`([\w./-]*(?:/|\.(?:py|rs|md|toml|yaml)))`", CODE)}
COMMANDS = {"run", "flowtriage"}
"""Names in backticks that are methods or programs."""


def resolve(path: str) -> Path | None:
    """Return the file or directory of a path, relative to the repository or the package."""
    found = [base / path for base in (ROOT, PACKAGE) if (base / path).exists()]
    return found[0] if found else None


@cache
def defined(path: Path) -> set[str]:
    """Return the functions, classes, fields and constants that a file defines."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def rows(columns: int) -> list[list[str]]:
    """Return the cells of all table rows with that many columns, without head and rule."""
    lines = [line.strip("|").split("|") for line in CODE.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns]


def test_files_exist() -> None:
    assert len(PATHS) > 40
    assert [path for path in sorted(PATHS) if resolve(path) is None] == []
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_names_exist() -> None:
    everywhere = set().union(*map(defined, PACKAGE.rglob("*.py")))
    rooms = {path.stem for path in PACKAGE.iterdir()}
    assert len(NAMES) > 40
    assert sorted(NAMES - everywhere - rooms - COMMANDS) == []


def test_names_are_in_the_room_or_file_of_their_row() -> None:
    stages = [(path, names) for _, path, names in rows(3) if path.endswith(".py`")]
    rooms = [(path, names) for _, path, _, names in rows(4) if "`" in path]
    assert len(stages) == 19
    for cell, names in stages + rooms:
        path = resolve(cell.strip("`"))
        assert path is not None, cell
        files = path.rglob("*.py") if path.is_dir() else [path]
        known = set().union(*map(defined, files))
        assert set(re.findall(r"`(\w+)`", names)) <= known, cell


def test_every_room_has_its_row() -> None:
    described = {cell.strip("`/").removesuffix(".py") for _, cell, *_ in rows(4)}
    hidden = {"data", "_core", "__init__", "__pycache__", "py"}
    present = {path.name.partition(".")[0] for path in PACKAGE.iterdir()} - hidden
    assert present - described == set()
    modules = {path.name for path in (ROOT / "src").iterdir()} - {"lib.rs"}
    assert modules == {Path(path).name for path in re.findall(r"`(src/[\w.]+)/?`", CODE)}
