"""The examples, run as a reader would run them, but for a few steps only."""

import hashlib
import json
import lzma
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples" / "data"

TRANSFORMER = (
    "fit",
    f"--config={ROOT / 'configs' / 'transformer_small.yaml'}",
    "--trainer.max_steps=8",
    "--trainer.val_check_interval=4",
    "--trainer.limit_val_batches=2",
    "--trainer.log_every_n_steps=1",
    "--model.warmup_steps=4",
)
ELMO = (
    "fit",
    f"--config={ROOT / 'configs' / 'elmo_small.yaml'}",
    "--trainer.max_steps=8",
    "--trainer.val_check_interval=4",
    "--trainer.limit_val_batches=2",
    "--trainer.log_every_n_steps=1",
)
HUGGING_FACE = (
    "--training.max_steps=8",
    "--training.warmup_steps=2",
    "--training.logging_steps=1",
    "--training.eval_strategy=steps",
    "--training.eval_steps=4",
)
BERT = (f"--config={ROOT / 'configs' / 'bert_small.yaml'}", *HUGGING_FACE)
GPT2 = (f"--config={ROOT / 'configs' / 'gpt2_small.yaml'}", *HUGGING_FACE)
FRAMEWORKS = {
    "transformer.py": "pytorch_lightning",
    "elmo.py": "pytorch_lightning",
    "bert.py": "transformers.trainer",
    "gpt2.py": "transformers.trainer",
    "plain_loop.py": "torch",
}
"""What each example imports that takes seconds."""


@dataclass(frozen=True)
class Run:
    """What an example left behind."""

    folder: Path
    output: str
    errors: str

    @property
    def record(self) -> dict[str, Any]:
        """The only record in the ledger."""
        [file] = (self.folder / "ledger").rglob("record.json")
        record: dict[str, Any] = json.loads(file.read_text())
        return record

    def scalars(self, tag: str) -> list[float]:
        """Every value of a tag in the TensorBoard logs."""
        [file] = self.folder.rglob("events.out.tfevents.*")
        events = EventAccumulator(str(file.parent), size_guidance={"scalars": 0}).Reload()
        return [event.value for event in events.Scalars(tag)]


RunExample = Callable[..., Run]


def environment(folder: Path) -> dict[str, str]:
    """What an example is run with: a ledger of its own, and one thread, for threads that wait slow a busy machine."""
    own = {"LIGHTNING_CARBON_LEDGER": str(folder / "ledger"), "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def run_example(programs: Callable[[str], Programs]) -> RunExample:
    """Runs an example in a folder of its own, with a ledger of its own."""

    def run(folder: Path, script: str, *arguments: str) -> Run:
        program = ROOT / "examples" / script
        done = programs(FRAMEWORKS[script]).run(program, environment(folder), *arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return Run(folder, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory, run_example: RunExample) -> Run:
    """The Lightning example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("transformer"), "transformer.py", *TRANSFORMER)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory, run_example: RunExample) -> Run:
    """The Hugging Face example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("bert"), "bert.py", *BERT)


@pytest.fixture(scope="module")
def elmo(tmp_path_factory: pytest.TempPathFactory, run_example: RunExample) -> Run:
    """The other Lightning example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("elmo"), "elmo.py", *ELMO)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory, run_example: RunExample) -> Run:
    """The other Hugging Face example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("gpt2"), "gpt2.py", *GPT2)


@pytest.fixture(scope="module")
def plain_loop(tmp_path_factory: pytest.TempPathFactory, run_example: RunExample) -> Run:
    """The loop without a framework, three epochs of four steps."""
    return run_example(tmp_path_factory.mktemp("plain_loop"), "plain_loop.py", "--steps=4")


@pytest.fixture(params=["transformer", "elmo", "bert", "gpt2", "plain_loop"])
def example(request: pytest.FixtureRequest) -> Run:
    """Each of the examples."""
    run: Run = request.getfixturevalue(request.param)
    return run


def test_an_example_leaves_a_closed_record_whose_phases_add_up(example: Run) -> None:
    """The ledger holds one record, of energy that was spent, and its phases sum to its total exactly."""
    energy = example.record["energy"]

    assert example.record["project"] == "demo"
    assert energy["total_joules"] > 0
    assert energy["phases"]["train"] > 0
    assert energy["phases"]["validate"] > 0
    assert sum(round(joules * 1e6) for joules in energy["phases"].values()) == round(energy["total_joules"] * 1e6)


def test_an_example_warns_of_nothing(example: Run) -> None:
    """A reader's first training shows no warning, theirs, ours or a framework's."""
    assert re.findall(r".*(?:[Ww]arning|deprecated|Traceback).*", example.output + example.errors) == []


