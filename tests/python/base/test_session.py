"""`init`: what it loads and what it leaves unchanged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

import flowtriage as ft
from flowtriage import sample

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
ALONE = ["-tilookup", "-geolitelookup"]


@pytest.fixture
def day(tmp_path: Path) -> Path:
    path = tmp_path / "day.parquet"
    pyarrow.parquet.write_table(sample.office_day(), path)
    return path


def test_without_msticpy_local_files_work_and_other_providers_name_the_extra(day: Path) -> None:
    code = f"""
import sys
sys.modules["msticpy"] = None
import flowtriage as ft
ft.init(LocalFlows_paths={str(day)!r})
nb = ft.NetworkFlowSummary()
print(nb.check_table_exists("day.parquet"), "MSSentinel" in ft.DataProviders.list_providers())
try:
    ft.init("MSSentinel")
except ft.errors.MsticnbDataProviderError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "Loaded providers: LocalFlows"
    assert [line.split(":")[0] for line in lines[1:3]] == ["geolitelookup", "tilookup"]
    assert lines[3] == "True False"
    assert all('pip install "flowtriage[notebook]"' in line for line in (*lines[1:3], lines[4]))


def test_init_writes_nothing_into_globals(day: Path) -> None:
    code = (
        "import flowtriage as ft\nft.init(LocalFlows_paths=day, providers=alone, namespace=space)"
    )
    space: dict[str, Any] = {}
    caller: dict[str, Any] = {
        "day": day,
        "alone": ALONE,
        "space": space,
        "__builtins__": __builtins__,
    }
    before = set(caller)
    exec(code, caller)
    assert set(caller) - before == {"ft"}
    assert space == {}
    assert ft.DataProviders.current().query_provider.paths == [day]


def test_providers_are_loaded_without_pivot_functions(
    day: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowtriage import session

    added: list[bool] = []
    monkeypatch.setattr(session, "add_pivot_funcs", lambda: added.append(True))
    monkeypatch.setattr(session, "environments", lambda: ["LocalFlows"])
    ft.dp_init(providers=ALONE, LocalFlows_paths=day)
    assert capsys.readouterr().out == "Loaded providers: LocalFlows\n"
    assert ft.DataProviders.current().query_provider.paths == [day]
    assert added == []
    ft.init(providers=ALONE, LocalFlows_paths=day)
    assert added == [True]
