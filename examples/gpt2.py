"""Train GPT-2 to go on with a text, with the Hugging Face Trainer, and see what it takes.

``python examples/gpt2.py --config configs/gpt2_small.yaml`` trains on the processor or on a GPU, whichever the machine
has; ``--dataset`` trains on files of yours or a data set of the hub. ``--training.*`` are the Trainer's own arguments,
``--model.*`` those of ``GPT2Config``.

The network is that of Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
``configs/gpt2.yaml`` and ``gpt2_xl.yaml`` are the smallest and the largest of the paper's four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from corpus import train_bpe
from language_models import TextData, make_trainer, prepare, run_hugging_face
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import TrainerCallback

END = "<|endoftext|>"


def make_model(vocabulary: int, **model: Any) -> GPT2LMHeadModel:  # noqa: ANN401 - transformers' own arguments
    """Make the network.

    Args:
        vocabulary: Number of tokens.
        **model: Other arguments of ``GPT2Config``.
    """
    # The only special token is the first; transformers' defaults are ids of the published vocabulary.
    config = GPT2Config(vocab_size=vocabulary, bos_token_id=0, eos_token_id=0, **model)
    network = GPT2LMHeadModel(config)
    # Said, because transformers does not find it out from the class's name, and warns.
    network.loss_type = "ForCausalLM"
    return network


def make(
    training: TrainingArguments,
    model: dict[str, Any],
    data: TextData,
    callbacks: Sequence[TrainerCallback] = (),
) -> Trainer:
    """Put the training together.

    Args:
        training: The Trainer's arguments.
        model: Arguments of ``GPT2Config``, but for the size of the vocabulary.
        data: What to train on.
        callbacks: The Trainer's callbacks.
    """
    text = prepare(data, training, _learn, {"bos_token": END, "eos_token": END})
    return make_trainer(training, lambda: make_model(data.vocabulary, **model), text, callbacks, _collate)


def _learn(lines: Sequence[str], vocabulary: int) -> Tokenizer:
    return train_bpe(lines, vocabulary, [END])


def _collate(samples: list[Tensor]) -> dict[str, Tensor]:
    """Make a batch; the model itself compares each token with the one before."""
    tokens = torch.stack(samples)
    return {"input_ids": tokens, "labels": tokens}


if __name__ == "__main__":
    run_hugging_face(make)
