"""When runs begin and end, whatever happens to the training."""

import gc
import inspect
import json
import logging
import os
import pickle
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accelerate.state import AcceleratorState, GradientState
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lightning_carbon import CarbonCallback, CarbonTrainerCallback, ConfigError
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Energy
from tests.integration.huggingface.support import (
    CountedReads,
    PatientTrainer,
    make_callback,
    make_trainer,
    metered_trainer,
    records_in,
    values_of,
)
from tests.threads import lasting_samplers

ROOT = Path(__file__).resolve().parents[3]


class Trouble(Exception):
    """Something that happens in a training."""


class At(TrainerCallback):
    """Does something at the end of a step."""

    def __init__(self, step: int, action: Callable[[], object]) -> None:
        self.step = step
        self.action = action

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Do it, if this is the step."""
        if state.global_step == self.step:
            self.action()


class AtEvaluation(TrainerCallback):
    """Does something in the midst of an evaluation."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action = action

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Do it."""
        self.action()


def raising(error: BaseException) -> Callable[[], None]:
    """A function that raises an exception."""

    def action() -> None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Trouble("in a step"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(3), "interrupted"),
    ],
    ids=repr,
)
def test_a_training_that_dies_leaves_a_closed_record(tmp_path: Path, error: BaseException, status: str) -> None:
    """An exception and Ctrl-C get through, and the record has all that was used until then."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback, At(3, raising(error))])
    with pytest.raises(type(error)) as caught:
        trainer.train()
    [file] = records_in(tmp_path)
    stored = json.loads(file.read_text())

    assert caught.value is error
    assert (status, 3) == (stored["status"], stored["steps"])
    assert stored["ended_at"] is not None
    assert stored["energy"]["total_joules"] == pytest.approx(sum(stored["energy"]["phases"].values()))
    assert str(file) == callback.record_path
    assert [] == lasting_samplers()


def test_a_training_that_never_begins_leaves_a_closed_record(tmp_path: Path) -> None:
    """Without data to train on nothing begins, and the record says that it failed."""
    trainer, callback = metered_trainer(tmp_path)
    trainer.train_dataset = None
    with pytest.raises(ValueError, match="train_dataset"):
        trainer.train()

    assert callback.record is not None
    assert ("failed", 0) == (callback.record.status, callback.record.steps)


def test_a_failing_evaluation_ends_the_run_it_is_part_of(tmp_path: Path) -> None:
    """The energy of an evaluation that dies is in the record of the training."""
    callback = make_callback(tmp_path, sources=[source := CountedReads()])
    trainer = make_trainer(tmp_path, [callback], source.wait, eval_strategy="epoch")
    trainer.add_callback(AtEvaluation(raising(Trouble("in an evaluation"))))
    with pytest.raises(Trouble):
        trainer.train()

    assert callback.record is not None
    assert "failed" == callback.record.status
    assert callback.record.energy.phases["validate"] > 0


def test_another_try_with_smaller_batches_goes_on_with_the_run(tmp_path: Path) -> None:
    """When memory runs out and the Trainer begins again, the energy burnt before stays in the one record."""
    tries: list[int] = []

    def run_out_of_memory() -> None:
        tries.append(0)
        if len(tries) == 1:
            raise RuntimeError("CUDA out of memory.")

    callback = make_callback(tmp_path, sources=[source := CountedReads()])
    trainer = make_trainer(
        tmp_path, [callback, At(1, run_out_of_memory)], source.wait, auto_find_batch_size=True, logging_steps=1
    )
    output = trainer.train()
    [file] = records_in(tmp_path)
    record = callback.record

    assert 2 == len(tries)
    assert record is not None
    assert "completed" == json.loads(file.read_text())["status"]
    assert output.global_step + 1 == record.steps
    assert record.energy.total_joules == output.metrics["train_energy_joules"]
    assert record.energy.total_joules == sum(record.energy.phases.values())


