"""Quality of flows: the read report, what matters of it, and the warnings about it."""

from flowtriage.quality.bad_rows import BadRow, OtherHost
from flowtriage.quality.notices import TITLE, notices
from flowtriage.quality.report import ReadReport
from flowtriage.quality.warn import (
    QualityWarning,
    warn_inside,
    warn_notices,
    warn_reading,
    warn_settled,
)

__all__ = [
    "TITLE",
    "BadRow",
    "OtherHost",
    "QualityWarning",
    "ReadReport",
    "notices",
    "warn_inside",
    "warn_notices",
    "warn_reading",
    "warn_settled",
]
