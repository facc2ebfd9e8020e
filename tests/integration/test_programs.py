"""Programs that are forks of one process: each runs as it would by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import Programs

SEEN = "import json, os, sys; print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.path[0], __name__]))"


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    """A process that has imported a small module."""
    programs = Programs("wave")
    yield programs
    programs.close()


def test_a_program_sees_its_own_folder_and_environment(programs: Programs, tmp_path: Path) -> None:
    """Its words, folder, variables and path are those that Python would have given it."""
    program = tmp_path / "program.py"
    program.write_text(SEEN)
    done = programs.run(program, {"COLOUR": "green"})

    assert (0, "") == (done.returncode, done.stderr)
    assert [[str(program)], str(tmp_path), {"COLOUR": "green"}, str(tmp_path), "__main__"] == json.loads(done.stdout)


def test_a_program_starts_with_the_module_and_nothing_of_another(programs: Programs, tmp_path: Path) -> None:
    """What a program has changed is gone for the next, and the module is there already."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("import wave; wave.changed = True; import colorsys")
    second.write_text(
        "import sys, wave; print('wave' in sys.modules, 'colorsys' in sys.modules, hasattr(wave, 'changed'))"
    )

    assert 0 == programs.run(first, {}).returncode
    assert "True False False\n" == programs.run(second, {}).stdout


@pytest.mark.parametrize(
    ("text", "code", "errors"),
    [("raise SystemExit(3)", 3, ""), ("import os; os.kill(os.getpid(), 9)", -9, ""), ("1 / 0", 1, "ZeroDivisionError")],
)
def test_a_program_ends_as_it_would_by_itself(
    programs: Programs, tmp_path: Path, text: str, code: int, errors: str
) -> None:
    """An exit code, a signal and a traceback are those of the program; what is registered for the end is called."""
    program = tmp_path / "program.py"
    program.write_text(f"import atexit; atexit.register(print, 'end')\n{text}")
    done = programs.run(program, {})

    assert code == done.returncode
    assert errors in done.stderr
    assert ("" if code == -9 else "end\n") == done.stdout
