"""Reports in HTML, and the tables in them."""

from flowtriage.report.frame import plot_frame
from flowtriage.report.html import write_report
from flowtriage.report.tables import html_table

__all__ = ["html_table", "plot_frame", "write_report"]
