"""What is logged, where on the x-axis, and what stays as it is without the meter."""

import json
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lightning_carbon.ledger.courses import read_course
from lightning_carbon.records.run import RunRecord
from tests.covered import covered_seconds
from tests.integration.huggingface.support import (
    BATCH_SIZE,
    BUSY,
    TOKENS,
    WATTS,
    CountedReads,
    Listener,
    Sentences,
    carbon_names,
    make_callback,
    make_trainer,
    metered_trainer,
    scalars,
    values_of,
)

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "huggingface_rows.json"
JOULES = "energy/row_joules"
SO_FAR = "energy/run_joules"
LONG_READS = 20


@pytest.fixture
def event_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where TensorBoard's files go: since transformers 5 the environment says so, before an argument did."""
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "events"))
    return tmp_path


def check_course(record: RunRecord | None) -> None:
    """See that the losses are kept against the energy, beside the record."""
    assert record is not None
    assert record.location is not None
    course = read_course(Path(record.location).parent)

    assert course is not None
    assert {"loss", "eval_loss"} <= course.metrics.keys()
    assert 0 < course.metrics["loss"][0].joules <= (record.energy.total_joules or 0.0)


def test_rows_are_as_recorded(event_folder: Path) -> None:
    """Tags, steps, and every value that does not depend on the machine's speed are as they always were."""
    source = CountedReads()
    callback = make_callback(event_folder, sources=[source])
    settings: dict[str, Any] = {
        "num_train_epochs": 2,
        "logging_steps": 3,
        "eval_strategy": "epoch",
        "report_to": ["tensorboard"],
    }
    trainer = make_trainer(event_folder, [callback], source.wait, **settings)
    # Long evaluations, so that what comes between the last reading and the log is little beside them.
    trainer.on_evaluated = partial(source.wait, LONG_READS)
    trainer.train()
    check_course(callback.record)
    written = scalars(event_folder)
    golden = json.loads(GOLDEN.read_text())
    steps = {tag: [step for step, _ in written[tag]] for tag in written if "energy" in tag or "carbon" in tag}
    steps |= {tag: [step for step, _ in written[tag]] for tag in written if "/power/" in tag or tag.endswith("/loss")}
    steady = {tag: [value for _, value in written[tag]] for tag in golden["values"]}

    assert golden["steps"] == steps
    assert golden["values"] == {tag: pytest.approx(values, rel=BUSY) for tag, values in steady.items()}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_train_epochs": 2, "eval_strategy": "steps", "eval_steps": 3, "save_strategy": "epoch"},
        {"gradient_accumulation_steps": 3},
        {"logging_strategy": "no"},
        {"logging_steps": 1, "eval_on_start": True, "eval_strategy": "epoch"},
        {"max_steps": 5, "logging_first_step": True},
    ],
    ids=str,
)
def test_the_rows_add_up_to_the_record(event_folder: Path, settings: dict[str, Any]) -> None:
    """Up to each row, the rows are the run so far, in every target of `report_to`; the last run so far is the run."""
    source, listener = CountedReads(), Listener()
    callback = make_callback(event_folder, sources=[source])
    trainer = make_trainer(event_folder, [listener, callback], source.wait, report_to=["tensorboard"], **settings)
    output = trainer.train()
    record = callback.record

    assert record is not None
    in_tensorboard = scalars(event_folder)
    shown = {name: [value for _, value in in_tensorboard[f"train/{name}"]] for name in (JOULES, SO_FAR)}
    for rows, so_far, rel in (
        (values_of(listener.logs, JOULES), values_of(listener.logs, SO_FAR), 1e-12),
        (values_of(trainer.state.log_history, JOULES), values_of(trainer.state.log_history, SO_FAR), 1e-12),
        (shown[JOULES], shown[SO_FAR], 1e-6),
    ):
        assert list(accumulate(rows)) == pytest.approx(so_far[: len(rows)], rel=rel)
        assert record.energy.total_joules == pytest.approx(so_far[-1], rel=rel)
    assert record.energy.total_joules == output.metrics["train_energy_joules"]
    assert record.energy.total_joules == sum(record.energy.phases.values())
    assert record.energy.total_joules == pytest.approx(WATTS * covered_seconds(record), rel=BUSY)


