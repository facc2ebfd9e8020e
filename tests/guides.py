"""Guides, read as their readers read them: what they show is typed in order, in an empty folder, and kept.

    python -m tests.guides          run all of them, and print what came out as JSON

A block of Python goes on where the block before it ended, or is saved where its first line names a file
(``# train.py``). Of a console's lines those are run that start Python, torchrun or our own command line. What such a
line prints stands below it, and what a block of Python prints in the block of text behind it. A guide with a notebook
is run as that notebook.
"""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import nbformat
from nbclient import NotebookClient
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from tests.documents import GUIDES, ROOT, fences

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOKS: Final = {
    f"docs/tutorials/{name}.md": ROOT / "docs" / "notebooks" / f"{name}.ipynb" for name in ("lightning", "huggingface")
}
"""The guides that are also a notebook, and where that lies."""

_OUR_COMMAND: Final = "lightning-carbon"
_RUN: Final = (_OUR_COMMAND, "python", "torchrun")
_MOST_SECONDS: Final = 500


@dataclass(frozen=True)
class Typed:
    """What a reader types.

    Args:
        line: The number of its first line on the page, from 0.
        code: A piece of Python, or a line of a console.
        is_command: Whether it is a line of a console.
        output: The first line of what it prints, and the line behind the last; the same where nothing is shown.
    """

    line: int
    code: str
    is_command: bool
    output: tuple[int, int]

    @property
    def file(self) -> str | None:
        """The file that the piece of Python is saved as."""
        match = re.match(r"# ([\w-]+\.py)\n", self.code)
        return match[1] if match and not self.is_command else None

    @property
    def words(self) -> list[str]:
        """The words of a command, without the variables before it."""
        return [word for word in shlex.split(self.code) if not re.match(r"[A-Z_]+=", word)]

    @property
    def is_run(self) -> bool:
        """Whether a test can type it, too; not what meters a program that the guide does not have."""
        return not self.is_command or (self.words[0] in _RUN and "--" not in self.words)


def typed_in(document: str) -> Iterator[Typed]:
    """What a guide tells its readers to type, in order."""
    found = fences(document)
    for number, fence in enumerate(found):
        if fence.language == "python":
            behind = found[number + 1] if number + 1 < len(found) else fence
            span = (behind.first, behind.last) if behind.language == "text" else (fence.last, fence.last)
            yield Typed(fence.first, fence.text, is_command=False, output=span)
        elif fence.language == "console":
            lines = fence.text.splitlines()
            starts = [place for place, line in enumerate(lines) if line.startswith("$ ")]
            for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
                code = re.sub(r"\s+#.*", "", lines[start].removeprefix("$ "))
                span = (fence.first + start + 1, fence.first + end)
                yield Typed(fence.first + start, code, is_command=True, output=span)


def run_guide(document: str, folder: Path) -> list[str]:
    """Run a guide in a folder.

    Returns:
        What each thing that is typed prints, in order; nothing of those that a test cannot type.
    """
    with chdir(folder):
        printed = [*(_run_notebook(document, folder) if document in NOTEBOOKS else _run_here(document))]
    return [text.replace(f"{folder}/", "") for text in printed]


def notebook_of(document: str) -> Any:  # noqa: ANN401 - nbformat's nodes
    """The notebook of a guide, without what it prints."""
    text = (ROOT / document).read_text(encoding="utf-8").splitlines()
    cells, begun = [], 0
    make: Any = nbformat.v4  # says nothing of types
    for typed in [typed for typed in typed_in(document) if typed.is_run]:
        first = typed.line - 1  # the line of the fence
        if words := "\n".join(text[begun:first]).strip():
            cells.append(make.new_markdown_cell(words))
        cells.append(make.new_code_cell(f"!{typed.code}" if typed.is_command else typed.code.strip()))
        begun = typed.output[1] + 1
    if words := "\n".join(text[begun:]).strip():
        cells.append(make.new_markdown_cell(words))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return make.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _run_notebook(document: str, folder: Path) -> Iterator[str]:
    notebook = notebook_of(document)
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    client = NotebookClient(notebook, timeout=_MOST_SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, **_world(folder), "PATH": here})
    results = iter([_printed(cell) for cell in notebook.cells if cell.cell_type == "code"])
    return (next(results) if typed.is_run else "" for typed in typed_in(document))


def _printed(cell: Any) -> str:  # noqa: ANN401 - nbformat's nodes
    return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")


def _run_here(document: str) -> Iterator[str]:
    names: dict[str, Any] = {"__name__": "__main__"}
    for typed in typed_in(document):
        if typed.file:
            Path(typed.file).write_text(typed.code, encoding="utf-8")
            yield ""
        elif not typed.is_command:
            yield _output_of(lambda code=typed.code: exec(compile(code, document, "exec"), names))  # noqa: S102 - ours
        else:
            yield _run_command(typed) if typed.is_run else ""


def _run_command(typed: Typed) -> str:
    program, *words = typed.words
    variables = dict(word.split("=", 1) for word in shlex.split(typed.code) if re.match(r"[A-Z_]+=", word))
    if program == _OUR_COMMAND:
        result = CliRunner().invoke(app, words, env=variables, catch_exceptions=False)
        return result.output
    if program == "torchrun":
        launch = [sys.executable, "-m", "torch.distributed.run", *words]
        return subprocess.run(launch, capture_output=True, text=True, check=True, timeout=_MOST_SECONDS).stdout
    os.environ.update(variables)
    try:
        return _output_of(lambda: runpy.run_path(words[0], run_name="__main__"))
    finally:
        for name in variables:
            del os.environ[name]


def _output_of(run: Any) -> str:  # noqa: ANN401 - a function of nothing
    with redirect_stdout(io.StringIO()) as printed:
        run()
    return printed.getvalue()


def _world(folder: Path) -> dict[str, str]:
    """The variables of a guide; a notebook's commands see a terminal, and colours are no output for a page."""
    return {
        "LIGHTNING_CARBON_LEDGER": str(folder / "ledger"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
    }


def run_guides(documents: tuple[str, ...] = GUIDES) -> dict[str, list[str]]:
    """Run guides, each in a folder of its own.

    Returns:
        What each thing that is typed prints, by guide.
    """
    printed = {}
    for document in documents:
        with TemporaryDirectory(prefix="guide-") as name:
            os.environ.update(_world(Path(name)))
            printed[document] = run_guide(document, Path(name))
    return printed


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_guides(tuple(sys.argv[1:]) or GUIDES)))