def test_two_trainings_are_two_runs(tmp_path: Path) -> None:
    """A Trainer that trains again has a second record, and counts from zero."""
    trainer, callback = metered_trainer(tmp_path)
    trainer.train()
    first = callback.record
    output = trainer.train()

    assert first is not None
    assert callback.record is not None
    assert 2 == len(records_in(tmp_path))
    assert first.run_id != callback.record.run_id
    assert (4, 4) == (first.steps, callback.record.steps)
    assert output.metrics["train_energy_joules"] == callback.record.energy.total_joules


@pytest.mark.parametrize("restores", [False, True])
def test_a_resumed_training_is_a_run_of_its_own(tmp_path: Path, *, restores: bool) -> None:
    """Resuming works, with the states of callbacks restored or not, and the record has the steps since."""
    settings: dict[str, Any] = {"num_train_epochs": 2, "save_strategy": "epoch"}
    first, _ = metered_trainer(tmp_path, **settings)
    first.train()
    trainer, callback = metered_trainer(tmp_path, restore_callback_states_from_checkpoint=restores, **settings)
    trainer.train(resume_from_checkpoint=str(tmp_path / "out/checkpoint-4"))

    assert callback in trainer.callback_handler.callbacks
    assert callback.record is not None
    assert 4 == callback.record.steps
    assert [2, 4, 6, 8] == [log["step"] for log in trainer.state.log_history if "energy/row_joules" in log]


def test_a_training_resumes_without_the_callback(tmp_path: Path) -> None:
    """What was trained with the meter can go on without, and the other way round."""
    settings: dict[str, Any] = {"num_train_epochs": 2, "save_strategy": "epoch"}
    checkpoint = str(tmp_path / "out/checkpoint-4")
    metered_trainer(tmp_path, **settings)[0].train()
    make_trainer(tmp_path, **settings).train(resume_from_checkpoint=checkpoint)
    trainer, callback = metered_trainer(tmp_path, **settings)
    trainer.train(resume_from_checkpoint=checkpoint)

    assert callback.record is not None
    assert 4 == callback.record.steps


