"""Take the pictures of reports in ``docs/images``: of a run, of a project, and of what ``watch`` shows.

    python tools/take_report_pictures.py

Needs chromium and chromedriver. The runs are simulated, on a clock that is moved: pictures show pages, not findings.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.cli.report.command import write_report  # noqa: E402 - found by the line above
from tests.browser import Browser, browser_window  # noqa: E402 - likewise
from tests.report_ledger import make_ledger  # noqa: E402 - likewise
from tests.tensorboard_pages import missing_tools  # noqa: E402 - likewise

IMAGES = ROOT / "docs" / "images"
COLOURS = 96
"""Enough for charts and letters; a picture in a repository should be small."""
WIDTH = 1100
MOST_HEIGHT = 1250


def keep(png: bytes, name: str) -> None:
    """Keep a picture, small."""
    path = IMAGES / name
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"wrote {path} ({path.stat().st_size // 1000} kB)")


def take(browser: Browser, ledger: Path, folder: Path) -> None:
    """Take the pictures of both pages."""
    for project, name, scheme in ((None, "report-run", "light"), ("lisa", "report-project", "dark")):
        page = folder / f"{name}.html"
        write_report(None, project, str(ledger), output=page)
        browser.open(page, width=WIDTH, scheme=scheme)
        keep(browser.picture(MOST_HEIGHT), f"{name}.png")


def main() -> None:
    """Take them."""
    if missing_tools():
        sys.exit(f"needs {missing_tools()}; on Debian: apt-get install chromium chromium-driver")
    with TemporaryDirectory(prefix="lightning-carbon-pictures-") as name, browser_window() as browser:
        make_ledger(Path(name) / "ledger")
        take(browser, Path(name) / "ledger", Path(name))


if __name__ == "__main__":
    main()
