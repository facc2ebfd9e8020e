"""TensorBoard, looked at: a real one, over logs of real trainings, in a real browser.

What its server tells is checked first, then what its pages show of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from lightning_carbon import CarbonCallback, CarbonTrainerCallback
from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.board import CHARTS, POWER, SUMMARY
from lightning_carbon.report.figure import DOTS_PER_INCH, SIZE_INCHES, pixels, power_figure
from tests.documents import ROOT
from tests.integration.huggingface import support as huggingface
from tests.integration.lightning import support as lightning
from tests.tensorboard_pages import Board, Pages, missing_tools, pages, tensorboard

pytestmark = pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}, a browser to look with")

SHOWN_AS = f"{SUMMARY.name}/text_summary"
"""The writers of torch and of tensorboardX put that behind the names of texts."""
_MATCHES = (
    "[...one.querySelectorAll('.match-list-entry')].map((line) => line.textContent.trim().split(/\\s\\s+/).pop())"
)
WIDTH = round(SIZE_INCHES[0] * DOTS_PER_INCH)


@dataclass(frozen=True)
class Trainings:
    """What was trained.

    Args:
        logs: The folder of all logs.
        records: The record of each training, by what TensorBoard calls it.
        lightning: What it calls the one in Lightning.
        huggingface: What it calls the one in Hugging Face.
    """

    logs: Path
    records: dict[str, RunRecord]
    lightning: str
    huggingface: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """Train with both trainers, into one folder."""
    logs = tmp_path_factory.mktemp("trainings")
    trainer, callback = huggingface.metered_trainer(logs, report_to=["tensorboard"])
    trainer.train()
    [events] = logs.rglob("events.out.tfevents.*")

    source = lightning.CountedReads()
    carbon = lightning.make_callback(logs, sources=[source], run_name="seen")
    package = lightning.PACKAGES[0]
    logger = lightning.loggers_of(package).TensorBoardLogger(logs, "lightning")
    fit = lightning.make_trainer(package, logs, carbon, logger=logger)
    fit.fit(lightning.make_module(package, lambda _: source.wait()), lightning.loader(8), lightning.loader(1))

    assert callback.record is not None
    assert carbon.record is not None
    add_figure(events.parent, callback, callback.record.steps)
    add_figure(logs / "lightning" / "version_0", carbon, carbon.record.steps - 1)
    by_trainer = {"lightning/version_0": carbon.record, str(events.parent.relative_to(logs)): callback.record}
    return Trainings(logs, by_trainer, *by_trainer)


def add_figure(folder: Path, callback: CarbonCallback | CarbonTrainerCallback, step: int) -> None:
    """Add what a training gets that has lasted longer than these: its figure, on the step of its end."""
    assert callback.record is not None
    assert callback.meter is not None
    figure = power_figure(callback.record, callback.meter.power_profile)
    assert figure is not None
    with SummaryWriter(str(folder)) as writer:
        writer.add_image(POWER.name, pixels(figure), step, dataformats="HWC")


@pytest.fixture(scope="module")
def board(trained: Trainings) -> Iterator[Board]:
    """A TensorBoard that has read everything."""
    with tensorboard(trained.logs) as serving:
        serving.wait_for(lambda: serving.ask("images/tags"), lambda tags: len(tags) == len(trained.records))
        yield serving


@pytest.fixture(scope="module")
def seen(board: Board) -> Iterator[Pages]:
    """A browser over it."""
    with pages(board) as opened:
        yield opened


def test_the_server_has_all_that_is_shown(board: Board, trained: Trainings) -> None:
    """Rows, layout, summary and figure of both trainers, under the names of their folders and nothing else."""
    scalars = board.ask("scalars/tags")
    images = board.ask("images/tags")
    texts = board.ask("text/tags")

    assert set(trained.records) == set(scalars) == set(images)
    assert {"power/total_watts", "carbon/run_grams_co2e", "train/loss"} <= set(scalars[trained.lightning])
    assert {"train/power/total_watts", "train/carbon/run_grams_co2e", "train/loss"} <= set(scalars[trained.huggingface])
    for run, record in trained.records.items():
        assert [POWER.name] == list(images[run])
        assert SHOWN_AS in texts[run]
        [text] = board.ask("text/text", run=run, tag=SHOWN_AS)
        [image] = board.ask("images/images", run=run, tag=POWER.name, sample="0")
        assert record.run_id in text["text"]
        assert text["step"] == image["step"]
        picture = dict(parse_qsl(image["query"]))
        assert board.get("images/individualImage", **picture).startswith(b"\x89PNG")


def test_the_layout_has_a_chart_for_both_trainers_at_once(board: Board, trained: Trainings) -> None:
    """No chart is there twice, and each finds the rows of both."""
    layout = board.ask("custom_scalars/layout")["category"]
    charts = {chart["title"]: chart["multiline"]["tag"] for category in layout for chart in category["chart"]}

    # The hardware of these trainings is simulated and says nothing of its temperature and clocks.
    assert [title for title in CHARTS if title != "Devices"] == [category["title"] for category in layout]
    assert sum(len(category["chart"]) for category in layout) == len(charts)
    for run in trained.records:
        for tag in chain(charts["power (W)"], charts["energy of a step (J)"]):
            found = board.ask("custom_scalars/scalars", run=run, tag=tag)
            assert found["regex_valid"]
            assert all(len(points) >= 2 for points in found["tag_to_events"].values())
            assert found["tag_to_events"], (run, tag)


def test_the_charts_of_ours_are_drawn(seen: Pages) -> None:
    """Time Series shows rows of both trainers, the latter's under its own prefix, and the figures among them."""
    seen.open("timeseries", tagFilter="power/")
    cards = seen.wait_for(4, "scalar-card", "one.querySelector('line-chart') && one.innerText")
    named = {re.sub(r"\s", "", card.split("Alt")[0]) for card in cards}

    assert {f"{before}power/{name}_watts" for before in ("", "train/") for name in ("gpu", "total")} == named
    assert [WIDTH] * 2 == seen.wait_for(2, "image-card img", "one.naturalWidth")


