"""Addresses of databases, which may hold a password."""

from __future__ import annotations

import re
from typing import Final

_PASSWORD: Final = re.compile(r"(://[^/@:]*):.*@")
_QUERIED: Final = re.compile(r"(password=)[^&\s]*", re.IGNORECASE)


def without_password(url: str) -> str:
    """A URL for people, without its password; what is no URL may itself be a password."""
    return masked(url) if "://" in url else "***"


def masked(text: str, password: str | None = None) -> str:
    """A text without the passwords of URLs in it.

    Args:
        text: The text.
        password: A password that may stand in it by itself.
    """
    hidden = text.replace(password, "***") if password else text
    return _QUERIED.sub(r"\1***", _PASSWORD.sub(r"\1:***@", hidden))
