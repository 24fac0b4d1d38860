"""Reports in HTML, and the tables in them."""

from .html import write_report
from .tables import html_table

__all__ = ["html_table", "write_report"]
