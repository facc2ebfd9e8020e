"""``lightning-carbon study development``: the study's Table 4 from the runs of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.cli.output import show
from lightning_carbon.cli.runs.choosing import open_runs
from lightning_carbon.cli.say import notice
from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import find_accelerator
from lightning_carbon.estimate.factors import USD_PER_KWH
from lightning_carbon.estimate.prices import CloudPrice, ElectricityPrice, price_for
from lightning_carbon.study.development.development import Prices, development_of
from lightning_carbon.study.development.jobs import job_of
from lightning_carbon.study.development.sheets import development_mapping, development_sheets
from lightning_carbon.study.method import CURRENT, STRUBELL_2019
from lightning_carbon.study.published.study import strubell2019
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lightning_carbon.cli.forms import Form
    from lightning_carbon.cli.runs.choosing import Runs
    from lightning_carbon.study.development.jobs import Job
    from lightning_carbon.study.method import Method

_GIVEN = "given"
_FEW = 3


@dataclass(frozen=True, slots=True)
class PriceOptions:
    """The user's options for pricing.

    Args:
        method: ``current`` or ``strubell2019``.
        usd_per_kwh: The price of a kWh, or ``None``.
        usd_per_gpu_hour: The price of a GPU-hour in a cloud, low and high, or ``None``.
    """

    method: str = CURRENT
    usd_per_kwh: float | None = None
    usd_per_gpu_hour: tuple[float, float] | None = None


def show_development(
    project: str,
    ledger: str | None,
    asked: PriceOptions,
    *,
    form: Form,
    model: str | None = None,
    sweep: str | None = None,
) -> None:
    """Print the energy of one model, one sweep and all runs of a project.

    Args:
        project: The project.
        ledger: The folder of all runs that the user named, if any.
        asked: The options for pricing.
        form: The form of the output.
        model: The run of the model, where the user names it.
        sweep: The names of the runs of the sweep, where the user gives them.

    Raises:
        ConfigError: There is no such project, run, sweep or method, or a price cannot be used.
    """
    method, prices = _pricing(asked)
    runs = open_runs(ledger, project)
    jobs = list(_jobs(runs, method))
    if not jobs:
        raise ConfigError("project", project, _other_projects(runs))
    development = development_of(project, jobs, prices, model=model, sweep=sweep)
    said = [*_factors(jobs, method), *_prices(prices, jobs)]
    mapping = development_mapping(development, asked.method, said)
    show(form, development_sheets(development, said), mapping, label="development")


def _pricing(asked: PriceOptions) -> tuple[Method | None, Prices]:
    if asked.method not in {CURRENT, STRUBELL_2019}:
        raise ConfigError("method", asked.method, f"give {CURRENT} or {STRUBELL_2019}.")
    method = strubell2019().method if asked.method == STRUBELL_2019 else None
    electricity = ElectricityPrice(USD_PER_KWH.span.value, USD_PER_KWH.source, None)
    if method is not None and method.electricity is not None:
        electricity = method.electricity
    if asked.usd_per_kwh is not None:
        if not 0 <= asked.usd_per_kwh < float("inf"):
            raise ConfigError("usd_per_kwh", asked.usd_per_kwh, "give USD for a kWh, zero or more, such as 0.12.")
        electricity = ElectricityPrice(asked.usd_per_kwh, _GIVEN, None)
    given = None
    if asked.usd_per_gpu_hour is not None:
        low, high = asked.usd_per_gpu_hour
        if not 0 <= low <= high < float("inf"):
            fix = "give USD for an hour of a GPU, the low price and the high one, such as 1.25 4.29."
            raise ConfigError("usd_per_gpu_hour", f"{low:g} {high:g}", fix)
        given = CloudPrice(low, high, _GIVEN, None)

    def cloud(name: str) -> CloudPrice | None:
        if given is not None:
            return given
        return _current_price(name) if method is None else price_for(name, method.cloud)

    return method, Prices(electricity, cloud)


def _current_price(name: str) -> CloudPrice | None:
    try:
        return find_accelerator(name).price
    except ConfigError:
        return None


def _jobs(runs: Runs, method: Method | None) -> Iterator[Job]:
    for record in runs.ledger.runs(runs.project):
        try:
            yield job_of(record, method)
        except (ArithmeticError, ValueError) as error:
            notice(f"{record.location}: its figures cannot be added up: {error}")


def _other_projects(runs: Runs) -> str:
    known = runs.ledger.projects()
    others = f"it has {', '.join(known)}" if known else "it is empty"
    return f"it has no runs in {runs.folder}; {others}."


def _factors(jobs: Sequence[Job], method: Method | None) -> Iterator[str]:
    """Notes on the factors behind energy and CO2e."""
    if method is not None:
        grid, pue = method.intensity, method.pue
        yield (
            f"Priced with the constants of Strubell et al. 2019: PUE {pue.value:g}, "
            f"{grid.value:.1f} gCO2e/kWh ({grid.place} {grid.year})."
        )
        return
    used = dict.fromkeys(
        f"PUE {carbon.pue.value:g}{' (assumed)' if carbon.pue.assumed else ''}, "
        f"{carbon.intensity.value:g} gCO2e/kWh "
        f"({carbon.intensity.place}{'' if carbon.intensity.year is None else f' {carbon.intensity.year}'}"
        f"{', assumed' if carbon.intensity.assumed else ''})"
        for carbon in (job.carbon for job in jobs)
        if carbon is not None
    )
    if used:
        more = f" and {len(used) - _FEW} more" if len(used) > _FEW else ""
        yield f"Each run is priced as its own record says: {'; '.join(list(used)[:_FEW])}{more}."


def _prices(prices: Prices, jobs: Sequence[Job]) -> Iterator[str]:
    """Notes on the sources of prices."""
    costs = prices.electricity
    if costs is not None:
        yield f"Electricity: {costs.usd_per_kwh:g} USD/kWh, {_of(costs.source, costs.year)}."
    for name in dict.fromkeys(name for job in jobs for name in job.accelerators):
        price = prices.cloud(name)
        if price is not None:
            asked = f"{price.low:g} to {price.high:g} USD for an hour"
            yield f"Cloud: {name} {asked}, {_of(price.source, price.year)}."


def _of(source: str, year: int | None) -> str:
    return source if year is None or str(year) in source else f"{source}, {year}"