def test_the_output_of_a_training_has_the_totals(tmp_path: Path) -> None:
    """`TrainOutput.metrics` tells energy, its phases and carbon, as the record does, in plain floats."""
    trainer, callback = metered_trainer(tmp_path, eval_strategy="epoch", save_strategy="epoch")
    metrics = trainer.train().metrics
    record = callback.record

    assert record is not None
    assert {"setup", "train", "validate", "checkpoint"} == set(record.energy.phases)
    expected = {
        "train_energy_joules": record.energy.total_joules,
        "train_energy_kwh": (record.energy.total_joules or 0) / 3.6e6,
        "train_energy_setup_joules": record.energy.phases["setup"],
        "train_energy_train_joules": record.energy.phases["train"],
        "train_energy_validate_joules": record.energy.phases["validate"],
        "train_energy_checkpoint_joules": record.energy.phases["checkpoint"],
        "train_carbon_grams_co2e": record.carbon.grams_co2e,
        "train_carbon_grams_co2e_low": record.carbon.low,
        "train_carbon_grams_co2e_high": record.carbon.high,
    }
    assert expected == {name: value for name, value in metrics.items() if name in expected}
    assert {float} == {type(metrics[name]) for name in carbon_names(metrics)}


def test_the_state_on_disk_has_rows_and_totals(tmp_path: Path) -> None:
    """`trainer_state.json` of a checkpoint has the rows up to there, the final one the totals, too."""
    trainer, _ = metered_trainer(tmp_path, num_train_epochs=2, save_strategy="epoch")
    trainer.train()
    trainer.save_state()
    saved = json.loads((tmp_path / "out/checkpoint-4/trainer_state.json").read_text())["log_history"]
    final = json.loads((tmp_path / "out/trainer_state.json").read_text())["log_history"]

    assert [2, 4] == [log["step"] for log in saved if JOULES in log]
    assert [2, 4, 6, 8] == [log["step"] for log in final if JOULES in log]
    assert [2, 4, 6, 8, 8] == [log["step"] for log in final if SO_FAR in log]
    assert 1 == len(values_of(final, "train_energy_joules"))
    assert trainer.state.log_history == final


def test_the_rows_of_the_trainer_stay_as_they_are(tmp_path: Path) -> None:
    """With the meter and without, the Trainer logs as often, under the same names, and learns the same."""
    settings: dict[str, Any] = {"num_train_epochs": 2, "eval_strategy": "epoch", "save_strategy": "epoch"}
    plain = make_trainer(tmp_path / "plain", **settings)
    plain.train()
    plain.evaluate()
    metered, _ = metered_trainer(tmp_path / "metered", **settings)
    metered.train()
    metered.evaluate()
    kept = [{name: log[name] for name in log.keys() - carbon_names(log)} for log in metered.state.log_history]
    steady = ("loss", "grad_norm", "learning_rate", "epoch", "step", "eval_loss", "train_loss", "total_flos")

    assert [set(log) for log in plain.state.log_history] == [set(log) for log in kept]
    assert [{name: log[name] for name in steady if name in log} for log in plain.state.log_history] == [
        {name: log[name] for name in steady if name in log} for log in kept
    ]


def test_logs_of_others_stay_as_they_are(tmp_path: Path) -> None:
    """What somebody logs beside the Trainer gets no figures, and takes none away."""

    class Chatty(TrainerCallback):
        """Logs in the midst of training."""

        trainer: Any = None

        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
        ) -> None:
            """Log something."""
            self.trainer.log({"mine": 1.0})

    trainer, callback = metered_trainer(tmp_path)
    trainer.add_callback(chatty := Chatty())
    chatty.trainer = trainer
    trainer.train()
    mine = [log for log in trainer.state.log_history if "mine" in log]

    assert [{"mine", "epoch", "step"}] * 4 == [set(log) for log in mine]
    assert callback.record is not None
    assert callback.record.energy.total_joules == pytest.approx(values_of(trainer.state.log_history, SO_FAR)[-1])


def test_evaluations_have_their_energy_under_their_own_prefix(tmp_path: Path) -> None:
    """In training, they get two names of their own, and not more energy than the record has of them."""
    trainer, callback = metered_trainer(tmp_path, num_train_epochs=3, eval_strategy="epoch")
    trainer.train()
    logs = trainer.state.log_history
    of_evaluations = [{name for name in carbon_names(log) if name.startswith("eval_")} for log in logs]

    assert {frozenset(["eval_energy_joules", "eval_carbon_grams_co2e"])} == {*map(frozenset, of_evaluations)} - {
        frozenset()
    }
    assert callback.record is not None
    joules = values_of(logs, "eval_energy_joules")
    assert 0 < round(sum(joules), 6) <= callback.record.energy.phases["validate"]
    assert [value / 3600 for value in joules] == pytest.approx(values_of(logs, "eval_carbon_grams_co2e"))


