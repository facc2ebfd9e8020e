"""Train an encoder-decoder Transformer, English to Spanish, with Lightning, and see what it takes.

``python examples/transformer.py fit --config configs/transformer_small.yaml`` trains on the processor or on a GPU,
whichever the machine has; ``--dataset NAME`` trains on a data set of the Hugging Face hub. Everything in the
configuration can be said on the command line too: ``--trainer.max_epochs 1``, ``--model.layers 6``.

The network is that of Vaswani et al., "Attention Is All You Need" (2017), with the normalisation before each block,
one vocabulary for both languages, and one matrix for both embeddings and the output.
"""

from __future__ import annotations

import math
import random
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import pytorch_lightning as pl
import torch
from corpus import Pair, read_pairs, train_bpe
from ending import print_ending
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from lightning_carbon import CarbonCallback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytorch_lightning.utilities.types import OptimizerLRScheduler
    from tokenizers import Tokenizer
    from torch.utils.data import Dataset

Encoded = tuple[list[int], list[int]]
"""Tokens of a sentence and of its translation."""

SPECIAL: Final = ("<pad>", "<start>", "<end>")
PAD, START, END = range(len(SPECIAL))


class Batch(NamedTuple):
    """Sentences and their translations, each padded to the longest."""

    source: Tensor
    target: Tensor
    tokens: int
    """Tokens of both that are no padding; counted before the batch goes to the device, so that nobody waits for it."""


def count_tokens(batch: Batch) -> tuple[int, int]:
    """Tell the callback what a batch holds (``count_batch`` in the configuration).

    Returns:
        Samples and tokens.
    """
    return len(batch.source), batch.tokens


def pad(pairs: Sequence[Encoded]) -> Batch:
    """Make a batch of encoded pairs."""
    source, target = (
        pad_sequence([torch.tensor(ids) for ids in side], batch_first=True, padding_value=PAD)
        for side in zip(*pairs, strict=True)
    )
    return Batch(source, target, sum(len(ids) for pair in pairs for ids in pair))


