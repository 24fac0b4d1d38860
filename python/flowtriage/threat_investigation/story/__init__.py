"""Stories: the result of an investigation with an analyst's notes, as data, page and bundle."""

from __future__ import annotations

import os
from pathlib import Path

from flowtriage.threat_investigation.story.bundle import write_bundle
from flowtriage.threat_investigation.story.page import write_story
from flowtriage.threat_investigation.story.story import Input, StoryData

__all__ = ["Input", "Story"]


class Story(StoryData):
    """The story of one address: the data of `StoryData`, and methods that write it to files."""

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the story as one HTML page; see `write_story`."""
        return write_story(self, path)

    def write_bundle(self, path: str | os.PathLike[str]) -> Path:
        """Write the story as a .zip archive; see `write_bundle`."""
        return write_bundle(self, path)
