"""What the examples of Hugging Face's Trainer share: text cut into blocks, a tokenizer, a command line."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from corpus import read_text
from ending import ending, print_ending
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast, Trainer, TrainingArguments, set_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

STEPS_OF_AN_EPOCH = 100
"""At least so many where ``max_steps`` says how long to train: short texts are read again and again within an epoch."""


@dataclass
class TextData:
    """Running text.

    Args:
        dataset: What ``--dataset`` says; unset is the embedded text.
        vocabulary: Tokens that the tokenizer learns, at most; the model has so many.
        block: Tokens of a sample.
        validation_share: The last part of the text, which is validated on and never trained on.
    """

    dataset: str | None = None
    vocabulary: int = 8000
    block: int = 128
    validation_share: float = 0.05


class Blocks(Dataset["Tensor"]):
    """A text in blocks of so many tokens; a remainder is dropped.

    Args:
        tokens: The text.
        length: Tokens of a block, those around it included.
        around: Token before the text of a block, and token after it; none where empty.
        repeats: How often the text is read.
    """

    def __init__(self, tokens: Tensor, length: int, around: Sequence[int] = (), repeats: int = 1) -> None:
        self._before, self._after = torch.tensor(around[:1]), torch.tensor(around[1:])
        inside = length - len(around)
        self._blocks = tokens[: len(tokens) // inside * inside].view(-1, inside)
        self._repeats = repeats

    def __len__(self) -> int:
        return len(self._blocks) * self._repeats

    def __getitem__(self, index: int) -> Tensor:
        return torch.cat([self._before, self._blocks[index % len(self._blocks)], self._after]).long()


class Text(NamedTuple):
    """A text, ready to be trained on."""

    tokenizer: PreTrainedTokenizerBase
    training: Blocks
    validation: Blocks


def prepare(
    data: TextData,
    training: TrainingArguments,
    learn: Callable[[Sequence[str], int], Tokenizer],
    special: dict[str, str],
    around: Sequence[str] = (),
) -> Text:
    """Read a text, train a tokenizer on the part that is trained on, and cut the text into blocks.

    Args:
        data: Which text, and how long the blocks are.
        training: The Trainer's arguments, which say how many samples make a step.
        learn: Trains a tokenizer on lines of text, with a vocabulary of that size at most.
        special: What transformers calls the tokenizer's special tokens, and what they are.
        around: Tokens before and after the text of a block, by those names.
    """
    text = read_text(data.dataset)
    middle = text.rfind("\n", 0, int(len(text) * (1 - data.validation_share))) + 1
    parts = [part.splitlines(keepends=True) for part in (text[:middle], text[middle:])]
    learned = learn(parts[0], data.vocabulary)
    encoded = [_encode(learned, part) for part in parts]
    ids = [token for name in around if (token := learned.token_to_id(special[name])) is not None]
    blocks = Blocks(encoded[0], data.block, ids)
    if training.max_steps > 0:
        samples = training.train_batch_size * training.gradient_accumulation_steps * training.world_size
        blocks = Blocks(encoded[0], data.block, ids, repeats=-(-samples * STEPS_OF_AN_EPOCH // max(1, len(blocks))))
    # The generic class, because those named after a model take a vocabulary differently from one release of
    # transformers to the next, and may come out empty without a word.
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learned, **special)  # type: ignore[no-untyped-call]  # untyped
    return Text(tokenizer, blocks, Blocks(encoded[1], data.block, ids))


def make_trainer(
    training: TrainingArguments,
    model: Callable[[], PreTrainedModel],
    text: Text,
    callbacks: Sequence[TrainerCallback],
    collate: Callable[[list[Tensor]], dict[str, Tensor]],
) -> Trainer:
    """Put a Trainer together.

    Args:
        training: The Trainer's arguments.
        model: Makes the model, after the seed is set.
        text: What to train on.
        callbacks: The Trainer's callbacks.
        collate: Makes a batch of samples.
    """
    set_seed(training.seed)
    return Trainer(
        model=model(),
        args=training,
        train_dataset=text.training,
        eval_dataset=text.validation,
        data_collator=collate,
        processing_class=text.tokenizer,
        callbacks=list(callbacks),
    )


def run_hugging_face(make: Callable[..., Trainer]) -> None:
    """Train as the command line says, then show what it took.

    Args:
        make: Puts the Trainer together, of ``training``, ``data``, ``model`` and ``callbacks``.
    """
    from command_line import parse_hugging_face

    def tell() -> None:
        if trainer is None or carbon.record is None or not trainer.is_world_process_zero():
            return
        events = Path(str(trainer.args.output_dir)).rglob("events.out.tfevents.*")
        newest = max(events, key=lambda file: file.stat().st_mtime_ns)
        print_ending(carbon, newest.parent, ["train/loss", "eval/loss"])

    trainer: Trainer | None = None
    carbon, arguments = parse_hugging_face(make)
    with ending(tell):
        trainer = make(callbacks=[carbon], **arguments)
        trainer.train()


def _encode(tokenizer: Tokenizer, lines: Sequence[str]) -> Tensor:
    tokens = array("i")
    # Some at a time: the tokenizer tells much more of each text than its tokens.
    for start in range(0, len(lines), 10_000):
        for line in tokenizer.encode_batch_fast(list(lines[start : start + 10_000]), add_special_tokens=False):
            tokens.extend(line.ids)
    return torch.frombuffer(tokens, dtype=torch.int32) if tokens else torch.empty(0, dtype=torch.int32)
