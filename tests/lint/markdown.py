"""Just enough of Markdown for the checks of the documents: sections, fenced code, code spans, links, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass
class Line:
    number: int
    text: str
    fenced: bool  # within a code block

    @property
    def spans(self) -> list[str]:
        """What stands in back-quotes."""
        return [] if self.fenced else [m[2] for m in _SPAN.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The line without code, links' targets and comments."""
        if self.fenced:
            return ""
        return re.sub(r"<!--.*?-->", " ", re.sub(r"\]\([^)]*\)", "]", _SPAN.sub(" ", self.text)))

    @property
    def links(self) -> list[str]:
        return [] if self.fenced else _LINK.findall(_SPAN.sub(" ", self.text))

    @property
    def cells(self) -> list[str] | None:
        """Of a table's row; None: not a row, or the line below the head."""
        if self.fenced or not self.text.startswith("|"):
            return None
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", self.text.strip().strip("|"))]
        return None if all(re.fullmatch(r":?-+:?", c) for c in cells) else cells


@dataclass
class Section:
    level: int  # 0: what stands before the first heading
    title: str
    lines: list[Line] = field(default_factory=list)


def lines_of(text: str) -> Iterator[Line]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        if not fence:
            yield Line(number, line, fenced)
        fenced ^= fence


def sections_of(text: str) -> list[Section]:
    sections = [Section(0, "")]
    for line in lines_of(text):
        heading = None if line.fenced else re.match(r"(#+)\s+(.*)", line.text)
        if heading:
            sections.append(Section(len(heading[1]), heading[2].strip()))
        sections[-1].lines.append(line)
    return sections


def anchors_of(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = [s.title.replace("`", "") for s in sections_of(text) if s.level]
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
