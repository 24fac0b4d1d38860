"""Flow OA: suspicious connections of a day, ranked, enriched and stored."""

from flowtriage.oa.configuration import Settings, load
from flowtriage.oa.dates import day_of
from flowtriage.oa.ingest import RawFlows
from flowtriage.oa.ingested import Ingested
from flowtriage.oa.pipeline import STEPS, FlowOA, Run

__all__ = ["STEPS", "FlowOA", "Ingested", "RawFlows", "Run", "Settings", "day_of", "load"]
