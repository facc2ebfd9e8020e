"""The statements of a Hugging Face Trainer's checkpoints on the energy that led to them, in a file of their own.

Not in ``trainer_state.json``: people compare resumed with uninterrupted trainings by that file, and the Trainer itself
restores, or warns of, what it keeps there for callbacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lightning_carbon.errors import LightningCarbonError
from lightning_carbon.ledger.files import read_json, write_json

STATE_FILE: Final = "lightning_carbon.json"
"""The name of the file, beside ``trainer_state.json``; deleted with its folder."""
_CHECKPOINT: Final = "checkpoint-"


class CheckpointStates:
    """Writes and reads the states of a Trainer.

    Attributes:
        resumes_from: The checkpoint that the user named to continue from.
    """

    def __init__(self) -> None:
        self._taken: Mapping[str, Any] | None = None
        self.resumes_from: str | None = None

    def take(self, state: Mapping[str, Any]) -> None:
        """Keep a state for the checkpoint that is about to be saved."""
        self._taken = state

    def write(self, folder: Path) -> None:
        """Put the kept state into a checkpoint that has been saved, once for each.

        Raises:
            LedgerError: It cannot be written.
        """
        taken, self._taken = self._taken, None
        if taken is not None and folder.is_dir():
            write_json(folder / STATE_FILE, taken)

    def read(self, output_dir: Path, step: int) -> object:
        """The state of the checkpoint that a training continues from; ``None`` where it has none.

        A checkpoint that was saved without metering has no state; that of an earlier checkpoint beside it is then used.

        Args:
            output_dir: Where the Trainer saves checkpoints.
            step: The step that the training continues from.
        """
        folder = Path(self.resumes_from) if self.resumes_from else checkpoint_in(output_dir, step)
        earlier = [
            (number, path) for path in folder.parent.glob(f"{_CHECKPOINT}*") if (number := _step_of(path)) < step
        ]
        for path in (folder, *(path for _, path in sorted(earlier, reverse=True))):
            try:
                return read_json(path / STATE_FILE)
            except FileNotFoundError:
                continue
            except (OSError, LightningCarbonError) as error:
                return {"trouble": str(error)}  # no state, which is reported where states are checked
        return None


def checkpoint_in(output_dir: Path, step: int) -> Path:
    """The folder in which the Trainer saves the checkpoint of a step."""
    return output_dir / f"{_CHECKPOINT}{step}"


def _step_of(path: Path) -> float:
    number = path.name.removeprefix(_CHECKPOINT)
    return int(number) if number.isascii() and number.isdigit() else float("inf")