class Translations(pl.LightningDataModule):
    """Sentence pairs, and a tokenizer trained on those of them that are trained on.

    Args:
        dataset: Data set of the hub, ``OWNER/NAME:CONFIGURATION``; unset is the embedded text.
        source: Language to translate from, as the data set calls it.
        target: Language to translate into.
        vocabulary: Tokens that both languages share.
        batch_size: Pairs to a batch.
        validation_pairs: Pairs to validate on.
        longest: Tokens of a sentence at most; the rest is cut.
        split_seed: Decides which pairs are for validation.
        workers: Processes that make batches. The pairs are in memory, where a process more costs more than it gives.
    """

    def __init__(
        self,
        dataset: str | None = None,
        source: str = "en",
        target: str = "es",
        vocabulary: int = 8000,
        batch_size: int = 64,
        validation_pairs: int = 500,
        longest: int = 64,
        split_seed: int = 1,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.languages = source, target
        self.vocabulary = vocabulary
        self.batch_size = batch_size
        self.validation_pairs = validation_pairs
        self.longest = longest
        self.split_seed = split_seed
        self.workers = workers
        self.tokenizer: Tokenizer | None = None
        self._splits: dict[str, list[Encoded]] = {}

    def setup(self, stage: str) -> None:
        """Read, split, train the tokenizer, encode: about two seconds, alike on every rank."""
        if self.tokenizer is not None:
            return
        source, target = self.languages
        pairs = read_pairs(self.dataset, source=source, target=target)
        random.Random(self.split_seed).shuffle(pairs)  # noqa: S311 - a split keeps no secret
        validation, training = pairs[: self.validation_pairs], pairs[self.validation_pairs :]
        tokenizer = train_bpe((text for pair in training for text in pair), self.vocabulary, SPECIAL)
        self._splits = {"train": self._encode(tokenizer, training), "validate": self._encode(tokenizer, validation)}
        self.tokenizer = tokenizer

    def train_dataloader(self) -> DataLoader[Encoded]:
        """Batches in a new order each epoch."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Encoded]:
        """Batches of what is never trained on."""
        return self._loader("validate")

    def _encode(self, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[Encoded]:
        sides = [tokenizer.encode_batch_fast(list(side)) for side in zip(*pairs, strict=True)]
        return [
            (source.ids[: self.longest], [START, *target.ids[: self.longest], END])
            for source, target in zip(*sides, strict=True)
        ]

    def _loader(self, split: str) -> DataLoader[Encoded]:
        return DataLoader(
            # A list does: the loader asks for a length and for items.
            cast("Dataset[Encoded]", self._splits[split]),
            batch_size=self.batch_size,
            shuffle=split == "train",
            collate_fn=pad,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )


class Translator(pl.LightningModule):
    """The Transformer and how it learns.

    Args:
        vocabulary: Number of tokens; taken from the data.
        width: Numbers that stand for a token.
        heads: Heads of each attention.
        layers: Layers of the encoder, and as many of the decoder.
        hidden: Width inside a layer's feed-forward block.
        dropout: Share of activations dropped in training.
        label_smoothing: Probability taken from the right token and spread over all.
        learning_rate: The highest, reached after the warm-up; from there it falls with the root of the step.
        warmup_steps: Steps in which the learning rate rises.
        longest: Tokens of a sentence at most; taken from the data.
    """

    def __init__(
        self,
        vocabulary: int = 8000,
        width: int = 512,
        heads: int = 8,
        layers: int = 6,
        hidden: int = 2048,
        dropout: float = 0.1,
        label_smoothing: float = 0.1,
        learning_rate: float = 7e-4,
        warmup_steps: int = 4000,
        longest: int = 64,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PAD)
        # Two more than the longest sentence: a target has its start and its end.
        self.position = nn.Embedding(longest + 2, width)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout, batch_first=True, norm_first=True)
        self.transformer = nn.Transformer(
            width,
            heads,
            num_decoder_layers=layers,
            dim_feedforward=hidden,
            dropout=dropout,
            batch_first=True,
            norm_first=True,
            # Given ready-made to keep the encoder from nested tensors, which a normalisation up front rules out.
            custom_encoder=nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False),
        )
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.loss = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=label_smoothing)
        for weight in self.transformer.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        nn.init.normal_(self.position.weight, std=width**-0.5)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Score each next token of the target.

        Args:
            source: Tokens, batch by length.
            target: Tokens, batch by length.

        Returns:
            Logits, batch by target's length by vocabulary.
        """
        length = target.shape[1]
        ahead = torch.ones(length, length, dtype=torch.bool, device=target.device).triu(1)
        padding = source == PAD
        decoded: Tensor = self.transformer(
            self._embed(source),
            self._embed(target),
            tgt_mask=ahead,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
            tgt_key_padding_mask=target == PAD,
            # Said, so that torch need not compare the masks, for which the GPU would have to be waited for.
            src_is_causal=False,
            tgt_is_causal=True,
        )
        return nn.functional.linear(decoded, self.embedding.weight)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Predict each next token of the translations."""
        loss = self._loss(batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.source))
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        """Likewise, without learning."""
        self.log("val/loss", self._loss(batch), prog_bar=True, batch_size=len(batch.source), sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Adam, with a learning rate that rises in a line and falls with the root of the step."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.learning_rate, betas=(0.9, 0.98), eps=1e-9)
        warmup = self.warmup_steps

        def share(step: int) -> float:
            return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _embed(self, tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        scaled = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        embedded: Tensor = self.dropout(scaled + self.position(positions))
        return embedded

    def _loss(self, batch: Batch) -> Tensor:
        logits = self(batch.source, batch.target[:, :-1])
        loss: Tensor = self.loss(logits.flatten(0, 1), batch.target[:, 1:].flatten())
        return loss


class TranslatorCLI(LightningCLI):
    """The command line, on which the data decide what the model has to know of them."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Hand the data's sizes to the model, and spell ``--dataset`` as the other examples do."""
        parser.add_argument("--dataset", type=str | None, help="data set of the hub: OWNER/NAME:CONFIGURATION")
        parser.add_argument("--study", type=dict[str, Any] | None, help="for `lightning-carbon study measure` alone")
        parser.link_arguments("dataset", "data.dataset")
        parser.link_arguments("data.vocabulary", "model.vocabulary")
        parser.link_arguments("data.longest", "model.longest")


def best_precision() -> str:
    """Name the precision to train in: bfloat16 where a GPU computes in it, else 32 bits."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bf16-mixed"
    return "32-true"


def main(arguments: ArgsType = None) -> None:
    """Train as the command line says, then show what it took.

    Args:
        arguments: Words of the command line; those of the process when left out.
    """
    # Lightning 2.6's own use of torch's tree utilities, at every training.
    warnings.filterwarnings("ignore", r".*LeafSpec.* is deprecated", FutureWarning)
    # Its advice on machines with more than two processors; see `workers` above.
    warnings.filterwarnings("ignore", r".*does not have many workers")
    cli = TranslatorCLI(
        Translator,
        Translations,
        args=arguments,
        seed_everything_default=1,
        auto_configure_optimizers=False,
        trainer_defaults={"precision": best_precision()},
    )
    callbacks: list[pl.Callback] = cli.trainer.callbacks  # type: ignore[attr-defined]  # set where mypy does not look
    metered = [callback for callback in callbacks if isinstance(callback, CarbonCallback)]
    # The logger's folder: the trainer's own `log_dir` would wait for every rank.
    if cli.trainer.is_global_zero and metered and isinstance(cli.trainer.logger, TensorBoardLogger):
        print_ending(metered[0], Path(cli.trainer.logger.log_dir), ["train/loss", "val/loss"])


if __name__ == "__main__":
    main()
