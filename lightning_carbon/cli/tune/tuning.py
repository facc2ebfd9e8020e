"""The work of ``lightning-carbon tune``: checks before anything is started, trials in turn, and the table."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NoReturn, Self

import typer

from lightning_carbon.baseline.contest import Trial, WorkUnit, work_unit
from lightning_carbon.baseline.trials import LEAST_TRIALS
from lightning_carbon.baseline.tuning import Tuning, tuning_of
from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show
from lightning_carbon.cli.run.program import SIGNALLED
from lightning_carbon.cli.say import notice, say
from lightning_carbon.cli.usage_errors import USAGE_ERROR
from lightning_carbon.errors import ConfigError, SourceError
from lightning_carbon.measuring.kept_limits import KeptLimits, limits_file, put_back_left_over
from lightning_carbon.measuring.turns import Trials, in_turn
from lightning_carbon.records.numbers import ENERGY, amount
from lightning_carbon.report.sheets import Sheet
from lightning_carbon.settings import DEVICES
from lightning_carbon.sources import nvml
from lightning_carbon.systems import signals
from lightning_carbon.units import MILLIWATTS_PER_WATT
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from types import FrameType

_HEAD: Final = ("limit", "energy", "time", "change of energy", "change of time")
_FEWEST: Final = 2
_LIMITS_FIX: Final = "give two or more, in per cent of the default limit or in watts, such as 100,85,70 or 700W,500W."
_SLOWER_FIX: Final = "give a share, such as 5% or 0.05."


@dataclass(frozen=True, slots=True)
class Limit:
    """A power limit, as a user gives it.

    Args:
        text: The limit, for people.
        watts: The limit in watts; ``None`` where it is a share.
        share: The limit as a share of the default limit; ``None`` where it is in watts.
    """

    text: str
    watts: float | None = None
    share: float | None = None

    def milliwatts(self, gpu: nvml.LimitedGpu) -> int:
        """The limit of a GPU.

        Raises:
            ConfigError: The driver would not accept it.
        """
        found = round(
            gpu.default_milliwatts * (self.share or 0) if self.watts is None else self.watts * MILLIWATTS_PER_WATT
        )
        if not gpu.lowest_milliwatts <= found <= gpu.highest_milliwatts:
            lowest, highest = (
                f"{milliwatts / MILLIWATTS_PER_WATT:g} W ({milliwatts / gpu.default_milliwatts:.0%})"
                for milliwatts in (gpu.lowest_milliwatts, gpu.highest_milliwatts)
            )
            given = f"{self.text} is {found / MILLIWATTS_PER_WATT:g} W"
            fix = f"{given}, and GPU {gpu.index} {gpu.name} takes {lowest} to {highest}."
            raise ConfigError("limits", self.text, fix)
        return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """The trials that a user asks for.

    Args:
        words: The words of the command.
        limits: The power limits.
        trials: How often each is tried.
        allowed_slower: The share by which the recommended limit may be slower.
        unit: The unit of work that decides; ``None`` for the finest that all runs know.
    """

    words: tuple[str, ...]
    limits: tuple[Limit, ...]
    trials: int
    allowed_slower: float
    unit: WorkUnit | None

    @classmethod
    def of(cls, words: Sequence[str], *, limits: str, runs: int, allow_slower: str, per: str | None) -> Self:
        """Check the options.

        Raises:
            ConfigError: One cannot be used.
        """
        if not words:
            raise ConfigError("command", None, "give the program after --: tune --limits 100,85,70 -- python train.py.")
        if runs < LEAST_TRIALS:
            raise ConfigError("runs", runs, f"give {LEAST_TRIALS} or more; fewer tell no interval.")
        found = tuple(_limit(part, limits) for part in limits.split(","))
        if len({limit.text for limit in found}) < max(_FEWEST, len(found)):
            raise ConfigError("limits", limits, _LIMITS_FIX)
        return cls(tuple(words), found, runs, _share("allow_slower", allow_slower, _SLOWER_FIX), work_unit(per))


def tune_limits(
    wanted: Wanted, *, devices: str | None, ledger: str | None, project: str | None, is_shared: bool, form: Form
) -> None:
    """Try power limits, and print what they save.

    Args:
        wanted: The trials.
        devices: The GPUs, as in the meter.
        ledger: The folder of all runs.
        project: The project of the runs.
        is_shared: Whether to go on although others use the GPUs.
        form: The form of the output.

    Raises:
        ConfigError: An argument cannot be used, or the runs do not compare.
        StudyError: The program failed.
    """
    environ = dict(os.environ) if devices is None else {**os.environ, DEVICES.variable: devices}
    other = put_back_left_over(notice)
    if other is not None:
        raise ConfigError("tune", other, "this process is still trying power limits; wait for its end.")
    try:
        gpus = nvml.limited_gpus(DEVICES.in_force(devices, environ), environ)
        _refuse_neighbours(gpus, is_shared=is_shared)
        limits = sorted(wanted.limits, key=lambda limit: -limit.milliwatts(gpus[0]))
        by_gpu = [(limit, [limit.milliwatts(gpu) for gpu in gpus]) for limit in limits]
        runs = Trials(ledger, project, environ)
        for gpu in gpus:
            # Setting what is set already changes nothing, and asks for the permission.
            nvml.set_power_limit(gpu.uuid, gpu.milliwatts)
        with _ended_by_the_first_signal(), KeptLimits(gpus, limits_file(), notice) as kept:
            trials = _try(wanted, by_gpu, runs, kept=kept, tell=notice if form is Form.TABLE else _nothing)
    except SourceError as error:
        notice(str(error))
        raise typer.Exit(USAGE_ERROR) from None
    except _Ended as ended:
        notice("interrupted; the program was ended, and the runs so far are in the ledger")
        raise typer.Exit(SIGNALLED + ended.number) from None
    names = [limit.text for limit in limits]
    _show(tuning_of(names, trials, allowed_slower=wanted.allowed_slower, per=wanted.unit), form)
    hint = zeus_hint(wanted.allowed_slower, is_installed=find_spec("zeus") is not None)
    if hint and form is Form.TABLE:
        notice(hint)


def zeus_hint(allowed_slower: float, *, is_installed: bool) -> str:
    """What Zeus has to add, where it is installed; else an empty text."""
    if not is_installed:
        return ""
    return (
        "Zeus is installed: inside a training its GlobalPowerLimitOptimizer goes on with this search by steps, without "
        "further runs (HFGlobalPowerLimitOptimizer among the callbacks of Hugging Face); "
        f"optimum_selector=MaxSlowdownConstraint(factor={1 + allowed_slower:g}) allows the same time"
    )


class _Ended(BaseException):
    """A signal asks for the end.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _ended_by_the_first_signal() -> Iterator[None]:
    """Leave the block at the first signal that asks for the end; while limits are put back, no other one disturbs."""
    is_ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal is_ending
        del frame
        if not is_ending:
            is_ending = True
            raise _Ended(number)

    before = {
        number: signal.signal(number, end)
        for number in signals("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
        if signal.getsignal(number) not in {None, signal.SIG_IGN}
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _try(
    wanted: Wanted,
    limits: Sequence[tuple[Limit, Sequence[int]]],
    runs: Trials,
    *,
    kept: KeptLimits,
    tell: Callable[[str], None],
) -> list[list[Trial]]:
    """Run the program at every limit in turn, after a first run that does not count.

    Args:
        wanted: The trials.
        limits: The limits, each with that of every GPU in milliwatts.
        runs: Runs the program.
        kept: Sets the limits.
        tell: Told in a line as a run ends.
    """
    kept.set(limits[0][1])
    meters_itself = runs.warm_up(wanted.words)
    tell("first run, which does not count")
    trials: list[list[Trial]] = [[] for _ in limits]
    for place, number in in_turn(len(limits), wanted.trials):
        limit, milliwatts = limits[place]
        kept.set(milliwatts)
        trial = runs.run(wanted.words, meters_itself=meters_itself)
        trials[place].append(trial)
        tell(f"{limit.text} {number}/{wanted.trials}: {amount(trial.joules[WorkUnit.RUN], ENERGY)}")
    return trials


def _refuse_neighbours(gpus: Sequence[nvml.LimitedGpu], *, is_shared: bool) -> None:
    """Refuse GPUs that others use, whose work would be slowed down and counted.

    Raises:
        ConfigError: There are such, and the user has not said that it does not matter.
    """
    for gpu in gpus:
        if gpu.others and not is_shared:
            fix = f"GPU {gpu.index} is used by {gpu.others}; wait for their end, or go on with --shared."
            raise ConfigError("tune", f"GPU {gpu.index}", fix)


def _show(tuning: Tuning, form: Form) -> None:
    title = tuning.headline()
    if form is Form.TABLE:
        # The sentence is wider than the table, which would break it.
        say(f"{title}.\n")
        title = ""
    head = tuple(f"{name} a {tuning.unit}" if name in {"energy", "time"} else name for name in _HEAD)
    sheet = Sheet(title, head, "<" + ">" * (len(head) - 1), tuple(tuning.rows()), tuning.notes)
    show(form, [sheet], tuning.as_mapping(), label="tune")


def _limit(part: str, given: str) -> Limit:
    text = part.strip()
    try:
        if text[-1:] in {"W", "w"}:
            watts = float(text[:-1])
            found = Limit(f"{watts:g} W", watts=watts)
        else:
            percents = float(text.removesuffix("%"))
            found = Limit(f"{percents:g} %", share=percents / 100)
    except ValueError:
        _refuse("limits", given, _LIMITS_FIX)
    if not 0 < (found.watts or found.share or 0) < float("inf"):
        _refuse("limits", given, _LIMITS_FIX)
    return found


def _share(argument: str, text: str, fix: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        _refuse(argument, text, fix)
    if not 0 <= share < 1:
        _refuse(argument, text, fix)
    return share


def _refuse(argument: str, value: object, fix: str) -> NoReturn:
    raise ConfigError(argument, value, fix) from None


def _nothing(text: str) -> None:
    del text
