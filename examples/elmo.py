"""Train ELMo's language models, forwards and backwards, with Lightning, and see what it takes.

``python examples/elmo.py fit --config configs/elmo_small.yaml`` trains on the processor or on a GPU, whichever the
machine has; ``--dataset`` trains on files of yours or a data set of the hub. Everything in the configuration can be
said on the command line too: ``--trainer.max_epochs 1``, ``--model.hidden 256``.

The network is that of Peters et al., "Deep contextualized word representations" (2018), in the sizes and with the
training of the authors' own program, bilm-tf: each word is read letter by letter by convolutions, of which two highway
layers and a projection make the word's vector; two layers of LSTMs with projections, the second with a connection
around it, guess the next word, and two more the previous one. Convolutions and softmax are the same both ways.
``configs/elmo.yaml`` is the published size. Two things differ: torch's LSTMs do not clip their cells, and have two
biases where one would do.
"""

from __future__ import annotations

import math
import random
import re
import warnings
from array import array
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import pytorch_lightning as pl
import torch
from corpus import read_text
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINKS: Final = {"data.vocabulary": "model.vocabulary"}
"""What the data decide of the model."""

START, END, UNKNOWN = "<S>", "</S>", "<UNK>"
BEGIN_WORD, END_WORD, BEGIN_SENTENCE, END_SENTENCE, FILLER = range(256, 261)
"""After the 256 bytes, in the authors' order."""
CHARACTERS: Final = 262
"""The authors' one more stands for words that are masked out, which a stream of text has none of."""

States = list[tuple[Tensor, Tensor]]
"""Of each layer of one direction, where it left off."""


class Direction(NamedTuple):
    """A piece of each stream, read in one direction."""

    letters: Tensor
    """Of each word: streams by words by letters."""

    following: Tensor
    """The word after each: streams by words."""


class Batch(NamedTuple):
    """A piece of each stream, read both ways."""

    forwards: Direction
    backwards: Direction
    first: bool
    """Whether it is the first of an epoch, with nothing before it."""


def count_tokens(batch: Batch) -> tuple[int, int]:
    """Tell the callback what a batch holds (``count_batch`` in the configuration).

    Returns:
        Samples (pieces of streams) and tokens (words); a word that is read in both directions counts once.
    """
    following = batch.forwards.following
    return len(following), following.numel()


