"""Untrusted text in the output of the command line."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from command_line import CONTROL, ENVIRONMENT, PROGRAM, on_terminal, run
from flowtriage import sample

pytestmark = pytest.mark.extra

LONG_IPV6 = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    services = [
        "\u001b[31mred",
        "[bold]x[/]",
        "[link=http://e]y[/link]",
        "\x9b2J\u202e:smile:",
        "z" * 500,
    ]
    record = {
        "ts": 1379288667.0,
        "uid": "C1",
        "id.orig_h": "10.0.0.1",
        "id.orig_p": 40000,
        "id.resp_h": LONG_IPV6,
        "id.resp_p": 443,
        "proto": "tcp",
        "orig_ip_bytes": 1500,
        "resp_ip_bytes": 2000,
    }
    records = [record | {"service": service} for service in services]
    records.append(record | {"ts": "\x1b]0;owned\x07"})
    path = tmp_path_factory.mktemp("cli") / "conn\x1b[35m.log"
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    return path


def test_top_reports_bad_rows_on_stderr(untrusted: Path) -> None:
    done = run("top", untrusted, "--key", "dest", "--by", "flows", "--json")
    assert done.stderr.startswith("warning: 5 records (of 6 rows: 1 bad)\nwarning: ")
    assert len(json.loads(done.stdout)) == 1


def test_untrusted_values_reach_a_pipe_as_text(untrusted: Path) -> None:
    done = run("summary", untrusted, "--host", "10.0.0.1")
    assert not CONTROL.search(done.stdout)
    for shown in (
        r"\x1b[31mred",
        "[bold]x[/]",
        "[link=http://e]y[/link]",
        r"\x9b2J\u202e:smile:",
        r"conn\x1b[35m.log, line 6, column ts: '\x1b]0;owned\x07' is not a time",
    ):
        assert shown in done.stdout
    assert "z" * 79 + "…" in done.stdout
    assert LONG_IPV6 in done.stdout


def test_untrusted_values_reach_json_escaped_and_whole(untrusted: Path) -> None:
    text = run("summary", untrusted, "--host", "10.0.0.1", "--json").stdout
    assert text.isascii()
    assert not CONTROL.search(text)
    names = {row["L7Protocol"] for row in json.loads(text)["flow_index"]}
    assert {"\x1b[31mred", "\x9b2J\u202e:smile:", "z" * 500} <= names


def test_untrusted_arguments_are_shown_as_text(tmp_path: Path) -> None:
    for arguments in (
        ["summary", tmp_path / "\x1b[31m", "--host", "10.0.0.1"],
        ["summary", "--\x1b[31m"],
        ["top", "--sample", "--by", "flows", "--key", "\x9b31m"],
        ["asn", "\x1b[31m"],
    ):
        assert not CONTROL.search(run(*arguments, status=2).stderr.removesuffix("\n"))
    done = run("summary", "--sample", "--host", "\x1b[31m\n", status=1)
    assert not CONTROL.search(done.stderr.removesuffix("\n"))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_gets_colour_and_whole_addresses(untrusted: Path, width: int) -> None:
    shown = on_terminal("summary", untrusted, "--host", "10.0.0.1", width=width)
    assert "\x1b[1m" in shown
    assert LONG_IPV6 in shown
    assert "reading conn\\x1b[35m.log" in shown
    for payload in ("\x1b[31mred", "\x1b[35m.log", "\x1b]", "\x07", "\x9b", "\u202e"):
        assert payload not in shown
    assert ("terminal too narrow for: " in shown) == (width < 200)


def test_tables_fit_a_narrow_terminal() -> None:
    shown = on_terminal("top", "--sample", "--key", "dest", "--by", "bytes", width=80)
    table = re.sub("\x1b[^A-Za-z]*[A-Za-z]", "", shown).split("Top 20")[1]
    assert max(map(len, table.splitlines())) <= 80
    assert sample.UPLOAD.peer in table


def test_progress_is_not_written_into_a_pipe(untrusted: Path) -> None:
    assert run("summary", untrusted, "--host", "10.0.0.1").stderr == ""


def test_an_encoding_without_the_characters_does_not_matter(untrusted: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "summary", untrusted, "--host", "10.0.0.1"],
        capture_output=True,
        env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii"},
        timeout=120,
        check=True,
    )
    assert done.stdout.isascii()
    assert LONG_IPV6.encode() in done.stdout
