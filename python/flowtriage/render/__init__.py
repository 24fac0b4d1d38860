"""Reports in HTML, and the tables in them."""

from flowtriage.render.html_tables import html_table
from flowtriage.render.page import write_report
from flowtriage.render.plots import plot_frame

__all__ = ["html_table", "plot_frame", "write_report"]
