"""Train BERT to fill in masked words, with the Hugging Face Trainer, and see what it takes.

``python examples/bert.py --config configs/bert_small.yaml`` trains on the processor or on a GPU, whichever the machine
has; ``--dataset NAME`` trains on a data set of the Hugging Face hub. ``--training.*`` are the Trainer's own arguments,
``--model.*`` those of ``BertConfig``.

The network and the task are those of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding" (2019), without its second task, the next sentence.
"""

from pathlib import Path
from typing import Any

import torch
from corpus import read_text, train_wordpiece
from ending import print_ending
from jsonargparse import auto_cli
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    set_seed,
)

from lightning_carbon import CarbonTrainerCallback

Block = dict[str, list[int]]
"""One training sample: ``[CLS]``, tokens of the text, ``[SEP]``."""


def make_tokenizer(text: str, vocabulary: int) -> PreTrainedTokenizerBase:
    """Train BERT's tokenizer on a text and give it the face that transformers knows.

    The generic class, because those named after a model take a vocabulary differently from one release of transformers
    to the next, and may come out empty without a word.
    """
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        tokenizer_object=train_wordpiece(text.splitlines(), vocabulary),
        pad_token="[PAD]",  # noqa: S106 - a word's token, no password
        unk_token="[UNK]",  # noqa: S106 - likewise
        cls_token="[CLS]",  # noqa: S106 - likewise
        sep_token="[SEP]",  # noqa: S106 - likewise
        mask_token="[MASK]",  # noqa: S106 - likewise
    )


def cut_blocks(text: str, tokenizer: PreTrainedTokenizerBase, length: int) -> list[Block]:
    """Cut a text into blocks of ``length`` tokens; a remainder is dropped."""
    lines = tokenizer(text.splitlines(), add_special_tokens=False)["input_ids"]
    tokens = [token for line in lines for token in line]
    inside = length - 2
    special = [1, *[0] * inside, 1]
    return [
        {
            "input_ids": [tokenizer.cls_token_id, *tokens[start : start + inside], tokenizer.sep_token_id],
            "special_tokens_mask": special,
        }
        for start in range(0, len(tokens) - inside + 1, inside)
    ]


def train(
    training: TrainingArguments,
    carbon: CarbonTrainerCallback,
    model: dict[str, Any],
    dataset: str | None = None,
    vocabulary: int = 8000,
    block: int = 128,
    validation_share: float = 0.05,
    masked_share: float = 0.15,
    study: dict[str, Any] | None = None,  # noqa: ARG001 - in the file for another reader
) -> None:
    """Train, then show what it took.

    Args:
        training: The Trainer's arguments.
        carbon: The callback that meters the training.
        model: Arguments of ``BertConfig``, but for the size of the vocabulary.
        dataset: Data set of the hub, ``OWNER/NAME:CONFIGURATION``; unset is the embedded text.
        vocabulary: Tokens at most.
        block: Tokens of a sample.
        validation_share: The last part of the text, which is validated on and never trained on.
        masked_share: Share of the tokens to guess.
        study: Not for the training: what ``lightning-carbon study measure`` reads.
    """
    set_seed(training.seed)
    text = read_text(dataset)
    middle = text.rindex("\n", 0, int(len(text) * (1 - validation_share)))
    tokenizer = make_tokenizer(text[:middle], vocabulary)
    trainer = Trainer(
        model=BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **model)),
        args=training,
        # Lists do: the Trainer asks for a length and for items.
        train_dataset=cut_blocks(text[:middle], tokenizer, block),
        eval_dataset=cut_blocks(text[middle:], tokenizer, block),
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=masked_share),
        processing_class=tokenizer,
        callbacks=[carbon],
    )
    trainer.train()
    if trainer.is_world_process_zero():
        events = Path(str(training.output_dir)).rglob("events.out.tfevents.*")
        newest = max(events, key=lambda file: file.stat().st_mtime_ns)
        print_ending(carbon, newest.parent, ["train/loss", "eval/loss"])


if __name__ == "__main__":
    has_gpu = torch.cuda.is_available()
    auto_cli(
        train,
        as_positional=False,
        set_defaults={
            "training.bf16": has_gpu and torch.cuda.is_bf16_supported(including_emulation=False),
            "training.dataloader_pin_memory": has_gpu,
        },
    )
