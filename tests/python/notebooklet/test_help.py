"""The help of a notebooklet is complete and true."""

from __future__ import annotations

import html
import inspect
import pydoc
import re
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.docstring import parse
from flowtriage.providers import LocalFlows
from kernel import execute

pytest.importorskip("yaml")

pytestmark = pytest.mark.extra
CLASS = ft.NetworkFlowSummary
METHODS = [
    name
    for name, member in inspect.getmembers(CLASS)
    if not name.startswith("_") and (callable(member) or isinstance(member, property))
]


def test_help_has_every_part_in_both_formats() -> None:
    markdown, page = CLASS.get_help("md"), CLASS.get_help()
    assert page == CLASS.get_help("html")
    parts = [
        "Notebooklet Class - NetworkFlowSummary",
        "Display Sections",
        "Results Class",
        "NetworkFlowResult",
        "Methods",
        "Instance Methods",
        "Inherited methods",
        "Other Methods",
        "Default Options",
        "Other Options",
    ]
    for part in parts:
        assert re.search(rf"^#+ {part}$", markdown, re.MULTILINE), part
        assert re.search(rf"<h\d>{part}</h\d>", page), part
    assert "## `run` function documentation" in markdown
    for section in CLASS.metadata.sections.values():
        assert f"# {section.title}\n" in markdown
        assert f">{html.escape(section.title)}</h" in page
    for option, text in {**CLASS.metadata.default_options, **CLASS.metadata.other_options}.items():
        assert f"<b>{option}</b>: {html.escape(text)}" in page
    with pytest.raises(ArgumentError, match="unknown help format 'pdf'"):
        CLASS.get_help("pdf")


@pytest.mark.parametrize("name", [*METHODS, "__init__"])
def test_help_names_every_method_with_its_summary(name: str) -> None:
    member = inspect.getattr_static(CLASS, name)
    summary = parse(member).summary
    assert summary.endswith(".")
    page = CLASS.get_help()
    assert f"<h4>{name}</h4>" in page
    plain = html.escape(summary)
    assert re.sub(r"`+([^`]+)`+", r"<code>\1</code>", plain) in page


def test_help_names_every_attribute_of_the_result() -> None:
    described = dict(parse(ft.NetworkFlowResult).sections["Attributes"])
    names = {term.split(" : ")[0] for term in described}
    own = {"description", "timespan", "notebooklet", "report", "sections", "credits"}
    held = {name for name in vars(ft.NetworkFlowResult(description="x")) if name[0] != "_"}
    assert names == held - own
    page = CLASS.get_help()
    for term, text in described.items():
        assert text
        assert f"<b>{html.escape(term)}</b>" in page


def test_the_options_in_the_docstring_are_those_of_the_metadata() -> None:
    sections = parse(CLASS).sections
    assert dict(sections["Default Options"]) == CLASS.metadata.default_options
    assert dict(sections["Other Options"]) == CLASS.metadata.other_options
    assert [name for name, _ in sections["Methods"]] == [
        "run",
        "select_asns",
        "lookup_ti_for_asn_ips",
        "show_selected_asn_map",
    ]


def _documented(function: Any) -> set[str]:
    sections = parse(function).sections
    found = [*sections.get("Parameters", []), *sections.get("Other Parameters", [])]
    return {name.strip(" *") for term, _ in found for name in term.split(":")[0].split(",")}


@pytest.mark.parametrize("name", [m for m in METHODS if callable(getattr(CLASS, m))])
def test_docstrings_name_the_parameters_that_methods_take(name: str) -> None:
    taken = set(inspect.signature(getattr(CLASS, name)).parameters) - {"self"}
    documented = _documented(getattr(CLASS, name))
    if documented or len(taken) > 1:
        assert documented == taken


KINDS = (ft.DataProviders, LocalFlows, ft.NBFunc, ft.NetworkFlowResult, ft.NotebookletResult)
MEMBERS = [
    (kind, name)
    for kind in KINDS
    for name, member in inspect.getmembers(kind, callable)
    if not name.startswith("_") and name in vars(kind)
]


@pytest.mark.parametrize(("kind", "name"), MEMBERS, ids=lambda part: str(part))
def test_docstrings_around_the_notebooklet_are_complete(kind: type, name: str) -> None:
    member = getattr(kind, name)
    taken = set(inspect.signature(member).parameters) - {"self"}
    doc = parse(member)
    assert doc.summary.endswith(".")
    if _documented(member) or taken:
        assert _documented(member) == taken