class Streams(Dataset[Batch]):
    """Sentences, one after the other, in parallel streams that go on from batch to batch.

    Args:
        sentences: Each as the numbers of its words' spellings, its start and end included.
        letters: Of each spelling.
        words: Of each spelling, the number of the word in the vocabulary.
        streams: Streams beside each other.
        length: Words of a piece.
        rank: Which of several processes reads these; each has as many streams of its own.
        ranks: How many processes there are.
    """

    def __init__(
        self,
        sentences: Iterable[Sequence[int]],
        letters: Tensor,
        words: Tensor,
        streams: int,
        length: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        # Arrays, because real corpora have hundreds of millions of words.
        texts = array("i"), array("i")
        for sentence in sentences:
            texts[0].extend(sentence)
            texts[1].extend(reversed(sentence))
        # One word more than is read: the last one is only guessed.
        self._pieces = max(0, len(texts[0]) // (streams * ranks) - 1) // length
        count = self._pieces * length + 1
        self._directions = [
            torch.frombuffer(text, dtype=torch.int32)[: streams * ranks * count].view(streams * ranks, count)
            for text in texts
            if self._pieces
        ]
        self._mine = slice(rank * streams, (rank + 1) * streams)
        self._letters, self._words, self._length = letters, words, length

    def __len__(self) -> int:
        return self._pieces

    def __getitem__(self, index: int) -> Batch:
        start, end = index * self._length, (index + 1) * self._length
        forwards, backwards = (
            Direction(self._letters[text[:, start:end]], self._words[text[:, start + 1 : end + 1]])
            for text in (direction[self._mine] for direction in self._directions)
        )
        return Batch(forwards, backwards, first=index == 0)


class Sentences(pl.LightningDataModule):
    """Lines of text as words and punctuation; the words, the most frequent first, are what is guessed.

    Args:
        dataset: What ``--dataset`` says; unset is the embedded text.
        vocabulary: Words that are guessed, at most; the model has so many.
        streams: Streams of text beside each other, which is the size of a batch.
        length: Words of a piece, through which gradients flow back.
        letters: Letters of a word at most, its beginning and its end included.
        validation_share: The last part of the text, which is validated on and never trained on.
        shuffle_seed: Decides in which order sentences are trained on.
    """

    def __init__(
        self,
        dataset: str | None = None,
        vocabulary: int = 8000,
        streams: int = 32,
        length: int = 20,
        letters: int = 50,
        validation_share: float = 0.05,
        shuffle_seed: int = 1,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.vocabulary = vocabulary
        self.streams = streams
        self.length = length
        self.letters = letters
        self.validation_share = validation_share
        self.shuffle_seed = shuffle_seed
        self._splits: dict[str, Streams] = {}

    def setup(self, stage: str) -> None:
        """Read, split, count words; every rank has streams of its own."""
        if self._splits:
            return
        lines = [line for line in read_text(self.dataset).splitlines() if line.strip()]
        middle = int(len(lines) * (1 - self.validation_share))
        training, validation = lines[:middle], lines[middle:]
        random.Random(self.shuffle_seed).shuffle(training)  # noqa: S311 - an order keeps no secret
        counted = Counter(word for line in training for word in split_words(line))
        known = [START, END, UNKNOWN, *(word for word, _ in counted.most_common(self.vocabulary - 3))]
        # Every spelling there is can be read, though only the known words can be guessed.
        spellings = list(
            dict.fromkeys([*known, *counted, *(word for line in validation for word in split_words(line))])
        )
        number = {word: index for index, word in enumerate(spellings)}
        words = torch.arange(len(spellings)).where(torch.arange(len(spellings)) < len(known), known.index(UNKNOWN))
        letters = torch.tensor([spell(word, self.letters) for word in spellings], dtype=torch.int16)
        ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        for name, part in (("train", training), ("validate", validation)):
            numbered = ([number[word] for word in (START, *split_words(line), END)] for line in part)
            self._splits[name] = Streams(numbered, letters, words, self.streams, self.length, *ranks)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Pieces of the streams, in order: each goes on where the last one ended."""
        return self._loader("train")

    def val_dataloader(self) -> DataLoader[Batch]:
        """Likewise of what is never trained on."""
        return self._loader("validate")

    def _loader(self, split: str) -> DataLoader[Batch]:
        return DataLoader(self._splits[split], batch_size=None, pin_memory=torch.cuda.is_available())


class Letters(nn.Module):
    """Makes a word's vector from its letters.

    Args:
        filters: Width of each convolution, and how many of them.
        letter_width: Numbers that stand for a letter.
        highways: Highway layers.
        width: Numbers that stand for a word.
    """

    def __init__(self, filters: Sequence[tuple[int, int]], letter_width: int, highways: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(CHARACTERS, letter_width)
        self.convolutions = nn.ModuleList(nn.Conv1d(letter_width, many, wide) for wide, many in filters)
        total = sum(many for _, many in filters)
        self.highways = nn.ModuleList(nn.Linear(total, 2 * total) for _ in range(highways))
        self.projection = nn.Linear(total, width)
        nn.init.uniform_(self.embedding.weight, -1, 1)
        for convolution in cast("Iterable[nn.Conv1d]", self.convolutions):
            nn.init.uniform_(convolution.weight, -0.05, 0.05)
            nn.init.zeros_(cast("Tensor", convolution.bias))
        for highway in cast("Iterable[nn.Linear]", self.highways):
            nn.init.normal_(highway.weight, std=total**-0.5)
            nn.init.zeros_(highway.bias)
            # Mostly lets its input through, to begin with.
            nn.init.constant_(highway.bias[total:], -2.0)
        nn.init.normal_(self.projection.weight, std=total**-0.5)
        nn.init.zeros_(self.projection.bias)

    def forward(self, letters: Tensor) -> Tensor:
        """Read words.

        Args:
            letters: Streams by words by letters.

        Returns:
            Streams by words by width.
        """
        embedded = self.embedding(letters.flatten(0, 1).int()).transpose(1, 2)
        word = torch.cat([convolution(embedded).amax(dim=2).relu() for convolution in self.convolutions], dim=1)
        for highway in self.highways:
            changed, gate = highway(word).chunk(2, dim=1)
            gate = gate.sigmoid()
            word = gate * changed.relu() + (1 - gate) * word
        projected: Tensor = self.projection(word).unflatten(0, letters.shape[:2])
        return projected


class Reader(nn.Module):
    """Reads words in one direction.

    Args:
        layers: Of LSTMs, each from the second with a connection around it.
        width: Numbers that stand for a word, and into which the state of each layer is projected.
        hidden: Numbers of a cell.
        dropout: Share of activations dropped in training before each layer, and after the last.
    """

    def __init__(self, layers: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.LSTM(width, hidden, proj_size=width, batch_first=True) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        for name, bias in self.layers.named_parameters():
            # Remembers, to begin with; torch's gates are in the order input, forget, cell, output.
            if "bias_ih" in name:
                nn.init.ones_(bias.data[hidden : 2 * hidden])

    def forward(self, words: Tensor, states: States | None) -> tuple[Tensor, States]:
        """Go on reading.

        Args:
            words: Streams by words by width.
            states: Where each layer left off; ``None`` at the start.

        Returns:
            What was made of the text up to each word, and where each layer left off.
        """
        left_off: States = []
        for depth, layer in enumerate(self.layers):
            read, state = layer(self.dropout(words), states[depth] if states else None)
            words = words + read if depth else read
            left_off.append((state[0].detach(), state[1].detach()))
        return self.dropout(words), left_off


class Softmax(nn.Module):
    """Guesses words, among all of them or among a sample.

    Args:
        vocabulary: Number of words, the most frequent first.
        width: Numbers that stand for a word.
        samples: Wrong words that each guess in training is compared with; 0 is all.
    """

    def __init__(self, vocabulary: int, width: int, samples: int) -> None:
        super().__init__()
        self.samples = samples
        self.draws = draws_for(samples, vocabulary) if samples else 0
        # Said, because torch warns of what it does by default; the sparse tensors are its own optimizer's.
        torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
        # Of a sample, only the words in it get gradients: the whole table would take longer than all else.
        self.weight = nn.Embedding(vocabulary, width, sparse=samples > 0)
        self.bias = nn.Embedding(vocabulary, 1, sparse=samples > 0)
        nn.init.normal_(self.weight.weight, std=width**-0.5)
        nn.init.zeros_(self.bias.weight)

    def forward(self, read: Tensor, following: Tensor) -> Tensor:
        """Say how far off the guesses are.

        Args:
            read: What was made of the text so far.
            following: The words that came.

        Returns:
            The mean loss, in nats a word; of a sample, a loss with the same optimum.
        """
        read, following = read.flatten(0, 1), following.flatten()
        if not (self.training and self.samples):
            logits = nn.functional.linear(read, self.weight.weight, self.bias.weight[:, 0])
            return nn.functional.cross_entropy(logits, following)
        sampled, repeated = self._sample(read.device)
        right = (read * self.weight(following)).sum(dim=1, keepdim=True) + self.bias(following)
        wrong = nn.functional.linear(read, self.weight(sampled), self.bias(sampled)[:, 0])
        # How likely each is to be in a sample is taken out (Jean et al., 2015), and what happens to be right.
        right = right - self._inclusion(following).log()[:, None]
        wrong = wrong - self._inclusion(sampled).log()
        wrong = wrong.masked_fill(repeated | (sampled == following[:, None]), -math.inf)
        logits = torch.cat([right, wrong], dim=1)
        return nn.functional.cross_entropy(logits, torch.zeros_like(following))

    def _sample(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Draw words, and say which of them repeat others; always as many, so that nothing waits for a GPU."""
        words = self.weight.num_embeddings
        drawn = ((torch.rand(self.draws, device=device) * math.log(words + 1)).exp() - 1).long()
        drawn = drawn.clamp_(max=words - 1).sort().values
        repeated = nn.functional.pad(drawn[1:] == drawn[:-1], (1, 0))
        # Those that are different, in an order of chance; repeated ones only where there are too few.
        chosen = (torch.rand(self.draws, device=device) + repeated).topk(self.samples, largest=False).indices
        return drawn[chosen], repeated[chosen]

    def _inclusion(self, words: Tensor) -> Tensor:
        """How likely words are to be in a sample."""
        return inclusion(words, self.weight.num_embeddings, self.draws)


def inclusion(words: Tensor, vocabulary: int, draws: int) -> Tensor:
    """How likely words are to be among so many that are drawn by Zipf's law.

    Args:
        words: Numbers of words, 0 being the most frequent.
        vocabulary: How many there are: word n is drawn with the probability log((n + 2) / (n + 1)) / log(all + 1).
        draws: How many are drawn, with replacement.
    """
    drawn = (1 / (words.float() + 1)).log1p() / math.log(vocabulary + 1)
    return -(draws * (-drawn).log1p()).expm1()


def draws_for(samples: int, vocabulary: int) -> int:
    """How often to draw to get so many different words, in the mean.

    Args:
        samples: How many different words, fewer than there are.
        vocabulary: How many words there are.
    """
    words = torch.arange(vocabulary, device="cpu")
    return bisect_left(
        range(1000 * vocabulary), samples, key=lambda draws: int(inclusion(words, vocabulary, draws).sum())
    )


class Elmo(pl.LightningModule):
    """Both language models and how they learn.

    Args:
        vocabulary: Number of words that are guessed; taken from the data.
        filters: Width of each convolution over letters, and how many of them.
        letter_width: Numbers that stand for a letter.
        highways: Highway layers.
        layers: Layers of LSTMs in each direction.
        width: Numbers that stand for a word.
        hidden: Numbers of an LSTM's cell.
        dropout: Share of activations dropped in training.
        samples: Wrong words that each guess in training is compared with; 0 is the whole vocabulary.
        learning_rate: Of Adagrad.
        clip: Length that gradients are cut to.
    """

    def __init__(
        self,
        vocabulary: int = 8000,
        filters: Sequence[tuple[int, int]] = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024)),
        letter_width: int = 16,
        highways: int = 2,
        layers: int = 2,
        width: int = 512,
        hidden: int = 4096,
        dropout: float = 0.1,
        samples: int = 0,
        learning_rate: float = 0.2,
        clip: float = 10.0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.letters = Letters(filters, letter_width, highways, width)
        self.forwards = Reader(layers, width, hidden, dropout)
        self.backwards = Reader(layers, width, hidden, dropout)
        self.softmax = Softmax(vocabulary, width, samples)
        self.learning_rate = learning_rate
        self.clip = clip
        self._states: dict[tuple[str, str], States] = {}
        # Nothing to be done about, and on a processor only.
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")

    def forward(self, batch: Batch, stage: str = "train") -> Tensor:
        """Read a piece of each stream both ways, going on where the stage's last piece ended.

        Args:
            batch: The pieces.
            stage: Training and validation each go on with their own streams.

        Returns:
            The mean loss of both directions, in nats a word.
        """
        losses = []
        for name, reader in (("forwards", self.forwards), ("backwards", self.backwards)):
            direction: Direction = getattr(batch, name)
            states = None if batch.first else self._states.get((stage, name))
            words = self.letters(direction.letters)
            # In 32 bits, as published: torch would compute these in float16, whose small gradients get lost, where
            # everything else is computed in bfloat16. GPUs do it on TensorFloat units.
            with torch.autocast(self.device.type, enabled=False):
                read, self._states[stage, name] = reader(words.float(), states)
            losses.append(self.softmax(read, direction.following))
        return torch.stack(losses).mean()

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Guess each next and each previous word."""
        loss = self(batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch.forwards.following))
        # The authors' learning rate is for the sum over a piece.
        return cast("Tensor", loss * batch.forwards.following.shape[1])

    def validation_step(self, batch: Batch, _: int) -> None:
        """Likewise, without learning, among all words."""
        size = len(batch.forwards.following)
        self.log("val/loss", self(batch, "validate"), prog_bar=True, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adagrad, whose learning rates fall by themselves."""
        return torch.optim.Adagrad(self.parameters(), lr=self.learning_rate, initial_accumulator_value=1.0)

    def configure_gradient_clipping(self, *_: object, **__: object) -> None:
        """Cut gradients to a length, sparse ones included, which torch's own function cannot."""
        gradients = []
        for parameter in self.parameters():
            if parameter.grad is not None and parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
                gradients.append(parameter.grad._values())  # noqa: SLF001 - values() would be a copy of them
            elif parameter.grad is not None:
                gradients.append(parameter.grad)
        length = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]).norm()
        # Nothing here waits for a GPU.
        factor = (self.clip / (length + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)


def split_words(line: str) -> list[str]:
    """Take a line apart into words and signs."""
    return re.findall(r"\w+(?:['\u2019-]\w+)*|[^\w\s]", line)


def spell(word: str, longest: int) -> list[int]:
    """Write a word in letters, which are its bytes, always as many; what stands for no word has a letter of its own.

    Args:
        word: The word.
        longest: How many letters, the beginning and the end of the word included.
    """
    inside = {START: [BEGIN_SENTENCE], END: [END_SENTENCE]}.get(word) or list(word.encode()[: longest - 2])
    letters = [BEGIN_WORD, *inside, END_WORD]
    return letters + [FILLER] * (longest - len(letters))


if __name__ == "__main__":
    from command_line import run_lightning

    run_lightning(Elmo, Sentences, LINKS)
