"""What the checkpoints of a Hugging Face Trainer say of the energy that led to them, in a file of their own.

Not in ``trainer_state.json``: a training that is resumed is compared with one that was not by that, and what the
Trainer keeps there for callbacks it restores, or warns of, itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lightning_carbon.errors import LightningCarbonError
from lightning_carbon.ledger.files import read_json, write_json

STATE_FILE: Final = "lightning_carbon.json"
"""Beside ``trainer_state.json``; deleted with the folder that it lies in."""
_CHECKPOINT: Final = "checkpoint-"


class CheckpointStates:
    """Writes and reads the states of one Trainer.

    Attributes:
        resumes_from: The checkpoint that the user named for the training to go on from.
    """

    def __init__(self) -> None:
        self._taken: Mapping[str, Any] | None = None
        self.resumes_from: str | None = None

    def take(self, state: Mapping[str, Any]) -> None:
        """Keep a state for the checkpoint that is about to be saved."""
        self._taken = state

    def write(self, folder: Path) -> None:
        """Put the state that was taken into a checkpoint that has been saved; once for each.

        Raises:
            LedgerError: It cannot be written.
        """
        taken, self._taken = self._taken, None
        if taken is not None and folder.is_dir():
            write_json(folder / STATE_FILE, taken)

    def read(self, output_dir: Path, step: int) -> object:
        """The state of the checkpoint that a training goes on from; ``None`` where it has none.

        A checkpoint that was saved without metering has none, and an earlier one beside it tells what was before.

        Args:
            output_dir: Where the Trainer saves checkpoints.
            step: The step that the training goes on from.
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
                return {"trouble": str(error)}  # no state, which is told where states are checked
        return None


def checkpoint_in(output_dir: Path, step: int) -> Path:
    """Where the Trainer saves the checkpoint of a step."""
    return output_dir / f"{_CHECKPOINT}{step}"


def _step_of(path: Path) -> float:
    number = path.name.removeprefix(_CHECKPOINT)
    return int(number) if number.isascii() and number.isdigit() else float("inf")
