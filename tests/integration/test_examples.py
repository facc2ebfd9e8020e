"""The examples, run as a reader would run them, but for a few steps only."""

import hashlib
import json
import lzma
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

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
BERT = (
    f"--config={ROOT / 'configs' / 'bert_small.yaml'}",
    "--training.max_steps=8",
    "--training.warmup_steps=2",
    "--training.logging_steps=1",
    "--training.eval_strategy=steps",
    "--training.eval_steps=4",
)


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


def run_example(folder: Path, script: str, *arguments: str) -> Run:
    """Run an example in a folder of its own, with a ledger of its own."""
    environment = {**os.environ, "LIGHTNING_CARBON_LEDGER": str(folder / "ledger"), "HF_HOME": str(folder / "hf")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(folder, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The Lightning example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("transformer"), "transformer.py", *TRANSFORMER)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The Hugging Face example, eight steps of it."""
    return run_example(tmp_path_factory.mktemp("bert"), "bert.py", *BERT)


@pytest.fixture(scope="module")
def plain_loop(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The loop without a framework, three epochs of four steps."""
    return run_example(tmp_path_factory.mktemp("plain_loop"), "plain_loop.py", "--steps=4")


@pytest.fixture(params=["transformer", "bert", "plain_loop"])
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
    # A pair has 49 tokens in the mean; padding would add half as many again.
    assert 8 * 32 * 38 < record["tokens"] < 8 * 32 * 54


def test_bert_counts_its_steps(bert: Run) -> None:
    """Eight optimizer steps are eight steps, whatever was evaluated between."""
    assert bert.record["steps"] == 8


def test_the_plain_loop_counts_what_it_was_told(plain_loop: Run) -> None:
    """Three epochs of four batches of 64 are 12 steps and 768 samples."""
    record = plain_loop.record

    assert (record["steps"], record["samples"], record["tokens"]) == (12, 768, 768 * 65)


def test_the_transformers_loss_stands_beside_its_energy(transformer: Run) -> None:
    """TensorBoard has a loss that falls and the energy of the same steps."""
    losses = transformer.scalars("train/loss")

    assert len(losses) == 8
    assert losses[-1] < losses[0]
    assert len(transformer.scalars("val/loss")) == 2
    assert all(joules > 0 for joules in transformer.scalars("energy/total_joules"))


def test_berts_loss_stands_beside_its_energy(bert: Run) -> None:
    """TensorBoard has a loss that falls and the energy of the same steps, under the Trainer's prefix."""
    losses = bert.scalars("train/loss")

    assert len(losses) == 8
    assert losses[-1] < losses[0]
    assert len(bert.scalars("eval/loss")) == 2
    assert all(joules > 0 for joules in bert.scalars("train/energy/total_joules"))


@pytest.mark.parametrize("name", ["transformer", "bert"])
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


def test_a_data_set_asked_for_by_name_is_trained_on(tmp_path: Path) -> None:
    """``--dataset`` takes what ``datasets.load_dataset`` takes, here a folder, and trains on its translations."""
    rows = [{"translation": {"en": f"{number} houses", "es": f"{number} casas"}} for number in range(800)]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = run_example(tmp_path, "transformer.py", *TRANSFORMER, f"--dataset={tmp_path / 'corpus'}")

    # "12 houses" and "12 casas" are two to four tokens each, with the start and the end of the second.
    assert run.record["tokens"] < 8 * 32 * 12


def test_a_data_set_that_cannot_be_had_ends_the_example_with_the_way_out(tmp_path: Path) -> None:
    """Without a network, ``--dataset`` says which data set, why, and what to do, and shows no traceback."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "bert.py"), BERT[0], "--dataset=nobody/nothing"],
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "--dataset nobody/nothing cannot be loaded from the hub" in done.stderr
    assert "leave --dataset out" in done.stderr
    assert "Traceback" not in done.stderr


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
