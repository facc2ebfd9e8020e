"""The parts that the examples are made of, held to what they promise."""

from array import array
from pathlib import Path

import pytest
import torch
from corpus import Pair, read_pairs, read_text
from elmo import (
    CHARACTERS,
    Batch,
    Direction,
    Elmo,
    Sentences,
    Softmax,
    Streams,
    draws_for,
    inclusion,
    spell,
    split_words,
)
from hypothesis import given
from hypothesis import strategies as st
from language_models import Blocks
from transformer import Encoded, Translator, Waves, batch_by_tokens

LENGTHS = st.integers(min_value=1, max_value=40)


def small_elmo(samples: int = 0) -> Elmo:
    """ELMo in a size that costs nothing."""
    torch.manual_seed(1)
    return Elmo(
        vocabulary=50, filters=[(1, 4), (2, 4)], letter_width=4, width=4, hidden=6, dropout=0.0, samples=samples
    )


# -- Transformer ----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(LENGTHS, LENGTHS), max_size=60), st.integers(min_value=40, max_value=200))
def test_batches_by_tokens_hold_every_pair_once_and_no_more_tokens_than_asked(
    lengths: list[tuple[int, int]], most: int
) -> None:
    """However long the pairs are, a batch with its padding stays within the bound on both sides."""
    pairs: list[Encoded] = [
        (array("i", [number] * source), array("i", [number] * target))
        for number, (source, target) in enumerate(lengths)
    ]
    batches = batch_by_tokens(pairs, most)

    assert sorted(pair[0][0] for batch in batches for pair in batch) == list(range(len(pairs)))
    assert all(len(batch) * max(len(pair[side]) for pair in batch) <= most for batch in batches for side in (0, 1))


def test_waves_are_those_of_the_paper() -> None:
    """Number 2i of position p is sin(p / 10000 ** (2i / width)), the one after it the cosine."""
    waves = Waves(50, 16)(torch.arange(50))
    angle = torch.tensor(7 / 10_000 ** (6 / 16))

    assert waves[7, 6].item() == pytest.approx(angle.sin().item(), abs=1e-6)
    assert waves[7, 7].item() == pytest.approx(angle.cos().item(), abs=1e-6)


@pytest.mark.parametrize("published", [True, False])
def test_a_translation_is_guessed_without_looking_ahead(published: bool) -> None:  # noqa: FBT001 - a parameter
    """Later words of the target change nothing of what is guessed before them."""
    torch.manual_seed(1)
    model = Translator(20, 8, 2, 2, 16, norm_first=not published, positions="waves" if published else "learned").eval()
    source, target = torch.randint(3, 20, (2, 5)), torch.randint(3, 20, (2, 6))
    other = target.clone()
    other[:, 4:] = 3
    with torch.no_grad():
        scores, changed = model(source, target), model(source, other)

    assert torch.allclose(scores[:, :4], changed[:, :4], atol=1e-6)
    assert not torch.allclose(scores[:, 4:], changed[:, 4:], atol=1e-3)


# -- ELMo -----------------------------------------------------------------------------------------------------------


def test_a_sampled_softmax_learns_what_the_full_one_would() -> None:
    """Compared with samples only, it learns how often words occur, but for 6 % of them; expecting each word as often
    as it is drawn, instead of once at most, would miss 18 %.
    """
    torch.manual_seed(1)
    softmax = Softmax(50, 1, samples=12)
    frequencies = 1 / (torch.arange(50) + 3.0)
    frequencies /= frequencies.sum()
    words = torch.arange(50).repeat_interleave((frequencies * 1000).long())
    occurring = torch.bincount(words, minlength=50) / len(words)
    optimizer = torch.optim.Adagrad([softmax.bias.weight], lr=1.0)
    learned = torch.zeros(50)
    for step in range(500):
        optimizer.zero_grad()
        softmax(torch.zeros(1, len(words), 1), words).backward()
        optimizer.step()
        if step >= 200:
            learned += softmax.bias.weight[:, 0].detach() / 300

    assert (learned.softmax(dim=0) - occurring).abs().sum().item() / 2 < 0.06


@pytest.mark.parametrize(("samples", "vocabulary"), [(12, 50), (8192, 793_471)])
def test_a_sample_holds_as_many_different_words_as_asked(samples: int, vocabulary: int) -> None:
    """So many draws give that many in the mean, by the probabilities that are taken out of the loss."""
    draws = draws_for(samples, vocabulary)

    assert inclusion(torch.arange(vocabulary), vocabulary, draws).sum().item() == pytest.approx(samples, rel=0.05)


def test_gradients_are_cut_to_a_length_sparse_ones_included() -> None:
    """Afterwards all of them together are as long as asked, in the direction they had."""
    model = small_elmo(samples=10)
    letters = torch.randint(0, CHARACTERS, (3, 5, 6))
    direction = Direction(letters, torch.randint(0, 50, (3, 5)))
    model(Batch(direction, direction, first=True)).backward()
    before = [parameter.grad.to_dense().clone() for parameter in model.parameters() if parameter.grad is not None]
    model.clip = 1e-3
    model.configure_gradient_clipping()
    after = [parameter.grad.to_dense() for parameter in model.parameters() if parameter.grad is not None]
    length = torch.cat([gradient.flatten() for gradient in before]).norm()

    assert model.softmax.weight.weight.grad is not None
    assert model.softmax.weight.weight.grad.is_sparse
    assert torch.cat([gradient.flatten() for gradient in after]).norm().item() == pytest.approx(1e-3, rel=1e-3)
    assert all(torch.allclose(a, b * 1e-3 / length, rtol=1e-3, atol=1e-9) for a, b in zip(after, before, strict=True))


