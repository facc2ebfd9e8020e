"""Commands without anything that looks like a secret, since they are stored, and shown to others.

A secret is known by the name that it is given to (``--hf_token``, ``WANDB_API_KEY=``, ``"password":``), by its own
shape (``hf_...``, ``sk-...``), or by its place in a URL. Hiding too much costs a word in a table; hiding too little
costs an account.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN: Final = "***"
_MOST_CHARACTERS: Final = 4_096
"""The longest word that is kept; a longer word is a program of its own."""

_TELLING: Final = re.compile(r"passw|passphrase|^pwd$|secret|credential|^auth$|^authorization$|apikey|^bearer$")
_KEYS: Final = {"api", "access", "private", "secret", "account", "auth", "license", "licence", "wandb", "encryption"}
_TEXT_TOKENS: Final = {"pad", "eos", "bos", "unk", "mask", "sep", "cls", "image", "audio", "special", "start", "end"}
"""The tokens of a tokenizer, which are no secrets: ``--pad_token "<pad>"``."""

_SHAPES: Final = re.compile(
    r"\b(?:hf_\w{16,}|sk-[\w-]{16,}|gh[opusr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}"
    r"|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{30,}|npm_\w{30,}|pypi-[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
"""The shapes of secrets of Hugging Face, OpenAI and others, GitHub, GitLab, Slack, AWS, Google, npm, PyPI, and of JSON
web tokens, as these services document them in 2025."""
_PAIR: Final = re.compile(
    r"""(?P<before>(?P<quote>["']?)(?P<name>[A-Za-z_][\w.-]*)(?P=quote)\]?\s*[:=]\s*)"""
    r"""(?P<value>"[^"]*"|'[^']*'|(?:(?:bearer|basic|token)\s+)?[^\s"',;&}\]]+)""",
    re.IGNORECASE,
)
_LOGIN: Final = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def without_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a command, with asterisks in the place of anything that looks like a secret.

    Args:
        words: The program and its arguments.
    """
    told: list[str] = []
    is_secret = False
    for word in words:
        is_value = is_secret and not word.startswith("--")
        is_secret = word.startswith("-") and "=" not in word and _is_telling(word)
        told.append(HIDDEN if is_value else _cleaned(word))
    return tuple(told)


def _cleaned(word: str) -> str:
    if len(word) > _MOST_CHARACTERS:
        return HIDDEN
    word = _PAIR.sub(_hide, word)
    word = _LOGIN.sub(rf"\g<before>{HIDDEN}", word)
    return _SHAPES.sub(HIDDEN, word)


def _hide(pair: re.Match[str]) -> str:
    if not _is_telling(pair["name"]):
        # The value may be a pair itself, as in --env=TOKEN=x.
        return pair["before"] + _PAIR.sub(_hide, pair["value"])
    value = pair["value"]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{pair['before']}{quote}{HIDDEN}{quote}"


def _is_telling(name: str) -> bool:
    """Whether a name is that of a secret: ``--hf_token``, ``hfToken``, ``WANDB_API_KEY``, ``db.password``."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return False
    *before, last = words
    if any(map(_TELLING.search, [*words, "".join(words)])):
        return True
    if last == "token":
        return not before or before[-1] not in _TEXT_TOKENS
    return last == "key" and bool(before) and before[-1] in _KEYS
