"""``python -m tests.fuzz [SECONDS]``: look for files that a reader stumbles on, and keep each in the corpus."""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from itertools import cycle
from typing import Final

from hypothesis import HealthCheck, given, settings

from tests import corpus
from tests.fuzz.subjects import SUBJECTS, damaged, reads_well

SECONDS: Final = 60.0
EXAMPLES: Final = 300
"""So many are tried of one sort before the clock is looked at: about a second."""


def look(kind: str) -> bytes | None:
    """Try some damaged files of a sort; the smallest that a reader stumbles on, or ``None``."""
    good, _ = SUBJECTS[kind]
    stumbled: list[bytes] = []

    @given(damaged(good))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    def read(data: bytes) -> None:
        try:
            reads_well(kind, data)
        except Exception:
            stumbled.append(data)
            raise

    try:
        read()
    except Exception:
        if not stumbled:
            raise  # that is a fault of what makes the files
        traceback.print_exc()
        return stumbled[-1]
    return None


def keep(kind: str, data: bytes) -> str:
    """Put a file into the corpus, under a name that its content gives."""
    name = f"{kind.removesuffix('s')}-found-{hashlib.sha256(data).hexdigest()[:8]}"
    place = corpus.CORPUS / kind / f"{name}.{'jsonl' if kind == 'journals' else 'json'}"
    place.write_bytes(data.replace(corpus.GOOD.encode(), name.encode()))
    return str(place)


def main() -> int:
    """Look until the time is over; 1 where something was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    until = time.monotonic() + seconds
    tried = 0
    for kind in cycle(SUBJECTS):
        found = look(kind)
        if found is not None:
            print(f"a reader of {kind} stumbles on {keep(kind, found)}, which is in the corpus now", file=sys.stderr)
            return 1
        tried += EXAMPLES
        if time.monotonic() > until:
            break
    print(f"{tried:,} files in {seconds:.0f} s, and no reader stumbled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
