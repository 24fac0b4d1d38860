"""Files of allow-lists: what is read, what is reported, what saving keeps."""

from __future__ import annotations

import csv
import datetime as dt
import os
from pathlib import Path

import pytest

import flowtriage as ft
from findings import HOSTILE, finding, random_criteria, table
from flowtriage.detect import AllowList
from flowtriage.errors import ArgumentError, FormatError

TOML = """\
# expected at this site
[[allow]]
dest = "192[.]0[.]2[.]1"   # the backup
detector = "uploads"
reason = "nightly backup"
owner = "storage team"
expires = 2030-12-31

[[allow]]
asn = "AS15169"
port = 443
reason = "mail"
"""
CSV = """\
# expected at this site
dest,detector,asn,port,reason,owner,expires
192[.]0[.]2[.]1,uploads,,,nightly backup,storage team,2030-12-31
,,AS15169,443,mail,,
"""


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", TOML),
        ("a.csv", CSV),
        ("A.CSV", CSV.replace(",", ";")),
        ("a.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("a.toml", TOML.replace("\n", "\r\n")),
    ],
)
def test_toml_and_csv_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    first, second = AllowList(write(tmp_path / name, text))
    assert (first.dest, first.detector, first.reason) == ("192.0.2.1", "uploads", "nightly backup")
    assert (first.owner, first.expires) == ("storage team", dt.date(2030, 12, 31))
    assert (second.asn, second.port, second.dest) == (15169, 443, None)
    line = 2 if name == "a.toml" else 3
    assert first.position == f"{tmp_path / name}, line {line}"


def test_bad_lines_are_reported_and_the_others_apply(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        'dest,port,reason\n8.8.8.8,,dns\noffice,,x\n\n,99999,"two\nlines"\n,53,\n1.1.1.1,,ok\n',
    )
    with pytest.warns(UserWarning, match=r"line 3: invalid dest 'office'.*line 5: invalid port"):
        allow = AllowList(path)
    assert [one.dest for one in allow] == ["8.8.8.8", "1.1.1.1"]
    assert [line.partition(": ")[0] for line in allow.bad_lines] == [
        f"{path}, line {number}" for number in (3, 5, 7)
    ]
    assert allow.bad_lines[2].endswith("reason is missing; state why the findings are expected")
    assert allow.apply(table(finding())).hidden.num_rows == 1


def test_bad_entries_of_toml_have_their_line(tmp_path: Path) -> None:
    text = TOML + '\n[[allow]]\nprot = 53\nreason = "x"\n[[ allow ]]\nport = 53.5\nreason = "x"\n'
    path = write(tmp_path / "a.toml", text)
    with pytest.warns(UserWarning):
        allow = AllowList(path)
    assert len(allow) == 2
    assert allow.bad_lines[0].startswith(f"{path}, line 14: unknown key 'prot'; did you mean port")
    assert allow.bad_lines[1].startswith(f"{path}, line 17: invalid port 53.5")


def test_expired_entries_are_reported_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "port,reason,expires\n53,dns,2020-01-01\n")
    with pytest.warns(UserWarning, match="line 2: expired, ignored: port 53: dns, until 2020"):
        allow = AllowList(path)
    assert len(allow) == len(allow.expired()) == 1
    assert allow.apply(table(finding(dst_port=53))).hidden.num_rows == 0


