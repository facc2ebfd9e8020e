"""What a step of a run costs, and the file that such costs are kept in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.baseline.costs import (
    Baseline,
    Cost,
    PartCost,
    baseline_from,
    baseline_to,
    cost_of,
    work_of,
)
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ConfigError, NewerSchema, RecordError
from lightning_carbon.records.hardware import hardware_of
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import DomainRecord, RunRecord, Status
from tests.unit.records.parts import domain, part, parts
from tests.unit.records.samples import FULL, NOTHING

words = st.text(min_size=1, max_size=8)
figures = st.floats(1e-6, 1e9)
costs = st.builds(
    Cost,
    hardware=words,
    work=words,
    run_id=words,
    ended_at=words,
    steps=st.integers(1, 10**9),
    seconds_per_step=figures,
    parts=st.lists(
        st.builds(
            PartCost,
            kind=st.sampled_from(Kind).map(str),
            provenance=st.sampled_from(Provenance).map(str),
            joules_per_step=figures,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    samples_per_step=st.none() | figures,
    tokens_per_step=st.none() | figures,
    versions=st.dictionaries(words, words, max_size=3),
)
baselines = st.lists(costs, max_size=4, unique_by=lambda entry: (entry.hardware, entry.work)).map(
    lambda many: Baseline(tuple(many))
)


def gpu(joules: float = 100.0, **changes: Any) -> DomainRecord:  # noqa: ANN401 - whatever a domain has
    """A GPU whose steps took so much."""
    card = DomainRecord(
        "gpu:0", "gpu", "NVIDIA H100 80GB HBM3", joules, "counter", 1.0, 0.05, "NVML", step_joules=joules
    )
    return replace(card, **changes)


def package(joules: float = 40.0, **changes: Any) -> DomainRecord:  # noqa: ANN401 - likewise
    """A processor whose steps took so much, by a model."""
    return gpu(joules, id="package:0", kind="package", name="EPYC", provenance="modelled", **changes)


def run(*domains: DomainRecord, **changes: Any) -> RunRecord:  # noqa: ANN401 - likewise
    """A completed run of ten steps."""
    energy = replace(FULL.energy, domains=domains)
    usual: dict[str, Any] = {"steps": 10, "samples": 80, "tokens": 5_120, "energy": energy}
    return replace(FULL, **usual | changes)


def test_a_step_costs_what_the_steps_took_over_how_many_there_were() -> None:
    """By kind and provenance; GPUs of one kind are added up, and what another domain includes is left out."""
    inside = gpu(7.0, id="dram:0", kind="dram", parent="package:0")
    cost = cost_of(run(gpu(100.0), gpu(60.0, id="gpu:1"), package(40.0), inside, phase_seconds={"train": 20.0}))

    assert (PartCost("gpu", "counter", 16.0), PartCost("package", "modelled", 4.0)) == cost.parts
    assert (16.0, 16.0 / 512) == (cost.joules_per_step, cost.joules_per_token)
    assert (10, 2.0, 8.0, 512.0) == (cost.steps, cost.seconds_per_step, cost.samples_per_step, cost.tokens_per_step)
    assert ("2 x NVIDIA H100 80GB HBM3", "lisa/baseline") == (cost.hardware, cost.work)


def test_rollouts_are_time_of_the_steps_that_they_are_in() -> None:
    """Phases of other names than the known ones count to the training."""
    cost = cost_of(run(gpu(), phase_seconds={"setup": 5.0, "train": 20.0, "validate": 3.0, "rollout": 30.0}))

    assert 5.0 == cost.seconds_per_step


@given(parts())
def test_what_steps_took_by_domain_adds_up_to_what_they_took(ranks: list[Any]) -> None:
    """To the microjoule, over the domains that no other includes; where no steps were counted, nothing is told."""
    record = record_of(ranks)
    ids = {domain_record.id for domain_record in record.energy.domains}
    told = [domain_record.step_joules for domain_record in record.energy.domains if domain_record.parent not in ids]
    whole = 0.0 if record.step_joules is None else record.step_joules

    assert round(whole * 1e6) == sum(round(joules * 1e6) for joules in told if joules is not None)


def test_ranks_that_count_no_steps_tell_no_energy_of_them() -> None:
    """Absent is absent."""
    assert [None] == [
        domain_record.step_joules for domain_record in record_of([part(0, {domain("gpu:0"): 5})]).energy.domains
    ]


def test_only_what_is_measured_counts_where_anything_is() -> None:
    """A model beside a counter is shown and not judged; where there are models alone, they are."""
    both, alone = cost_of(run(gpu(100.0), package(40.0))), cost_of(run(package(40.0)))

    assert (["gpu"], ["package"]) == ([judged.kind for judged in both.judged], [judged.kind for judged in alone.judged])
    assert (10.0, 4.0) == (both.joules_per_step, alone.joules_per_step)


def test_a_run_without_counts_has_none() -> None:
    """Of samples, tokens and time in training."""
    cost = cost_of(run(gpu(), samples=None, tokens=0, phase_seconds={}, duration_seconds=30.0, ended_at=None))

    assert (None, None, None) == (cost.samples_per_step, cost.tokens_per_step, cost.joules_per_token)
    assert (3.0, FULL.started_at) == (cost.seconds_per_step, cost.ended_at)


@pytest.mark.parametrize(
    ("record", "hardware"),
    [
        (run(gpu(), gpu(name="NVIDIA A100"), package()), "NVIDIA A100 + NVIDIA H100 80GB HBM3"),
        (run(package(), gpu(kind="dram", id="dram:0")), "EPYC"),
        (run(gpu(kind="host", name="host")), "host"),
    ],
)
def test_hardware_is_named_by_what_computes(record: RunRecord, hardware: str) -> None:
    """GPUs, else processors, else whatever there is."""
    assert hardware == hardware_of(record)


def test_work_is_the_project_and_the_name() -> None:
    """Where it has one."""
    assert ["lisa/baseline", "lisa"] == [work_of(FULL), work_of(replace(FULL, run_name=None))]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (run(gpu(), status=Status.RUNNING.value), "it is running, and only completed runs"),
        (NOTHING, "it is interrupted"),
        (run(gpu(), steps=0), "it counted no steps"),
        (run(), "does not tell the energy of its steps"),
        (run(gpu(step_joules=None)), "record it again with this version"),
        (run(gpu(coverage_ratio=0.9)), "readings of NVIDIA H100 80GB HBM3 cover 90% of it, and 95% are needed"),
        (run(gpu(0.0)), "no energy that could be read"),
    ],
)
def test_a_run_that_does_not_compare_is_refused(record: RunRecord, said: str) -> None:
    """With the reason, and its id."""
    with pytest.raises(ConfigError, match=said) as refused:
        cost_of(record)

    assert ("run", record.run_id) == (refused.value.argument, refused.value.value)


def test_a_gap_in_what_is_not_judged_does_no_harm() -> None:
    """A model that covers little stands beside a counter that covers all."""
    assert pytest.approx(10.0) == cost_of(run(gpu(), package(coverage_ratio=0.1))).joules_per_step


@given(baselines)
def test_a_baseline_survives_being_written_and_read(baseline: Baseline) -> None:
    """To the last bit."""
    assert baseline == baseline_from(json.loads(json.dumps(baseline_to(baseline), allow_nan=False)))


@given(baselines, costs)
def test_an_entry_that_was_put_in_is_found_and_nothing_else_changes(baseline: Baseline, cost: Cost) -> None:
    """Another entry of the same hardware and work gives way."""
    updated = baseline.updated(cost)
    key = (cost.hardware, cost.work)

    assert cost == updated.find(*key)
    kept = [entry for entry in baseline.entries if (entry.hardware, entry.work) != key]
    assert sorted(map(repr, [*kept, cost])) == sorted(map(repr, updated.entries))


def test_entries_are_kept_sorted() -> None:
    """By hardware and work, so that a file under version control changes where it changed."""
    first, second = cost_of(run(gpu())), cost_of(run(package()))

    assert [second, first] == list(Baseline().updated(first).updated(second).entries)
    assert None is Baseline((first,)).find(first.hardware, "other")


@pytest.mark.parametrize(
    "damage",
    [
        [],
        {},
        {"schema": 1},
        {"schema": "new", "entries": []},
        {"schema": 1, "entries": {"a": 1}},
        {"schema": 1, "entries": [3]},
        {"schema": 1, "entries": [{}]},
    ],
)
def test_what_is_no_baseline_is_refused(damage: object) -> None:
    """Whatever is wrong with it, the reader sees one error that says so."""
    with pytest.raises(RecordError, match="not a baseline"):
        baseline_from(damage)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"hardware": 3}, "hardware is 3, where a text"),
        ({"versions": []}, "versions is a list, where a mapping"),
        ({"steps": "many"}, "steps is 'many', where a whole number"),
        ({"tokens_per_step": float("nan")}, "tokens_per_step is nan"),
        ({"seconds_per_step": True}, "seconds_per_step is True, where a number"),
        ({"samples_per_step": -1}, "samples_per_step is -1, where a figure from 0 on"),
        ({"parts": [{"kind": "gpu", "provenance": "guessed", "joules_per_step": 1.0}]}, "guessed"),
        ({"parts": [{"kind": "fan", "provenance": "counter", "joules_per_step": 1.0}]}, "fan"),
        ({"parts": []}, "no energy to compare with"),
    ],
)
def test_an_entry_with_a_flaw_is_refused(damage: dict[str, object], said: str) -> None:
    """It says which figure it is."""
    mapping = baseline_to(Baseline((cost_of(run(gpu())),)))
    mapping["entries"][0] |= damage

    with pytest.raises(RecordError, match=said):
        baseline_from(mapping)


def test_two_entries_for_one_thing_are_refused() -> None:
    """Which one counts would depend on their order."""
    cost = cost_of(run(gpu()))

    with pytest.raises(RecordError, match="it has 2 entries of lisa/baseline on NVIDIA H100 80GB HBM3; leave one"):
        baseline_from(baseline_to(Baseline((cost, cost))))


def test_a_baseline_of_a_newer_schema_says_what_to_do() -> None:
    """It is not read half."""
    with pytest.raises(NewerSchema, match="upgrade"):
        baseline_from({"schema": 2, "entries": []})
