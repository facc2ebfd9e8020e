"""Filters of runs, orders and addresses: what a user may give, and what is said of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.address import masked, without_password
from lightning_carbon.ledger.filters import RunFilter, filter_of, moment_of, unknown_project

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11-21", "2026-11-21T00:00:00", "2026-11-22T00:00:00"),
        ("2026-11", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        ("2026-12", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026-11-21T08:30", "2026-11-21T08:30:00", "2026-11-21T08:30:00"),
        ("2026-11-21T08:30+02:00", "2026-11-21T06:30:00", "2026-11-21T06:30:00"),
        (" 7d ", "2026-11-21T12:00:00", "2026-11-21T12:00:00"),
        ("12h", "2026-11-28T00:00:00", "2026-11-28T00:00:00"),
        ("99999w", "0110-05-24T12:00:00", "0110-05-24T12:00:00"),
        ("1w", "2026-11-21T12:00:00", "2026-11-21T12:00:00"),
    ],
)
def test_a_moment_is_read_as_it_is_meant(text: str, begin: str, end: str) -> None:
    """A day and a month end with their last moment; how long ago counts from now."""
    assert begin == moment_of("since", text, NOW)
    assert end == moment_of("until", text, NOW, is_end=True)


@pytest.mark.parametrize("text", ["", "soon", "2026-13", "2026-02-30", "9999-12-31", "-3d", "3"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """With what would work."""
    with pytest.raises(ConfigError, match="give a date such as 2026-11-21"):
        moment_of("until", text, NOW, is_end=True)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.timedeltas(timedelta(seconds=1), timedelta(9_999)))  # noqa: DTZ001 - made aware below
def test_an_earlier_moment_sorts_before_a_later(moment: datetime, later: timedelta) -> None:
    """Records and filters write moments so that texts compare as they do."""
    first = moment_of("since", f"{moment:%Y-%m-%dT%H:%M:%S}", NOW)
    second = moment_of("since", f"{moment + later:%Y-%m-%dT%H:%M:%S}", NOW)

    assert first is not None
    assert second is not None
    assert first <= second


def test_filters_are_checked_together() -> None:
    """States may be joined by commas, in any case; what cannot hold together is refused."""
    assert RunFilter(statuses=("failed", "pruned"), tags=("a",)) == filter_of(
        statuses=["Failed, pruned", "failed"], tags=["a", "a"]
    )
    assert filter_of().is_all
    assert filter_of(project="lisa").is_all
    assert not filter_of(host="node-7").is_all
    for filters in ({"since": "1d", "until": "2d"}, {"statuses": ["done"]}, {"host": " "}, {"tags": [""]}):
        with pytest.raises(ConfigError):
            filter_of(**filters)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lise", "did you mean lisa?"),
        ("ERT", "did you mean bert-large?"),
        ("zzz", "it has bert-large, lisa."),
    ],
)
def test_an_unknown_project_names_those_that_resemble_it(name: str, said: str) -> None:
    """Or those there are, where none does."""
    assert str(unknown_project(name, ["bert-large", "lisa"], "/ledger")).endswith(said)
    assert str(unknown_project(name, [], "/ledger")).endswith("it is empty.")
    assert "e and 5 more." in str(unknown_project("zzz", list("abcdefghij"), "/ledger"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db/energy", "postgresql://me:***@db/energy"),
        ("postgresql://me:se/cr@et@db/energy", "postgresql://me:***@db/energy"),
        ("postgresql://db/energy?user=me&password=secret&x=1", "postgresql://db/energy?user=me&password=***&x=1"),
        ("postgresql://me@db/energy", "postgresql://me@db/energy"),
        ("sqlite:///team.db", "sqlite:///team.db"),
        ("secret", "***"),
    ],
)
def test_no_password_of_an_address_is_shown(url: str, shown: str) -> None:
    """Wherever in the address it stands."""
    assert shown == without_password(url)
    assert "no ***" == masked("no secret", "secret")
