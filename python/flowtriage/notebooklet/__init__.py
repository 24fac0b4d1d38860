"""The base classes of notebooklets."""

from flowtriage.notebooklet.base import Notebooklet
from flowtriage.notebooklet.result import NotebookletResult

__all__ = ["Notebooklet", "NotebookletResult"]
