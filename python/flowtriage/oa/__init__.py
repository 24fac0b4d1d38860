"""Flow OA: rank, enrich and store the suspicious connections of a day."""

from flowtriage.configuration import Settings, load_settings
from flowtriage.inputs.timespan import parse_day
from flowtriage.oa.pipeline import STEPS, FlowOA, Run
from flowtriage.store.ingest import Ingested
from flowtriage.store.raw_flows import RawFlows

__all__ = [
    "STEPS",
    "FlowOA",
    "Ingested",
    "RawFlows",
    "Run",
    "Settings",
    "load_settings",
    "parse_day",
]
