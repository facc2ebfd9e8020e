"""Which trial a run is: what the user says goes before what a search in or around the process says."""

from types import SimpleNamespace
from typing import Any

import pytest

from lightning_carbon.records.trial import SweepTrial
from lightning_carbon.sources.sweeps import TrialInHand, in_trial, trial_of, trial_of_optuna


class Context:
    """The context of Ray Tune, or of Ray Train, within a trial or outside of one."""

    def __init__(self, trial: str | None) -> None:
        self._trial = trial

    def get_trial_id(self) -> str | None:
        """The id of the trial."""
        return self._trial

    def get_experiment_name(self) -> str:
        """The name of the experiment."""
        return "tune-me"


def hydra(mode: str = "MULTIRUN", number: object = 3) -> Any:  # noqa: ANN401 - a module of Hydra
    """What Hydra has for a job of a multirun."""
    config = SimpleNamespace(
        mode=SimpleNamespace(name=mode),
        job=SimpleNamespace(name="train", num=number, chdir=True),
        sweep=SimpleNamespace(dir="multirun/2026-11-28/10-20-30"),
        overrides=SimpleNamespace(task=["+lr=0.1", "model=wide", "~old"]),
    )
    return SimpleNamespace(HydraConfig=SimpleNamespace(initialized=lambda: True, get=lambda: config))


def refuse() -> object:
    """As Ray has it outside of a trial."""
    raise RuntimeError


def ray(context: object) -> dict[str, Any]:
    """Ray with a context."""
    return {"ray.tune": SimpleNamespace(get_context=lambda: context)}


HYDRA = SweepTrial("train-2026-11-28-10-20-30", 3, parameters={"lr": "0.1", "model": "wide"})
RUNNING = {"wandb": SimpleNamespace(run=SimpleNamespace(sweep_id="s1", id="r1"))}


@pytest.mark.parametrize(
    ("expected", "environ", "modules"),
    [
        (None, {}, {}),
        (HYDRA, {}, {"hydra.core.hydra_config": hydra()}),
        (None, {}, {"hydra.core.hydra_config": hydra("RUN")}),
        (None, {}, {"hydra.core.hydra_config": hydra(number="???")}),
        (SweepTrial("tune-me", name="a1b2_00001"), {}, ray(Context("a1b2_00001"))),
        (None, {}, ray(Context(None))),
        (
            SweepTrial("tune-me", name="t"),
            {},
            {"ray.tune": SimpleNamespace(get_context=refuse), "ray.train": ray(Context("t"))["ray.tune"]},
        ),
        (SweepTrial("s1", name="r1"), {"WANDB_SWEEP_ID": "other"}, RUNNING),
        (SweepTrial("s2", name="r2"), {"WANDB_SWEEP_ID": "s2", "WANDB_RUN_ID": "r2"}, {}),
        (SweepTrial("s2"), {"WANDB_SWEEP_ID": "s2"}, {"wandb": SimpleNamespace(run=None)}),
        (None, {}, {"wandb": SimpleNamespace(run=SimpleNamespace(sweep_id=None, id="r1"))}),
    ],
)
def test_a_search_says_which_trial_it_is(
    expected: SweepTrial | None, environ: dict[str, str], modules: dict[str, Any]
) -> None:
    """By its own module, where that is loaded, or by its variables; whatever it raises, nothing is said."""
    assert expected == trial_of(None, None, environ=environ, modules=modules)


@pytest.mark.parametrize(
    ("sweep", "name", "expected"),
    [
        ("mine", None, SweepTrial("mine", name="r1")),
        (None, "7", SweepTrial("s1", 7)),
        ("mine", "wide", SweepTrial("mine", name="wide")),
    ],
)
def test_the_user_knows_better(sweep: str | None, name: str | None, expected: SweepTrial) -> None:
    """A sweep and a trial that are given replace what a search says."""
    assert expected == trial_of(sweep, name, environ={}, modules=RUNNING)


def test_a_trial_may_be_given_alone() -> None:
    """Without any search, a name makes a sweep, and so does a number."""
    assert SweepTrial("mine") == trial_of("mine", None, environ={}, modules={})
    assert SweepTrial("sweep", 3) == trial_of(None, "3", environ={}, modules={})


def test_a_search_in_this_process_goes_first_and_hears_of_its_runs() -> None:
    """Its trial is that of every run that starts in its block, and each of them is told the outcome."""
    told: list[object] = []
    hand = TrialInHand(SweepTrial("rates", 1))
    with in_trial(hand):
        assert SweepTrial("rates", 1) == trial_of(None, None, environ={}, modules=RUNNING)
        with in_trial(None):
            assert SweepTrial("rates", 1) == trial_of(None, None, environ={}, modules={})
    for _ in range(100):
        hand.follow(told.append, lambda: None)
    hand.tell(value=0.5)

    assert trial_of(None, None, environ={}, modules={}) is None
    assert [{"value": 0.5}] * 64 == told
    assert [] == hand.records


@pytest.mark.parametrize("trial", [{"lr": 0.1}, None, SimpleNamespace(number=True)])
def test_what_is_no_trial_of_optuna_is_none(trial: object) -> None:
    """Other searches hand over dictionaries."""
    assert trial_of_optuna(trial) is None
