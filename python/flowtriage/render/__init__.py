"""Sections as HTML, text, pages and notebook output."""

from flowtriage.render.html_tables import html_table
from flowtriage.render.page import write_page
from flowtriage.render.plots import plot_frame
from flowtriage.render.section import Section

__all__ = ["Section", "html_table", "plot_frame", "write_page"]