def test_a_search_that_prunes_a_training_ends_its_run(tmp_path: Path) -> None:
    """A search for hyperparameters calls `on_train_end` and raises; the record says that it was cut short."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(tmp_path, [callback])

    def prune() -> None:
        trainer.state.is_hyper_param_search = True
        trainer.callback_handler.on_train_end(trainer.args, trainer.state, trainer.control)
        raise Trouble("pruned")

    trainer.add_callback(At(2, prune))
    with pytest.raises(Trouble):
        trainer.train()
    trainer.remove_callback(At)
    trainer.train()

    statuses = [json.loads(file.read_text())["status"] for file in records_in(tmp_path)]
    assert ["pruned", "completed"] == statuses


def test_loading_the_best_model_comes_after_the_run(tmp_path: Path) -> None:
    """A Trainer that loads its best model at the end logs and ends as others do."""
    trainer, callback = metered_trainer(
        tmp_path, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True
    )
    output = trainer.train()

    assert callback.record is not None
    assert "completed" == callback.record.status
    assert output.metrics["train_energy_joules"] == callback.record.energy.total_joules


# -- how it gets into a Trainer ---------------------------------------------------------------------------------------


def test_a_callback_that_is_added_later_reaches_the_logs(tmp_path: Path) -> None:
    """`trainer.add_callback` is enough for rows; nobody is warned."""
    source = CountedReads()
    trainer = make_trainer(tmp_path, (), source.wait, eval_strategy="epoch")
    trainer.add_callback(callback := make_callback(tmp_path, sources=[source]))
    metrics = trainer.train().metrics

    assert callback.record is not None
    assert callback.record.energy.total_joules == metrics["train_energy_joules"]
    assert callback.record.energy.total_joules == pytest.approx(
        values_of(trainer.state.log_history, "energy/run_joules")[-1], rel=1e-12
    )
    assert callback.record.energy.phases["validate"] > 0
    assert 4 == callback.record.steps


def test_a_death_that_nobody_told_of_is_noticed_by_the_next_training(tmp_path: Path) -> None:
    """A callback that was added later learns of no exception; the run is closed when the next begins."""
    trainer = make_trainer(tmp_path)
    trainer.add_callback(make_callback(tmp_path))
    trainer.add_callback(At(2, raising(Trouble("in a step"))))
    with pytest.raises(Trouble):
        trainer.train()
    trainer.remove_callback(At)
    trainer.train()

    assert ["failed", "completed"] == [json.loads(file.read_text())["status"] for file in records_in(tmp_path)]
    assert [] == lasting_samplers()


def test_attach_joins_a_trainer_that_is_there(tmp_path: Path) -> None:
    """Attached by hand, it learns of exceptions, too; attaching twice changes nothing."""
    trainer = make_trainer(tmp_path)
    callback = make_callback(tmp_path).attach(trainer).attach(trainer)
    trainer.add_callback(At(2, raising(Trouble("in a step"))))
    with pytest.raises(Trouble):
        trainer.train()

    assert [callback] == [
        callback for callback in trainer.callback_handler.callbacks if isinstance(callback, CarbonTrainerCallback)
    ]
    assert callback is trainer.callback_handler.callbacks[1]
    assert callback.record is not None
    assert ("failed", 2) == (callback.record.status, callback.record.steps)


def test_two_callbacks_in_one_trainer_are_refused(tmp_path: Path) -> None:
    """At construction and when attached, with an error that says what to do."""
    with pytest.raises(ConfigError, match="remove the others") as caught:
        make_trainer(tmp_path, [make_callback(tmp_path), make_callback(tmp_path)])
    trainer, callback = metered_trainer(tmp_path)
    with pytest.raises(ConfigError):
        make_callback(tmp_path).attach(trainer)

    assert "callbacks" == caught.value.argument
    assert [callback] == [
        callback for callback in trainer.callback_handler.callbacks if isinstance(callback, CarbonTrainerCallback)
    ]


def test_the_callback_of_another_framework_is_refused(tmp_path: Path) -> None:
    """Lightning's callback names the one that belongs in a Hugging Face Trainer, before any training."""
    with pytest.raises(ConfigError, match=r"'CarbonCallback'.*a transformers\.Trainer a CarbonTrainerCallback"):
        make_trainer(tmp_path, [CarbonCallback(ledger=tmp_path)])  # type: ignore[list-item]


def test_a_setting_of_lightning_s_callback_is_refused(tmp_path: Path) -> None:
    """What this callback cannot do is no silent wish."""
    make: Any = CarbonTrainerCallback
    with pytest.raises(ConfigError, match="progress_bar=False cannot be used: "):
        make(ledger=tmp_path, progress_bar=False)


def test_attach_wants_a_trainer(tmp_path: Path) -> None:
    """Anything else is refused by name."""
    with pytest.raises(ConfigError, match=r"transformers\.Trainer") as caught:
        make_callback(tmp_path).attach("trainer")

    assert "trainer" == caught.value.argument


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("region", "Atlantis"),
        ("intensity", -1.0),
        ("pue", 0.5),
        ("interval_seconds", 0.001),
        ("project", "a/b"),
        ("devices", [-1]),
        ("ledger", __file__),
    ],
)
def test_bad_arguments_are_refused_at_construction(argument: str, value: object) -> None:
    """Each with an error that names it."""
    settings: dict[str, Any] = {argument: value}
    with pytest.raises(ConfigError) as caught:
        CarbonTrainerCallback(**settings)

    assert argument == caught.value.argument


def test_the_trainer_remains_what_it_was(tmp_path: Path) -> None:
    """Its class has the same name and base, its methods the same signatures, and without callback nothing is timed."""
    callback = make_callback(tmp_path)
    plain, trainer = make_trainer(tmp_path), make_trainer(tmp_path, [callback])
    trainer.remove_callback(callback)
    trainer.train()
    trainer.evaluate()

    assert isinstance(trainer, PatientTrainer)
    assert (type(plain).__name__, type(plain).__module__) == (type(trainer).__name__, type(trainer).__module__)
    for name in ("train", "evaluate", "predict", "get_batch_samples", "create_model_card"):
        assert inspect.signature(getattr(plain, name)) == inspect.signature(getattr(trainer, name))
    assert callback.record is None


