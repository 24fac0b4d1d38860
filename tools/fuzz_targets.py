"""Targets of `tools/fuzz.py`: each makes cases from a random generator, and executes them."""

from __future__ import annotations

import random
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

import arrow_forms
import flowtriage as ft
import fuzz_seeds as seeds

_INSERTED = [b'"', b"'", b"\n", b"\r", b"\t", b",", b"\0", b"{", b"}", b"[", b"]", b"|", b" ", b":"]
_INSERTED += [b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a", b"\\", b"#", b"-", b"null", b"NaN", b"1e400"]
_INSERTED += [
    b"9" * 40,
    b"-1",
    b"::ffff:1.2.3.4",
    b"0x1f",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"1,2",
]
_SIZES = (0, 1, 2, 7, 8, 255, 256, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)


class Finding(Exception):
    """A fault that raised no exception of its own."""


class Target(ABC):
    """A kind of input, and what reads it."""

    names_file = True
    """Whether errors have to name the file."""
    suffix = ""

    @abstractmethod
    def case(self, dice: random.Random) -> bytes:
        """Make a case."""

    @abstractmethod
    def execute(self, path: Path) -> None:
        """Read the file of a case; errors of flowtriage are fine, anything else is a finding."""


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Damage bytes in one to twenty places; sometimes cut the end."""
    made = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 3, 20))):
        at, action = dice.randrange(len(made) + 1), dice.randrange(7)
        if action == 0:
            made[at : at + 1] = bytes([dice.randrange(256)])
        elif action == 1:
            del made[at : at + dice.choice((1, 1, 4, 50))]
        elif action == 2:
            made[at:at] = dice.choice(_INSERTED)
        elif action == 3:
            made[at:at] = made[at : at + dice.randrange(200)]
        elif action == 4 and at < len(made):
            made[at] ^= 1 << dice.randrange(8)
        elif action == 5:
            size = struct.pack(dice.choice(("<I", "<Q", ">I", ">Q")), dice.choice(_SIZES) % 2**32)
            made[at : at + len(size)] = size
        elif action == 6:
            other = dice.randrange(len(made) + 1)
            made[at : at + 12] = made[other : other + 12]
    cut = dice.random() < 0.1 and len(made) > 1
    return bytes(made[: dice.randrange(len(made))] if cut else made)


class Files(Target):
    """Damaged files."""

    def __init__(self, content: bytes, read: Callable[[Path], Any], suffix: str = "") -> None:
        self._content, self._read = content, read
        self.suffix = f".{suffix}" if suffix else ""

    def case(self, dice: random.Random) -> bytes:
        return damaged(self._content, dice)

    def execute(self, path: Path) -> None:
        self._read(path)


class Lines(Target):
    """A log with one damaged record, whose lines all have to be read or counted as bad."""

    def __init__(self, content: bytes) -> None:
        lines = content.splitlines()
        self._head, self._records = lines[: -seeds.ROWS], lines[-seeds.ROWS :]

    def case(self, dice: random.Random) -> bytes:
        records = list(self._records)
        at = dice.randrange(len(records))
        line = records[at]
        made = b"".join(damaged(line, dice).splitlines())
        while not made.strip() or made.startswith(b"#"):
            made = b"".join(damaged(line, dice).splitlines())
        records[at] = made
        return b"\n".join([*self._head, *records, b""])

    def execute(self, path: Path) -> None:
        report = ft.read_flows(path).report
        if report.rows_read < seeds.ROWS:
            raise Finding(f"{report.rows_read} of {seeds.ROWS} rows read or counted")


def account(path: Path) -> None:
    """Read a log, and check that every row is a flow or counted."""
    flows = ft.read_flows(path)
    report = flows.report
    if ft.flow_index(flows).num_rows > len(flows):
        raise Finding("the index has more rows than the flows")
    if len(flows) != report.records:
        raise Finding(f"{report.records} records reported, {len(flows)} returned")
    if report.rows_expanded or report.rows_counted:
        return
    gone = report.rows_bad + report.rows_skipped + report.rows_superseded + report.rows_migrated
    whole = sum("after this line" in row.reason for row in report.bad_rows)
    if not report.rows_read - gone <= len(flows) <= report.rows_read - gone + whole:
        raise Finding(
            f"{report.rows_read} rows read, {gone} counted as dropped, {len(flows)} flows"
        )


class Functions(Target):
    """Random flows in two Arrow forms, for which a function has to return the same.

    A case is the seed of the flows.
    """

    names_file = False

    def case(self, dice: random.Random) -> bytes:
        return str(dice.getrandbits(48)).encode()

    def execute(self, path: Path) -> None:
        dice = random.Random(path.read_bytes())
        plain = arrow_forms.random_flows(dice)
        other = arrow_forms.in_other_form(plain, dice)
        name = dice.choice(list(arrow_forms.FUNCTIONS))
        function = arrow_forms.FUNCTIONS[name]
        expected = arrow_forms.outcome(function, plain)
        found = arrow_forms.outcome(function, other)
        refused = isinstance(found, type) and arrow_forms.may_refuse(name, other)
        if expected != found and not refused:
            raise Finding(f"{name} differs; {_kinds(other)}: {expected} {found}")


def _kinds(table: pa.Table) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in table.schema)


class Texts(Target):
    """Text that people type: addresses, times, hosts, networks."""

    names_file = False
    _SEEDS = (b"10.0.0.1", b"2001:db8::1", b"192[.]168[.]1[.]1", b"10.0.0.0/8,::1", b"web.example")
    _TIMES = (b"2026-03-02T01:02:03Z", b"2026-03-02", b"1772409600", b"10.0.0.1-10.0.0.9", b"1d")

    def case(self, dice: random.Random) -> bytes:
        return damaged(dice.choice((*self._SEEDS, *self._TIMES)), dice)

    def execute(self, path: Path) -> None:
        from flowtriage.inputs.addresses import parse_address
        from flowtriage.inputs.hosts import parse_host
        from flowtriage.inputs.timespan import parse_day, parse_timespan

        text = path.read_bytes().decode("utf-8", "surrogateescape")
        flows = pa.table({"src_ip": ["1.1.1.1"], "dst_ip": ["10.0.0.1"], "flows": [1]})
        for read in (
            parse_address,
            parse_host,
            parse_day,
            lambda value: parse_timespan(start=value),
            lambda value: ft.classify_direction(flows, internal=[value]),
            lambda value: ft.expanded_search(flows, value),
        ):
            try:
                read(text)
            except ft.FlowtriageError:
                continue


def _lists(path: Path) -> None:
    from flowtriage.enrich import BlockLists

    for one in BlockLists(path).lists:
        one.find(pa.array(["192.0.2.1", "::1"]))


def _database(path: Path) -> None:
    database = ft.AsnDatabase(path)
    _ = database.files
    database.lookup(["1.1.1.1", "::1", "255.255.255.255"])


def _bundle(path: Path) -> None:
    from flowtriage.threat_investigation import open_bundle

    open_bundle(path)


def _networks(path: Path) -> None:
    flows = pa.table({"src_ip": ["1.1.1.1"], "dst_ip": ["10.0.0.1"], "flows": [1]})
    ft.classify_direction(flows, internal=str(path))


def _settings(path: Path) -> None:
    from flowtriage.configuration import load_settings

    load_settings(path)


def targets() -> dict[str, Callable[[], Target]]:
    """Return a maker of each target by name."""
    from flowtriage.threat_investigation.story import spot_files

    logs = seeds.logs()
    made: dict[str, Callable[[], Target]] = {"functions": Functions, "texts": Texts}
    for name, content in logs.items():
        made[f"log/{name}"] = partial(Files, content, account)
    for name in seeds.BY_LINE:
        made[f"lines/{name}"] = partial(Lines, logs[name])
    for name, content in seeds.tables().items():
        made[f"table/{name}"] = partial(Files, content, account, name)
    for name, content in seeds.block_lists().items():
        made[f"blocklist/{name}"] = partial(Files, content, _lists, name)
    for name, content in seeds.settings().items():
        read = _settings if name == "toml" else _networks
        made[f"settings/{name}"] = partial(Files, content, read, name)
    made["database"] = lambda: Files(seeds.database(), _database, "mmdb")
    for name in ("globe", "stats", "dendrogram"):
        read = getattr(spot_files, f"read_{name}")
        made[f"story/{name}"] = lambda n=name, r=read: Files(seeds.globe_files()[n], r, "json")
    made["story/bundle"] = lambda: Files(seeds.bundle(), _bundle, "zip")
    return made
