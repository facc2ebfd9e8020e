"""The energy meter of model training: joules, watts and gCO2e beside the loss.

Everything here loads when it is first used; importing the package itself loads nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # by its name, as type checkers take it; typing is most of what an import would cost
if TYPE_CHECKING:
    from typing import Any

    from lightning_carbon.energy.phases import Phase
    from lightning_carbon.errors import ConfigError, LightningCarbonError
    from lightning_carbon.integrations.accelerate.tracker import CarbonTracker
    from lightning_carbon.integrations.autolog.automatic import autolog
    from lightning_carbon.integrations.fabric.callback import CarbonFabricCallback
    from lightning_carbon.integrations.huggingface.callback import CarbonTrainerCallback
    from lightning_carbon.integrations.lightning.callback import CarbonCallback
    from lightning_carbon.meter import Meter, join
    from lightning_carbon.records.rows import Row
    from lightning_carbon.records.run import RunRecord

__version__ = "0.1.0"

__all__ = [
    "CarbonCallback",
    "CarbonFabricCallback",
    "CarbonTracker",
    "CarbonTrainerCallback",
    "ConfigError",
    "LightningCarbonError",
    "Meter",
    "Phase",
    "Row",
    "RunRecord",
    "__version__",
    "autolog",
    "join",
]

_HOMES = {
    "CarbonCallback": "lightning_carbon.integrations.lightning.callback",
    "CarbonFabricCallback": "lightning_carbon.integrations.fabric.callback",
    "CarbonTracker": "lightning_carbon.integrations.accelerate.tracker",
    "CarbonTrainerCallback": "lightning_carbon.integrations.huggingface.callback",
    "ConfigError": "lightning_carbon.errors",
    "LightningCarbonError": "lightning_carbon.errors",
    "Meter": "lightning_carbon.meter",
    "Phase": "lightning_carbon.energy.phases",
    "Row": "lightning_carbon.records.rows",
    "RunRecord": "lightning_carbon.records.run",
    "autolog": "lightning_carbon.integrations.autolog.automatic",
    "join": "lightning_carbon.meter",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public object
    """Load a public name from its home (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
