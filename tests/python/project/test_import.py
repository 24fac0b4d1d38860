"""Importing the package is fast and needs pyarrow only."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pandas", "msticpy", "bokeh", "folium", "typer", "IPython", "yaml", "msticnb")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_brings_no_heavy_library() -> None:
    loaded = run(f"import sys, flowtriage; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded == "[]"


def test_functions_need_pyarrow_only() -> None:
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {HEAVY!r}: raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import flowtriage as ft
from flowtriage import sample
index = ft.flow_index(sample.office_day())
binned = ft.timeline(sample.office_day(), by='service')
print(ft.flow_summary(index).num_rows > 20, binned.num_rows > 20)
"""
    assert run(code) == "True True"


def test_notebooklet_without_its_extra_names_it() -> None:
    code = """
import sys
sys.modules['msticpy'] = None
import flowtriage as ft
from flowtriage import sample
try:
    nb = ft.NetworkFlowSummary(silent=True)
    nb.run('10.20.30.41', data=sample.office_day(), options=['flow_summary'])
except ft.errors.MissingExtraError as error:
    print(error)
"""
    assert 'pip install "flowtriage[notebook]"' in run(code)


def test_every_public_name_exists() -> None:
    names = run("import flowtriage as ft; print(all(hasattr(ft, n) for n in ft.__all__))")
    assert names == "True"