def test_an_example_ends_with_the_summary_of_its_record(example: Run) -> None:
    """The table is the record's: the same energy, with its carbon and what was assumed."""
    assert "gCO2e" in example.output
    assert "assumed" in example.output


def test_the_transformer_counts_steps_samples_and_the_tokens_that_are_no_padding(transformer: Run) -> None:
    """Eight batches of 32 pairs are 256 samples, and their tokens those of the sentences alone."""
    record = transformer.record

    assert record["steps"] == 8
    assert record["samples"] == 8 * 32
    assert record["model"]["trained"] == record["model"]["parameters"] > 1_000_000
    # A pair has 49 tokens in the mean; padding would add half as many again.
    assert 8 * 32 * 38 < record["tokens"] < 8 * 32 * 54


def test_the_demo_has_a_budget_watches_its_modules_and_tells_padding(transformer: Run) -> None:
    """It prints what was used of the budget, and modules; its journal has the padding of eight batches."""
    record = transformer.record
    [journal] = (transformer.folder / "ledger").rglob("*.jsonl")
    padding = [json.loads(line).get("padding", 0) for line in journal.read_text().splitlines()][-1]

    assert record["budget"]["limit"] == "10 Wh"
    assert "% of 10 Wh used" in transformer.output
    assert "\nModule " in transformer.output
    # A pair has 49 tokens in the mean, and half as many again of padding.
    assert 8 * 32 * 10 < padding < 8 * 32 * 49


@pytest.mark.parametrize(("name", "words"), [("elmo", 20), ("gpt2", 64)])
def test_a_language_model_counts_steps_samples_and_tokens(
    name: str, words: int, request: pytest.FixtureRequest
) -> None:
    """Eight steps are eight steps, whatever was validated between, each of 32 samples of so many tokens."""
    record = request.getfixturevalue(name).record

    assert (record["steps"], record["samples"], record["tokens"]) == (8, 8 * 32, 8 * 32 * words)


def test_bert_counts_the_tokens_that_are_no_padding(bert: Run) -> None:
    """Of the 64 places of each sample, the padding at the end of short texts is none of its tokens."""
    record = bert.record

    assert (record["steps"], record["samples"]) == (8, 8 * 32)
    assert 8 * 32 * 48 < record["tokens"] < 8 * 32 * 64


def test_the_plain_loop_counts_what_it_was_told(plain_loop: Run) -> None:
    """Three epochs of four batches of 64 are 12 steps and 768 samples."""
    record = plain_loop.record

    assert (record["steps"], record["samples"], record["tokens"]) == (12, 768, 768 * 65)


@pytest.mark.parametrize(
    ("name", "validation", "prefix"),
    [
        ("transformer", "val/loss", ""),
        ("elmo", "val/loss", ""),
        ("bert", "eval/loss", "train/"),
        ("gpt2", "eval/loss", "train/"),
    ],
)
def test_a_loss_that_falls_stands_beside_its_energy(
    name: str, validation: str, prefix: str, request: pytest.FixtureRequest
) -> None:
    """TensorBoard has a loss that falls and the energy of the same steps, under the Trainer's prefix if it has one."""
    run: Run = request.getfixturevalue(name)
    losses = run.scalars("train/loss")

    assert len(losses) == 8
    assert losses[-1] < losses[0]
    assert len(run.scalars(validation)) == 2
    assert all(joules > 0 for joules in run.scalars(f"{prefix}energy/row_joules"))
    assert all(joules > 0 for joules in run.scalars(f"{prefix}energy/joules_per_token"))


@pytest.mark.parametrize("name", ["transformer", "elmo", "bert", "gpt2"])
def test_an_example_says_where_to_look(name: str, request: pytest.FixtureRequest) -> None:
    """The last lines name the losses, a record that exists, and the folder of the logs."""
    run: Run = request.getfixturevalue(name)
    record = re.search(r"^Record: +(.+)$", run.output, re.MULTILINE)
    logs = re.search(r"^TensorBoard +(.+)$", run.output, re.MULTILINE)
    assert record is not None
    assert logs is not None

    assert re.search(r"^train/loss +\d+\.\d+ -> \d+\.\d+$", run.output, re.MULTILINE)
    assert (run.folder / record[1]).exists()
    assert list((run.folder / logs[1]).glob("events.out.tfevents.*"))
    assert "tensorboard --logdir" in run.output


def test_a_data_set_asked_for_by_name_is_trained_on(tmp_path: Path, run_example: RunExample) -> None:
    """``--dataset`` takes what ``datasets.load_dataset`` takes, here a folder, and trains on its translations."""
    rows = [{"translation": {"en": f"{number} houses", "es": f"{number} casas"}} for number in range(800)]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = run_example(tmp_path, "transformer.py", *TRANSFORMER, f"--dataset={tmp_path / 'corpus'}")

    # "12 houses" and "12 casas" are two to four tokens each, with the start and the end of the second.
    assert run.record["tokens"] < 8 * 32 * 12


