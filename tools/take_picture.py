"""Take the picture of TensorBoard that README.md shows: train the demo, serve its logs, look at them in a browser.

    python tools/take_picture.py                                 # trains the demo
    python tools/take_picture.py --steps 297                     # longer: its whole epoch
    python tools/take_picture.py --logs runs/transformer_small   # of logs that are there already

Needs chromium and chromedriver; the pages are opened as ``tests/integration/test_tensorboard.py`` opens them.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lightning_carbon.report.board import POWER  # noqa: E402 - found by the line above
from tests.tensorboard_pages import Pages, missing_tools, pages, tensorboard  # noqa: E402 - likewise

PICTURE = ROOT / "docs" / "images" / "tensorboard.png"
SHOWN = "^(train/loss|energy/joules_per_step|energy/run_joules|power/|carbon/run_grams_co2e)"
"""One page of what there is to see."""
CARDS = 5
COLOURS = 128
"""Enough for lines and letters; a picture in a repository should be small."""


def train(folder: Path, steps: int) -> None:
    """Train the demo, as ``make demo`` does, with all that it writes in a folder.

    Args:
        folder: That folder.
        steps: How long to train.
    """
    own = {"LIGHTNING_CARBON_LEDGER": str(folder / "ledger"), "OMP_WAIT_POLICY": "PASSIVE"}
    environment = {**os.environ, **own}
    script, config = ROOT / "examples" / "transformer.py", ROOT / "configs" / "transformer_small.yaml"
    words = [sys.executable, str(script), "fit", "--config", str(config), f"--trainer.max_steps={steps}"]
    words += ["--trainer.callbacks.run_name=demo"]
    subprocess.run(words, cwd=folder, env=environment, check=True)  # noqa: S603 - a script of ours


def take(opened: Pages) -> bytes:
    """Open the page that has it all and wait until it is drawn.

    Returns:
        What the browser shows, as PNG.
    """
    opened.open("timeseries", tagFilter=SHOWN, smoothing="0")
    opened.wait_for(CARDS, "card-view")
    for choice in ("Ignore outliers", "Enable step selection"):
        opened.click("mat-checkbox", choice, "input")
    opened.click("button[aria-label='Close side pane']")
    opened.until(lambda: not opened.every("mat-checkbox", "one.textContent.includes('Ignore outliers')").count(True))
    opened.click("button[aria-label='Fit line chart domains to data']")
    opened.wait_for(CARDS, "line-chart, image-card img", "one.tagName != 'IMG' || one.naturalWidth > 0")
    shots = [b""]

    def is_still() -> bool:
        shots.append(bytes(opened.driver.get_screenshot_as_png()))
        return shots[-1] == shots[-2]

    opened.until(is_still)
    return shots[-1]


def main() -> None:
    """Take it."""
    parser = argparse.ArgumentParser(description="Take the picture of TensorBoard that README.md shows.")
    parser.add_argument("--logs", type=Path, help="a folder of logs; default: train the demo")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=180, help="of the demo, as in its configuration: %(default)s")
    options = parser.parse_args()
    if missing_tools():
        sys.exit(f"needs {missing_tools()}; on Debian: apt-get install chromium chromium-driver")
    with TemporaryDirectory(prefix="lightning-carbon-picture-") as folder:
        logs = options.logs
        if logs is None:
            train(Path(folder), options.steps)
            logs = Path(folder) / "runs" / "transformer_small"
        with tensorboard(logs) as board:
            board.wait_for(
                lambda: board.ask("images/tags"), lambda tags: any(POWER.name in name for name in tags.values())
            )
            with pages(board) as opened:
                png = take(opened)
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    small = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS)
    small.save(options.picture, optimize=True)
    print(f"wrote {options.picture} ({options.picture.stat().st_size // 1000} kB)")


if __name__ == "__main__":
    main()
