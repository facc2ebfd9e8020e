"""The count of tokens that a Hugging Face Trainer keeps itself, and where it goes before that of its batches."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from lightning_carbon.integrations.huggingface import trl
from lightning_carbon.integrations.shared.batch import Count

_OFF: Final = ("no", False, None)
"""``include_num_input_tokens_seen`` where it is off; until transformers 4.56 (2025) it was true or false."""
_NON_PADDING: Final = "non_padding"
"""``include_num_input_tokens_seen`` where padding does not count."""


class TokensSeen(NamedTuple):
    """The Trainer's own count.

    Args:
        tokens: The tokens of this process so far.
        with_padding: Whether padding may be among them; ``None`` where the Trainer's rule is not known.
        is_of_inputs: Whether it is transformers' count of the inputs, which sees no more than the batches show.
    """

    tokens: int
    with_padding: bool | None
    is_of_inputs: bool

    def goes_before(self, counted: Count) -> bool:
        """Whether this count is better than that of the batches of a step.

        A Trainer that generates or packs its tokens knows better; of the inputs, masks on the host tell the best.

        Args:
            counted: The count of the batches.
        """
        return not self.is_of_inputs or counted.tokens is None or counted.with_padding is not False


def tokens_seen(trainer: Any, args: Any, state: Any, *, has_masks: bool) -> TokensSeen | None:  # noqa: ANN401 - see below
    """The Trainer's own count of tokens so far; ``None`` where it does not count.

    TRL's Trainers count by themselves, without padding: ``SFTTrainer`` for its metric ``num_tokens``, ``GRPOTrainer``
    and others in the state, where ``include_num_input_tokens_seen`` of transformers also counts: padding, too, unless
    it is ``"non_padding"`` and the Trainer has a mask or knows the token that pads. All count for all processes, of
    which each meters its share: it is known of completions alone, as the batches of a process tell all others.

    Args:
        trainer: The Trainer, or ``None``.
        args: Its arguments.
        state: Its state.
        has_masks: Whether its batches have an ``attention_mask``, be it on a device.
    """
    packed = getattr(trainer, "_total_train_tokens", None)
    if not packed and not state.num_input_tokens_seen:
        return None
    generates = trl.generates(type(trainer))
    if args.world_size > 1 and not generates:
        return None
    if isinstance(packed, (int, float)) and packed:
        return TokensSeen(int(packed), with_padding=False, is_of_inputs=False)
    rule = getattr(args, "include_num_input_tokens_seen", None)
    seen = int(state.num_input_tokens_seen) // args.world_size
    if not seen:
        return None
    if generates or rule in _OFF:
        return TokensSeen(seen, with_padding=False if generates else None, is_of_inputs=False)
    is_told = has_masks or getattr(getattr(trainer, "processing_class", None), "pad_token_id", None) is not None
    return TokensSeen(seen, with_padding=rule != _NON_PADDING or not is_told, is_of_inputs=True)
