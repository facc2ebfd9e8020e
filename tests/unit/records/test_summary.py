"""The summary of a record, word for word, and what holds for every summary."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from lightning_carbon.ports import Finding
from lightning_carbon.records.numbers import WIDTH
from lightning_carbon.records.run import RunRecord
from lightning_carbon.records.summary import summarise
from lightning_carbon.records.totals import Attempt, Totals
from tests.strategies import run_records
from tests.unit.records.samples import FULL, NOTHING, SMALL

FULL_TEXT = """\
Run baseline (20261121T101112-3fa2) of project lisa: completed after 1 min 28 s

Domain                                 energy    share  mean power  covered  how
  GPU       NVIDIA H100 80GB HBM3     12.0 kJ   88.6 %       136 W  >99.9 %  counter ±5 %
  CPU       AMD EPYC 9654 96-Core P…  1.55 kJ   11.4 %      17.5 W   52.0 %  modelled ±50 %
    memory  DRAM                        100 J   within      1.14 W  100.0 %  modelled ±50 %
  measured                            12.0 kJ   88.6 %       136 W           read from sensors
  modelled                            1.55 kJ   11.4 %      17.5 W           computed, no sensor
  total                               13.5 kJ  100.0 %       154 W   76.0 %  12.7 to 14.4 kJ (90 %)
  rest      of the machine, modelled  3.27 kJ               37.1 W           1.20 to 4.40 kJ
  machine   at its plug               16.8 kJ                191 W           15.1 to 18.5 kJ (90 %)

Phase        energy   share  mean power        time
  setup       300 J   2.2 %      73.2 W      4.10 s
  train     12.7 kJ  94.1 %       159 W  1 min 20 s
  validate    500 J   3.7 %       122 W      4.10 s

Not training  5.9 % of the energy, 9.3 % of the time: validate 3.7 %, setup 2.2 %
              waiting for data counts as training here; detail="step" shows it separately

Waste         throttled by heat: 3.10 kJ in 20.0 s, 23.0 %
                try: look at fans, dust, and the air or water

Module                            energy  share of steps              90 %
  transformer.decoder  backward  5.00 kJ          40.5 %  38.1 % to 42.9 %
  transformer.decoder  forward   2.60 kJ          21.1 %  19.4 % to 22.7 %
  Translator           backward  2.45 kJ          19.8 %  18.6 % to 21.1 %
  embedding            forward   1.30 kJ          10.5 %   8.9 % to 12.2 %
  optimizer                        800 J           6.5 %    5.7 % to 7.3 %
  rest of the step                 200 J           1.6 %    0.8 % to 2.4 %

  from 96 sampled steps; a module is without the modules in it, and its interval speaks of the
  division alone; 2 of the 5 rows above 5 % may be off by more than 10 %: a longer run tells more,
  and so does a lower module_every

1,200 steps, 38,400 samples, 1,228,800 tokens: 10.3 J per step, 322 mJ per sample, 10.0 mJ per token
  294,912 of 124,734,720 parameters trained

CO2e  3.40 gCO2e, 0.210 to 8.12 gCO2e (90 %)
      = 4.67 Wh (machine) × PUE 1.54 (1 to 2.19) × 473.2 gCO2e/kWh (20.5 to 1100)
      grid: WORLD 2024, life-cycle, generation, location-based; Ember via Our World in Data
      Scope 2 and Scope 3 category 3 together, which the source does not split
      PUE: Uptime Institute, Global Data Center Survey 2025
      bounds, all errors at their worst together: chips 12.2 to 14.9 kJ; machine 13.4 to 19.3 kJ;
        CO2e 0.0761 to 12.9 gCO2e
      about as much as 21 seconds of an average human life (Strubell et al. 2019)

Budget  85.1 % of 4 g used

