"""Findings as HTML and as text: the most severe in view, the others one click away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import ClassVar

from flowtriage.humanize import sanitize
from flowtriage.render.section import anchor
from flowtriage.render.sparkline import Sparkline

SEVERITIES = ("high", "warning", "information")
IN_VIEW, OF_A_KIND, FOLDED, IN_TEXT = 10, 3, 100, 20
"""Findings in view, of each severity and kind among them, in each fold, and in a terminal."""
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")


@dataclass(frozen=True)
class TableLink:
    """A link to the table of another section; a filter selects its rows."""

    text: str
    section: str
    filter: str = ""


@dataclass(frozen=True)
class FindingCard:
    """One finding; its values are untrusted, and escaped where they are shown.

    Parameters
    ----------
    severity, detector, summary
        Severity, name of the kind of finding, and the sentence.
    remarks
        Short facts in view.
    technique
        Technique of MITRE ATT&CK.
    evidence
        Name, value and threshold of each part of the score.
    facts
        Labels and texts beside the evidence.
    links
        Links to tables with the flows.
    sparkline
        Picture of the flows.
    """

    severity: str
    detector: str
    summary: str
    remarks: Sequence[str] = ()
    technique: str | None = None
    evidence: Sequence[tuple[str, str, str]] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[TableLink] = ()
    sparkline: Sparkline | None = None

    def as_html(self) -> str:
        """Render the finding as HTML without its style."""
        remarks = [_escaped(text) for text in (self.detector, *self.remarks)]
        if self.technique:
            remarks.append(_technique(self.technique))
        picture = "" if self.sparkline is None else self.sparkline.as_html()
        return (
            f'<div class="ft-finding" role="listitem"><div class="ft-said">'
            f"<p>{_badge(self.severity)} {_escaped(self.summary)}</p>"
            f'<p class="ft-remarks">{" · ".join(remarks)}</p>{self._details()}</div>{picture}</div>'
        )

    def _details(self) -> str:
        rows = "".join(
            f'<tr><th scope="row">{_escaped(name)}</th><td>{_escaped(value)}</td>'
            f"<td>{_escaped(threshold)}</td></tr>"
            for name, value, threshold in self.evidence
        )
        table = (
            '<table><thead><tr><th scope="col">Evidence</th><th scope="col">Value</th>'
            f'<th scope="col">Threshold</th></tr></thead><tbody>{rows}</tbody></table>'
        )
        facts = "".join(
            f'<tr><th scope="row">{_escaped(label)}</th><td>{_escaped(text)}</td></tr>'
            for label, text in self.facts.items()
        )
        links = "".join(map(_link, self.links))
        return (
            f'<div class="ft-more"><details><summary>Evidence</summary>{table if rows else ""}'
            f'<table class="ft-facts"><tbody>{facts}</tbody></table></details>{links}</div>'
        )


@dataclass(frozen=True)
class FindingList:
    """Findings in their order, the most severe first.

    Parameters
    ----------
    cards
        The findings to show: of each severity the first ones, and the first ones of each kind.
    counts
        Number of all findings by severity and name of the kind.
    rest
        Where those that are not shown are.
    """

    style: ClassVar[str] = "findings.css"
    script: ClassVar[str] = "findings.js"
    cards: Sequence[FindingCard]
    counts: Mapping[tuple[str, str], int]
    rest: str = ""

    @property
    def total(self) -> str:
        """Number of findings, in all and by severity."""
        texts = [
            f"{count:,} {severity}" for severity in SEVERITIES if (count := self._count(severity))
        ]
        every = sum(self.counts.values())
        return f"{every:,} {'finding' if every == 1 else 'findings'}: {', '.join(texts)}"

    def _count(self, severity: str) -> int:
        return sum(count for (named, _), count in self.counts.items() if named == severity)

    def as_text(self) -> str:
        """Render the findings as text: severity and sentence."""
        width = max(map(len, SEVERITIES)) + 1
        lines = [f"{card.severity.upper():{width}} {card.summary}" for card in self.cards[:IN_TEXT]]
        more = sum(self.counts.values()) - len(lines)
        if more > 0:
            lines.append(f"… {more:,} more. {self.rest}".rstrip())
        return "\n".join(map(sanitize, [f"{self.total}.", *lines]))

    def as_html(self, *, classes: str = "") -> str:
        """Render the findings as HTML without their style, in an element with further classes."""
        in_view = self._in_view()
        folds = (self._fold(severity, in_view) for severity in SEVERITIES)
        return (
            f'<div class="ft-findings {classes}"><p class="ft-count">{_escaped(self.total)}</p>'
            f"{_listed(in_view)}{''.join(folds)}</div>"
        )

    def _in_view(self) -> list[FindingCard]:
        """Return the first findings above information, a few of each kind."""
        seen: Counter[tuple[str, str]] = Counter()
        chosen = []
        for card in self.cards:
            key = card.severity, card.detector
            seen[key] += 1
            if card.severity != SEVERITIES[-1] and seen[key] <= OF_A_KIND:
                chosen.append(card)
        return chosen[:IN_VIEW]

    def _fold(self, severity: str, in_view: Sequence[FindingCard]) -> str:
        """Render the findings of a severity that are not in view as an element that opens."""
        above = Counter(card.detector for card in in_view if card.severity == severity)
        kinds = Counter({kind: n for (named, kind), n in self.counts.items() if named == severity})
        kinds -= above
        count = kinds.total()
        if not count:
            return ""
        above_ids = set(map(id, in_view))
        cards = [card for card in self.cards if card.severity == severity]
        shown = [card for card in cards if id(card) not in above_ids][:FOLDED]
        named = ", ".join(f"{_escaped(kind)} {n:,}" for kind, n in kinds.most_common())
        left = count - len(shown)
        rest = f"<p>{_escaped(f'… {left:,} more. {self.rest}')}</p>" if left else ""
        return (
            f"<details><summary>{_badge(severity)} {count:,}{' more' if above else ''}"
            f"<em>{named}</em></summary>{_listed(shown)}{rest}</details>"
        )


def _listed(cards: Iterable[FindingCard]) -> str:
    items = "".join(card.as_html() for card in cards)
    return f'<div class="ft-list" role="list">{items}</div>' if items else ""


def _badge(severity: str) -> str:
    known = severity if severity in SEVERITIES else SEVERITIES[-1]
    return f'<span class="ft-severity ft-{known}">{_escaped(severity)}</span>'


def _technique(technique: str) -> str:
    name = f"ATT&amp;CK {_escaped(technique)}"
    if not _TECHNIQUE.fullmatch(technique):
        return name
    page = f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}/"
    return f'<a href="{page}" target="_blank" rel="noopener noreferrer">{name}</a>'


def _link(link: TableLink) -> str:
    return (
        f'<a href="#{anchor(link.section)}" data-ft-table="{_escaped(link.section)}" '
        f'data-ft-filter="{_escaped(link.filter)}">{_escaped(link.text)}</a>'
    )


def _escaped(text: str) -> str:
    return escape(sanitize(text))
