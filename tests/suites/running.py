"""Running a suite of a framework as it lies in a folder, with the meter on or off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

SECONDS_A_TEST: Final = 180
"""How long a test may take, in seconds, before it counts as failed."""
_PLUGIN: Final = Path(__file__).resolve().parent / "plugin" / "metered_suite.py"
_SKIPPED: Final = shutil.ignore_patterns(".git", "__pycache__", ".venv*")


class Suite(NamedTuple):
    """The tests of a framework.

    Args:
        name: Its name.
        variable: Names the folder of its repository, of the version that is installed.
        distribution: Whose version that is.
        folder: Where its tests are run from.
        parts: What is run, each in a process of its own, in order.
        has_switch: Whether the variable ``LIGHTNING_CARBON`` meters its trainers; else a plugin does.
    """

    name: str
    variable: str
    distribution: str
    folder: str
    parts: tuple[str, ...]
    has_switch: bool = False


SUITES: Final = (
    Suite(
        "Lightning",
        "LIGHTNING_SUITE",
        "lightning",
        "tests",
        tuple(
            f"tests_pytorch/{part}" for part in ("callbacks", "checkpointing", "loops", "loggers", "tuner", "trainer")
        ),
        has_switch=True,
    ),
    Suite(
        "transformers",
        "TRANSFORMERS_SUITE",
        "transformers",
        ".",
        ("tests/trainer/test_trainer.py", "tests/trainer/test_trainer_callback.py"),
    ),
    Suite("Accelerate", "ACCELERATE_SUITE", "accelerate", ".", ("tests/test_tracking.py",)),
)
"""The suites, in order."""


def run(suite: Suite, source: Path, results: Path, *, is_metered: bool) -> list[Path]:
    """Run a suite in a copy of its folder, and keep what each part has written; a part that is there is not run again.

    Args:
        suite: Which.
        source: The folder of its repository.
        results: Where the copy and the results go.
        is_metered: Whether the meter is on.

    Returns:
        The files of junit.
    """
    home = results / suite.name.lower() / ("on" if is_metered else "off")
    copy = home / "work"
    if not copy.exists():
        shutil.copytree(source, copy, ignore=_SKIPPED)
    written = []
    for part in suite.parts:
        file = (home / f"{Path(part).stem}.xml").resolve()
        if not file.exists():
            command = [sys.executable, "-m", "pytest", part, "-q", "-n", "1", "-p", "no:cacheprovider"]
            command += [
                "--rootdir",
                str(copy.resolve()),
                "--timeout",
                str(SECONDS_A_TEST),
                "--junitxml",
                str(file),
                "-o",
                "junit_logging=no",
            ]
            if is_metered and not suite.has_switch:
                command += ["-p", _PLUGIN.stem]
            print(f"{suite.name}, meter {'on' if is_metered else 'off'}: {part}", flush=True)
            with file.with_suffix(".log").open("w") as log:
                environment = environment_of(home, is_metered=is_metered)
                subprocess.run(command, cwd=copy / suite.folder, env=environment, stdout=log, stderr=log, check=False)
        if file.exists():
            written.append(file)
    return written


def environment_of(home: Path, *, is_metered: bool) -> dict[str, str]:
    """The environment of a run: with the meter on, for spawned processes, too, or without a word of it.

    Args:
        home: Where its ledger goes.
        is_metered: Whether the meter is on.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIGHTNING_CARBON")}
    if is_metered:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_PLUGIN.parent), kept.get("PYTHONPATH")]))
        kept |= {"LIGHTNING_CARBON": "1", "LIGHTNING_CARBON_LEDGER": str((home / "ledger").resolve())}
    return kept