Training                 energy         CO2e  steps
  lineage               17.5 kJ   3.55 gCO2e  1,500  led to the model as it is
  lost                  1.00 kJ  0.202 gCO2e    150  kept by no checkpoint
  spent                 18.5 kJ   3.75 gCO2e  1,650  all attempts
  20261121T090000-11aa  5.00 kJ   1.01 gCO2e         interrupted
  20261121T101112-3fa2  13.5 kJ   2.74 gCO2e         completed, this run

Assumed
  region: nobody said where this ran, so the average of WORLD is assumed, 473.2 gCO2e/kWh; give
    region= or intensity=
  PUE: nobody said what the site's is, so 1.54 is assumed; give pue=
  modelled: CPU AMD EPYC 9654 96-Core Processor, the long name: 360 W at full load, scaled by what
    this process tree used of the processor's time
  modelled: memory DRAM: 0.37 W for each GB in use
  modelled: rest of node-7: workstation: 45 W of 50% of the machine + 15% of the chips; the desktop
    of Fischer et al. 2025, its constant doubled for boards, fans and supplies; ours (a tower); give
    machine=

Not measured
  lost: CPU AMD EPYC 9654 96-Core Processor, the long name: its process table could not be read any
    more; readings cover 52.0 % of the run, the rest is not counted
  in part: ends of steps of rank 1: the device's clock failed, so some are the host's: RuntimeError:
    device not ready
  rapl: package 0, package 1: energy_uj is readable by root only, as Linux does since 5.10
    (CVE-2020-8694)
    fix: sudo chmod a+r /sys/class/powercap/intel-rapl:0/energy_uj

Counted in other runs, too
  about 5.44 kJ in 40.0 s: NVIDIA H100 80GB HBM3: run 20261121T101130-77cd of project bart metered
    the same hardware

Record: /home/lisa/.local/share/lightning-carbon/20261121T101112-3fa2/record.json"""

SMALL_TEXT = """\
Run 20261122T080000-0001 of project lisa: running for 0.250 s

Domain                  energy    share  mean power  covered  how
  platform  platform    845 mJ  100.0 %      3.38 W  100.0 %  counter
  GPU       GPU 0     not read                         0.0 %  counter ±5 %
  total                 845 mJ  100.0 %      3.38 W  100.0 %  all measured

Phase    energy    share  mean power     time
  train  845 mJ  100.0 %      3.38 W  0.250 s

Not training  0.0 % of the energy, 0.0 % of the time
              waiting for data counts as training here; detail="step" shows it separately

1 step, 0 tokens: 840 mJ per step

CO2e  3.10 µgCO2e
      = 0.235 mWh (chips) × PUE 1.1 × 12 gCO2e/kWh
      grid: custom, as given, location-based; given
      PUE: given

Not measured
  in part: GPU 0: readings cover 0.0 % of the run, the rest is not counted

Record: not stored"""

NOTHING_TEXT = """\
Run 20261123T080000-0002 of project lisa: interrupted after 1 h 5 min

Energy: not known, since nothing on this machine could be metered.

CO2e: not known, since the energy is not.

Not measured
  nvml: all GPUs: libnvidia-ml.so.1 is not there: no NVIDIA driver

