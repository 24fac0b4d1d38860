"""The tree, the index and the search of notebooklets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import flowtriage as ft
from flowtriage.catalogue import NBContainer
from flowtriage.errors import ArgumentError

pytestmark = pytest.mark.extra
MODULE = '''
import flowtriage as ft


class Rare(ft.Notebooklet):
    """Find rare peers; a banana."""

    def run(self, value=None, data=None, timespan=None, options=None, **keywords):
        """Run it."""
        return ft.NotebookletResult("rare")


class _Hidden:
    pass
'''
METADATA = """
metadata:
  name: Rare
  description: Rare peers
  default_options: [{count: Count them.}]
  other_options: []
  keywords: [rare]
  entity_types: [host]
  req_providers: []
sections: {}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of notebooklets, forgotten afterwards."""
    root = tmp_path / "of_the_team"
    (root / "hosts").mkdir(parents=True)
    (root / "hosts" / "rare.py").write_text(dedent(MODULE), encoding="utf-8")
    (root / "hosts" / "rare.yaml").write_text(METADATA, encoding="utf-8")
    (root / "_private.py").write_text("raise RuntimeError", encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield root
    vars(ft.nblts).pop("of_the_team", None)
    ft.nb_index.pop("nblts.of_the_team.hosts.Rare", None)
    for name in [name for name in sys.modules if name.startswith("of_the_team")]:
        del sys.modules[name]


def test_the_tree_and_the_index_have_the_same_classes() -> None:
    assert ft.nblts.azsent.network.NetworkFlowSummary is ft.NetworkFlowSummary
    classes = dict(ft.nblts.iter_classes())
    assert classes == {
        "FlowThreatInvestigation": ft.FlowThreatInvestigation,
        "NetworkFlowSummary": ft.NetworkFlowSummary,
    }
    assert ft.nb_index == {f"nblts.azsent.network.{name}": cls for name, cls in classes.items()}
    assert (len(ft.nblts), len(ft.nblts.azsent.network)) == (1, 2)
    assert str(ft.nblts).splitlines()[:2] == ["azsent", "  network"]
    assert repr(ft.nblts) == str(ft.nblts)
    assert all(issubclass(cls, ft.Notebooklet) for cls in classes.values())


def test_a_notebooklet_of_msticnb_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(AttributeError, match=r"there are network\. .*flowtriage\.register\(\)"):
        _ = ft.nblts.azsent.host.HostSummary
    assert not hasattr(ft.nblts, "_repr_png_")
    assert not hasattr(NBContainer(), "x")


@pytest.mark.parametrize(
    ("terms", "full", "names"),
    [
        ("host, net.*", True, ["NetworkFlowSummary"]),
        ("network flow", True, ["FlowThreatInvestigation", "NetworkFlowSummary"]),
        ("geo_map storyboard", True, []),
        ("plot_flows geo_map storyboard", False, ["NetworkFlowSummary", "FlowThreatInvestigation"]),
        ("monkey stew", True, []),
        ("monkey stew", False, []),
        ("host(", True, []),
    ],
)
def test_terms_find_notebooklets(terms: str, full: bool, names: list[str]) -> None:
    found = ft.find(terms, full_match=full)
    assert [name for name, _ in found] == names
    assert all(cls is getattr(ft, name) for name, cls in found)


def test_folders_of_the_user_join_the_tree(folder: Path) -> None:
    tree = ft.discover_modules(nb_path=str(folder))
    assert tree is ft.nblts
    rare = ft.nblts.of_the_team.hosts.Rare
    assert ft.nb_index["nblts.of_the_team.hosts.Rare"] is rare
    assert ft.find("banana") == [("Rare", rare)]
    assert rare.module_path == str(folder / "hosts" / "rare.py")
    assert rare.metadata.mod_name == "of_the_team.hosts.rare"
    assert "- count: Count them." in (rare.run.__doc__ or "")
    assert rare(silent=True).options == ["count"]
    again = len(list(ft.discover_modules([folder]).iter_classes()))
    assert again == 3


def test_folders_that_are_none_and_modules_that_fail(folder: Path) -> None:
    with pytest.raises(ArgumentError, match="absent is not a folder"):
        ft.discover_modules(folder / "absent")
    (folder / "broken.py").write_text("import no_such_module", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"of_the_team\.broken cannot be imported: .*no_such"):
        ft.discover_modules(folder)
    assert "Rare" in dict(ft.nblts.iter_classes())


def test_looking_at_the_tree_imports_neither_msticpy_nor_msticnb() -> None:
    code = (
        "import sys, flowtriage as ft\n"
        "str(ft.nblts), ft.nb_index, ft.find('host'), ft.DataProviders.query_provider\n"
        "ft.data_providers, ft.discover_modules(), ft.get_opt('silent')\n"
        "print([name for name in ('msticpy', 'msticnb', 'ipywidgets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
