"""The examples of the README run, and print what it shows."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest

from command_line import run
from flowtriage import sample, write_flows

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log that the examples read, in the current directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "conn.log.gz"
    write_flows(sample.office_day(), path, format="zeek")
    return path


def test_the_example_prints_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(
        r"## In a notebook\n\n```python\n(.*?)```\n\n((?: {4}[^\n]*\n)+)", README, re.S
    )
    assert found
    code, printed = found.groups()
    exec(compile(code, "README.md", "exec"), {})
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [line.split() for line in textwrap.dedent(printed).splitlines()]
    assert len(shown) == 3


@pytest.mark.usefixtures("log")
def test_the_python_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    exec(compile("\n".join(blocks), "README.md", "exec"), names)
    assert names["search"]


@pytest.mark.slow
@pytest.mark.usefixtures("log")
def test_the_commands_run() -> None:
    commands = re.findall(r"^ {4}flowtriage (.*)$", README, re.M)
    assert len(commands) == 10
    for command in commands:
        run(*shlex.split(command, comments=True))


def test_the_two_commands_come_first_and_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^ {4}make (\w+)", README, re.M)
    assert commands[:2] == ["demo", "test"]
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.M), command


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 120
