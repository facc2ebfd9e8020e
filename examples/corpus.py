"""The texts that the examples read, and the tokenizers that they train on them.

The default text lies in ``data/`` and needs no network, no more than files of one's own do. A data set of the Hugging
Face hub is asked for by name and needs ``datasets``.
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DATA: Final = Path(__file__).resolve().parent / "data"

DATASET_HELP: Final = (
    "what to train on instead of the embedded text: text files FILE[,FILE...] (for translations two files, line by "
    "line, or one with a tab in each line), or a data set of the Hugging Face hub, OWNER/NAME or "
    "OWNER/NAME:CONFIGURATION"
)
"""What ``--dataset`` takes, in the same words in all examples."""

WAY_OUT: Final = "leave --dataset out to train on the text in examples/data"


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def read_pairs(dataset: str | None = None, *, source: str = "en", target: str = "es") -> list[Pair]:
    """Read sentence pairs.

    Args:
        dataset: As in :data:`DATASET_HELP`; on the hub, a data set with a ``translation`` column such as
            ``Helsinki-NLP/opus_books:en-es``. ``None`` is the embedded 10,000 verses, English and Spanish.
        source: Language to translate from, as a data set of the hub calls it.
        target: Language to translate into.

    Raises:
        SystemExit: The data set cannot be had; the message says why.
    """
    if dataset is None:
        lines = lzma.decompress((DATA / "verses.tsv.xz").read_bytes()).decode().splitlines()
        return [Pair(*line.split("\t")) for line in lines]
    names = dataset.split(",")
    if len(names) == len(Pair._fields):
        sides = [_lines(dataset, name) for name in names]
        if len(sides[0]) != len(sides[1]):
            leave(f"--dataset {dataset}: {len(sides[0])} lines and {len(sides[1])} do not pair up")
        pairs = [Pair(*pair) for pair in zip(*sides, strict=True)]
    elif Path(dataset).is_file():
        cells = [line.split("\t") for line in _lines(dataset, dataset)]
        odd = next((number for number, cell in enumerate(cells, 1) if len(cell) != len(Pair._fields)), None)
        if odd is not None:
            leave(f"--dataset {dataset}: line {odd} is no sentence, tab, translation; two files are FILE,FILE")
        pairs = [Pair(*cell) for cell in cells]
    else:
        rows = _column(dataset, "translation")
        if rows and not {source, target} <= rows[0].keys():
            languages = ", ".join(rows[0])
            leave(f"--dataset {dataset} has {languages} and not both {source} and {target}: see --data.source, .target")
        pairs = [Pair(row[source], row[target]) for row in rows]
    pairs = [pair for pair in pairs if pair.source.strip() and pair.target.strip()]
    return pairs or leave(f"--dataset {dataset} has no sentence pairs; {WAY_OUT}")


def read_text(dataset: str | None = None) -> str:
    """Read running text.

    Args:
        dataset: As in :data:`DATASET_HELP`; on the hub, a data set with a ``text`` column such as
            ``Salesforce/wikitext:wikitext-2-v1``. ``None`` is the embedded 1 MB of Shakespeare.

    Raises:
        SystemExit: The data set cannot be had; the message says why.
    """
    if dataset is None:
        return lzma.decompress((DATA / "shakespeare.txt.xz").read_bytes()).decode()
    names = dataset.split(",")
    if all(Path(name).is_file() for name in names):
        text = "\n".join(line for name in names for line in _lines(dataset, name))
    else:
        text = "\n".join(_column(dataset, "text"))
    return text if text.strip() else leave(f"--dataset {dataset} has no text; {WAY_OUT}")


def leave(message: str) -> NoReturn:
    """Say what is wrong with the command line, and end with the exit code of that."""
    print(message, file=sys.stderr)
    raise SystemExit(2)


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


def _lines(dataset: str, name: str) -> list[str]:
    """Read a text file, or leave with the reason and the fix."""
    try:
        # Not splitlines(), which would also split at rarer signs, and then two files no longer pair up.
        return Path(name).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        leave(f"--dataset {dataset}: {name} cannot be read as a text file in UTF-8: {error}; {WAY_OUT}")


def _column(dataset: str, column: str) -> list[Any]:
    """Load one column of a data set's training split from the hub, or leave with the reason and the fix."""
    try:
        from datasets import load_dataset
    except ModuleNotFoundError:
        leave(f"--dataset {dataset} is no file, and a data set of the hub needs `pip install datasets`; or {WAY_OUT}")
    name, _, configuration = dataset.partition(":")
    try:
        rows = load_dataset(name, configuration or None, split="train")
    # The hub's client raises many kinds: no network, no such name, no such configuration, no permission.
    except Exception as error:  # noqa: BLE001
        leave(f"--dataset {dataset} is no file, and cannot be loaded from the hub: {error}; {WAY_OUT}")
    if column not in rows.column_names:
        leave(f"--dataset {dataset} has {rows.column_names} and no column {column!r}; {WAY_OUT}")
    return list(rows[column])
