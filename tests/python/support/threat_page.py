"""What the notebook of the test in JupyterLab investigates: a day in a store, some of it scored."""

from __future__ import annotations

from pathlib import Path

import flowtriage as ft
from flowtriage import sample
from oa_work import sample_day
from threat_work import investigation, suspicious

TOP = 6


def made(folder: str) -> ft.FlowThreatInvestigation:
    """Ingest the synthetic day, score what was planted in it, and investigate that."""
    day, flows = sample_day()
    place = Path(folder).absolute()
    place.mkdir()
    nb = investigation(place, flows, day=day, top_results=TOP, silent=False)
    assert nb.store is not None
    suspicious(nb.store, *flows.slice(0, 40).to_pylist(), day=day)
    nb.search(sample.HOST_IP)
    nb.score(1, peer=[finding.peer for finding in sample.FINDINGS])
    return nb
