"""The comparison of a framework's own tests with the meter on and off, on small files of junit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.suites.comparison import REASONS, UNKNOWN, Comparison, Reason, compare, known_reasons
from tests.suites.outcomes import Outcome, outcomes_in
from tests.suites.page import PAGE, RESULTS, page_of, result_of
from tests.suites.running import SUITES, environment_of

OFF = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="5">
<testcase classname="tests.test_a" name="test_keys"/>
<testcase classname="tests.test_a" name="test_same"/>
<testcase classname="tests.test_a" name="test_clock[1]"/>
<testcase classname="tests.test_b" name="test_gpu"><skipped message="no GPU"/></testcase>
<testcase classname="tests.test_b" name="test_cut"/>
</testsuite></testsuites>"""
ON = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="4">
<testcase classname="tests.test_a" name="test_keys">
<failure message="AssertionError: {&apos;a&apos;}&#10;at 0x7f01">E energy/run_joules</failure></testcase>
<testcase classname="tests.test_a" name="test_same"/>
<testcase classname="tests.test_a" name="test_clock[1]"><error message="StopIteration at 0x7f02">x</error></testcase>
<testcase classname="tests.test_b" name="test_gpu"><skipped message="no GPU"/></testcase>
</testsuite></testsuites>"""
KEYS = Reason("Some", "test_keys$", "energy/", "compares the exact keys of a log")


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    """The two, compared with a reason for one of the differences."""
    for name, text in (("off", OFF), ("on", ON)):
        (tmp_path / name).write_text(text)
    off, on = (outcomes_in([tmp_path / name]) for name in ("off", "on"))
    return compare("Some", off, on, [KEYS])


def test_tests_that_end_otherwise_are_told_with_their_reasons(compared: Comparison) -> None:
    """What ran in both is compared; where no reason is kept, that is said."""
    told = [(found.test, found.off.word, found.on.word, found.reason) for found in compared.differences]

    assert (4, 1, ("tests.test_b::test_cut",)) == (compared.tests, compared.passed, compared.only_once)
    assert [
        ("tests.test_a::test_clock[1]", "passed", "error", UNKNOWN),
        ("tests.test_a::test_keys", "passed", "failed", KEYS.reason),
    ] == told
    assert ["StopIteration at 0x…", "AssertionError: {'a'}"] == [found.on.message for found in compared.differences]


@pytest.mark.parametrize(
    "other", [KEYS._replace(suite="Other"), KEYS._replace(test="test_key$"), KEYS._replace(error="carbon/")]
)
def test_a_reason_is_of_a_suite_a_test_and_an_error(other: Reason) -> None:
    """All three have to fit."""
    off, on = {"test_keys": Outcome("passed")}, {"test_keys": Outcome("failed", text="energy/run_joules")}

    assert [KEYS.reason] == [found.reason for found in compare("Some", off, on, [other, KEYS]).differences]
    assert [UNKNOWN] == [found.reason for found in compare("Some", off, on, [other]).differences]


def test_a_test_that_ran_again_ended_as_its_last_run(tmp_path: Path) -> None:
    """As with tests that the suite itself calls flaky; later files count, too."""
    for name, text in (("first", ON), ("second", OFF)):
        (tmp_path / name).write_text(text)

    assert "passed" == outcomes_in([tmp_path / "first", tmp_path / "second"])["tests.test_a::test_keys"].word


def test_the_page_counts_and_lists(compared: Comparison) -> None:
    """A line a suite, a line a reason, a line a difference."""
    text = page_of([result_of(SUITES[0], compared, version="2.0", date="2026-11-28", commit="abc1234")])

    assert "| Lightning | 2.0 | 2026-11-28 | abc1234 | 4 | 1 | 2 | 1 |" in text
    assert f"| 1 | {KEYS.reason} |" in text
    assert "| `tests.test_a::test_clock[1]` | passed | error |" in text
    assert "No test differs." in page_of(
        [result_of(SUITES[0], Comparison(4, 4, (), ()), version="2.0", date="", commit="")]
    )


def test_the_page_is_what_the_kept_results_make() -> None:
    """Both are written by the same command; every kept difference has a kept reason."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    reasons = {known.reason for known in known_reasons()} | {UNKNOWN}

    assert page_of(results) == PAGE.read_text(encoding="utf-8")
    assert reasons >= {found["reason"] for result in results for found in result["differences"]}


def test_reasons_with_other_columns_are_refused(tmp_path: Path) -> None:
    """A table whose columns have moved explains nothing."""
    (tmp_path / REASONS.name).write_text("suite,reason\n")

    with pytest.raises(ValueError, match="has the columns"):
        known_reasons(tmp_path / REASONS.name)


def test_a_run_without_the_meter_knows_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says; a run with it has a ledger of its own."""
    monkeypatch.setenv("LIGHTNING_CARBON", "1")
    monkeypatch.setenv("LIGHTNING_CARBON_REGION", "SE")
    off, on = (environment_of(tmp_path, is_metered=metered) for metered in (False, True))

    assert not [name for name in off if name.startswith("LIGHTNING_CARBON")]
    assert {"LIGHTNING_CARBON", "LIGHTNING_CARBON_LEDGER"} == {name for name in on if name.startswith("LIGHTNING")}
    assert on["LIGHTNING_CARBON_LEDGER"].startswith(str(tmp_path.resolve()))
