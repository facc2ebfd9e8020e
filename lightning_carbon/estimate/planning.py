"""A planned training: accelerators, hours and utilisation, checked at once.

Hours that are not given follow from the arithmetic of the model:

    hours = 6 x parameters x tokens / (count x dense peak x MFU) / 3600

Six floating-point operations for each parameter and token (Kaplan et al. 2020, section 2.1): two forward, four
backward. MFU, model FLOPs utilisation, is their share of the peak (Chowdhery et al. 2022, appendix B).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import find_accelerator
from lightning_carbon.estimate.factors import (
    FLOPS_PER_PARAMETER_AND_TOKEN,
    FULL_SHARE,
    IDLE_SHARE,
    MFU,
    SMALL_MFU,
    SMALL_PARAMETERS,
    TPU_SHARE,
    TRAINING_SHARE,
    SourcedBounds,
)
from lightning_carbon.estimate.hosts import PlannedHost, host_of
from lightning_carbon.units import SECONDS_PER_HOUR, TERA
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from lightning_carbon.estimate.accelerators import Accelerator

GIVEN = "given"
_TPUS = "Google"
_MOST = 1e30
"""The bound of every figure given, which keeps the arithmetic below from overflowing."""


@dataclass(frozen=True, slots=True)
class PlannedTraining:
    """A planned training, every figure checked and with its range.

    Args:
        accelerator: The accelerator; ``None`` where only a power was given.
        count: How many of them, as a program sees them: a board of two dies counts as two.
        rated_watts: The rated or limited power of an accelerator.
        hours: The duration.
        share: The mean power of an accelerator, as a share of the rated power.
        utilisation: The share of the duration in which they compute, where it was given.
        mfu: The share of the dense peak that the model's arithmetic takes; ``None`` where hours were given.
        precision: The format of that peak, and the peak in FLOP/s; ``None`` where hours were given.
        flops: The model's arithmetic in total; ``None`` where hours were given.
        host: The machine around the accelerators.
    """

    accelerator: Accelerator | None
    count: int
    rated_watts: float
    hours: SourcedBounds
    share: SourcedBounds
    utilisation: float | None = None
    mfu: SourcedBounds | None = None
    precision: tuple[str, float] | None = None
    flops: float | None = None
    host: PlannedHost = field(default_factory=lambda: host_of(None, 1, 0.0))


def plan(  # noqa: PLR0913 - one for each option of the command
    gpu: str | None = None,
    count: int = 1,
    hours: float | None = None,
    *,
    utilisation: float | None = None,
    params: float | None = None,
    tokens: float | None = None,
    mfu: float | None = None,
    precision: str | None = None,
    gpu_watts: float | None = None,
    machine: str | None = None,
) -> PlannedTraining:
    """Check a plan and work out its hours.

    Args:
        gpu: The accelerator, by a name of the packaged table; left out where ``gpu_watts`` and ``hours`` are given.
        count: How many of them.
        hours: The duration; or else give ``params`` and ``tokens``.
        utilisation: The share of the time in which they compute, 0 to 1.
        params: The model's parameters; in a mixture of experts, those that are active for a token.
        tokens: The tokens of the training, over all epochs.
        mfu: The share of the dense peak that the model's arithmetic takes, above 0 and up to 1.
        precision: The format that it computes in: fp32, tf32, fp16, bf16 or fp8.
        gpu_watts: The power limit of an accelerator, instead of its rating.
        machine: The class of machine, as in the meter, or ``"none"``; default: by the accelerator and their number.

    Raises:
        ConfigError: An argument cannot be used, or both or neither of the ways to the hours are given.
    """
    if gpu is None and gpu_watts is None:
        raise ConfigError("gpu", gpu, "name an accelerator, such as H100, or give its rated power in watts.")
    accelerator = None if gpu is None else find_accelerator(gpu)
    watts = _positive("gpu_watts", gpu_watts, "give the watts that an accelerator is limited to, such as 350.")
    if watts is None and accelerator is not None:
        watts = accelerator.device_watts
    if watts is None:
        whole = None if accelerator is None else accelerator.system_watts
        known = "" if whole is None else f" (its whole machine: {whole:g} W at most)"
        fix = f"no source says what {accelerator} draws{known}; give its rated power in watts, too (gpu_watts)."
        raise ConfigError("gpu", gpu, fix)
    if isinstance(count, bool) or not 1 <= count < _MOST:
        raise ConfigError("count", count, "give a whole number of accelerators, from 1 up.")
    host = host_of(accelerator, count, watts, machine=machine)
    used = None if utilisation is None else _share("utilisation", utilisation, zero=True).value
    share = _share_of_rating(accelerator, used, is_full=hours is None)
    given_hours = _positive("hours", hours, "give how long the training takes, above zero, such as 84.")
    arithmetic = {"params": params, "tokens": tokens, "mfu": mfu, "precision": precision}
    if given_hours is not None:
        for name, value in arithmetic.items():
            if value is not None:
                raise ConfigError(name, value, "the hours are given too, and one of them must decide; leave one out.")
        duration = SourcedBounds(Bounds.exactly(given_hours), GIVEN)
        return PlannedTraining(accelerator, count, watts, duration, share, used, host=host)
    return _by_arithmetic(
        PlannedTraining(accelerator, count, watts, SourcedBounds(Bounds.exactly(0.0), GIVEN), share, used, host=host),
        params=params,
        tokens=tokens,
        mfu=mfu,
        precision=precision,
    )


def _by_arithmetic(
    job: PlannedTraining,
    *,
    params: float | None,
    tokens: float | None,
    mfu: float | None,
    precision: str | None,
) -> PlannedTraining:
    parameters = _positive("params", params, "give the model's parameters, such as 7e9.")
    seen = _positive("tokens", tokens, "give the tokens it is trained on, such as 1e12.")
    if parameters is None and seen is None:
        raise ConfigError("hours", None, "give how long the training takes, or the model's parameters and its tokens.")
    if parameters is None:
        raise ConfigError("params", None, "the tokens are given; give the model's parameters too, such as 7e9.")
    if seen is None:
        raise ConfigError("tokens", None, "the parameters are given; give the tokens too, such as 1e12.")
    if job.accelerator is None:
        raise ConfigError("gpu", None, "hours follow from its peak, so name one of the table, or give hours.")
    usual = SMALL_MFU if parameters < SMALL_PARAMETERS else MFU
    reached = usual if mfu is None else SourcedBounds(_share("mfu", mfu, zero=False), GIVEN)
    name, board = job.accelerator.peak(precision)
    peak = board / job.accelerator.dies
    flops = FLOPS_PER_PARAMETER_AND_TOKEN * parameters * seen
    hours = reached.span.times(job.count * peak * SECONDS_PER_HOUR).under(flops)
    source = (
        f"6 x {parameters:.4g} parameters x {seen:.4g} tokens / ({job.count} x {peak / TERA:g} TFLOP/s {name} x MFU)"
    )
    duration = SourcedBounds(hours, source)
    return replace(job, hours=duration, mfu=reached, precision=(name, peak), flops=flops)


def _share_of_rating(accelerator: Accelerator | None, utilisation: float | None, *, is_full: bool) -> SourcedBounds:
    """The mean power of an accelerator, as a share of its rating."""
    is_tpu = accelerator is not None and accelerator.vendor == _TPUS
    busy = TPU_SHARE if is_tpu else FULL_SHARE
    if utilisation is None:
        return busy if is_tpu or is_full else TRAINING_SHARE
    idle = IDLE_SHARE.span
    line = idle.combine(busy.span, lambda rest, full: rest + max(0.0, full - rest) * utilisation)
    return SourcedBounds(line, f"from idle to busy, at a utilisation of {utilisation:g}")


def _positive(argument: str, value: float | None, fix: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not 0 < value < _MOST:
        raise ConfigError(argument, value, fix)
    return float(value)


def _share(argument: str, value: float, *, zero: bool) -> Bounds[float]:
    """Check a share of up to 1."""
    if isinstance(value, bool) or not 0 <= value <= 1 or (value == 0 and not zero):
        span = "from 0 to 1" if zero else "above 0 and up to 1"
        raise ConfigError(argument, value, f"give a share {span}, such as 0.4.")
    return Bounds.exactly(value)
