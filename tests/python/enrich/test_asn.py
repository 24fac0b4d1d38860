"""Looking addresses up."""

from __future__ import annotations

import ipaddress
import random
import zlib
from pathlib import Path

import maxminddb
import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.errors import DatabaseError, InputError


def test_bundled_database_has_asn_name_country_and_prefix() -> None:
    table = ft.AsnDatabase().lookup(["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
    rows = table.to_pylist()
    assert [row["asn"] for row in rows] == [15169, 13335, 15169]
    assert rows[2]["address"] == "8.8.8.8"
    assert rows[0]["country"] == "US"
    assert ipaddress.ip_address("8.8.8.8") in ipaddress.ip_network(rows[0]["prefix"])


def test_addresses_without_an_asn_are_labelled() -> None:
    addresses = ["10.0.0.1", "100.64.0.1", "127.0.0.1", "224.0.0.251", "fe80::1", None, ""]
    rows = ft.AsnDatabase().lookup(addresses).to_pylist()
    assert [row["asn"] for row in rows] == [None] * 7
    assert [row["as_name"] for row in rows] == [
        "Private address",
        "Shared address",
        "Loopback address",
        "Multicast address",
        "Link Local address",
        "No address",
        "No address",
    ]
    assert rows[5]["ip_type"] is None


def test_public_address_without_a_record_is_labelled(shared: Path) -> None:
    database = ft.AsnDatabase(shared / "mmdb" / "maxmind-test" / "GeoLite2-ASN-Test.mmdb")
    rows = database.lookup(["8.8.8.8", "1.128.0.1"]).to_pylist()
    assert rows[0]["as_name"] == "No ASN record"
    assert rows[0]["ip_type"] == "Public"
    assert (rows[1]["asn"], rows[1]["as_name"]) == (1221, "Telstra Pty Ltd")


@pytest.mark.parametrize("name", ["asn.mmdb", "maxmind-test/GeoIP2-ISP-Test.mmdb"])
def test_results_equal_those_of_the_maxminddb_reader(shared: Path, name: str) -> None:
    path = shared / "mmdb" / name
    generator = random.Random(5)
    with maxminddb.open_database(path) as reader:
        known = [network for i, (network, _) in enumerate(reader) if i % 97 == 0][:3000]
        addresses = [str(network[0]) for network in known]
        addresses += [str(ipaddress.IPv4Address(generator.getrandbits(32))) for _ in range(3000)]
        rows = ft.AsnDatabase(path).lookup(addresses).to_pylist()
        compared = 0
        for address, row in zip(addresses, rows, strict=True):
            if row["ip_type"] != "Public":
                continue
            record, length = reader.get_with_prefix_len(row["address"])
            record = record if isinstance(record, dict) else {}
            number = record.get("autonomous_system_number")
            assert row["asn"] == number, address
            if number is not None:
                name_ = record.get("autonomous_system_organization")
                assert row["as_name"] == (name_.strip() if name_ else f"AS{number}")
                assert row["prefix"].endswith(f"/{length}")
            compared += 1
    assert compared > 100


def test_country_of_nested_and_flat_databases(shared: Path) -> None:
    nested = ft.AsnDatabase(shared / "mmdb" / "maxmind-test" / "GeoLite2-Country-Test.mmdb")
    assert nested.lookup(["2.125.160.217"])["country"].to_pylist() == ["GB"]
    flat = ft.AsnDatabase(shared / "mmdb" / "country.mmdb")
    assert flat.lookup(["8.8.8.8"])["country"].to_pylist() == ["US"]


def test_the_first_database_with_a_fact_wins(shared: Path) -> None:
    own = shared / "mmdb" / "maxmind-test" / "GeoLite2-ASN-Test.mmdb"
    both = ft.AsnDatabase([own, shared / "mmdb" / "asn.mmdb"])
    rows = both.lookup(["1.128.0.1", "8.8.8.8"]).to_pylist()
    assert [row["as_name"] for row in rows] == ["Telstra Pty Ltd", "Google LLC"]


def test_addresses_come_in_every_form() -> None:
    database = ft.AsnDatabase()
    expected = database.lookup(["8.8.8.8", "10.0.0.1"])
    forms = [
        ("8.8.8.8", "10.0.0.1"),
        [ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")],
        pa.array(["8.8.8.8", "10.0.0.1"]),
        pa.chunked_array([["8.8.8.8"], ["10.0.0.1"]]),
        pa.array(["8.8.8.8", "10.0.0.1"]).dictionary_encode(),
    ]
    for form in forms:
        assert database.lookup(form) == expected
    assert database.lookup([]).num_rows == 0
    assert database.lookup("8.8.8.8").num_rows == 1


def test_the_error_contains_the_invalid_address() -> None:
    with pytest.raises(InputError, match=r"row 1, column \"address\": \"example.org\""):
        ft.AsnDatabase().lookup(["8.8.8.8", "example.org"])


def test_files_that_are_not_databases_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent.mmdb"):
        ft.AsnDatabase(tmp_path / "absent.mmdb")
    for content in (b"", b"not a database", bytes(100_000)):
        path = tmp_path / "bad.mmdb"
        path.write_bytes(content)
        with pytest.raises(DatabaseError, match="bad.mmdb"):
            ft.AsnDatabase(path)


def database(width: int, number: int) -> bytes:
    """A database of one record for all of IPv4, whose AS number is that many bytes wide."""

    def text(value: str) -> bytes:
        size = len(value)
        head = [2 << 5 | size] if size < 29 else [2 << 5 | 29, size - 29]
        return bytes(head) + value.encode()

    def whole(value: int, width: int) -> bytes:
        kind = {2: b"\xa2", 4: b"\xc4", 8: b"\x08\x02"}[width]
        return kind + value.to_bytes(width, "big")

    def mapping(**values: bytes) -> bytes:
        pairs = [text(name) + value for name, value in values.items()]
        return bytes([7 << 5 | len(pairs)]) + b"".join(pairs)

    metadata = mapping(
        node_count=whole(1, 4),
        record_size=whole(24, 2),
        ip_version=whole(4, 2),
        database_type=text("Widths-ASN"),
        languages=b"\x00\x04",
        binary_format_major_version=whole(2, 2),
        binary_format_minor_version=whole(0, 2),
        build_epoch=whole(1_700_000_000, 8),
        description=mapping(en=text("widths")),
    )
    tree = (1 + 16).to_bytes(3, "big") * 2
    record = mapping(
        autonomous_system_number=whole(number, width),
        autonomous_system_organization=text("Example"),
    )
    return tree + bytes(16) + record + b"\xab\xcd\xefMaxMind.com" + metadata


@pytest.mark.parametrize(("width", "number"), [(2, 15_169), (4, 4_200_000_000), (8, 15_169)])
def test_numbers_of_any_width_are_read(tmp_path: Path, width: int, number: int) -> None:
    path = tmp_path / "widths.mmdb"
    path.write_bytes(database(width, number))
    (row,) = ft.AsnDatabase(path).lookup(["8.8.8.8"]).to_pylist()
    assert (row["asn"], row["as_name"]) == (number, "Example")


def test_a_number_that_no_system_has_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "widths.mmdb"
    path.write_bytes(database(8, 2**32))
    with pytest.raises(DatabaseError, match="AS number 4294967296"):
        ft.AsnDatabase(path).lookup(["8.8.8.8"])


def test_damaged_databases_give_errors_and_never_crash(shared: Path) -> None:
    generator = random.Random(1)
    addresses = [str(ipaddress.IPv4Address(generator.getrandbits(32))) for _ in range(500)]
    addresses += [
        str(ipaddress.IPv6Address(generator.getrandbits(125) | 1 << 125)) for _ in range(500)
    ]
    addresses += ["1.1.1.1", "2.125.160.217", "8.8.8.8"]
    paths = sorted((shared / "mmdb" / "maxmind-bad").glob("*.mmdb"))
    refused = 0
    for path in paths:
        try:
            database = ft.AsnDatabase(path)
            database.lookup(addresses)
            _ = database.files
        except DatabaseError as error:
            assert path.name in str(error)
            refused += 1
    assert len(paths) == 21
    assert refused > 5


def test_every_database_of_the_vendor_opens(shared: Path) -> None:
    paths = sorted((shared / "mmdb" / "maxmind-test").glob("*.mmdb"))
    assert len(paths) > 10
    for path in paths:
        if any(damage in path.name.lower() for damage in ("broken", "invalid")):
            continue
        (file,) = ft.AsnDatabase(path).files
        assert file.networks > 0, path
        assert file.source is None


def test_bundled_files_fit_into_the_wheel() -> None:
    files = [Path(file.path) for file in ft.AsnDatabase().files]
    assert sum(len(zlib.compress(file.read_bytes())) for file in files) < 15_000_000


def test_bundled_files_have_source_date_licence_and_attribution() -> None:
    files = {Path(file.path).name: file for file in ft.AsnDatabase().files}
    assert set(files) == {"asn.mmdb", "country.mmdb"}
    for file in files.values():
        assert file.networks > 100_000
        assert file.source
        assert "@ip-location-db/" in file.source
        assert file.licences
        assert file.warning
        assert "bugs" in file.warning
    named = " ".join(a for file in files.values() for a in file.attributions)
    for owner in ("routeviews", "nro.net", "db-ip"):
        assert owner in named.lower()
