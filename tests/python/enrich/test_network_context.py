"""Internal networks, and the names that a file gives to networks."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtriage import _core
from flowtriage.enrich.network_context import InternalNetworks, read_context
from flowtriage.errors import FormatError
from spot_files import written

_ends = st.tuples(st.integers(0, 255), st.integers(0, 255)).map(sorted)


@given(st.lists(_ends, max_size=12), st.integers(0, 255))
def test_the_narrowest_range_is_found(ranges: list[list[int]], probe: int) -> None:
    texts = [f"10.0.0.{first}-10.0.0.{last}" for first, last in ranges]
    holding = [(b - a, row) for row, (a, b) in enumerate(ranges) if a <= probe <= b]
    nulls = pa.nulls(len(texts), pa.string())
    known = _core.AddressRanges.from_ranges(pa.array(texts, pa.string()), nulls)
    found = known.find(pa.array([f"10.0.0.{probe}"]))
    assert found["range"].to_pylist() == [min(holding)[1] if holding else None]


def test_internal_networks(tmp_path: Path) -> None:
    path = written(
        tmp_path / "ipranges.csv", "start_ip,end_ip,name\n10.0.0.5,10.0.0.9,office\nfd00::/8,,lab\n"
    )
    asked = pa.array(["10.0.0.4", "10.0.0.5", "10.0.0.9", "10.0.0.10", "fd00::1", None])
    expected = [False, True, True, False, True, None]
    assert InternalNetworks(path).check(asked).to_pylist() == expected


def test_context_is_that_of_the_narrowest_entry(tmp_path: Path) -> None:
    path = written(
        tmp_path / "networkcontext_1.csv",
        'ip,name\n10.0.0.0/8,everything\n10.0.0.0-10.0.3.255,four\n10.0.1.0/24,"one, the first"\n'
        "10.0.1.7, printer \nno address,nothing\n",
    )
    context = read_context(path)
    asked = pa.array(["10.0.1.7", "10.0.1.8", "10.0.2.1", "10.9.9.9", "11.0.0.1", None])
    expected = ["printer", "one, the first", "four", "everything", None, None]
    assert context.find(asked).to_pylist() == expected
    assert context.unusable["ip"].to_pylist() == ["no address"]


def test_context_without_a_header_keeps_its_first_line(tmp_path: Path) -> None:
    context = read_context(written(tmp_path / "nc.csv", "10.0.0.1,first\n10.0.0.2,second\n"))
    assert context.find(pa.array(["10.0.0.1"])).to_pylist() == ["first"]


@pytest.mark.parametrize("text", ["", "ip\n10.0.0.1\n", "a,b\nc,d\n", "ip,name\n10.0.0.1,x,y\n"])
def test_invalid_context_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"nc\.csv"):
        read_context(written(tmp_path / "nc.csv", text))
