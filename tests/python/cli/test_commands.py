"""The commands, run as a program."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from command_line import CONTROL, run, run_code
from flowtriage import sample
from flowtriage.analysis.hosts import flows_of_host

pytestmark = pytest.mark.extra

ZAT_HOST = "192.168.33.10"
COMMANDS = [["hunt"], ["hosts"], ["summary"], ["top"], ["asn"], ["db", "info"]]


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of a table after a round trip through JSON."""
    rows: list[dict[str, Any]] = json.loads(
        json.dumps(table.to_pylist(), default=datetime.isoformat)
    )
    return rows


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "day.parquet"
    pq.write_table(sample.office_day(), path)
    return path


def host_flows(source: Any, host: str) -> pa.Table:
    return flows_of_host(ft.read_flows(source).to_arrow(), None, (host,)).flows


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_an_example(command: list[str]) -> None:
    text = run(*command, "--help").stdout
    assert f"Usage: flowtriage {' '.join(command)}" in text
    assert re.search(rf"Examples\s+flowtriage {' '.join(command)} ", text)
    assert "--json" in text


def test_the_program_without_arguments_shows_its_help() -> None:
    text = run().stdout
    assert text == run("--help").stdout == run("-h").stdout
    for command in ("hunt", "hosts", "summary", "top", "asn", "db"):
        assert re.search(rf"│ {command} +\S", text)


