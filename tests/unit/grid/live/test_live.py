"""Live carbon intensities: real answers, bad ones, none, and what a run and its record have of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.live import client
from lightning_carbon.grid.live.plans import NAMES, LivePlan, plan_of
from lightning_carbon.grid.live.providers import PROVIDERS
from lightning_carbon.grid.live.watch import EVERY_SECONDS, FIRST_BACK_OFF_SECONDS, LiveSeries
from lightning_carbon.metering.pricing import RunPricing
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.settings import configure
from tests.unit.grid.live.server import DAY, playing
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from tests.unit.grid.live.server import Played

pytest.importorskip("httpx")

SECRETS = {"ELECTRICITYMAPS_TOKEN": "secret-a", "WATTTIME_USER": "secret-b", "WATTTIME_PASSWORD": "secret-c"}
ZONES = {"electricitymaps": "DE", "uk": "", "watttime": "CAISO_NORTH"}
POUND = 0.45359237
LONG = 60.0


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in the environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def played() -> Iterator[Played]:
    """A server that plays the providers."""
    with playing() as server:
        yield server


def live_of(played: Played, name: str, patience: float = LONG) -> LiveSeries:
    """The series of a provider that is played."""
    provider = replace(PROVIDERS[name], url=played.url)
    return LiveSeries(LivePlan(name, ZONES[name]), provider, clock=lambda: DAY + 3600.0, patience=patience)


@pytest.mark.parametrize(
    ("name", "grams", "step", "signal"),
    [
        ("electricitymaps", (420.0, 410.0), 3600.0, "average"),
        ("uk", (263.0, 250.0), 1800.0, "average"),
        ("watttime", (1000 * POUND, 900 * POUND), 300.0, "marginal"),
    ],
)
def test_real_answers_become_a_series(
    played: Played, name: str, grams: tuple[float, ...], step: float, signal: str
) -> None:
    """Moments, units and the forecast for what is not out yet, as each provider answers."""
    live = live_of(played, name)

    assert EVERY_SECONDS == live.fetch()
    series = live.series()
    assert grams == pytest.approx(series.grams)
    assert (DAY, DAY + step) == series.starts
    assert (signal, ()) == (series.signal, series.notes)
    assert {"secret" in path for path, _ in played.asked} == {False}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"no", "status 500"),
        (401, b"secret-a secret-b secret-c", "status 401"),
        (200, b"{", "a garbled answer"),
        (200, b"[]", "a garbled answer"),
        (
            200,
            b'{"history": [{"datetime": "never", "carbonIntensity": 1}], "data": [{}], "token": 1}',
            "a garbled answer",
        ),
        (
            200,
            b'{"history": [{"datetime": "2025-01-31T00:00Z", "carbonIntensity": -1}], "data": 0}',
            "a garbled answer",
        ),
        (302, b"", "status 302"),
    ],
)
def test_bad_answers_are_told_and_tried_again_later(
    played: Played, name: str, status: int, body: bytes, reason: str
) -> None:
    """The reason has neither URL nor secret, and the wait doubles."""
    played.status, played.body = status, body
    live = live_of(played, name)

    assert [FIRST_BACK_OFF_SECONDS, 2 * FIRST_BACK_OFF_SECONDS] == [live.fetch(), live.fetch()]
    assert (f"2 of 2 requests failed: {reason}",) == live.series().notes
    assert () == live.series().grams


def test_a_provider_that_limits_is_left_alone_for_as_long_as_it_says(played: Played) -> None:
    """The Retry-After of a 429 counts, up to an hour; a date does not."""
    played.status, played.headers = 429, {"Retry-After": "120"}
    live = live_of(played, "uk")

    assert 120.0 == live.fetch()
    played.headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert 2 * FIRST_BACK_OFF_SECONDS == live.fetch()


def test_whatever_hangs_is_left_behind(played: Played) -> None:
    """A server that does not answer, and a look-up of a name that never ends, cost no more than the patience."""
    played.is_slow = True
    live = live_of(played, "uk", patience=0.1)

    assert FIRST_BACK_OFF_SECONDS == live.fetch()
    with pytest.raises(client.NotFetched, match="no answer in time"):
        client.within(0.05, lambda: played.over.wait(30))
    assert ("1 of 1 requests failed: no answer in time",) == live.series().notes


def test_no_connection_and_an_answer_without_end_are_reasons(played: Played) -> None:
    """A port that nobody listens on, and more bytes than any answer has."""
    with pytest.raises(client.NotFetched, match="no connection"):
        client.ask("http://127.0.0.1:1/", {}, {})
    with pytest.raises(client.NotFetched, match="an answer without end"):
        client.ask(f"{played.url}/intensity/", {}, {}, most_bytes=10)


def test_no_secret_is_in_a_log_an_error_or_a_record(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    """Not where all is well, and not where the provider sends it back."""
    caplog.set_level(logging.DEBUG)
    for name in NAMES:
        for status, body in ((200, None), (403, b"secret-a secret-b secret-c")):
            played.status, played.body = status, body
            live = live_of(played, name)
            live.fetch()
            assert "secret" not in repr(live.series())
    config = configure({}, intensity="watttime:CAISO_NORTH")

    assert "secret" not in repr(config)
    assert "secret" not in caplog.text


def test_a_run_is_priced_by_what_was_fetched_beside_it(played: Played) -> None:
    """The thread asks, the record has share and source, and the values lie beside it as a file to be used again."""
    world = World(changes={"series": LivePlan("electricitymaps", "DE")})
    provider = replace(PROVIDERS["electricitymaps"], url=played.url)
    start = world.clock.wall_seconds()
    hours = (start - 600.0, start + 3000.0)
    rows = [{"datetime": f"{at:.0f}", "carbonIntensity": 400.0 + place} for place, at in enumerate(hours)]
    played.body = json.dumps({"history": rows}).encode()
    live = LiveSeries(LivePlan("electricitymaps", "DE"), provider, clock=lambda: start)
    world.live = live
    with world.engine as meter:
        assert live.wait_for_news(LONG)
        world.run(60.0, tick_seconds=1.0)
    carbon = meter.record.carbon

    assert carbon.series is not None
    assert (1.0, 400.0, "Electricity Maps, DE") == (
        carbon.series.covered_ratio,
        carbon.series.grams_per_kilowatt_hour,
        carbon.series.source,
    )
    assert "secret" not in json.dumps(to_mapping(meter.record))
    kept = next(lines.lines for (_, name), lines in world.store.files.items() if name == "intensity.csv")
    assert "timestamp,gCO2e/kWh" == kept[1]
    assert [",400", ",401"] == [line[-4:] for line in kept[2:]]


def test_a_dead_network_costs_the_training_nothing_and_the_record_tells() -> None:
    """The run is priced by its region, and the reason stands in the record and its summary."""
    world = World(changes={"series": LivePlan("uk", "")})
    provider = replace(PROVIDERS["uk"], url="http://127.0.0.1:1")
    live = LiveSeries(LivePlan("uk", ""), provider, patience=LONG)
    live.fetch()
    world.live = live
    with world.engine as meter:
        world.run(30.0, tick_seconds=1.0)

    assert intensity_of("SE") == meter.record.carbon.intensity
    assert meter.record.carbon.series is not None
    assert "no connection" in meter.record.carbon.series.notes[0]
    assert "no connection" in meter.record.summary()


def test_nothing_is_fetched_at_construction_or_without_a_run() -> None:
    """Settings and pricing make no thread and ask nobody before the first beat."""
    config = configure({}, intensity="uk")
    pricing = RunPricing(config, DAY)

    assert LivePlan("uk", "") == config.series
    assert intensity_of("GB").value == config.intensity.value
    assert not pricing.has_series


@pytest.mark.parametrize(
    ("text", "missing", "said"),
    [
        ("electricitymaps:DE", "ELECTRICITYMAPS_TOKEN", "needs ELECTRICITYMAPS_TOKEN in the environment"),
        ("watttime:CAISO_NORTH", "WATTTIME_PASSWORD", "needs WATTTIME_PASSWORD in the environment"),
        ("electricitymaps", "", "has many zones; give a zone such as electricitymaps:DE"),
        ("watttime", "", "has many zones; give a region such as watttime:CAISO_NORTH"),
        ("uk:London", "", "'London' is no zone of Carbon Intensity API, NESO; give the name alone"),
        ("electricitymaps:D E", "", "'D E' is no zone"),
        ("electricity", "", "give gCO2e/kWh as a number"),
    ],
)
def test_a_provider_that_cannot_be_asked_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, missing: str, said: str
) -> None:
    """At construction, with what would work."""
    if missing:
        monkeypatch.delenv(missing)
    with pytest.raises(ConfigError, match="intensity=") as refused:
        configure({}, intensity=text)

    assert said in refused.value.fix


def test_a_region_is_the_zone_of_electricity_maps_and_the_factor_of_the_rest() -> None:
    """``region="DE"`` is enough; a zone of its own goes before it."""
    config = configure({}, region="DE", intensity="electricitymaps")
    other = configure({}, region="SE", intensity="electricitymaps:DE")

    assert (LivePlan("electricitymaps", "DE"), intensity_of("DE").value) == (config.series, config.intensity.value)
    assert (LivePlan("electricitymaps", "DE"), intensity_of("SE").value) == (other.series, other.intensity.value)
    assert [None, None] == [plan_of(text) for text in ("41.4", "grid.csv")]
