"""docs/parity.md has a row for every name, and the tests that it names exist."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
TABLE = HERE.parents[1] / "docs" / "parity.md"
TITLES = {
    "Host Network Summary",
    "Map of geographic location of selected IPs communicating with host",
    "Map of geographic location of all IPs communicating with host",
    "Flow Index.",
    "Flow Summary with ASN details.",
    "TI Lookup for IP Addresses in selected ASNs.",
    "Timeline of network flows quantity.",
    "Timeline of network flows by direction.",
    "Timeline of network flows by protocol type.",
    "Select the ASNs to process.",
}
NAMES = {
    *("NetworkFlowSummary", "NetworkFlowResult", "NBFunc", "MsticnbMissingParameterError"),
    *("plot_flows", "plot_flow_values", "flow_summary", "resolve_host", "geo_map"),
    *("host_entity", "network_flows", "plot_flows_by_protocol", "plot_flows_by_direction"),
    *("flow_index", "flow_index_data", "ti_results", "geo_map_selected"),
    *("__init__", "run", "select_asns", "lookup_ti_for_asn_ips", "show_selected_asn_map"),
    *("check_table_exists", "check_valid_result_data", "get_methods", "get_pivot_run"),
    *("get_provider", "list_methods", "run_nb_func", "run_nb_funcs", "add_nb_function"),
    *("all_options", "default_options", "description", "entity_types", "get_help"),
    *("get_settings", "import_cell", "keywords", "list_options", "match_terms", "name"),
    *("print_options", "result", "show_help", "silent"),
    *("value", "data", "timespan", "options", "start", "end", "data_providers"),
    *("init", "DataProviders", "current", "list_providers", "has_required_providers"),
    *("add_provider", "get_def_providers", "QueryProvider", "register", "view_events"),
    *("nblts", "nb_index", "find", "browse", "discover_modules", "add_pivot_funcs"),
    *("set_opt", "get_opt", "module_path", "metadata", "NBBrowser", "dp_init"),
}
OF_SPOT = {
    *("start_investigation", "display_controls", "search_ip", "get_in_out_and_twoway_conns"),
    *("display_threat_box", "save_threat_summary", "display_results", "get_top_bytes"),
    *("get_top_conns", "removeWidget"),
}


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return [row for row in cells if "::" in row[-1]]


def defined_tests() -> set[str]:
    found = set()
    for file in HERE.rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        defined = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        found |= {f"{file.relative_to(HERE)}::{node.name}" for node in defined}
    return found


def test_every_name_has_its_row() -> None:
    named = [row[0].strip("`") for row in rows() if len(row) == 4]
    assert set(named) == NAMES | TITLES | OF_SPOT
    twice = {"flow_summary", "geo_map", "plot_flow_values", "options", "timespan"}
    twice |= {"flow_index_data", "data_providers"}
    assert {name for name in named if named.count(name) > 1} == twice


def test_every_row_has_a_state_and_an_existing_test() -> None:
    known = defined_tests()
    for row in rows():
        assert row[-1].strip("`") in known
        if len(row) == 4:
            assert row[1] in ("kept", "mended", "beyond")


def test_the_names_are_those_of_the_original(shared: Path) -> None:
    seed = shared.parent / "seeds" / "network_flow_summary.txt"
    if not seed.is_file():
        pytest.skip("the description of the original is absent")
    lines = seed.read_text(encoding="utf-8").splitlines()
    under = pairwise(lines)
    headings = {
        line.replace("\\", "").strip() for line, rule in under if re.fullmatch(r"[~^]{3,}", rule)
    }
    attributes = {m[1] for line in lines if (m := re.match(r"-  \| (\w+) : ", line))}
    options = {m[1] for line in lines if (m := re.match(r"-\s+(\w+): ", line))}
    parameters = {m[1] for line in lines if (m := re.match(r"(\w+) : ", line))}
    prose = {
        *("Attributes", "Inherited methods", "Instance Methods", "Other Methods", "Parameters"),
        *("Other Parameters", "Returns", "Raises", "Default Options", "Other Options"),
    }
    original = (headings | attributes | options | parameters) - prose
    assert len(original) == 59
    assert original <= NAMES | TITLES


def test_the_functions_are_those_of_spot(shared: Path) -> None:
    seed = shared.parent / "seeds" / "flow_threat_investigation.txt"
    if not seed.is_file():
        pytest.skip("the description of the original is absent")
    text = seed.read_text(encoding="utf-8").partition("## FUNCTIONS")[2]
    assert set(re.findall(r"^`(\w+)\(", text, re.MULTILINE)) == OF_SPOT
    methods = (HERE.parents[1] / "python" / "flowtriage" / "threat_investigation").glob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in methods)
    assert {one for one in OF_SPOT if re.search(rf"def {one}\(\s*self", source)} == OF_SPOT
