"""Take the pictures in ``docs/images``: of a run, of a project, of the dashboard, of ``watch`` and of a figure.

    python tools/take_report_pictures.py

Needs chromium and chromedriver. The runs are simulated, on a clock that is moved: pictures show pages, not findings.
"""

from __future__ import annotations

import io
import re
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.carbon.budgets import budget_of  # noqa: E402 - found by the line above
from lightning_carbon.cli.dashboard.server import Dashboard  # noqa: E402 - likewise
from lightning_carbon.cli.report.command import write_report  # noqa: E402 - likewise
from lightning_carbon.cli.runs.choosing import open_runs  # noqa: E402 - likewise
from lightning_carbon.cli.watch.sight import sight_of  # noqa: E402 - likewise
from lightning_carbon.cli.watch.view import view_of  # noqa: E402 - likewise
from lightning_carbon.measuring.following import FollowedRun  # noqa: E402 - likewise
from lightning_carbon.records.run import RunRecord  # noqa: E402 - likewise
from tests.browser import Browser, browser_window  # noqa: E402 - likewise
from tests.report_ledger import make_ledger, train, world_of  # noqa: E402 - likewise
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


def take_dashboard(browser: Browser, ledger: Path) -> None:
    """Take the picture of the dashboard while a run goes on."""
    world = world_of(ledger, 9, project="marge", run_name="big")
    train(world, 2)
    with Dashboard(open_runs(str(ledger)).ledger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        browser.open(server.address, width=WIDTH)
        keep(browser.picture(MOST_HEIGHT), "dashboard.png")
        server.shutdown()
        thread.join()
    world.engine.stop()


def take_watch(browser: Browser, ledger: Path, folder: Path) -> None:
    """Take the picture of a terminal in which a run is watched."""
    world = world_of(ledger, project="lisa", run_name="baseline", budget=budget_of("500 Wh"))
    world.engine.tell_plan(steps=720)
    train(world, 2)
    world.engine.enter("train")
    for _ in range(5):
        world.run(10.0, 0.5)
        world.engine.step_done(samples=32, tokens=65_536)
        world.engine.row()
    run = FollowedRun(next(ledger.glob("lisa/*")))
    run.read()
    console = Console(record=True, width=92, file=io.StringIO(), force_terminal=True)
    console.print(view_of(sight_of(run.journals)))
    page = folder / "watch.html"
    drawn = re.sub(r"@font-face {.*?}", "", console.export_svg(title="lightning-carbon watch"), flags=re.DOTALL)
    page.write_text(f"<style>body {{margin: 0; background: white}}</style>{drawn}", encoding="utf-8")
    browser.open(page, width=WIDTH)
    bottom = browser.ask("Math.ceil(document.querySelector('svg').getBoundingClientRect().bottom)")
    keep(browser.picture(bottom), "watch.png")


def take_figure(record: RunRecord) -> None:
    """Take the picture that a notebook shows of a run."""
    png = io.BytesIO()
    record.plot().savefig(png, format="png", dpi=110)
    keep(png.getvalue(), "power.png")


def main() -> None:
    """Take them."""
    if missing_tools():
        sys.exit(f"needs {missing_tools()}; on Debian: apt-get install chromium chromium-driver")
    with TemporaryDirectory(prefix="lightning-carbon-pictures-") as name, browser_window() as browser:
        take_figure(make_ledger(Path(name) / "ledger"))
        take(browser, Path(name) / "ledger", Path(name))
        take_dashboard(browser, Path(name) / "ledger")
        take_watch(browser, Path(name) / "watched", Path(name))


if __name__ == "__main__":
    main()