def test_an_open_quote_ends_the_file_and_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'port,reason\n53,dns\n80,"open\n443,never read\n')
    with pytest.warns(UserWarning, match="line 3: not CSV"):
        allow = AllowList(path)
    assert [one.port for one in allow] == [53]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "[[allow]\n", "is not valid TOML"),
        ("a.toml", "[allow]\nport = 1\n", "'allow' is no entry; write"),
        ("a.toml", "[[allowed]]\nport = 1\n", "'allowed' is no entry; write"),
        ("a.csv", "dest,detectr,reason\n", "unknown column 'detectr'; did you mean detector"),
        ("a.csv", "dest,reason,dest\n", "a column is there twice"),
        ("a.csv", "\n# nothing\n", "has no header"),
        ("a.csv", b"dest,reason\n8.8.8.8,\xff\n".decode("latin-1"), ""),
    ],
)
def test_other_files_are_errors(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8" if message else "latin-1"))
    with pytest.raises(FormatError) as raised:
        AllowList(path)
    assert (message or "is not UTF-8") in str(raised.value)
    assert str(path) in str(raised.value)


def test_names_and_paths(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"must end in .toml or .csv"):
        AllowList(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError):
        AllowList(tmp_path / "a.toml")
    with pytest.raises(ArgumentError, match="give save"):
        AllowList().save()


@pytest.mark.parametrize("name", ["a.toml", "a.csv"])
def test_what_is_saved_is_read_again(tmp_path: Path, name: str) -> None:
    allow = AllowList()
    for number, criteria in enumerate(random_criteria(80, seed=3)):
        reason = [HOSTILE.replace("\x1b", "\x7f"), "=1+1", "'=1", 'a "b"\n, c', "\\ é"][number % 5]
        expires = dt.date(2030, 1, 1 + number % 28) if number % 3 else None
        allow.add(**criteria, reason=reason, owner=f"@team {number}", expires=expires)
    path = allow.save(tmp_path / name)
    again = AllowList(path)
    assert list(again) == list(dict.fromkeys(allow))
    assert again.bad_lines == ()
    before = path.read_bytes()
    again.save()
    assert path.read_bytes() == before


def test_cells_of_a_saved_list_are_no_formulas(tmp_path: Path) -> None:
    allow = AllowList()
    for start in "=+-@":
        allow.add(port=53, reason=f"{start}1+cmd", owner=f" {start}2")
    path = allow.save(tmp_path / "a.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reason"][:2] for row in rows] == ["'=", "'+", "'-", "'@"]
    assert all(row["owner"].lstrip()[0] == "'" for row in rows)


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("a.csv", CSV)])
def test_saving_adds_and_keeps_what_people_wrote(tmp_path: Path, name: str, text: str) -> None:
    bad = '\n[[allow]]\nport = "x"\nreason = "?"\n' if name == "a.toml" else ",,,x,?,,\n"
    path = write(tmp_path / name, text + bad)
    path.chmod(0o640)
    with pytest.warns(UserWarning, match="invalid port 'x'"):
        allow = AllowList(path)
    colleague = AllowList()
    colleague.add(port=22, reason="theirs")
    colleague.save(path)
    entry = allow.add(finding(), reason="mine", owner="me", expires="2031-01-01")
    assert allow.save() == path
    saved = path.read_text()
    if name == "a.csv":
        text = text.replace("owner,expires\n", "owner,expires,source\n")
    assert saved.startswith(text + bad)
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.warns(UserWarning, match="invalid port 'x'"):
        again = AllowList(path)
    assert [one.reason for one in again] == ["nightly backup", "mail", "theirs", "mine"]
    assert list(again)[-1] == entry
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_csv_gets_the_columns_that_an_entry_needs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "# ours\r\n\r\nport;reason\r\n53;dns")
    allow = AllowList(path)
    allow.add(asn=15169, port=443, reason="mail; web")
    allow.save()
    assert path.read_bytes().decode() == (
        '# ours\r\n\r\nport;reason;asn\r\n53;dns\r\n443;"mail; web";15169\r\n'
    )
    assert [one.reason for one in AllowList(path)] == ["dns", "mail; web"]


def test_a_new_list_does_not_replace_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", TOML)
    allow = AllowList()
    allow.add(port=22, reason="ssh")
    allow.save(path)
    allow.save(path)
    assert [one.reason for one in AllowList(path)] == ["nightly backup", "mail", "ssh"]


def test_a_file_that_cannot_take_an_entry_is_unchanged(tmp_path: Path) -> None:
    allow = AllowList()
    allow.add(port=22, reason="ssh")
    unclosed = write(tmp_path / "a.csv", 'port,reason\n8,"dns\n')
    with pytest.raises(FormatError, match="entries cannot be added at its end"):
        allow.save(unclosed)
    inline = write(tmp_path / "a.toml", 'allow = [{port = 53, reason = "dns"}]\n')
    with pytest.raises(FormatError, match="not valid TOML|cannot be added"):
        allow.save(inline)
    broken = write(tmp_path / "b.toml", "[[allow\n")
    with pytest.raises(FormatError):
        allow.save(broken)
    assert unclosed.read_text() == 'port,reason\n8,"dns\n'
    assert inline.read_text().startswith("allow = [{")
    assert broken.read_text() == "[[allow\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    allow = AllowList()
    allow.add(port=22, reason="ssh")
    with pytest.raises(PermissionError):
        allow.save(tmp_path / "a.toml")


def test_a_path_is_an_allow_list(tmp_path: Path) -> None:
    from flowtriage import sample
    from flowtriage.detect import allowed

    path = write(tmp_path / "a.toml", '[[allow]]\ndetector = "uploads"\nreason = "backup"\n')
    shown = ft.hunt(sample.office_day(), allow=path)
    assert allowed(shown)["detector"].to_pylist() == ["uploads"]
    assert "uploads" not in shown["detector"].to_pylist()