Record: not stored"""


@pytest.mark.parametrize(("record", "text"), [(FULL, FULL_TEXT), (SMALL, SMALL_TEXT), (NOTHING, NOTHING_TEXT)])
def test_the_summary_word_for_word(record: RunRecord, text: str) -> None:
    """Everything that is known, everything that is assumed, and nothing else."""
    assert text == record.summary()


def test_a_record_of_before_has_bounds_alone() -> None:
    """It was stored without intervals, so its bounds stand where they stood."""
    assert FULL.machine is not None
    former = replace(
        FULL,
        energy=replace(FULL.energy, interval=None),
        machine=replace(FULL.machine, interval=None),
        carbon=replace(FULL.carbon, interval=None),
    )

    assert "100.0 %       154 W   76.0 %  12.2 to 14.9 kJ\n" in former.summary()
    assert "191 W           13.4 to 19.3 kJ\n" in former.summary()
    assert "CO2e  3.40 gCO2e (0.0761 to 12.9 gCO2e)\n" in former.summary()
    assert "PUE and grid; it is not a confidence interval." in former.summary()
    assert "(90 %)" not in former.summary()


def test_bounds_of_chips_stand_alone_where_nothing_is_known_of_the_machine() -> None:
    """Nothing is said of a plug."""
    assert "at their worst together: chips 12.2 to 14.9 kJ; CO2e" in replace(FULL, machine=None).summary()


SPLIT_TEXT = """\
Phase           energy   share  mean power        time
  setup          300 J   2.2 %      73.2 W      4.10 s
  train        12.7 kJ  94.1 %       159 W  1 min 20 s
    data wait  2.00 kJ  14.8 %      66.7 W      30.0 s
    forward    4.00 kJ  29.5 %       200 W      20.0 s
    other      6.75 kJ  49.8 %       225 W      30.0 s
  validate       500 J   3.7 %       122 W      4.10 s

Not training  20.7 % of the energy, 43.3 % of the time: waiting for data 14.8 %, validate 3.7 %,
              setup 2.2 %
"""


def test_a_step_told_apart_shows_its_parts_and_the_wait_for_data() -> None:
    """The parts stand under their phase, and the wait for data with what is no training."""
    energy = replace(FULL.energy, parts={"train": {"data": 2_000.0, "forward": 4_000.0, "other": 6_745.6}})
    text = replace(
        FULL, energy=energy, part_seconds={"train": {"data": 30.0, "forward": 20.0, "other": 30.0}}
    ).summary()

    assert SPLIT_TEXT in text


def test_a_run_without_training_has_no_share_that_is_none() -> None:
    """An evaluation on its own, or a loop that tells no phases, is not blamed for not training."""
    energy = replace(SMALL.energy, phases={"test": 0.845})

    assert "Not training" not in replace(SMALL, energy=energy, phase_seconds={"test": 0.25}).summary()


@given(run_records)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_record_has_a_summary(record: RunRecord) -> None:
    """Plain text, whatever is absent from the record, and it ends without an empty line."""
    text = summarise(record)

    assert text == text.rstrip()
    assert "\x1b" not in text
    assert "nan" not in text


def test_lines_fit_a_terminal() -> None:
    """A hundred columns, even with long names; only a path or a command that one copies may take more."""
    long = [line for line in summarise(FULL).splitlines() if len(line) > WIDTH]

    assert all(line.startswith(("Record: ", "    fix: ")) for line in long)


def test_what_could_not_be_measured_is_said_once_for_many() -> None:
    """Eight GPUs with one trouble are one entry: three by name, the others by number."""
    absent = tuple(Finding("nvml", f"GPU {index}", reason="no permission", fix="ask for it") for index in range(8))
    text = summarise(replace(NOTHING, energy=replace(NOTHING.energy, absent=absent)))

    assert "  nvml: GPU 0, GPU 1, GPU 2 and 5 more: no permission\n    fix: ask for it\n" in text


def test_a_long_reason_takes_a_few_lines() -> None:
    """It is cut with a sign that it was; the fix under it is never cut."""
    absent = (Finding("rapl", "package 0", reason="because " * 100, fix="sudo " + "a" * 150),)
    lines = summarise(replace(NOTHING, energy=replace(NOTHING.energy, absent=absent))).splitlines()
    reason = [line for line in lines if "because" in line]

    assert len(reason) == 4
    assert reason[-1].endswith(" …")
    assert "    fix: sudo " + "a" * 150 in lines


def test_only_what_was_modelled_is_called_modelled() -> None:
    """A total with no sensor behind it says so in its own line."""
    energy = replace(SMALL.energy, measured_joules=0.0, modelled_joules=0.845)
    text = summarise(replace(SMALL, energy=energy))

    assert "all modelled" in text
    assert "all measured" not in text


def test_steps_without_energy_are_still_counted() -> None:
    """Their number is known even where nothing else is."""
    text = summarise(replace(NOTHING, steps=3, samples=1))

    assert "\n3 steps, 1 sample\n" in text


def test_a_run_of_no_time_has_no_power() -> None:
    """A division by nothing is left out, and so is the phase's time that nobody recorded."""
    text = summarise(replace(SMALL, duration_seconds=0.0, phase_seconds={}))

    assert "running for 0 s" in text
    assert " W" not in text.replace(" Wh", "")


