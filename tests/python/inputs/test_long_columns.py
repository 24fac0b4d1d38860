"""Columns whose strings together are longer than one Arrow array of `string` can hold."""

from __future__ import annotations

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.inputs import addresses
from flowtriage.inputs.addresses import address_array


def test_a_long_column_of_addresses_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.chunked_array([["8.8.8.8", None], ["1.1.1.1"]], pa.string())
    short = ft.AsnDatabase().lookup(column)
    monkeypatch.setattr(addresses, "_MAX_STRINGS", 10)
    assert address_array(column).type == pa.large_string()
    assert ft.AsnDatabase().lookup(column).equals(short)
    assert short["asn"].to_pylist()[0] == 15169