@pytest.mark.parametrize("kind", [*KINDS, ft.init], ids=lambda kind: kind.__name__)
def test_constructors_are_documented(kind: Any) -> None:
    taken = set(inspect.signature(kind).parameters)
    if kind not in (ft.NetworkFlowResult, ft.NotebookletResult):
        assert _documented(kind) == taken
    assert parse(kind).summary.endswith(".")


POSITIONAL = ["value", "data", "timespan", "options"]
KEYWORDS = ["start", "end", "silent"]


@pytest.mark.parametrize(
    ("function", "positional", "keywords"),
    [
        (CLASS.run, POSITIONAL, [*KEYWORDS, "asn", "reverse_dns"]),
        (CLASS().run, POSITIONAL, [*KEYWORDS, "asn", "reverse_dns"]),
        (CLASS().get_pivot_run(lambda: ("2013-09-15", None)), POSITIONAL, [*KEYWORDS, "asn"]),
        (ft.Notebooklet.run, POSITIONAL, KEYWORDS),
        (CLASS.add_nb_function, ["nb_func"], ["name", "options", "header", "text"]),
        (CLASS.select_asns, ["asns"], []),
        (ft.NetworkFlowResult.select_asns, ["asns"], []),
    ],
)
def test_signatures_name_and_type_every_parameter(
    function: Any, positional: list[str], keywords: list[str]
) -> None:
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    names = [p.name for p in parameters]
    assert names[: len(positional) + len(keywords)] == [*positional, *keywords]
    assert not any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[len(positional) :])
    assert all(p.annotation not in (p.empty, "Any") for p in parameters if p.name != "value")


def test_the_constructor_takes_parameters_of_providers() -> None:
    parameters = inspect.signature(CLASS).parameters
    assert list(parameters) == ["data_providers", "silent", "parameters"]
    assert parameters["parameters"].kind is inspect.Parameter.VAR_KEYWORD
    assert _documented(CLASS) == set(parameters)


@pytest.mark.parametrize("kind", [CLASS, ft.FlowThreatInvestigation])
def test_help_of_run_lists_the_options(kind: type[ft.Notebooklet]) -> None:
    sections = parse(kind.run).sections
    assert dict(sections["Default Options"]) == kind.metadata.default_options
    assert dict(sections["Other Options"]) == kind.metadata.other_options
    for function in (kind.run, kind(silent=True).run):
        assert kind.list_options().strip() in pydoc.plain(pydoc.render_doc(function)).replace(
            "\n    ", "\n"
        )
    assert kind.get_help("md").count("### Default Options\n") == 2


def test_run_shows_the_types_of_its_arguments() -> None:
    parameters = inspect.signature(CLASS.run).parameters
    assert {name: p.annotation for name, p in parameters.items() if name != "self"} == {
        "value": "HostValue | None",
        "data": "FlowSource | None",
        "timespan": "TimespanLike | None",
        "options": "Iterable[str] | None",
        "start": "TimeLike | None",
        "end": "TimeLike | None",
        "silent": "bool | None",
        "asn": "AsnDatabase | str | os.PathLike[str] | None",
        "reverse_dns": "bool",
        "deduplicate": "bool",
        "all_addresses": "bool",
        "tz": "str | None",
        "date_order": "str | None",
        "internal": "NetworksLike | None",
    }
    for name in parameters:
        assert name in CLASS.get_help("md")


@pytest.mark.parametrize("name", inspect.getfullargspec(CLASS.run).kwonlyargs)
def test_every_keyword_of_run_is_taken(name: str) -> None:
    with pytest.raises(Exception, match="value is missing"):
        CLASS(silent=True).run(**{name: None})


def test_help_of_python_shows_the_same() -> None:
    text = pydoc.plain(pydoc.render_doc(CLASS))
    for name in [*METHODS, "Default Options", "reverse_dns", "MsticnbMissingParameterError"]:
        assert name in text


def test_help_is_shown_as_text_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    CLASS.show_help()
    assert capsys.readouterr().out.strip() == CLASS.get_help("md").strip()


def test_help_is_shown_as_a_page_in_a_notebook(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    code = "import flowtriage as ft\nft.NetworkFlowSummary.show_help()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    execute(notebook, tmp_path)
    (shown,) = [out for out in notebook.cells[0].outputs if out.output_type == "display_data"]
    assert shown.data["text/html"] == CLASS.get_help()


def test_hostile_docstrings_stay_text() -> None:
    class Hostile(CLASS):  # type: ignore[misc, valid-type]
        """Runs <script>alert(1)</script> `<img onerror>`."""

        def odd(self) -> None:
            """Say "><b>`</code><i>`."""

    page = Hostile.get_help()
    assert "<script>" not in page
    assert "<img" not in page
    assert "<i>" not in page
    assert "<script>" not in Hostile.get_help("md")
