"""Train BERT to fill in masked words, with the Hugging Face Trainer, and see what it takes.

``python examples/bert.py --config configs/bert_small.yaml`` trains on the processor or on a GPU, whichever the machine
has; ``--dataset`` trains on files of yours or a data set of the hub. ``--training.*`` are the Trainer's own arguments,
``--model.*`` those of ``BertConfig``.

The network and the task are those of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding" (2019), without its second task, the next sentence. ``configs/bert_base.yaml`` is the paper's base size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from corpus import train_wordpiece
from language_models import TextData, make_trainer, prepare, run_hugging_face
from transformers import BertConfig, BertForMaskedLM, DataCollatorForLanguageModeling, Trainer, TrainingArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from transformers import TrainerCallback

SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def make_model(vocabulary: int, **model: Any) -> BertForMaskedLM:  # noqa: ANN401 - transformers' own arguments
    """Make the network.

    Args:
        vocabulary: Number of tokens.
        **model: Other arguments of ``BertConfig``.
    """
    return BertForMaskedLM(BertConfig(vocab_size=vocabulary, **model))


def make(
    training: TrainingArguments,
    model: dict[str, Any],
    data: TextData,
    masked_share: float = 0.15,
    callbacks: Sequence[TrainerCallback] = (),
) -> Trainer:
    """Put the training together.

    Args:
        training: The Trainer's arguments.
        model: Arguments of ``BertConfig``, but for the size of the vocabulary.
        data: What to train on.
        masked_share: Share of the tokens to guess.
        callbacks: The Trainer's callbacks.
    """
    text = prepare(data, training, train_wordpiece, SPECIAL, ["cls_token", "sep_token"])
    masking = DataCollatorForLanguageModeling(text.tokenizer, mlm_probability=masked_share)

    def collate(samples: list[Tensor]) -> dict[str, Tensor]:
        # Straight to the masking: the collator would first look at each token to see which are special, and pad.
        tokens = torch.stack(samples)
        special = torch.zeros_like(tokens)
        special[:, [0, -1]] = 1
        inputs, labels = masking.torch_mask_tokens(tokens, special)
        return {"input_ids": inputs, "labels": labels}

    return make_trainer(training, lambda: make_model(data.vocabulary, **model), text, callbacks, collate)


if __name__ == "__main__":
    run_hugging_face(make)
