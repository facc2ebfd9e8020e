"""The options that several commands share; those of the meter come from the table of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lightning_carbon.settings import (
    BUDGET,
    DEVICES,
    INTERVAL_SECONDS,
    LEDGER,
    ON_BUDGET,
    PRICE_PER_KWH,
    PROJECT,
    RUN_NAME,
)
from lightning_carbon.settings.joining import JOIN, ROLE
from lightning_carbon.settings.pricing import INTENSITY, MARKET_INTENSITY, PUE, REGION, WUE
from lightning_carbon.settings.searching import SWEEP, TRIAL
from lightning_carbon.settings.setting import Setting


def option_of(setting: Setting[object]) -> Any:  # noqa: ANN401 - typer's, which it does not name in public
    """The option of a setting, with its name, its value's name and its meaning."""
    return typer.Option(
        setting.option, metavar=setting.metavar, help=setting.help, show_default=setting.default is not None
    )


RegionOption = Annotated[str | None, option_of(REGION)]
IntensityOption = Annotated[str | None, option_of(INTENSITY)]
PueOption = Annotated[float | None, option_of(PUE)]
MarketIntensityOption = Annotated[str | None, option_of(MARKET_INTENSITY)]
WueOption = Annotated[str | None, option_of(WUE)]
LedgerOption = Annotated[str | None, option_of(LEDGER)]
DevicesOption = Annotated[str | None, option_of(DEVICES)]
IntervalOption = Annotated[float, option_of(INTERVAL_SECONDS)]
JoinOption = Annotated[str | None, option_of(JOIN)]
RoleOption = Annotated[str | None, option_of(ROLE)]
SweepOption = Annotated[str | None, option_of(SWEEP)]
TrialOption = Annotated[str | None, option_of(TRIAL)]
RunNameOption = Annotated[str | None, option_of(RUN_NAME)]
BudgetOption = Annotated[str | None, option_of(BUDGET)]
PriceOption = Annotated[float | None, option_of(PRICE_PER_KWH)]
OnBudgetOption = Annotated[str, option_of(ON_BUDGET)]
OwnProjectOption = Annotated[str | None, option_of(PROJECT)]
ProjectOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only the runs of this project.", show_default=False)
]
PidOption = Annotated[
    int | None,
    typer.Option("--pid", metavar="PID", help="Meter this process and all below it instead.", show_default=False),
]
CopyOption = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write the record here.", show_default=False)
]
PeriodOption = Annotated[
    str | None,
    typer.Option("--for", metavar="TIME", help="How long at most, such as 90s, 10m or 1h30m.", show_default=False),
]
MachineFlag = Annotated[bool, typer.Option("--machine", help="Meter the whole machine instead.")]
