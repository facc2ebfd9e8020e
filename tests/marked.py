"""Parts of a page that a program writes, between two lines that mark them."""

from __future__ import annotations

import re


def with_part(page: str, begin: str, end: str, *, text: str) -> str:
    """A page with a text between its marks.

    Args:
        page: The page.
        begin: The line before.
        end: The line after.
        text: What stands between them.

    Raises:
        SystemExit: The page has lost the marks.
    """
    pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise SystemExit(f"the page needs these two lines, once:\n{begin}{end}")
    return pattern.sub(lambda _: f"\n{text}\n\n", page)
