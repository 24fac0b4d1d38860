"""The notebooklets as msticnb lists them: a tree, an index, a search, a browser, pivots."""

from flowtriage.catalogue.container import NBContainer
from flowtriage.catalogue.discovery import add_pivot_funcs, discover_modules, find, nb_index, nblts
from flowtriage.catalogue.registration import register

__all__ = [
    "NBContainer",
    "add_pivot_funcs",
    "discover_modules",
    "find",
    "nb_index",
    "nblts",
    "register",
]
