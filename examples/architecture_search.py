"""Search for a Transformer's architecture, every trial metered, and see what the search cost for what it gained.

``python examples/architecture_search.py`` searches for about two minutes on two cores, on the texts of
``transformer.py``: Optuna proposes an architecture, Lightning trains it, and what does not get far is pruned after an
epoch. Every trial is a run of one project in the ledger, with its energy, whether it was completed, pruned, failed or
killed. The best architecture is then trained longer, and the results say how many times the energy of that training
the search took, and what each trial bought for its own: the point of Strubell et al. (2019), on your machine.

A search that was interrupted goes on where it was, with the same command; what was lost with it stays in the total.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import optuna
import pytorch_lightning as pl
import torch
from hardware import computes_in_bfloat16
from optuna.trial import TrialState
from search_results import FINAL, Candidate, Results, name_of, write
from transformer import Translations, Translator, count_tokens

from lightning_carbon import CarbonCallback
from lightning_carbon.errors import ConfigError, LightningCarbonError
from lightning_carbon.settings import configure

if TYPE_CHECKING:
    from pytorch_lightning.utilities.types import OptimizerLRScheduler
    from torch import Tensor
    from transformer import Batch

    from lightning_carbon.settings import Settings

ERROR = "error"
"""Under this name a trial of Optuna keeps why it failed."""
PARAMETERS = "parameters"
"""Under this one, how many its model has."""
SETTINGS = "settings"
"""Under this one, the study keeps what all of its trials have in common."""
STOPPED = 130
"""What a search ends with that was stopped, as shells have it of Ctrl-C."""
MAY_CHANGE = frozenset({"trials", "final_epochs", "ledger", "region", "out", "threads"})
"""What may be different when a search goes on."""


class Deferred(pl.LightningModule):
    """A translator that is made when training begins, so that one that cannot be made is a run that failed.

    Args:
        settings: Arguments of :class:`transformer.Translator`.
    """

    def __init__(self, settings: dict[str, float]) -> None:
        super().__init__()
        self.settings = settings
        self.model: Translator | None = None

    def configure_model(self) -> None:
        """Make the network."""
        if self.model is None:
            self.model = Translator(**self.settings)  # type: ignore[arg-type]  # sizes are whole, and shares are not

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Predict each next token of the translations."""
        return self._loss(batch)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Likewise, without learning."""
        self.log("val/loss", self._loss(batch), batch_size=len(batch.source))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Those of the translator."""
        assert self.model is not None  # noqa: S101 - configure_model comes first
        return self.model.configure_optimizers()

    def _loss(self, batch: Batch) -> Tensor:
        assert self.model is not None  # noqa: S101 - likewise
        logits = self.model(batch.source, batch.target[:, :-1])
        loss: Tensor = self.model.loss(logits.flatten(0, 1), batch.target[:, 1:].flatten())
        return loss


class Pruning(pl.Callback):
    """Tells Optuna the loss after each epoch, and ends what it does not expect anything of.

    Args:
        trial: The trial; ``None`` for a training that is not to be pruned.
    """

    def __init__(self, trial: optuna.Trial | None) -> None:
        self.trial = trial
        self.losses: list[float] = []
        self.is_pruned = False

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at the epoch's loss."""
        if trainer.sanity_checking:
            return
        loss = float(trainer.callback_metrics["val/loss"])
        if not isfinite(loss):
            raise ArithmeticError(f"the loss is {loss}")
        self.losses.append(loss)
        if self.trial is not None:
            self.trial.report(loss, len(self.losses))
            self.is_pruned = self.trial.should_prune()
            trainer.should_stop = trainer.should_stop or self.is_pruned