def test_the_custom_charts_are_drawn(seen: Pages, board: Board, trained: Trainings) -> None:
    """Custom Scalars has our categories, and in each chart lines, those of both trainers where they log the same."""
    layout = {category["title"]: category["chart"] for category in board.ask("custom_scalars/layout")["category"]}
    count = sum(map(len, layout.values()))
    seen.open("custom_scalars")
    power = {f"power/gpu_watts ({trained.lightning})", f"train/power/gpu_watts ({trained.huggingface})"}
    drawn = seen.wait_for(count, "path.line", "one.getTotalLength() > 1")

    # The lines of one run may come after those of the other.
    assert seen.until(
        lambda: any(power <= set(chart) for chart in seen.wait_for(count, "#matches-container", _MATCHES))
    )
    assert all(drawn)
    assert set(layout) <= set(seen.every(".heading, .name, h3", "one.textContent.trim()"))


def test_the_summary_is_a_table(seen: Pages, trained: Trainings) -> None:
    """Text shows both summaries, laid out, with the words and figures of the terminal."""
    seen.open("text")
    tables = seen.wait_for(2 * len(trained.records), "td table")
    page = " ".join(" ".join(seen.every("tf-markdown-view, .text-loader, tf-text-loader .content, td")).split())

    assert 2 * len(trained.records) == sum(table.startswith(("Domain", "Phase")) for table in tables)
    for record in trained.records.values():
        domains = next(line for line in record.summary().splitlines() if line.startswith("  total"))
        assert record.run_id in page
        assert " ".join(domains.split()) in page


def test_the_figure_is_an_image(seen: Pages) -> None:
    """Images shows one of each run, whole, at the size of a card."""
    seen.open("images")
    sizes = seen.wait_for(2, "#main-image-container img", "one.naturalWidth && [one.naturalWidth, one.width]")

    assert {WIDTH} == {natural for natural, _ in sizes}
    assert all(shown > 200 for _, shown in sizes)


def test_the_readme_s_picture_can_be_taken(trained: Trainings, tmp_path: Path) -> None:
    """The script opens the page in a browser of its own and leaves a picture of it."""
    script, picture = ROOT / "tools" / "take_picture.py", tmp_path / "picture.png"
    words = [sys.executable, str(script), "--logs", str(trained.logs / "lightning"), "--picture", str(picture)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=500)
    with Image.open(ROOT / "docs" / "images" / "tensorboard.png") as shown:
        size = shown.size

    assert done.returncode == 0, done.stderr
    with Image.open(picture) as taken:
        assert size == taken.size
        assert 8 < len(taken.getcolors() or ())