def test_version() -> None:
    assert run("--version").stdout == f"flowtriage {ft.__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    done = run_code("""
        import sys
        from flowtriage.cli import main
        status = main(["--help"])
        heavy = {"pandas", "msticpy", "bokeh", "folium", "IPython"} & set(sys.modules)
        sys.exit(f"{status} {heavy}" if status or heavy else 0)
    """)
    assert done.returncode == 0, done.stderr


def test_summary_of_the_sample() -> None:
    done = run("summary", "--sample", "--top", "1000")
    assert done.stderr == ""
    assert not CONTROL.search(done.stdout)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["Host", f"{sample.HOST_NAME},", sample.HOST_IP]
    assert sample.HOST_IPV6 in lines[0]
    assert ["Bad", "rows", "0"] in [line.split() for line in lines]
    for finding in sample.FINDINGS:
        assert f"AS{finding.asn} " in done.stdout
        assert any(finding.peer in line.split() for line in lines)
    assert re.search(
        rf"^{sample.HOST_IP} +{sample.BEACON.peer} +ssl +outbound +288 +0 +334\.5 kB +322\.4 kB "
        r"+2026-03-02 00:00:35 +2026-03-02 23:55:38$",
        done.stdout,
        re.M,
    )
    services = ft.top_n(sample.office_day(), key=["protocol", "service"], by="flows", n=1)
    (busiest,) = services.to_pylist()
    shown = f"^{busiest['protocol']} +{busiest['service']} +{busiest['flows']:,} "
    assert re.search(shown, done.stdout, re.M)


def test_summary_as_json_equals_the_functions(parquet: Path) -> None:
    document = json.loads(run("summary", parquet, "--host", sample.HOST_IP, "--json").stdout)
    report = ft.read_flows(parquet).report
    flows = host_flows(parquet, sample.HOST_IP)
    index, summary = ft.flow_index(flows), ft.flow_summary(flows)
    assert document["report"] == report.to_dict()
    assert document["host"] == {
        "name": sample.HOST_NAME,
        "addresses": [sample.HOST_IP],
        "records": flows.num_rows,
        "flows": sum(index["TotalAllowedFlows"].to_pylist()),
        "denied_flows": sum(flows["denied_flows"].drop_null().to_pylist()),
    }
    assert document["groups"]["flow_index"] == index.num_rows
    assert document["groups"]["flow_summary"] == summary.num_rows
    assert document["flow_summary"] == plain(summary)[:20]
    by_flows = sorted(plain(index), key=lambda row: -row["TotalAllowedFlows"])
    counts = [row["TotalAllowedFlows"] for row in document["flow_index"]]
    assert counts == [row["TotalAllowedFlows"] for row in by_flows[:20]]
    assert all(row in by_flows for row in document["flow_index"])
    protocols = ft.top_n(flows, key=["protocol", "L7Protocol"], by="flows")
    assert document["protocols"] == plain(protocols)


def test_summary_of_a_zeek_log(zat: Path) -> None:
    command = ["summary", zat, "--host", ZAT_HOST]
    document = json.loads(run(*command, "--top", "1000", "--json").stdout)
    assert (document["report"]["format"], document["report"]["rows_read"]) == ("zeek", 360)
    flows = host_flows(zat, ZAT_HOST)
    assert document["flow_summary"] == plain(ft.flow_summary(flows))
    assert sorted(map(repr, document["flow_index"])) == sorted(
        map(repr, plain(ft.flow_index(flows)))
    )
    text = run(*command, "-n", "3").stdout
    assert "3 of 267 shown" in text
    assert run(*command, "-n", "3", "--format", "zeek").stdout == text


def test_summary_within_a_timespan(parquet: Path) -> None:
    span = ["--start", "2026-03-02T06:00", "--end", "2026-03-02T12:00:00+00:00"]
    command = ["summary", parquet, "--host", sample.HOST_IP, "--json", *span]
    document = json.loads(run(*command).stdout)
    within = ("2026-03-02T06:00", "2026-03-02T12:00")
    flows = ft.read_flows(parquet, timespan=within)
    assert document["report"] == flows.report.to_dict()
    assert document["report"]["rows_outside"] > 0
    assert document["host"]["records"] == host_flows(flows, sample.HOST_IP).num_rows


def test_several_files_add_up(parquet: Path, zat: Path) -> None:
    document = json.loads(run("summary", parquet, zat, "--host", ZAT_HOST, "--json").stdout)
    assert document["report"]["format"] == "canonical, zeek"
    assert document["report"]["rows_read"] == 360 + sample.office_day().num_rows


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_host_that_does_not_occur(parquet: Path, options: list[str]) -> None:
    done = run("summary", parquet, "--host", "192.0.2.1", *options, status=1)
    assert done.stdout == ""
    busiest = ft.top_n(ft.read_flows(parquet), key="source", by="flows", n=5)["source"]
    assert done.stderr == (
        f"no flows of host 192.0.2.1 in {sample.office_day().num_rows:,} records; "
        f"top sources: {', '.join(busiest.to_pylist())}\n"
    )


def test_of_several_hosts_those_that_occur_are_shown(parquet: Path) -> None:
    hosts = f"{sample.HOST_IP},192.0.2.1,nohost"
    done = run("summary", parquet, "--host", hosts, "--json")
    assert "warning: no flows of nohost, 192.0.2.1" in done.stderr
    alone = run("summary", parquet, "--host", sample.HOST_IP, "--json")
    assert json.loads(done.stdout)["host"]["records"] == json.loads(alone.stdout)["host"]["records"]
    assert json.loads(done.stdout)["host"]["addresses"] == [sample.HOST_IP]
    for wrong in ("10.0.0.1/33", "010.0.0.1", "10.0.0.1:443", "hxxp://10[.]0[.]0[.]1"):
        refused = run("summary", parquet, "--host", wrong, status=2).stderr
        assert f"invalid host '{wrong}'" in refused
    assert "is all of IPv4" in run("summary", parquet, "--host", "0.0.0.0/0", status=2).stderr


def test_the_host_is_found_in_any_notation() -> None:
    mapped = run("summary", "--sample", "--host", f"::ffff:{sample.HOST_IP}", "--json").stdout
    assert mapped == run("summary", "--sample", "--host", sample.HOST_IP, "--json").stdout


@pytest.mark.parametrize("by", ["flows", "bytes", "dst_packets"])
@pytest.mark.parametrize("keys", [["dest"], ["L7Protocol"], ["dst_port", "FlowDirection"]])
def test_top_as_json_equals_top_n(parquet: Path, keys: list[str], by: str) -> None:
    options = [word for key in keys for word in ("--key", key)]
    rows = json.loads(run("top", parquet, *options, "--by", by, "-n", "7", "--json").stdout)
    assert rows == plain(ft.top_n(ft.read_flows(parquet), key=keys, by=by, n=7))


def test_top_of_one_host(parquet: Path) -> None:
    command = ["top", parquet, "--key", "dst_port", "--by", "flows", "--host", sample.SCAN.peer]
    rows = json.loads(run(*command, "--json").stdout)
    flows = host_flows(parquet, sample.SCAN.peer)
    assert rows == plain(ft.top_n(flows, key="dst_port", by="flows"))
    assert len(rows) == 20


def test_top_shows_ports_plain_and_counts_with_separators(parquet: Path) -> None:
    text = run("top", parquet, "--key", "dst_port", "--by", "flows", "-n", "20").stdout
    assert re.search(r"^443 +4,\d{3} ", text, re.M)
    assert re.search(r"^5353 +\d{3} ", text, re.M)


def test_asn_of_addresses() -> None:
    addresses = ["8.8.8.8", "2606:4700:4700::1111", "10.0.0.1"]
    text = run("asn", *addresses).stdout
    assert re.search(r"^8\.8\.8\.8 +AS15169 +Google LLC +US ", text, re.M)
    assert re.search("^10[.]0[.]0[.]1 +\N{EN DASH} +Private address +\N{EN DASH}", text, re.M)
    rows = json.loads(run("asn", *addresses, "--json").stdout)
    assert rows == ft.AsnDatabase().lookup(addresses).to_pylist()


def test_asn_of_addresses_from_standard_input() -> None:
    done = run("asn", "-", "--json", stdin=b"8.8.8.8\n::1 10.0.0.1\n\n")
    assert [row["address"] for row in json.loads(done.stdout)] == ["8.8.8.8", "::1", "10.0.0.1"]
    assert json.loads(run("asn", "-", "--json").stdout) == []
    done = run("asn", "-", stdin=b"8.8.8.8\n\xff\x1b[31m\n", status=2)
    assert done.stderr == "error: address 2: '\\\\xff\\x1b[31m' is not an IP address\n"


def test_asn_from_a_given_database(shared: Path) -> None:
    path = shared / "mmdb" / "maxmind-test" / "GeoLite2-ASN-Test.mmdb"
    rows = json.loads(run("asn", "1.128.0.0", "--asn", path, "--json").stdout)
    assert rows == ft.AsnDatabase(path).lookup(["1.128.0.0"]).to_pylist()


def test_db_info() -> None:
    files = ft.AsnDatabase().files
    documents = json.loads(run("db", "info", "--json").stdout)
    text = run("db", "info").stdout
    for file, document in zip(files, documents, strict=True):
        assert document["path"] == file.path
        assert document["built"] == file.built.isoformat()
        assert document["networks"] == file.networks
        assert document["licences"] == list(file.licences)
        assert f"Networks     {file.networks:,}\n" in text
        assert f"Source       {file.source}\n" in text
        assert f"Warning      {file.warning}\n" in text
        for attribution in (*document["attributions"], *file.attributions):
            assert attribution in text


def test_db_info_of_a_given_file(shared: Path) -> None:
    path = shared / "mmdb" / "maxmind-test" / "GeoLite2-ASN-Test.mmdb"
    (document,) = json.loads(run("db", "info", path, "--json").stdout)
    assert (document["kind"], document["source"]) == ("GeoLite2-ASN", None)
    assert "GeoLite2-ASN" in run("db", "info", path).stdout


def test_report_in_html(tmp_path: Path, parquet: Path) -> None:
    for library in ("msticpy", "bokeh", "folium", "jinja2"):
        pytest.importorskip(library, reason="needs the extra notebook")
    path = tmp_path / "report.html"
    command = ["summary", parquet, "--host", sample.HOST_IP, "--json"]
    done = run(*command, "--html", path)
    assert done.stdout == run(*command).stdout
    assert done.stderr.endswith(f"report written to {path.resolve()}\n")
    page = path.read_text(encoding="utf-8")
    assert sample.HOST_IP in page
    assert "Varna Data Center" in page
