"""Cards that models write themselves: those of sentence-transformers and SetFit do, wherever they are saved or pushed.

Both libraries look for CodeCarbon's callback, name CodeCarbon as the source, whoever measured, and ask it for figures
that the meter does not have. So nothing is handed to them in its place. The model is given a class of the same name,
derived from its own, whose method that writes the card adds the metered figures right after that, like the class that a
Trainer is given. Copies of the model, and the model in other processes, have the class that it had before.

Knows the methods by name, and none of the libraries' classes. They are right with sentence-transformers 6.2 and SetFit
1.2 (2026).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from lightning_carbon.integrations.huggingface.cards import CARD, tell_card
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded

_WRITERS: Final = ("_create_model_card", "create_model_card")
"""The methods that write a card into a folder: of sentence-transformers, and of SetFit."""
_HAS_CARD: Final = "model_card_data"
"""The attribute of a model that writes its own card."""


@guarded()
def tell_model(trainer: Any, runs: TrainerRuns) -> None:  # noqa: ANN401 - a Trainer of any version
    """Let the model of a Trainer add the energy and the CO2e of its trainings to each card that it writes from now on.

    Nothing changes for a model that leaves its card to the Trainer.

    Args:
        trainer: The Trainer.
        runs: Its runs.
    """
    if not runs.writes_cards:
        return
    # SetFit's model is not that of the Trainer of sentence-transformers in it.
    for model in (getattr(trainer, "model", None), getattr(trainer, "setfit_model", None)):
        writer = next((name for name in _WRITERS if hasattr(model, name)), None)
        if writer is not None and hasattr(model, _HAS_CARD):
            _follow(model, writer, runs)


def told_runs(model: object) -> tuple[TrainerRuns, ...]:
    """The runs that a model adds to its cards; none for a model that leaves its card to the Trainer."""
    return getattr(type(model), "_told_runs", ())


def _follow(model: Any, writer: str, runs: TrainerRuns) -> None:  # noqa: ANN401 - a model of any library
    """Give a model the class that adds figures to its cards.

    Args:
        model: The model.
        writer: The method that writes a card.
        runs: The runs of its Trainer.
    """
    told = told_runs(model)
    if any(known is runs for known in told):
        return
    original: type = getattr(type(model), "_untold_class", type(model))
    members = {
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        "__reduce_ex__": _reduce,
        "_untold_class": original,
        "_told_runs": (*told, runs),
        writer: _told(getattr(original, writer)),
    }
    model.__class__ = type(original)(original.__name__, (original,), members)


def _told(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def write(self: Any, path: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        result = original(self, path, *args, **kwargs)
        tell_card(Path(path, CARD), self, type(self)._told_runs)  # noqa: SLF001 - set above
        return result

    return write


def _reduce(self: Any, _: Any) -> Any:  # noqa: ANN401 - a model, and what pickle hands over
    """Pickle and copy as the original class does; the copy has that class, and needs nothing of this package.

    By protocol 1, as newer protocols insist on the class that the model has now.
    """
    told = type(self)
    original = told._untold_class  # noqa: SLF001 - set above
    make, made_from, *rest = original.__reduce_ex__(self, 1)
    return (make, tuple(original if argument is told else argument for argument in made_from), *rest)
