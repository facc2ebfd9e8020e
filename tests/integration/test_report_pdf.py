"""Reports as PDF, by the real WeasyPrint."""

from __future__ import annotations

import re
import socket
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.report.pages.pdf import pdf_of
from tests.report_ledger import make_ledger
from tests.unit.report.test_pages import ATTACK, attacked, course, page_of

try:
    import weasyprint  # noqa: F401 - only whether it is there
except (ImportError, OSError) as error:
    pytest.skip(f"no WeasyPrint with Pango here: {error}", allow_module_level=True)

CURVES = 100
"""The least lines and curves that the charts of a run draw."""


def plain(content: bytes) -> bytes:
    """All that a PDF holds, whatever is compressed in it."""
    held = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        with suppress(zlib.error):
            held.append(zlib.decompress(stream))
    return b"\n".join(held)


def test_the_report_of_a_run_is_laid_out_for_paper(tmp_path: Path) -> None:
    """By the ending of the file's name, with its charts, on as many pages as it takes."""
    make_ledger(tmp_path / "ledger", 1)
    output = tmp_path / "report.pdf"
    done = CliRunner().invoke(app, ["report", "--ledger", str(tmp_path / "ledger"), "-o", str(output)])
    content = plain(output.read_bytes())

    assert (0, f"lightning-carbon: wrote {output}\n") == (done.exit_code, done.stderr)
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) > 1
    assert len(re.findall(rb" [lc]\s", content)) > CURVES
    assert [output] == [path for path in tmp_path.iterdir() if path.is_file()]


def test_an_attack_in_a_name_stays_text_and_nothing_is_fetched(tmp_path: Path) -> None:
    """Neither from a network nor from a disk, whatever a page asks for."""
    secret = tmp_path / "secret.css"
    secret.write_text("body { display: none }", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        asks = f'<img src="{address}/x.png"><link rel=stylesheet href="{address}/x.css">'
        asks += f'<link rel=stylesheet href="{secret.as_uri()}"><object data="{address}/y"></object>'
        page = page_of(attacked(), course(ATTACK, ATTACK)).replace("<main", f"{asks}<main")
        content = plain(pdf_of(page))
        with pytest.raises(BlockingIOError):
            server.accept()

    assert len(re.findall(rb" [lc]\s", content)) > CURVES
    assert [] == re.findall(rb"/(?:URI|JavaScript|JS|Launch|EmbeddedFile)\b", content)