def test_several_evaluation_sets_have_each_their_energy(tmp_path: Path) -> None:
    """Each set of a dictionary gets its own, inside a training and on its own."""
    trainer, callback = metered_trainer(tmp_path)
    dataset = trainer.eval_dataset
    trainer.eval_dataset = {"a": dataset, "b": dataset}
    trainer.train()
    metrics = trainer.evaluate()
    record = callback.record

    assert record is not None
    assert {"validate"} == set(record.energy.phases)
    joules = [metrics["eval_a_energy_joules"], metrics["eval_b_energy_joules"]]
    assert all(value > 0 for value in joules)
    assert round(sum(joules), 6) <= (record.energy.total_joules or 0)


def test_short_evaluations_have_their_energy_with_a_later_log(tmp_path: Path) -> None:
    """Each set its own, exactly, though nothing waits for readings: with the next log or the last one."""
    callback = make_callback(tmp_path, interval_seconds=0.05)
    trainer = make_trainer(tmp_path, [callback], eval_strategy="steps", eval_steps=1)
    trainer.eval_dataset = {"a": Sentences(2), "b": Sentences(2)}
    trainer.train()
    logged = [sum(values_of(trainer.state.log_history, f"eval_{name}_energy_joules")) for name in "ab"]

    assert callback.record is not None
    assert all(joules > 0.0 for joules in logged)
    assert 0.5 * callback.record.energy.phases["validate"] < sum(logged) <= callback.record.energy.phases["validate"]


def test_evaluating_on_its_own_is_a_run(tmp_path: Path) -> None:
    """Outside a training, its figures are those of a record of its own, exactly; the copy of the training's stays."""
    trainer, callback = metered_trainer(tmp_path)
    trainer.train()
    training = callback.record
    metrics = trainer.evaluate()
    record = callback.record
    copied = json.loads((tmp_path / "out/lightning_carbon_record.json").read_text())

    assert record is not None
    assert training is not None
    assert record.run_id != training.run_id
    assert {"validate": metrics["eval_energy_joules"]} == record.energy.phases
    assert ("completed", 0) == (record.status, record.steps)
    assert metrics["eval_carbon_grams_co2e"] == pytest.approx(record.carbon.grams_co2e)
    assert training.run_id == copied["run_id"]


def test_predicting_on_its_own_is_a_run(tmp_path: Path) -> None:
    """Predictions are metered, too, and the metrics they come with say so."""
    trainer, callback = metered_trainer(tmp_path)
    metrics = trainer.predict(Sentences(4)).metrics  # type: ignore[arg-type]  # a list does: it has a length and items
    record = callback.record

    assert record is not None
    assert metrics is not None
    assert {"predict": metrics["test_energy_joules"]} == record.energy.phases


@pytest.mark.parametrize(("accumulated", "steps"), [(1, 5), (2, 3)])
def test_samples_and_tokens_are_counted_exactly(tmp_path: Path, accumulated: int, steps: int) -> None:
    """The last batch may be smaller, and the last step may have fewer batches."""
    trainer, callback = metered_trainer(tmp_path, samples=9, gradient_accumulation_steps=accumulated, max_steps=steps)
    trainer.train()
    record = callback.record

    assert record is not None
    assert (steps, 9, 9 * TOKENS) == (record.steps, record.samples, record.tokens)


def test_a_log_of_tokens_seen_has_its_row(tmp_path: Path) -> None:
    """Where the Trainer counts tokens, too, its rows are still rows of steps."""
    trainer, callback = metered_trainer(tmp_path, include_num_input_tokens_seen=True)
    trainer.train()

    assert callback.record is not None
    assert 8 * TOKENS == callback.record.tokens
    assert [2, 4] == [log["step"] for log in trainer.state.log_history if JOULES in log]


def test_energy_per_sample_and_token_divide_by_what_there_was(tmp_path: Path) -> None:
    """A step takes the energy of its samples, a sample that of its tokens."""
    trainer, _ = metered_trainer(tmp_path)
    trainer.train()
    steps, samples, tokens = (
        values_of(trainer.state.log_history, f"energy/joules_per_{name}") for name in ("step", "sample", "token")
    )

    assert steps == pytest.approx([value * BATCH_SIZE for value in samples])
    assert samples == pytest.approx([value * TOKENS for value in tokens])


def test_without_sensors_nothing_is_logged(tmp_path: Path) -> None:
    """Where nothing can be metered there are no figures, rather than zeros; and the training is as always."""
    callback = make_callback(tmp_path, sources=[])
    trainer = make_trainer(tmp_path, [callback], eval_strategy="epoch")
    metrics = trainer.train().metrics

    assert set() == carbon_names(metrics).union(*map(carbon_names, trainer.state.log_history))
    assert callback.record is not None
    assert (4, None) == (callback.record.steps, callback.record.energy.total_joules)
