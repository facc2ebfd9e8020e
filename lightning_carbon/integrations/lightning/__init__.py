"""The callback for Lightning's trainers, those of ``pytorch_lightning`` and those of ``lightning.pytorch``."""

from lightning_carbon.integrations.lightning.callback import CarbonCallback as CarbonCallback
