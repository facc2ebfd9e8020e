"""Handing rows to loggers and to the progress bar of a trainer, without a training."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from io import StringIO
from typing import Any

import pytest

from lightning_carbon.integrations.lightning.rows import RowLog
from lightning_carbon.records.rows import METRICS, Row, Scope
from tests.integration.lightning.support import PACKAGES, loggers_of

ROW = Row(10.0, 3_600.0, 1.0, 1.0, 3_600.0, 1.0, {"gpu": 3_600.0}, {}, {"gpu": 3_600.0}, 10, 3_600.0)
RUN_SO_FAR = {"energy/run_joules", "energy/run_gpu_joules", "energy/run_kwh", "carbon/run_grams_co2e"}
COLUMNS = 80


@dataclass
class Trainer:
    """As much of a trainer as shows metrics."""

    loggers: list[Any] = field(default_factory=list)
    callback_metrics: dict[str, Any] = field(default_factory=dict)
    progress_bar_metrics: dict[str, Any] = field(default_factory=dict)
    is_global_zero: bool = True


class Logger:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Keep it."""
        self.rows.append((step, metrics))


class WandbLogger(Logger):
    """A logger by the name of that of Weights & Biases, which keeps what is defined, too.

    Args:
        settings: What wandb was started with.
    """

    _prefix = "mine"

    def __init__(self, **settings: object) -> None:
        super().__init__()
        self._wandb_init = settings
        self.experiment = self
        self.axes: dict[str, str] = {}

    def define_metric(self, name: str, *, step_metric: str, **_: object) -> None:
        """Keep the axis, once."""
        assert not self.rows
        assert name not in self.axes
        self.axes[name] = step_metric


def test_a_step_has_one_row_and_the_last_total() -> None:
    """What is left on a step that was logged goes into the totals alone."""
    logger = Logger()
    rows, trainer = RowLog(), Trainer([logger])
    rows.publish(trainer, ROW, 7)
    rows.publish(trainer, replace(ROW, run_joules=3_700.0, is_rest=True), 7)
    [(_, first), (_, last)] = logger.rows

    assert RUN_SO_FAR == set(last) < set(first)
    assert (3_600.0, 3_700.0) == (first["energy/run_joules"], last["energy/run_joules"])
    assert 360.0 == trainer.progress_bar_metrics["W"]


def test_the_rest_has_a_row_on_a_step_of_its_own() -> None:
    """With its energy, and without rates."""
    logger = Logger()
    rows, trainer = RowLog(), Trainer([logger])
    rows.publish(trainer, ROW, 7)
    rows.publish(trainer, replace(ROW, is_rest=True), 8)
    scopes = {metric.name: metric.scope for metric in METRICS}
    [_, (step, last)] = logger.rows

    assert 8 == step
    assert {Scope.ROW, Scope.RUN} == {scopes[name] for name in last}


def test_weights_and_biases_learns_what_stands_for_a_run() -> None:
    """Before the first row, once, under the names and on the axis that its logger gives them."""
    own, following = WandbLogger(), WandbLogger(sync_tensorboard=True)
    rows, trainer = RowLog("test/"), Trainer([own, following])
    rows.publish(trainer, ROW, 1)
    rows.publish(trainer, ROW, 2)

    defined = {f"mine-test/{metric.name}" for metric in METRICS if metric.scope in {Scope.ROW, Scope.RATE}}

    assert defined == set(own.axes) == set(following.axes)
    assert {"trainer/global_step"} == set(own.axes.values())
    assert {"global_step"} == set(following.axes.values())


def test_a_definition_that_fails_costs_no_row() -> None:
    """An old version of wandb may not know the call."""

    class Old(WandbLogger):
        """Knows no such thing."""

        define_metric = None  # type: ignore[assignment]

    logger = Old()
    RowLog().publish(Trainer([logger]), ROW, 1)

    assert [1] == [step for step, _ in logger.rows]


def test_a_wandb_logger_is_known_by_its_name() -> None:
    """Lightning's own has it, in both packages, and tells its prefix and settings as is asked here."""
    for package in PACKAGES:
        assert "WandbLogger" == loggers_of(package).WandbLogger.__name__


@pytest.mark.parametrize(
    ("grams", "shown"),
    [
        (1_234.0, {"gCO2e": 1_230.0}),
        (0.1, {"gCO2e": 0.1}),
        (0.0999, {"mgCO2e": 99.9}),
        (0.000139, {"mgCO2e": 0.139}),
        (0.0, {"mgCO2e": 0.0}),
    ],
)
def test_little_is_shown_in_milligrams(grams: float, shown: dict[str, float]) -> None:
    """A bar that has three places behind the point would show 0.000; and one unit at a time."""
    trainer = Trainer(progress_bar_metrics={"W": 1.0, "gCO2e": 9.0, "mgCO2e": 9.0})
    RowLog().publish(trainer, replace(ROW, run_grams_co2e=grams), 1)

    assert {"W": 360.0, **shown} == pytest.approx(trainer.progress_bar_metrics)


@pytest.mark.parametrize("grams", [1_234.0, 12.3456, 0.1, 0.0999, 0.000139])
@pytest.mark.parametrize("watts", [5.5, 432.1, 9_876.5])
@pytest.mark.parametrize("package", PACKAGES)
def test_the_progress_bar_fits_a_terminal(package: str, watts: float, grams: float) -> None:
    """Beside what Lightning shows by itself, for hundreds of batches and versions, in 80 columns."""
    bars: Any = import_module(f"{package}.callbacks.progress.tqdm_progress")
    trainer = Trainer()
    RowLog().publish(trainer, replace(ROW, total_joules=watts * ROW.seconds, run_grams_co2e=grams), 1)
    bar = bars.Tqdm(total=999, file=StringIO())
    bar.set_description("Epoch 9")
    bar.set_postfix({"v_num": 9, **trainer.progress_bar_metrics}, refresh=False)
    form = {**bar.format_dict, "n": 998, "elapsed": 59.0, "rate": 99.99, "ncols": COLUMNS}
    line = bars.Tqdm.format_meter(**form | {"bar_format": bars.TQDMProgressBar.BAR_FORMAT})
    bar.close()

    assert line.endswith("]")
    assert "CO2e=" in line
    assert COLUMNS >= len(line)
