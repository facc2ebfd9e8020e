"""The command lines of the examples, which are alike: ``--config``, ``--dataset``, ``--model.*``, ``--data.*``.

This alone needs jsonargparse, and is imported by a program that was started, never by what it consists of: networks and
data can be used by other programs, too (see ``building.py``).
"""

from __future__ import annotations

import sys
import warnings
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus import DATASET_HELP, leave
from ending import ending, print_ending
from hardware import hugging_face_defaults, lightning_defaults
from jsonargparse import ArgumentParser
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import TensorBoardLogger

from lightning_carbon import CarbonCallback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytorch_lightning as pl
    from transformers import Trainer

    from lightning_carbon import CarbonTrainerCallback


def add_common(parser: ArgumentParser) -> None:
    """Add what is spelled alike in all examples."""
    parser.add_argument("--dataset", type=str | None, default=None, help=DATASET_HELP)
    parser.link_arguments("dataset", "data.dataset")
    parser.add_argument("--study", type=dict[str, Any] | None, default=None, help="for `lightning-carbon study` alone")


def run_lightning(
    model: type[pl.LightningModule],
    data: type[pl.LightningDataModule],
    links: Mapping[str, str],
) -> None:
    """Train as the command line says, then show what it took.

    Args:
        model: The network and how it learns.
        data: What it learns from.
        links: Which of the data's settings decide which of the model's.
    """

    class ExampleCLI(LightningCLI):
        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            add_common(parser)
            for source, target in links.items():
                parser.link_arguments(source, target)

        def before_instantiate_classes(self) -> None:
            running.append(self)

    def tell() -> None:
        trainer: pl.Trainer | None = getattr(running[0], "trainer", None) if running else None
        if trainer is None or not trainer.is_global_zero:
            return
        callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set where mypy does not look
        metered = [callback for callback in callbacks if isinstance(callback, CarbonCallback)]
        # The logger's folder: the trainer's own `log_dir` would wait for every rank.
        if metered and metered[0].record is not None and isinstance(trainer.logger, TensorBoardLogger):
            print_ending(metered[0], Path(trainer.logger.log_dir), ["train/loss", "val/loss"])

    running: list[ExampleCLI] = []
    # Lightning 2.6's own use of torch's tree utilities, at every training.
    warnings.filterwarnings("ignore", r".*LeafSpec.* is deprecated", FutureWarning)
    # Its advice on machines with more than two processors: the examples' data are in memory.
    warnings.filterwarnings("ignore", r".*does not have many workers")
    with ending(tell):
        ExampleCLI(
            model,
            data,
            seed_everything_default=1,
            auto_configure_optimizers=False,
            trainer_defaults=lightning_defaults(),
        )


def parse_hugging_face(
    make: Callable[..., Trainer], words: Sequence[str] | None = None
) -> tuple[CarbonTrainerCallback, dict[str, Any]]:
    """Read the command line of a training with Hugging Face's Trainer.

    Args:
        make: Puts the Trainer together; its arguments become those of the command line.
        words: The command line; that of the process when left out.

    Returns:
        The callback that meters the training, and what to call ``make`` with.
    """
    # Here, as it needs transformers, and Lightning's examples do not.
    from lightning_carbon import CarbonTrainerCallback

    parser = ArgumentParser(description=sys.modules[make.__module__].__doc__)
    parser.add_argument("--config", action="config", help="a file of what follows")
    parser.add_subclass_arguments(CarbonTrainerCallback, "carbon", required=True)
    parser.add_function_arguments(make, skip={"callbacks"}, fail_untyped=False)
    add_common(parser)
    parser.set_defaults({f"training.{name}": value for name, value in hugging_face_defaults().items()})
    parsed = parser.parse_args(words)
    try:
        arguments = parser.instantiate(parsed).as_dict()
    except ValueError as error:  # the Trainer's arguments look at the machine
        fix = "add --training.bf16 false to train in 32 bits" if parsed.training.bf16 else "change --training.*"
        leave(f"--training.* cannot be used here: {error} To train all the same, {fix}.")
    carbon = arguments.pop("carbon")
    return carbon, {name: value for name, value in arguments.items() if name in signature(make).parameters}
