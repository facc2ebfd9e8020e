"""The texts that the examples read, and the tokenizers that they train on them.

The default text lies in ``data/`` and needs no network. A data set of the Hugging Face hub is asked for by name,
``OWNER/NAME`` or ``OWNER/NAME:CONFIGURATION``, and needs ``datasets``.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DATA: Final = Path(__file__).resolve().parent / "data"


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def read_pairs(dataset: str | None = None, *, source: str = "en", target: str = "es") -> list[Pair]:
    """Read sentence pairs.

    Args:
        dataset: Name on the hub, of a data set with a ``translation`` column such as
            ``Helsinki-NLP/opus_books:en-es``; ``None`` is the embedded 10,000 verses, English and Spanish.
        source: Language to translate from, as the data set calls it.
        target: Language to translate into.

    Raises:
        SystemExit: The data set cannot be had; the message says why.
    """
    if dataset is None:
        lines = lzma.decompress((DATA / "verses.tsv.xz").read_bytes()).decode().splitlines()
        return [Pair(*line.split("\t")) for line in lines]
    rows = _column(dataset, "translation")
    return [Pair(row[source], row[target]) for row in rows if row[source] and row[target]]


def read_text(dataset: str | None = None) -> str:
    """Read running text.

    Args:
        dataset: Name on the hub, of a data set with a ``text`` column such as ``Salesforce/wikitext:wikitext-2-v1``;
            ``None`` is the embedded 1 MB of Shakespeare.

    Raises:
        SystemExit: The data set cannot be had; the message says why.
    """
    if dataset is None:
        return lzma.decompress((DATA / "shakespeare.txt.xz").read_bytes()).decode()
    return "\n".join(_column(dataset, "text"))


def train_bpe(texts: Iterable[str], vocabulary: int, special: Sequence[str]) -> Tokenizer:
    """Train a byte-level BPE tokenizer, which knows every text.

    Args:
        texts: What it learns from.
        vocabulary: Number of tokens at most.
        special: Tokens with a meaning of their own; they take the first ids, in this order.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def train_wordpiece(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Train BERT's tokenizer: lower case, WordPiece, ``[CLS] ... [SEP]``.

    Args:
        texts: What it learns from.
        vocabulary: Number of tokens at most.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a word's token, no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def _column(dataset: str, column: str) -> list[Any]:
    """Load one column of a data set's training split from the hub, or leave with the reason and the fix."""
    way_out = "leave --dataset out to train on the text in examples/data"
    try:
        from datasets import load_dataset
    except ModuleNotFoundError:
        raise SystemExit(f"--dataset {dataset} needs `pip install datasets`; or {way_out}") from None
    name, _, configuration = dataset.partition(":")
    try:
        rows = load_dataset(name, configuration or None, split="train")
    # The hub's client raises many kinds: no network, no such name, no such configuration, no permission.
    except Exception as error:
        raise SystemExit(f"--dataset {dataset} cannot be loaded from the hub: {error}; {way_out}") from error
    if column not in rows.column_names:
        raise SystemExit(f"--dataset {dataset} has {rows.column_names} and no column {column!r}; {way_out}")
    return list(rows[column])
