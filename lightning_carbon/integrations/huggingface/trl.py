"""The peculiarities of TRL's Trainers: some generate the text that they learn from, and some learn from pairs.

Knows their methods and collators by name, but none of their classes. ``tools/try_trl.py`` checks the counts against
real trainings; they are right with TRL 1.16 (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from lightning_carbon.integrations.shared.batch import Count

ROLLOUT: Final = "rollout"
"""The phase in which completions are generated and scored."""
GENERATE: Final = "generate"
"""The part of that phase in which completions are generated."""
SCORED: Final = "_generate_and_score_completions"
"""The method that generates and scores the completions of some steps."""
GENERATED: Final = ("_generate", "_generate_vllm")
"""The methods that generate completions."""
_PAIRS: Final = frozenset({"DataCollatorForPreference", "DataCollatorForVisionPreference"})
"""The collators that stack chosen and rejected answers."""
_COMPLETIONS: Final = "completion_ids"
_PROMPTS: Final = "prompt"


def generates(trainer_class: type) -> bool:
    """Whether a class is a Trainer of TRL that generates the text it learns from."""
    return _is_of_trl(trainer_class) and any(hasattr(trainer_class, name) for name in (SCORED, *GENERATED))


def prepares(trainer_class: type) -> bool:
    """Whether a class is a Trainer of TRL that generates for several steps and learns from a part in each."""
    return _is_of_trl(trainer_class) and hasattr(trainer_class, SCORED)


@cache
def _is_of_trl(trainer_class: type) -> bool:
    return any(base.__module__.partition(".")[0] == "trl" for base in trainer_class.__mro__)


def has_completions(inputs: object) -> bool:
    """Whether the inputs of a step include completions."""
    return isinstance(inputs, Mapping) and hasattr(inputs.get(_COMPLETIONS), "shape")


def corrected(trainer: Any, batch: Any, counted: Count) -> Count:  # noqa: ANN401 - a Trainer or None, what it fetched
    """The samples and tokens of a batch, corrected by what the Trainer does with it.

    A pair of answers is a sample. Generated text is not in the batch: its tokens are those that the Trainer counts
    itself as it generates, or are not known; its samples are the completions that the step learns from.

    Args:
        trainer: The Trainer, where it is known.
        batch: The batch that it fetched, or prepared for the step.
        counted: The counts of the batch itself.
    """
    if trainer is None:
        return counted
    if generates(type(trainer)):
        if has_completions(batch):
            return Count(batch[_COMPLETIONS].shape[0])
        prompts = batch.get(_PROMPTS) if isinstance(batch, Mapping) else None
        return Count(len(prompts) if isinstance(prompts, list) else counted.samples)
    collator = getattr(trainer, "data_collator", None)
    has_rows = isinstance(batch, Mapping) and "input_ids" in batch  # once, both sides had names of their own
    if type(collator).__name__ in _PAIRS and has_rows and counted.samples is not None:
        return counted._replace(samples=counted.samples // 2)
    return counted
