"""The base classes of notebooklets."""

from flowtriage.notebooklet.base import Notebooklet
from flowtriage.notebooklet.functions import NBFunc
from flowtriage.notebooklet.result import NotebookletResult

__all__ = ["NBFunc", "Notebooklet", "NotebookletResult"]