def test_a_run_of_no_energy_is_zero_and_not_absent() -> None:
    """It was measured, and it was nothing."""
    energy = replace(SMALL.energy, total_joules=0.0, measured_joules=0.0, low_joules=0.0, high_joules=0.0, phases={})
    carbon = replace(SMALL.carbon, grams_co2e=0.0, low=0.0, high=0.0)
    text = summarise(replace(SMALL, energy=energy, carbon=carbon))

    assert "CO2e  0 gCO2e\n" in text
    assert "= 0 Wh" in text
    assert "Phase" not in text


def test_many_attempts_are_counted_and_the_last_ones_listed() -> None:
    """Of a training in many attempts, the last five are named; figures that nobody knows are left out."""
    attempts = tuple(Attempt(f"run-{number:02d}", None) for number in range(12))
    nothing = Totals(steps=3)
    text = summarise(replace(FULL, attempts=attempts, lineage=nothing, spent=replace(nothing, steps=5)))
    lines = [line.split() for line in text.splitlines()]

    assert ["earlier", "7", "more", "attempts"] in lines
    assert [["lost", "2", "kept", "by", "no", "checkpoint"]] == [line for line in lines if line[:1] == ["lost"]]
    assert [[f"run-{number:02d}", "unknown"] for number in range(7, 12)] == [
        line for line in lines if line and line[0].startswith("run-")
    ]


def test_domains_within_each_other_are_told_once() -> None:
    """A record of somebody else's making may have circles in it; each domain stands there all the same."""
    first, second, loop = (
        replace(SMALL.energy.domains[0], id=id_, parent=parent, name=name)
        for id_, parent, name in (("a", None, "first"), ("b", "a", "second"), ("a", "b", "third"))
    )
    energy = replace(SMALL.energy, domains=(first, second, loop))

    assert "second" in replace(SMALL, energy=energy).summary()


def test_names_do_not_steer_the_terminal() -> None:
    """Whatever a run is called, its summary is lines of letters."""
    text = replace(SMALL, run_name="a\x1b[2J\nb").summary()

    assert text.replace("\n", "").isprintable()
    assert text.startswith("Run a [2J b (")


def test_a_run_of_one_process_does_not_name_its_rank() -> None:
    """Where the device's clock failed, the summary says of whose steps only if there are several ranks."""
    [rank, *_] = FULL.ranks
    failed = replace(rank, step_clock="mixed", step_clock_reason="RuntimeError: not ready")
    text = replace(FULL, world_size=1, ranks=(failed,)).summary()

    assert "  in part: ends of steps: the device's clock failed, so some are the host's" in text


def test_an_accelerator_that_is_in_no_figure_stands_among_the_figures() -> None:
    """What the training computed on and nothing could meter is told beside what was metered, and why."""
    finding = Finding("accelerator", "AMD GPU", None, "nothing here can read its power")
    with_host, with_nothing = (
        summarise(replace(record, energy=replace(record.energy, absent=(finding,)))) for record in (SMALL, NOTHING)
    )

    assert "  AMD GPU" in [line.partition("not metered")[0].rstrip() for line in with_host.splitlines()]
    assert "AMD GPU: not metered: nothing here can read its power" in with_host
    assert "AMD GPU: not metered\n" in with_nothing