def test_a_deleted_trainer_is_gone_at_once(tmp_path: Path) -> None:
    """No reference cycle keeps its model in memory until Python looks for cycles."""
    trainer, callback = metered_trainer(tmp_path)
    trainer.train()
    gc.collect()
    gc.disable()
    try:
        known = weakref.ref(trainer)
        del trainer

        assert known() is None
    finally:
        gc.enable()
    assert callback.record is not None


def test_a_callback_can_be_pickled_before_and_after(tmp_path: Path) -> None:
    """Settings and the last record go along, threads do not."""
    callback = pickle.loads(pickle.dumps(make_callback(tmp_path)))  # noqa: S301 - made in this very line
    make_trainer(tmp_path, [callback]).train()
    copy = pickle.loads(pickle.dumps(callback))  # noqa: S301 - likewise

    assert callback.record is not None
    assert callback.record == copy.record
    assert copy.meter is None
    make_trainer(tmp_path, [copy]).train()
    assert 2 == len(records_in(tmp_path))


def test_a_pickled_trainer_is_metered(tmp_path: Path) -> None:
    """As searches for hyperparameters send it to other processes."""
    # Once anything has trained in a process, accelerate keeps what cannot be pickled; then no Trainer can be.
    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001 - as accelerate's own tests do
    GradientState._reset_state()  # noqa: SLF001 - likewise
    trainer = pickle.loads(pickle.dumps(make_trainer(tmp_path, [make_callback(tmp_path)])))  # noqa: S301 - made here
    trainer.add_callback(At(2, raising(Trouble("in a step"))))
    with pytest.raises(Trouble):
        trainer.train()

    assert isinstance(trainer, PatientTrainer)
    assert "failed" == json.loads(records_in(tmp_path)[0].read_text())["status"]


# -- trouble ----------------------------------------------------------------------------------------------------------


class LostSoon(SimulatedCounter):
    """A GPU that falls off the bus after some reads."""

    reads = 0

    def read_energy(self) -> Energy:
        """Count, read, and be lost."""
        self.reads += 1
        if self.reads > 5:
            raise SourceLost("fell off the bus")
        return super().read_energy()


def test_a_lost_sensor_does_not_end_a_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The record says what was lost, there is one warning, and the training goes on."""
    callback = make_callback(tmp_path, sources=[LostSoon()])
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        make_trainer(tmp_path, [callback], samples=40).train()

    assert callback.record is not None
    assert ("completed", 20) == (callback.record.status, callback.record.steps)
    assert 1 == len(caplog.records)


def test_strict_ends_a_training_that_lost_a_sensor(tmp_path: Path) -> None:
    """Who wants to know at once is told by an exception, and the record is closed."""
    lost = LostSoon()

    def until_lost() -> None:
        while lost.reads <= 5:
            pass

    callback = make_callback(tmp_path, sources=[lost], strict=True)
    trainer = make_trainer(tmp_path, [callback], until_lost, samples=40)
    with pytest.raises(SourceLost, match="fell off"):
        trainer.train()

    assert callback.record is not None
    assert "failed" == callback.record.status


def test_a_loop_that_is_no_trainer_is_metered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who calls the hooks by hand gets a record with its phases, and is told of `attach`, once."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    args, state, control = make_trainer(tmp_path).args, TrainerState(), TrainerControl()
    logs: dict[str, float] = {"loss": 1.0}
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        callback.on_init_end(args, state, control)
        callback.on_train_begin(args, state, control)
        callback.on_epoch_begin(args, state, control)
        callback.on_step_end(args, state, control)
        source.wait()
        callback.on_log(args, state, control, logs=logs)
        callback.on_prediction_step(args, state, control)
        source.wait()
        callback.on_evaluate(args, state, control)
        callback.on_train_end(args, state, control)

    assert callback.record is not None
    assert ("completed", 1, None) == (callback.record.status, callback.record.steps, callback.record.samples)
    assert {"setup", "train", "validate"} <= set(callback.record.energy.phases)
    assert logs["energy/run_joules"] > 0
    [message] = [message.getMessage() for message in caplog.records]
    assert "attach(trainer)" in message


def test_hooks_out_of_order_harm_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without a run, hooks do nothing and say nothing."""
    callback = make_callback(tmp_path)
    args, state, control = make_trainer(tmp_path).args, TrainerState(), TrainerControl()
    logs = {"loss": 1.0}
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        callback.on_step_end(args, state, control)
        callback.on_prediction_step(args, state, control)
        callback.on_log(args, state, control, logs=logs)
        callback.on_log(args, state, control)
        callback.on_predict(args, state, control)
        callback.on_evaluate(args, state, control)
        callback.on_train_end(args, state, control)

    assert {"loss": 1.0} == logs
    assert [] == caplog.records
    assert (None, None, None) == (callback.record, callback.record_path, callback.meter)


