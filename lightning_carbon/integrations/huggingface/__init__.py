"""The callback for the Trainer of Hugging Face's transformers."""

from lightning_carbon.integrations.huggingface.callback import CarbonTrainerCallback as CarbonTrainerCallback
