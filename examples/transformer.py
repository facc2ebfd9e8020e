"""Train an encoder-decoder Transformer, English to Spanish, with Lightning, and see what it takes.

``python examples/transformer.py fit --config configs/transformer_small.yaml`` trains on the processor or on a GPU,
whichever the machine has; ``--dataset`` trains on files of yours or a data set of the hub. Everything in the
configuration can be said on the command line too: ``--trainer.max_epochs 1``, ``--model.layers 6``.

The network is that of Vaswani et al., "Attention Is All You Need" (2017): one vocabulary for both languages, and one
matrix for both embeddings and the output. ``configs/transformer_base.yaml`` and ``transformer_big.yaml`` are the
paper's two sizes; the small one has the normalisation before each block and learns its positions.
"""

from __future__ import annotations

import math
import random
from array import array
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

import pytorch_lightning as pl
import torch
from corpus import Pair, read_pairs, train_bpe
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytorch_lightning.utilities.types import OptimizerLRScheduler
    from tokenizers import Tokenizer
    from torch.utils.data import Dataset

LINKS: Final = {"data.vocabulary": "model.vocabulary", "data.longest": "model.longest"}
"""What the data decide of the model."""

Encoded = tuple["array[int]", "array[int]"]
"""Tokens of a sentence and of its translation; arrays, because real corpora have millions."""

SPECIAL: Final = ("<pad>", "<start>", "<end>")
PAD, START, END = range(len(SPECIAL))


class Batch(NamedTuple):
    """Sentences and their translations, each padded to the longest."""

    source: Tensor
    target: Tensor
    tokens: int
    """Tokens of both that are no padding; counted before the batch goes to the device, so that nobody waits for it."""


def count_tokens(batch: Batch) -> tuple[int, int, int]:
    """Tell the callback what a batch holds (``count_batch`` in the configuration).

    Returns:
        Samples, tokens, and the padding beside them.
    """
    return len(batch.source), batch.tokens, batch.source.numel() + batch.target.numel() - batch.tokens


def pad(pairs: Sequence[Encoded]) -> Batch:
    """Make a batch of encoded pairs."""
    source, target = (
        pad_sequence([torch.frombuffer(ids, dtype=torch.int32) for ids in side], batch_first=True, padding_value=PAD)
        for side in zip(*pairs, strict=True)
    )
    return Batch(source.long(), target.long(), sum(len(ids) for pair in pairs for ids in pair))


def batch_by_tokens(pairs: Iterable[Encoded], most: int) -> list[list[Encoded]]:
    """Put pairs of about the same length together, as many as fit.

    Args:
        pairs: All pairs, in an order that decides between those of one length.
        most: Tokens of a batch at most on either side, with its padding. A longer pair is a batch of its own.

    Returns:
        Batches, the shortest pairs first.
    """
    batches: list[list[Encoded]] = []
    widest = [0, 0]
    for pair in sorted(pairs, key=lambda pair: (len(pair[0]), len(pair[1]))):
        wider = [max(width, len(side)) for width, side in zip(widest, pair, strict=True)]
        if batches and max(wider) * (len(batches[-1]) + 1) <= most:
            batches[-1].append(pair)
            widest = wider
        else:
            batches.append([pair])
            widest = [len(side) for side in pair]
    return batches


class Translations(pl.LightningDataModule):
    """Sentence pairs, and a tokenizer trained on those of them that are trained on.

    Args:
        dataset: What ``--dataset`` says; unset is the embedded text.
        source: Language to translate from, as a data set of the hub calls it.
        target: Language to translate into.
        vocabulary: Tokens that both languages share, at most; the model has so many.
        batch_size: Pairs to a batch.
        batch_tokens: Instead: tokens to a batch, on either side, of pairs of about the same length.
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
        batch_tokens: int | None = None,
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
        self.batch_tokens = batch_tokens
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
        encoded: list[Encoded] = []
        # Some at a time: the tokenizer tells much more of each text than its tokens.
        for start in range(0, len(pairs), 10_000):
            some = zip(*pairs[start : start + 10_000], strict=True)
            sides = [tokenizer.encode_batch_fast(list(side)) for side in some]
            encoded += (
                (array("i", source.ids[: self.longest]), array("i", [START, *target.ids[: self.longest], END]))
                for source, target in zip(*sides, strict=True)
            )
        return encoded

    def _loader(self, split: str) -> DataLoader[Encoded]:
        pairs: Sequence[object] = self._splits[split]
        batch_size: int | None = self.batch_size
        if self.batch_tokens is not None:
            # The batches are made once; the loader shuffles them.
            pairs, batch_size = batch_by_tokens(self._splits[split], self.batch_tokens), None
        return DataLoader(
            # A list does: the loader asks for a length and for items.
            cast("Dataset[Encoded]", pairs),
            batch_size=batch_size,
            shuffle=split == "train",
            collate_fn=pad,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )


class Waves(nn.Module):
    """Positions that are not learned: sines and cosines of wavelengths from 2 pi to 10,000 times as much.

    Args:
        length: Positions.
        width: Numbers that stand for one, an even number.
    """

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        rates = 10_000 ** (-torch.arange(0, width, 2) / width)
        angles = torch.arange(length)[:, None] * rates
        self.register_buffer("weight", torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1), persistent=False)

    def forward(self, positions: Tensor) -> Tensor:
        """Look positions up."""
        return nn.functional.embedding(positions, cast("Tensor", self.weight))


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
        norm_first: Whether to normalise before each block, or after it, as published.
        positions: Learned, or the published waves.
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
        norm_first: bool = True,  # noqa: FBT001, FBT002 - a word of the configuration
        positions: Literal["learned", "waves"] = "learned",
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PAD)
        # Two more than the longest sentence: a target has its start and its end.
        self.position = (nn.Embedding if positions == "learned" else Waves)(longest + 2, width)
        self.dropout = nn.Dropout(dropout)
        shape = (width, heads, hidden, dropout)
        encoder = nn.TransformerEncoderLayer(*shape, batch_first=True, norm_first=norm_first)
        decoder = nn.TransformerDecoderLayer(*shape, batch_first=True, norm_first=norm_first)
        # Given ready-made, because torch would keep a last normalisation also where each block ends with one, and
        # nested tensors, which a normalisation up front rules out.
        ends = [nn.LayerNorm(width) if norm_first else None for _ in range(2)]
        self.transformer = nn.Transformer(
            width,
            heads,
            batch_first=True,
            custom_encoder=nn.TransformerEncoder(encoder, layers, ends[0], enable_nested_tensor=False),
            custom_decoder=nn.TransformerDecoder(decoder, layers, ends[1]),
        )
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.loss = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=label_smoothing)
        for weight in self.transformer.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        if isinstance(self.position, nn.Embedding):
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


if __name__ == "__main__":
    from command_line import run_lightning

    run_lightning(Translator, Translations, LINKS)
