"""With msticnb 1.2.3 loaded: its error clauses, base class and providers work with ours."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.errors import MsticnbDataProviderError, MsticnbMissingParameterError

pytest.importorskip("msticpy")

import azure_network
from azure_network import END, START, TOTAL, WEB, msticnb_providers

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore"),
]


def test_clauses_for_their_errors_catch_ours(msticnb: Any) -> None:
    from msticnb import common

    with pytest.raises(common.MsticnbMissingParameterError, match="value is missing") as error:
        ft.NetworkFlowSummary(silent=True).run()
    assert isinstance(error.value, MsticnbMissingParameterError)
    assert isinstance(error.value, common.MsticnbError)
    with pytest.raises(common.MsticnbMissingParameterError, match=r"flowtriage\.init"):
        ft.NetworkFlowSummary(silent=True).run(WEB, start=START, end=END)
    with pytest.raises(common.MsticnbDataProviderError, match="not loaded") as lost:
        ft.NetworkFlowSummary().get_provider("mailbox")
    assert isinstance(lost.value, MsticnbDataProviderError)


def test_ours_is_an_instance_of_their_notebooklet(msticnb: Any) -> None:
    nb = ft.NetworkFlowSummary()
    assert isinstance(nb, msticnb.notebooklet.Notebooklet)
    assert issubclass(ft.NetworkFlowSummary, msticnb.notebooklet.Notebooklet)


def test_their_current_providers_are_used(msticnb: Any, tmp_path: Path) -> None:
    providers = msticnb_providers(msticnb, tmp_path, azure_network.flows())
    nb = ft.NetworkFlowSummary(silent=True)
    assert nb.data_providers is providers is ft.DataProviders.current()
    assert nb.query_provider is providers.query_provider
    assert nb.get_provider("tilookup") is providers.providers["tilookup"]
    found = nb.run(WEB, start=START, end=END, options=["flow_summary"])
    assert found.flow_index is not None
    assert found.flow_index["TotalAllowedFlows"].sum() == TOTAL
    own = ft.DataProviders("LocalData", ["tilookup"], LocalData_data_paths=[str(tmp_path)])
    assert nb.data_providers is own


def test_every_name_for_users_of_their_package_is_here(msticnb: Any) -> None:
    """Not here: their modules and `create_template`, which are for authors of notebooklets."""
    theirs = {
        name
        for name, value in vars(msticnb).items()
        if name[0] != "_"
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", "") != "typing"
    }
    assert {"NBBrowser", "dp_init", "init", "browse", "nblts", "nb_index"} <= theirs
    missing = {name for name in theirs if not hasattr(ft, name)}
    assert missing <= {"VERSION", "create_template"}
    for module in ("common", "nb_metadata", "read_modules", "notebooklet_result"):
        assert not hasattr(ft, module)
    assert not hasattr(ft.NetworkFlowSummary(), "_last_result")
