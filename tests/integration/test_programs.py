"""Programs that are forks of one process: each runs as it would by itself."""

from __future__ import annotations

import json
import signal
import time
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


@pytest.mark.parametrize(("words", "elsewhere"), [((), False), (("--fast", "two words"), True)])
def test_a_program_sees_its_own_words_folder_and_environment(
    programs: Programs, tmp_path: Path, words: tuple[str, ...], *, elsewhere: bool
) -> None:
    """Its words, folder, variables and path are those that Python would have given it."""
    program = tmp_path / "program.py"
    program.write_text(SEEN)
    folder = tmp_path / "elsewhere" if elsewhere else tmp_path
    folder.mkdir(exist_ok=True)
    done = programs.run(program, {"COLOUR": "green"}, *words, folder=folder if elsewhere else None)

    assert (0, "") == (done.returncode, done.stderr)
    assert [[str(program), *words], str(folder), {"COLOUR": "green"}, str(tmp_path), "__main__"] == json.loads(
        done.stdout
    )


def test_a_program_that_runs_can_be_sent_a_signal(programs: Programs, tmp_path: Path) -> None:
    """Ctrl-C reaches it alone, and the next program runs as if nothing had been."""
    program = tmp_path / "program.py"
    program.write_text("from pathlib import Path; Path('begun').touch()\nimport time; time.sleep(500)")
    process = programs.start(program, {})
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    done = programs.end()
    program.write_text("print('end')")

    assert (-signal.SIGINT, "KeyboardInterrupt") == (done.returncode, done.stderr.split()[-1])
    assert "end\n" == programs.run(program, {}).stdout


def test_what_the_import_says_each_program_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program by itself would have written it, too."""
    (tmp_path / "loud.py").write_text("import sys; sys.stderr.write('deprecated, ')")
    (tmp_path / "program.py").write_text("import sys; sys.stderr.write('then the rest')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    programs = Programs("loud")
    said = [programs.run(tmp_path / "program.py", {}).stderr for _ in range(2)]
    programs.close()

    assert ["deprecated, then the rest"] * 2 == said


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
