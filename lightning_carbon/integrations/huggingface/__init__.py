"""The callback for the Trainer of Hugging Face's transformers."""

from importlib.util import find_spec

if find_spec("transformers") is None:
    raise ImportError("CarbonTrainerCallback needs transformers: pip install 'lightning-carbon[transformers]'")

from lightning_carbon.integrations.huggingface.callback import (
    CarbonTrainerCallback as CarbonTrainerCallback,
)
