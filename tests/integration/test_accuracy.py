"""The real meter against the truth, on a stand-in driver whose GPUs draw a power that is a closed form of time.

The meter's own threads sample it, on a clock that the test moves, so that a busy machine changes nothing; `make bench`
looks at the machine's own clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.sources import nvml
from tests.benchmarks.metered import Metered, metered_of
from tests.nvml_standin import NOT_SUPPORTED, Gpu, Scenario
from tests.stepped_time import START_NS, SteppedClock, engine_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.nvml_standin import Standin

SECONDS = 2.5
STEP_SECONDS = 0.02
TICK_SECONDS = 0.1
WATTS = 300.0
SWING_WATTS = 100.0
SHAPES = ("constant", "sine", "square", "saw")


def gpus(*, tick_seconds: float = 0.0, energy_code: int = 0) -> list[Gpu]:
    """A GPU of every shape, none of them in step with another."""
    now_ns = START_NS
    return [
        Gpu(
            shape=shape,  # type: ignore[arg-type]
            watts=WATTS,
            amplitude_watts=0.0 if shape == "constant" else SWING_WATTS,
            period_seconds=0.7,
            origin_ns=now_ns - index * 170_000_000,
            tick_ns=round(tick_seconds * 1e9),
            tick_phase_ns=now_ns + index * 23_000_000 if tick_seconds else 0,
            energy_code=energy_code,
        )
        for index, shape in enumerate(SHAPES)
    ]


def metered(standin: Standin, shown: Sequence[Gpu], folder: Path) -> Metered:
    """A short run with steps of 20 ms, a little more or less, as `make bench` has them on the machine's own clock."""
    with standin.showing(Scenario.of(*shown)) as scenario:
        clock = SteppedClock(standin.hold)
        meter = engine_on(clock, devices="all", ledger=folder, per_step=True).start()
        for step in range(round(SECONDS / STEP_SECONDS)):
            clock.sleep(STEP_SECONDS * (0.95 + 0.1 * (step * 0.618 % 1)))
            meter.step_done()
        return metered_of(scenario, meter.stop())


def errors_joules(found: Metered) -> list[float]:
    """How far each GPU is from the truth."""
    return [
        abs(error) * found.scenario.true_joules(index, found.start_ns, found.end_ns)
        for index, error in enumerate(found.gpu_errors)
    ]


def test_a_counter_that_moves_all_the_time_is_followed_exactly(nvml_standin: Standin, tmp_path: Path) -> None:
    """Whatever the power does, the total is that of the counter, to where the run began and ended."""
    found = metered(nvml_standin, gpus(), tmp_path)

    assert max(errors_joules(found)) <= 0.005 * WATTS * SECONDS


@pytest.fixture(scope="module")
def ticking(nvml_standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Metered:
    """A run on counters that jump every 100 ms, with both ends wherever they fall."""
    return metered(nvml_standin, gpus(tick_seconds=TICK_SECONDS), tmp_path_factory.mktemp("ticking"))


def test_a_counter_that_jumps_is_off_only_by_what_no_jump_tells(ticking: Metered) -> None:
    """What the power was like within the jump at either end cannot be known; beside that the totals hold."""
    untold_joules = [0.0 if gpu.shape == "constant" else SWING_WATTS * TICK_SECONDS for gpu in ticking.scenario.gpus]
    beside = [max(0.0, error - untold) for error, untold in zip(errors_joules(ticking), untold_joules, strict=True)]

    assert max(beside) <= 0.006 * WATTS * SECONDS


def test_steps_shorter_than_the_jumps_have_their_energy(ticking: Metered) -> None:
    """Steps of 20 ms on jumps of 100 ms are right on average, and none of them is empty."""
    mean_error = sum(ticking.step_errors) / len(ticking.steps)

    assert mean_error <= 0.08
    assert min(step.joules for step in ticking.steps) > 0


def test_steps_add_up_to_what_they_tile(ticking: Metered) -> None:
    """The steps' energies add up to the GPUs' total, less what came after the last step."""
    in_steps = sum(step.joules for step in ticking.steps)
    total = sum(domain.joules for domain in ticking.record.energy.domains if domain.kind == "gpu")

    assert in_steps <= total + 1e-3
    assert (
        total - in_steps <= 2 * len(SHAPES) * (WATTS + SWING_WATTS) * (ticking.end_ns - ticking.steps[-1].end_ns) / 1e9
    )


def test_power_is_integrated_where_there_is_no_counter(nvml_standin: Standin, tmp_path: Path) -> None:
    """Without a counter the momentary power is read often enough to add up."""
    found = metered(nvml_standin, gpus(energy_code=NOT_SUPPORTED), tmp_path)

    assert {"INTEGRATED"} == {
        domain.provenance.upper() for domain in found.record.energy.domains if domain.kind == "gpu"
    }
    assert abs(found.total_error) <= 0.02


@pytest.mark.parametrize("per_step", [False, True])
def test_phases_are_as_exact_where_counters_are_read_twice_a_second(
    nvml_standin: Standin, tmp_path: Path, *, per_step: bool
) -> None:
    """Phases of 1.3 s whose power differs by half come out within a tenth of a tick a phase, with and without steps."""
    half_seconds, pairs = 1.3, 5
    first = START_NS + round(6.5 * 1e9)  # by then the jumps are learnt, and counter and power have been compared
    shown = Gpu(
        shape="square",
        watts=WATTS,
        amplitude_watts=SWING_WATTS,
        period_seconds=2 * half_seconds,
        origin_ns=first,
        tick_ns=round(TICK_SECONDS * 1e9),
        tick_phase_ns=START_NS + 37_000_000,
    )
    with nvml_standin.showing(Scenario.of(shown)) as scenario:
        clock = SteppedClock(nvml_standin.hold)
        sources = [finding.port for finding in nvml.discover("all") if finding.port is not None]
        meter = engine_on(clock, sources=sources, ledger=tmp_path, per_step=per_step).start("setup")
        clock.sleep((first - clock.now_ns()) / 1e9)
        true, edge = {"train": 0.0, "validate": 0.0}, clock.now_ns()
        for number in range(2 * pairs):
            phase = "train" if number % 2 == 0 else "validate"
            meter.enter(phase)
            clock.sleep(half_seconds)
            true[phase] += scenario.true_joules(0, edge, clock.now_ns())
            edge = clock.now_ns()
        record = meter.stop()
    phases = {name: joules for name, joules in record.energy.phases.items() if name in true}

    assert true == pytest.approx(phases, abs=pairs * WATTS * TICK_SECONDS / 10)