def test_reading_on_is_reading_at_once() -> None:
    """Two pieces, one after the other, give what both give as one: no state is lost between batches."""
    model = small_elmo().eval()
    words = torch.randn(2, 10, 4)
    with torch.no_grad():
        whole, _ = model.forwards(words, None)
        first, states = model.forwards(words[:, :6], None)
        second, _ = model.forwards(words[:, 6:], states)

    assert torch.allclose(torch.cat([first, second], dim=1), whole, atol=1e-6)


def test_streams_go_on_from_piece_to_piece_and_read_each_sentence_both_ways() -> None:
    """What follows each word is the next word; backwards, the sentences stand in the same order, each reversed."""
    sentences = [[1, 2, 3, 4], [5, 6, 7], [8, 9, 10, 11, 12]]
    identity = torch.arange(20)
    pieces = [Streams(sentences, identity, identity, 1, 3)[index] for index in range(3)]
    forwards = torch.cat([piece.forwards.letters[0] for piece in pieces])
    backwards = torch.cat([piece.backwards.letters[0] for piece in pieces])

    assert forwards.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert torch.cat([piece.forwards.following[0] for piece in pieces]).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert backwards.tolist() == [4, 3, 2, 1, 7, 6, 5, 12, 11]
    assert [piece.first for piece in pieces] == [True, False, False]


def test_every_rank_has_streams_of_its_own_and_as_many_pieces() -> None:
    """Two ranks read different parts of the text; neither waits for the other at the end."""
    identity = torch.arange(30)
    ranks = [Streams([list(range(25))], identity, identity, 2, 2, rank, 2) for rank in range(2)]
    read = [
        [piece.forwards.letters.tolist() for piece in (batches[index] for index in range(len(batches)))]
        for batches in ranks
    ]

    assert read == [[[[0, 1], [5, 6]], [[2, 3], [7, 8]]], [[[10, 11], [15, 16]], [[12, 13], [17, 18]]]]


@given(st.text(max_size=60), st.integers(min_value=4, max_value=50))
def test_every_word_is_spelled_in_as_many_letters_that_the_network_knows(word: str, longest: int) -> None:
    """Whatever the script, a spelling has the asked length and begins and ends a word."""
    letters = spell(word, longest)

    assert len(letters) == longest
    assert set(letters) <= set(range(CHARACTERS))
    assert letters[0] == 256
    assert 257 in letters


def test_words_and_signs_are_told_apart() -> None:
    """Apostrophes and hyphens within a word belong to it, all other signs stand alone."""
    assert split_words("'Tis well-known, my lord's: ay!") == [
        "'",
        "Tis",
        "well-known",
        ",",
        "my",
        "lord's",
        ":",
        "ay",
        "!",
    ]


def test_a_word_that_is_not_guessed_is_read_all_the_same(tmp_path: Path) -> None:
    """A rare word has its own letters, and counts as unknown where it would be guessed."""
    (tmp_path / "text").write_text("often often rare\n" * 20 + "often often new\n" * 4)
    data = Sentences(str(tmp_path / "text"), vocabulary=4, streams=2, length=4, letters=8, validation_share=0.1)
    data.setup("fit")
    piece = next(iter(data.val_dataloader()))
    read = piece.forwards.letters[:, 1:].flatten(0, 1).tolist()
    guessed_before = piece.forwards.following[:, :-1].flatten().tolist()
    known = {tuple(spell(word, 8)): index for index, word in enumerate(["<S>", "</S>", "<UNK>", "often"])}

    assert spell("new", 8) in read
    assert guessed_before == [known.get(tuple(letters), 2) for letters in read]


# -- texts ----------------------------------------------------------------------------------------------------------


def test_blocks_hold_the_text_in_order_and_repeat_it() -> None:
    """Each block has its special tokens around it, a remainder is dropped, and reading goes on from the start."""
    blocks = Blocks(torch.arange(10, 17, dtype=torch.int32), 5, [1, 2], repeats=2)

    assert [blocks[index].tolist() for index in range(len(blocks))] == [
        [1, 10, 11, 12, 2],
        [1, 13, 14, 15, 2],
    ] * 2


def test_files_are_read_as_texts_and_as_translations(tmp_path: Path) -> None:
    """Two files pair up line by line, one file by its tabs; pairs with an empty side are left out."""
    first, two, both = tmp_path / "one", tmp_path / "two", tmp_path / "both"
    first.write_text("a b\n\nc\u2028d\n", encoding="utf-8")
    two.write_text("A B\nX\nC D\n", encoding="utf-8")
    both.write_text("a\tA\nb\tB\n", encoding="utf-8")

    assert read_pairs(f"{first},{two}") == [Pair("a b", "A B"), Pair("c\u2028d", "C D")]
    assert read_pairs(str(both)) == [Pair("a", "A"), Pair("b", "B")]
    assert read_text(str(both)) == "a\tA\nb\tB"
    assert read_text(f"{two},{both}") == "A B\nX\nC D\na\tA\nb\tB"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no tab\n", "line 1 is no sentence, tab, translation"),
        (b"\xff\xfe\n", "in UTF-8"),
        (b"\t\n", "no sentence pairs"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says which file and what is wrong; the exit code is that of a wrong command line."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SystemExit) as left:
        read_pairs(str(tmp_path / "file"))

    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_two_files_that_do_not_pair_up_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers of their lines are named."""
    (tmp_path / "one").write_text("a\nb\n")
    (tmp_path / "two").write_text("A\n")
    with pytest.raises(SystemExit) as left:
        read_pairs(f"{tmp_path / 'one'},{tmp_path / 'two'}")

    assert left.value.code == 2
    assert "2 lines and 1 do not pair up" in capsys.readouterr().err
