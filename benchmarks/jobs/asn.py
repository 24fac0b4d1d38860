"""Autonomous systems of distinct public addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.shapes import ADDRESSES

_NUMBER = "autonomous_system_number"


class _Question(NamedTuple):
    reader: Any
    addresses: Any


class _Answer(NamedTuple):
    addresses: Any
    numbers: Any


def _file() -> Path:
    import flowtriage

    return Path(flowtriage.__file__).parent / "data" / "asn.mmdb"


def _ask_flowtriage(table: pa.Table) -> _Question:
    import flowtriage as ft

    return _Question(ft.AsnDatabase(), table["address"])


def _ask_flowtriage_asn(table: pa.Table) -> _Question:
    import flowtriage as ft

    return _Question(ft.AsnDatabase(_file()), table["address"])


def _flowtriage(question: _Question) -> _Answer:
    found = question.reader.lookup(question.addresses)
    return _Answer(found["address"], found["asn"])


def _ask_maxminddb(table: pa.Table) -> _Question:
    import maxminddb

    reader = maxminddb.open_database(_file(), maxminddb.MODE_MMAP_EXT)
    return _Question(reader, table["address"].to_pylist())


def _maxminddb(question: _Question) -> _Answer:
    get = question.reader.get
    return _Answer(question.addresses, [get(address) for address in question.addresses])


def _ask_maxminddb_rust(table: pa.Table) -> _Question:
    import maxminddb_rust

    return _Question(maxminddb_rust.open_database(str(_file())), table["address"].to_pylist())


def _maxminddb_rust(question: _Question) -> _Answer:
    return _Answer(question.addresses, question.reader.get_many(question.addresses))


def _maxminddb_rust_path(question: _Question) -> _Answer:
    numbers = question.reader.get_many_path(question.addresses, (_NUMBER,))
    return _Answer(question.addresses, numbers)


def _facts(answer: _Answer) -> Facts:
    return {"asn": pa.table({"address": answer.addresses, "asn": answer.numbers})}


def _record_facts(answer: _Answer) -> Facts:
    numbers = [record and record[_NUMBER] for record in answer.numbers]
    return _facts(_Answer(answer.addresses, pa.array(numbers, pa.int64())))


def _number_facts(answer: _Answer) -> Facts:
    return _facts(_Answer(answer.addresses, pa.array(answer.numbers, pa.int64())))


def _table_facts(answer: _Answer) -> Facts:
    return _facts(_Answer(answer.addresses, answer.numbers.cast(pa.int64())))


JOB = Job(
    title="Autonomous systems of distinct addresses",
    note=(
        "Lookups in the bundled `asn.mmdb`. flowtriage turns an Arrow array into a table of "
        "number, name, country (from a second database), network and type of every address; "
        "`asn.mmdb only` omits the second database. The peers turn a Python list of strings, "
        "prepared untimed, into a list of records (number and name) or, `numbers`, of numbers. "
        "The `maxminddb` reader (its C extension) is called in a loop."
    ),
    inputs=(ADDRESSES,),
    sizes=(100_000, 1_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _table_facts, _ask_flowtriage),
        Peer(FLOWTRIAGE, "asn.mmdb only", _flowtriage, _table_facts, _ask_flowtriage_asn),
        Peer("maxminddb", "loop", _maxminddb, _record_facts, _ask_maxminddb),
        Peer("maxminddb-rust", "batch", _maxminddb_rust, _record_facts, _ask_maxminddb_rust),
        Peer("maxminddb-rust", "numbers", _maxminddb_rust_path, _number_facts, _ask_maxminddb_rust),
    ),
)