def test_a_data_set_that_cannot_be_had_ends_the_example_with_the_way_out(
    tmp_path: Path, programs: Callable[[str], Programs]
) -> None:
    """Without a network, ``--dataset`` says which data set, why, and what to do, and shows no traceback."""
    program, words = ROOT / "examples" / "bert.py", (BERT[0], "--dataset=nobody/nothing")
    done = programs(FRAMEWORKS["bert.py"]).run(program, environment(tmp_path), *words, folder=tmp_path)

    assert done.returncode == 2
    assert "--dataset nobody/nothing is no file, and cannot be loaded from the hub" in done.stderr
    assert "leave --dataset out" in done.stderr
    assert "Traceback" not in done.stderr


def has_stepped(ledger: Path) -> bool:
    """Whether the journal of the one run in a ledger tells of a step."""
    whole = [line for file in ledger.rglob("*.jsonl") for line in file.read_text().splitlines(keepends=True)]
    return any(json.loads(line).get("steps") for line in whole if line.endswith("\n"))


@pytest.mark.parametrize(
    ("script", "arguments", "number"),
    [("transformer.py", TRANSFORMER[:2], signal.SIGTERM), ("gpt2.py", GPT2[:1], signal.SIGINT)],
)
def test_a_training_that_is_stopped_closes_its_record_and_says_what_it_took(
    script: str,
    arguments: tuple[str, ...],
    number: signal.Signals,
    tmp_path: Path,
    programs: Callable[[str], Programs],
) -> None:
    """SIGTERM and Ctrl-C end a training, here one on files, with the exit code that shells expect, and no traceback."""
    lines = [f"{cats} cats are on {mats} mats" for cats in range(100) for mats in range(100)]
    files = [tmp_path / f"text.{side}" for side in range(2)]
    for file in files:
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = (*arguments, f"--dataset={files[0]},{files[1]}")
    framework = programs(FRAMEWORKS[script])
    process = framework.start(ROOT / "examples" / script, environment(tmp_path), *words, folder=tmp_path)
    while process.is_running() and not has_stepped(tmp_path / "ledger"):
        time.sleep(0.05)
    if process.is_running():
        process.send_signal(number)
    done = framework.end()
    code, run = done.returncode, Run(tmp_path, done.stdout + done.stderr, "")

    assert code == 128 + number, run.output
    assert run.record["status"] == "interrupted"
    assert run.record["steps"] > 0
    assert "Traceback" not in run.output
    assert re.search(r"^Record: ", run.output, re.MULTILINE)


@pytest.mark.parametrize("name", ["verses.tsv", "shakespeare.txt"])
def test_the_embedded_texts_are_those_that_their_readme_describes(name: str) -> None:
    """The README's hash, size and packed size are the file's."""
    packed = (DATA / f"{name}.xz").read_bytes()
    content = lzma.decompress(packed)
    readme = (DATA / "README.md").read_text()

    assert f"{hashlib.sha256(content).hexdigest()}  {name}\n" in readme
    assert re.search(rf"`{re.escape(name)}\.xz` .*\| {len(content):,} \| {len(packed):,} \|", readme)


def test_the_embedded_texts_are_small() -> None:
    """A clone carries less than 1 MB of text for the examples."""
    assert sum(file.stat().st_size for file in DATA.glob("*.xz")) < 1_000_000


def test_the_verses_are_ten_thousand_pairs_of_plain_sentences() -> None:
    """Each pair has 4 to 25 words a side, no markup, and an English side of its own."""
    lines = lzma.decompress((DATA / "verses.tsv.xz").read_bytes()).decode().splitlines()
    pairs = [tuple(line.split("\t")) for line in lines]

    assert len(pairs) == 10_000
    assert {len(pair) for pair in pairs} == {2}
    assert {len(side.split()) for pair in pairs for side in pair} <= set(range(4, 26))
    assert not re.search(r"[<>&\\\[\]{}#*_0-9]", "".join(lines))
    assert len({english for english, _ in pairs}) == 10_000


def test_the_plays_are_a_megabyte_of_plain_speech() -> None:
    """No markup is left, every bracket is closed, and the text ends where a speech does."""
    text = lzma.decompress((DATA / "shakespeare.txt.xz").read_bytes()).decode("ascii")

    assert 990_000 < len(text) <= 1_000_000
    assert not re.search(r"[*_#\\<>]", text)
    assert re.fullmatch(r"(?:[^\[\]]|\[[^\[\]]*\])*", text)
    assert text.endswith("\n")
