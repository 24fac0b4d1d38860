"""Tree of notebooklets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class NBContainer:
    """A folder of notebooklets, whose members are attributes.

    Examples
    --------
    >>> from flowtriage import nblts
    >>> print(nblts)
    azsent
      network
        FlowThreatInvestigation (Notebooklet)
        NetworkFlowSummary (Notebooklet)
    >>> nblts.azsent.network.NetworkFlowSummary.name()
    'NetworkFlowSummary'
    """

    def iter_classes(self) -> Iterator[tuple[str, Any]]:
        """Return the name and the class of each notebooklet of this folder and those in it."""
        for name, member in self:
            if isinstance(member, NBContainer):
                yield from member.iter_classes()
            else:
                yield name, member

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Return the members with their names."""
        return iter(sorted(vars(self).items()))

    def __len__(self) -> int:
        """Return the number of members."""
        return len(vars(self))

    def __getattr__(self, name: str) -> Any:
        """Raise an error that lists the members."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"there is no notebooklet or folder {name}; there are {', '.join(sorted(vars(self)))}. "
            "For notebooklets of msticnb, import msticnb and call flowtriage.register()"
        )

    def __str__(self) -> str:
        """Return the tree as indented text."""
        lines = []
        for name, member in self:
            if isinstance(member, NBContainer):
                lines += [name, *(f"  {line}" for line in str(member).splitlines())]
            else:
                lines.append(f"{member.__name__} (Notebooklet)")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the tree as text."""
        return str(self)
