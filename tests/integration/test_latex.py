"""What ``--latex`` prints, given to LaTeX, where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app

DOCUMENT = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{adjustbox,booktabs}
\begin{document}
%s
\end{document}
"""


def lacks_latex() -> bool:
    """Whether LaTeX, or a package that the tables ask for, is missing."""
    if not (shutil.which("pdflatex") and shutil.which("kpsewhich")):
        return True
    return any(subprocess.run(["kpsewhich", name], capture_output=True, check=False).returncode for name in STYLES)


STYLES = ("adjustbox.sty", "booktabs.sty")


@pytest.mark.skipif(lacks_latex(), reason="LaTeX with adjustbox and booktabs is not installed")
@pytest.mark.parametrize("command", ["published", "claims"])
def test_latex_takes_what_is_printed_for_it(command: str, tmp_path: Path) -> None:
    """Without an error, and nothing is wider than the page."""
    printed = CliRunner().invoke(app, ["study", command, "--latex"]).stdout
    (tmp_path / "tables.tex").write_text(DOCUMENT % printed, encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stdout[-2_000:]
    assert "Overfull" not in done.stdout