def in_a_process(tmp_path: Path, ending: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Train in another process; `ending` says what is done in it."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import os, signal, sys
            from pathlib import Path
            from tests.integration.huggingface.support import make_callback, make_trainer
            from transformers import TrainerCallback
            folder = Path(sys.argv[1])
        """)
        + textwrap.dedent(ending)
    )
    return subprocess.run(
        [sys.executable, *command, str(script), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_ctrl_c_in_a_script_closes_the_record(tmp_path: Path) -> None:
    """A real SIGINT, with a callback that was only added: the record is closed when the script dies."""
    ended = in_a_process(
        tmp_path,
        """
        class Interrupt(TrainerCallback):
            def on_step_end(self, args, state, control, **kwargs):
                os.kill(os.getpid(), signal.SIGINT)

        trainer = make_trainer(folder)
        trainer.add_callback(make_callback(folder))
        trainer.add_callback(Interrupt())
        trainer.train()
        """,
    )
    [file] = records_in(tmp_path)

    assert "KeyboardInterrupt" in ended.stderr
    assert "interrupted" == json.loads(file.read_text())["status"]


def test_only_one_process_of_a_machine_meters_the_host(tmp_path: Path) -> None:
    """Of two ranks on one machine, one meters the host, and the record has both."""
    ended = in_a_process(
        tmp_path,
        """
        callback = make_callback(folder, sources=None)
        make_trainer(folder, [callback], ddp_backend="gloo").train()
        """,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
    )
    assert 0 == ended.returncode, ended.stderr
    [record] = [json.loads(file.read_text()) for file in records_in(tmp_path)]
    copied = json.loads((tmp_path / "out/lightning_carbon_record.json").read_text())

    assert ("completed", 2, 8, 2) == (record["status"], record["steps"], record["samples"], record["world_size"])
    assert [(0, 2), (1, 2)] == [(part["rank"], part["steps"]) for part in record["ranks"]]
    assert record["ranks"][0]["devices"]
    assert not record["ranks"][1]["devices"]
    assert record["run_id"] == copied["run_id"]


def test_it_stands_second_in_line(tmp_path: Path) -> None:
    """After the Trainer's own, which decides what is due, and before all that write logs down."""
    trainer = make_trainer(tmp_path, [callback := make_callback(tmp_path)], report_to=["tensorboard"])
    names = [type(callback).__name__ for callback in trainer.callback_handler.callbacks]

    assert ["DefaultFlowCallback", "CarbonTrainerCallback", "TensorBoardCallback", "PrinterCallback"] == names
    assert isinstance(trainer, Trainer)
    assert callback.record is None


def test_a_ledger_that_cannot_be_written_costs_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is warned of once, with the fix, and the record is in memory and lies nowhere."""
    callback = make_callback(tmp_path)
    (tmp_path / "ledger").write_text("a file where a folder was")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        make_trainer(tmp_path, [callback]).train()
    record = callback.record
    said = [entry.message for entry in caplog.records if entry.name == "lightning_carbon"]

    assert record is not None
    assert ("completed", 4, None, None) == (record.status, record.steps, record.location, callback.record_path)
    assert [True] == ["LIGHTNING_CARBON_LEDGER" in message for message in said]
