"""Flow OA: suspicious connections of a day, ranked, enriched and stored."""

from flowtriage.configuration import Settings, load
from flowtriage.inputs.timespan import day_of
from flowtriage.oa.pipeline import STEPS, FlowOA, Run
from flowtriage.store.ingest import Ingested
from flowtriage.store.raw_flows import RawFlows

__all__ = ["STEPS", "FlowOA", "Ingested", "RawFlows", "Run", "Settings", "day_of", "load"]
