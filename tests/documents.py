"""The documentation as its readers use it: blocks of code, tables, links and headings of the Markdown files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt  # comes with rich

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "METHODOLOGY.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")),
    "examples/data/README.md",
)
"""Every Markdown file of the repository."""
GUIDES = tuple(page for page in DOCUMENTS if page.startswith(("docs/tutorials/", "docs/howto/")))
"""The pages whose blocks go on where the one before them ended; tests/guides.py runs them whole."""


@dataclass(frozen=True)
class Block:
    """A block of code.

    Args:
        document: Where it stands.
        line: The line of its first word of code.
        language: What it is written in.
        text: The code.
    """

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands, as editors have it."""
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Fence:
    """A block of code and where it stands on its page.

    Args:
        language: What it is written in.
        text: The code.
        first: The number of its first line of code, from 0.
        last: That of the line with its end.
    """

    language: str
    text: str
    first: int
    last: int


def read(document: str) -> str:
    """The text of a document, each run of blanks and line ends as one blank, for sentences to be found in."""
    return " ".join((ROOT / document).read_text(encoding="utf-8").split())


def fences(document: str) -> list[Fence]:
    """All blocks of a document, in order."""
    return [
        Fence(token.info, token.content, token.map[0] + 1, token.map[1] - 1)
        for token in _tokens(document)
        if token.type == "fence" and token.map
    ]


def blocks(language: str) -> list[Block]:
    """All blocks in a language, in all documents."""
    return [
        Block(document, token.map[0] + 2, token.info, token.content)
        for document in DOCUMENTS
        for token in _tokens(document)
        if token.type == "fence" and token.info == language and token.map
    ]


def commands(documents: Collection[str] = DOCUMENTS) -> list[str]:
    """What readers are told to type, in these documents, without the remarks behind it."""
    lines = (line for block in blocks("console") if block.document in documents for line in block.text.splitlines())
    return [re.sub(r"\s+#.*", "", line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


def code_words(document: str) -> list[str]:
    """What stands between backticks within sentences and tables."""
    return [inner.content for inner in _inner(document) if inner.type == "code_inline"]


def tables(document: str) -> list[list[list[str]]]:
    """All tables: their rows, the head first, of cells in Markdown."""
    found: list[list[list[str]]] = []
    for token in _tokens(document):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level == _CELL_LEVEL:
            found[-1][-1].append(token.content)
    return found


def table(document: str, *head: str) -> list[list[str]]:
    """The rows of the one table whose head begins with these cells."""
    [rows] = [rows for rows in tables(document) if rows[0][: len(head)] == list(head)]
    return rows[1:]


def links(document: str) -> list[str]:
    """Where a document's links lead."""
    return [str(inner.attrs["href"]) for inner in _inner(document) if inner.type == "link_open"]


def images(document: str) -> list[tuple[str, str]]:
    """The pictures of a document, and what is said for those who cannot see them."""
    return [(str(inner.attrs["src"]), inner.content) for inner in _inner(document) if inner.type == "image"]


def anchors(document: str) -> set[str]:
    """The names under which GitHub finds a document's headings."""
    titles = [after.content for token, after in pairwise(_tokens(document)) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


_CELL_LEVEL = 4


def _tokens(document: str) -> list[Token]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)


def _inner(document: str) -> Iterator[Token]:
    for token in _tokens(document):
        yield from token.children or []
