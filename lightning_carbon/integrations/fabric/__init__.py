"""The callback for loops on Lightning Fabric, of ``lightning.fabric`` and of ``lightning_fabric``."""

from lightning_carbon.integrations.fabric.callback import CarbonFabricCallback as CarbonFabricCallback
