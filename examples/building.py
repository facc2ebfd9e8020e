"""Builds what a configuration describes, for programs other than the examples themselves.

``training_of("configs/bert_small.yaml", {"training.max_steps": 10}).fit()`` trains as ``examples/bert.py --config
configs/bert_small.yaml --training.max_steps 10`` does, without the command line's library. ``model_of`` makes the model
alone. Which example a configuration is for, it says itself: in ``study.command``.

The folder of the examples has to be on Python's path.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hardware import hugging_face_defaults, lightning_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    import pytorch_lightning as pl
    from torch import nn

LIGHTNING = {"elmo": ("Elmo", "Sentences"), "transformer": ("Translator", "Translations")}
"""The examples that are trained by Lightning, with their model and their data; Hugging Face trains the others."""


@dataclass(frozen=True)
class Training:
    """A training that is ready to begin.

    Args:
        model: What is trained.
        trainer: Lightning's trainer or Hugging Face's.
        fit: Trains.
    """

    model: nn.Module
    trainer: Any
    fit: Callable[[], object]


def read_config(path: str | Path, changes: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Read a configuration.

    Args:
        path: The file.
        changes: What is different, by the names of the command line: ``{"training.max_steps": 10}``.
    """
    config: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    for name, value in (changes or {}).items():
        *groups, last = name.split(".")
        group = config
        for part in groups:
            group = group.setdefault(part, {})
        group[last] = value
    return config


def model_of(path: str | Path, changes: Mapping[str, object] | None = None) -> nn.Module:
    """Make the model of a configuration, on torch's default device, without reading any data.

    Args:
        path: The file.
        changes: What is different, by the names of the command line.
    """
    config = read_config(path, changes)
    example = _example(config)
    if example.__name__ not in LIGHTNING:
        made: nn.Module = example.make_model(config["data"]["vocabulary"], **config["model"])
        return made
    return _lightning_model(example, config)


def training_of(
    path: str | Path, changes: Mapping[str, object] | None = None, callbacks: Sequence[Any] | None = None
) -> Training:
    """Put a training together, as the example does that the configuration is for.

    Args:
        path: The file.
        changes: What is different, by the names of the command line.
        callbacks: The trainer's callbacks; those of the configuration when left out.
    """
    config = read_config(path, changes)
    example = _example(config)
    if example.__name__ in LIGHTNING:
        return _lightning(example, config, callbacks)
    return _hugging_face(example, config, callbacks)


def _lightning(example: ModuleType, config: dict[str, Any], callbacks: Sequence[Any] | None) -> Training:
    import pytorch_lightning as pl

    pl.seed_everything(config.get("seed_everything", 1), verbose=False)
    data = getattr(example, LIGHTNING[example.__name__][1])(
        **{"dataset": config.get("dataset"), **config.get("data", {})}
    )
    model = _lightning_model(example, config)
    settings: dict[str, Any] = lightning_defaults()
    settings |= {name: _instance(value) for name, value in config["trainer"].items() if name != "callbacks"}
    given = (
        [_instance(callback) for callback in config["trainer"].get("callbacks", [])] if callbacks is None else callbacks
    )
    trainer = pl.Trainer(**settings, callbacks=list(given))
    return Training(model, trainer, lambda: trainer.fit(model, datamodule=data))


def _lightning_model(example: ModuleType, config: Mapping[str, Any]) -> pl.LightningModule:
    linked = {}
    for source, target in example.LINKS.items():
        (_, from_data), (_, to_model) = source.split("."), target.split(".")
        if from_data in config.get("data", {}):
            linked[to_model] = config["data"][from_data]
    model: pl.LightningModule = getattr(example, LIGHTNING[example.__name__][0])(**linked, **config.get("model", {}))
    return model


def _hugging_face(example: ModuleType, config: dict[str, Any], callbacks: Sequence[Any] | None) -> Training:
    from language_models import TextData
    from transformers import TrainingArguments

    trainer = example.make(
        training=TrainingArguments(**{**hugging_face_defaults(), **config["training"]}),
        data=TextData(**{"dataset": config.get("dataset"), **config["data"]}),
        callbacks=[_instance(config["carbon"])] if callbacks is None else callbacks,
        **{name: value for name, value in config.items() if name in {"model", "masked_share"}},
    )
    return Training(trainer.model, trainer, trainer.train)


def _example(config: Mapping[str, Any]) -> ModuleType:
    """Import the example that a configuration is for."""
    return import_module(Path(config["study"]["command"][0]).stem)


def _instance(value: Any) -> Any:  # noqa: ANN401 - whatever a configuration holds
    """Make what a configuration describes by its class and its arguments; all else stays as it is."""
    if not isinstance(value, dict) or "class_path" not in value:
        return value
    module, _, name = value["class_path"].rpartition(".")
    return getattr(import_module(module), name)(**deepcopy(value.get("init_args", {})))