class Search:
    """The trials, one after the other, each a metered training.

    Args:
        options: What the command line says.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.data = Translations(
            vocabulary=options.vocabulary, batch_size=options.batch_size, validation_pairs=options.validation_pairs
        )
        self.data.setup("fit")  # once, before anything is metered: it belongs to no trial
        options.out.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{options.out / 'study.db'}"
        self.study = optuna.create_study(storage=storage, study_name=options.project, load_if_exists=True)
        self._check_settings()
        for trial in self.study.get_trials(states=[TrialState.RUNNING]):
            self.study.tell(trial.number, state=TrialState.FAIL)  # its process is gone
        tried = len(self.study.trials)
        # A sampler that begins anew at its seed would propose again what was tried already.
        self.study.sampler = optuna.samplers.TPESampler(seed=options.seed + tried)
        self.study.pruner = optuna.pruners.MedianPruner(n_startup_trials=1)

    def run(self) -> None:
        """Try what is left to try, then train the best one."""
        for _ in range(len(self.study.trials), self.options.trials):
            trial = self.study.ask()
            state, loss, error = self._attempt(trial)
            if error:
                trial.set_user_attr(ERROR, error)
            self.study.tell(trial, loss if state is TrialState.COMPLETE else None, state)
            said = error or ("" if loss is None else f"{loss:.4f}")
            print(f"{name_of(trial.number)}  {describe(trial.params):<24} {state.name.lower():<8} {said}", flush=True)

    def finish(self) -> None:
        """Train the best architecture for longer, unless that was done."""
        if not self.study.get_trials(states=[TrialState.COMPLETE]):
            return
        name = f"{FINAL}-{name_of(self.study.best_trial.number)}"
        if any(record.run_name == name and record.status == "completed" for record in self.results().records):
            return
        pruning = Pruning(None)
        self._fit(self.study.best_trial.params, name, pruning, self.options.final_epochs, None)
        print(f"{name}  {describe(self.study.best_trial.params):<24} {pruning.losses[-1]:.4f}")

    def results(self) -> Results:
        """What the ledger has of this project, with what Optuna knows of each trial."""
        candidates = {
            name_of(trial.number): Candidate(
                describe(trial.params),
                trial.user_attrs.get(PARAMETERS),
                trial.state.name.lower(),
                trial.value,
                trial.user_attrs.get(ERROR),
            )
            for trial in self.study.trials
        }
        return Results.of(self.options.ledger, self.options.project, candidates, self.options.vocabulary)

    def _check_settings(self) -> None:
        """See that what was tried before was tried alike."""
        now = {name: value for name, value in vars(self.options).items() if name not in MAY_CHANGE}
        earlier = self.study.user_attrs.get(SETTINGS, now)
        for name, value in now.items():
            if earlier.get(name) != value:
                fix = (
                    f"the search in {self.options.out} began with {earlier.get(name)}; give that, or another --project."
                )
                raise ConfigError(name, value, fix)
        self.study.set_user_attr(SETTINGS, now)

    def _attempt(self, trial: optuna.Trial) -> tuple[TrialState, float | None, str | None]:
        """Train once, and say how it went."""
        options, pruning = self.options, Pruning(trial)
        suggested = {
            "width": trial.suggest_categorical("width", options.width),
            "heads": trial.suggest_categorical("heads", options.heads),
            "layers": trial.suggest_categorical("layers", options.layers),
            "hidden": trial.suggest_categorical("hidden", options.hidden),
        }
        limit = None if options.seconds is None else timedelta(seconds=options.seconds)
        try:
            parameters = self._fit(suggested, name_of(trial.number), pruning, options.epochs, limit)
        except LightningCarbonError:
            raise  # of a setting, so that no other trial would fare better
        except Exception as error:  # noqa: BLE001 - whatever a training dies of is this trial's end, not the search's
            return TrialState.FAIL, None, " ".join(str(error).split()) or type(error).__name__
        trial.set_user_attr(PARAMETERS, parameters)
        if pruning.is_pruned:
            return TrialState.PRUNED, pruning.losses[-1], None
        if not pruning.losses:
            return TrialState.FAIL, None, "no epoch was completed in the time; give more --seconds"
        return TrialState.COMPLETE, pruning.losses[-1], None

    def _fit(self, params: dict[str, int], name: str, pruning: Pruning, epochs: int, limit: timedelta | None) -> int:
        """One metered training; returns how many parameters it trained."""
        options = self.options
        pl.seed_everything(options.seed, verbose=False)
        shape = {**params, "hidden": params["hidden"] * params["width"]}
        warmup = max(1, options.batches * options.epochs // 3)
        # The highest learning rate of the small configuration, 4e-3 at a width of 128, by the root of the width.
        rate = 4e-3 * (128 / params["width"]) ** 0.5
        training = {"vocabulary": options.vocabulary, "learning_rate": rate, "warmup_steps": warmup}
        module = Deferred({**shape, **training})
        carbon = CarbonCallback(
            project=options.project,
            run_name=name,
            ledger=options.ledger,
            region=options.region,
            count_batch=count_tokens,
            progress_bar=False,
        )
        trainer = pl.Trainer(
            max_epochs=epochs,
            max_time=limit,
            limit_train_batches=options.batches,
            precision="bf16-mixed" if computes_in_bfloat16() else "32-true",
            callbacks=[carbon, pruning],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
            gradient_clip_val=1.0,
        )
        trainer.fit(module, datamodule=self.data)
        return sum(weights.numel() for weights in module.parameters())


def describe(params: dict[str, int]) -> str:
    """An architecture in a few letters: ``w64 h2 l2 f128``."""
    if not params:
        return ""
    return f"w{params['width']} h{params['heads']} l{params['layers']} f{params['hidden'] * params['width']}"


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    whole: dict[str, Any] = {"type": int, "metavar": "NUMBER"}
    parser.add_argument("--trials", default=8, **whole, help="in all, those of an interrupted search included")
    parser.add_argument("--epochs", default=3, **whole, help="of each trial; it may be pruned after each")
    parser.add_argument("--batches", default=40, **whole, help="of each epoch")
    parser.add_argument("--final-epochs", default=9, **whole, help="of the training of the best architecture")
    parser.add_argument("--seconds", type=float, metavar="SECONDS", help="of each trial, at most")
    parser.add_argument("--project", default="search", metavar="NAME", help="what the runs belong to in the ledger")
    parser.add_argument("--ledger", metavar="FOLDER", help="the folder of all runs")
    parser.add_argument("--region", metavar="CODE", help="where the electricity is used")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the results; runs/PROJECT unless said otherwise")
    parser.add_argument("--seed", default=1, **whole, help="of the sampler and of every training")
    for name, choices in {
        "width": [32, 48, 64, 96, 128],
        "heads": [2, 4, 8],
        "layers": [1, 2, 3],
        "hidden": [1, 2, 4],
    }.items():
        what = "times the width" if name == "hidden" else "to choose from"
        parser.add_argument(f"--{name}", nargs="+", default=choices, **whole, help=f"{what}: {choices}")
    parser.add_argument("--vocabulary", default=1000, **whole, help="tokens that both languages share")
    parser.add_argument("--batch-size", default=16, **whole, help="pairs to a batch")
    parser.add_argument("--threads", default=1, **whole, help="of the processor; for such small models one is fastest")
    parser.add_argument("--validation-pairs", default=100, **whole, help="pairs to validate on")
    options = parser.parse_args(words)
    for name in ("trials", "epochs", "batches", "final_epochs", "seconds", "batch_size", "validation_pairs", "threads"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} {value} cannot be used: give a number above zero")
    options.out = options.out or Path("runs") / options.project
    return options


def refuse(error: ConfigError) -> NoReturn:
    """End with one line that names the option, its value and the fix."""
    print(f"--{error.argument.replace('_', '-')} {error.value} cannot be used: {error.fix}", file=sys.stderr)
    sys.exit(2)


def main(words: list[str] | None = None) -> None:
    """Search as the command line says, then show what it took.

    Args:
        words: Words of the command line; those of the process when left out.
    """
    options = parse(words)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("lightning", "pytorch_lightning")):
            logging.getLogger(name).setLevel(logging.ERROR)
    # Lightning 2.6's own use of torch's tree utilities, at every training, and its advice on loaders.
    warnings.filterwarnings("ignore", r".*LeafSpec.* is deprecated", FutureWarning)
    warnings.filterwarnings("ignore", r".*does not have many workers")
    torch.set_num_threads(options.threads)
    try:
        given = {"project": options.project, "region": options.region, "ledger": options.ledger}
        # Before anything is written.
        configure(**cast("Settings", {name: value for name, value in given.items() if value is not None}))
        search = Search(options)
        search.results().check()
    except ConfigError as error:
        refuse(error)
    try:
        search.run()
        search.finish()
    except ConfigError as error:
        refuse(error)
    except (KeyboardInterrupt, SystemExit) as stopped:
        print("\nInterrupted; the same command goes on from here.")
        write(search.results(), options.out)
        sys.exit((stopped.code if isinstance(stopped, SystemExit) else None) or STOPPED)
    write(search.results(), options.out)


if __name__ == "__main__":
    main()
