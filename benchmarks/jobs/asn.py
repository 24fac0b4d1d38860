"""Autonomous systems of distinct public addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.shapes import ADDRESSES

_NUMBER = "autonomous_system_number"


class _Query(NamedTuple):
    reader: Any
    addresses: Any


class _Result(NamedTuple):
    addresses: Any
    numbers: Any


def _file() -> Path:
    import flowtriage

    return Path(flowtriage.__file__).parent / "data" / "asn.mmdb"


def _prepare_flowtriage(table: pa.Table) -> _Query:
    import flowtriage as ft

    return _Query(ft.AsnDatabase(), table["address"])


def _prepare_flowtriage_asn(table: pa.Table) -> _Query:
    import flowtriage as ft

    return _Query(ft.AsnDatabase(_file()), table["address"])


def _flowtriage(query: _Query) -> _Result:
    found = query.reader.lookup(query.addresses)
    return _Result(found["address"], found["asn"])


def _prepare_maxminddb(table: pa.Table) -> _Query:
    import maxminddb

    reader = maxminddb.open_database(_file(), maxminddb.MODE_MMAP_EXT)
    return _Query(reader, table["address"].to_pylist())


def _maxminddb(query: _Query) -> _Result:
    get = query.reader.get
    return _Result(query.addresses, [get(address) for address in query.addresses])


def _prepare_maxminddb_rust(table: pa.Table) -> _Query:
    import maxminddb_rust

    return _Query(maxminddb_rust.open_database(str(_file())), table["address"].to_pylist())


def _maxminddb_rust(query: _Query) -> _Result:
    return _Result(query.addresses, query.reader.get_many(query.addresses))


def _maxminddb_rust_path(query: _Query) -> _Result:
    numbers = query.reader.get_many_path(query.addresses, (_NUMBER,))
    return _Result(query.addresses, numbers)


def _facts(result: _Result) -> Facts:
    return {"asn": pa.table({"address": result.addresses, "asn": result.numbers})}


def _record_facts(result: _Result) -> Facts:
    numbers = [record and record[_NUMBER] for record in result.numbers]
    return _facts(_Result(result.addresses, pa.array(numbers, pa.int64())))


def _number_facts(result: _Result) -> Facts:
    return _facts(_Result(result.addresses, pa.array(result.numbers, pa.int64())))


def _table_facts(result: _Result) -> Facts:
    return _facts(_Result(result.addresses, result.numbers.cast(pa.int64())))


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
        Peer(FLOWTRIAGE, "", _flowtriage, _table_facts, _prepare_flowtriage),
        Peer(FLOWTRIAGE, "asn.mmdb only", _flowtriage, _table_facts, _prepare_flowtriage_asn),
        Peer("maxminddb", "loop", _maxminddb, _record_facts, _prepare_maxminddb),
        Peer("maxminddb-rust", "batch", _maxminddb_rust, _record_facts, _prepare_maxminddb_rust),
        Peer(
            "maxminddb-rust",
            "numbers",
            _maxminddb_rust_path,
            _number_facts,
            _prepare_maxminddb_rust,
        ),
    ),
)
