"""``lightning-carbon estimate``: what it prints, and what it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.estimate.accelerators import accelerators
from lightning_carbon.grid.factors import intensity_of, regions

H100 = ("--gpu", "H100", "--count", "8", "--hours", "84", "--region", "SE")


def told(*words: str, environ: dict[str, str] | None = None) -> str:
    """What the command prints where all is well."""
    result = CliRunner(env=environ).invoke(app, ["estimate", *words])

    assert (0, "") == (result.exit_code, result.stderr), result.stderr
    return result.stdout


def figures(*words: str) -> dict[str, Any]:
    """What it prints as JSON."""
    mapping: dict[str, Any] = json.loads(told(*words, "--json"))
    return mapping


def test_an_estimate_says_energy_carbon_and_money_with_their_ranges() -> None:
    """Each row has a value, its range and a unit, and every figure behind it has its source."""
    text = told(*H100, "--utilisation", "0.8")

    for row in ("Energy (IT)", "Energy (site, PUE 1.54)", "CO2e (SE)", "Electricity", "Cloud"):
        assert re.search(rf"^{re.escape(row)} .* to .*(?:Wh|gCO2e|USD) *$", text, re.MULTILINE), row
    said = " ".join(text.split())
    assert said.startswith("Estimate, before any run: 8 x NVIDIA H100 SXM, 84 h (3 d 12 h) ")
    assert "there are also H100 PCIe (350 W), H100 NVL (400 W)." in said
    assert "* utilisation: 0.8; given * " in said
    assert "* PUE: 1.54 (1 to 2.19); assumed: Uptime Institute" in said
    assert "about as much as" in said


def test_the_json_holds_the_same_figures() -> None:
    """Values lie in their ranges, site energy is that of the computers times the PUE, and CO2e that times intensity."""
    found = figures(*H100, "--pue", "1.2")
    intensity = intensity_of("SE").value

    assert (8, 700, 84, "SWE", "H100 SXM") == (
        found["count"],
        found["rated_watts"],
        found["hours"]["value"],
        found["region"],
        found["accelerator"]["name"],
    )
    assert found["accelerators_kwh"]["value"] + found["host_kwh"]["value"] == pytest.approx(
        found["energy_kwh"]["value"]
    )
    assert found["energy_kwh"]["value"] * 1.2 == pytest.approx(found["site_kwh"]["value"])
    assert found["site_kwh"]["value"] * intensity == pytest.approx(found["grams_co2e"]["value"])
    assert found["mean_watts"]["value"] * 84 / 1000 == pytest.approx(found["energy_kwh"]["value"])
    assert found["electricity_usd"]["low"] < found["electricity_usd"]["value"] < found["electricity_usd"]["high"]
    assert [8 * 84 * 1.25, 8 * 84 * 4.29] == pytest.approx(found["cloud_usd"])
    assert "what_if" not in found


def test_hours_may_follow_from_the_model() -> None:
    """Parameters, tokens and MFU stand in for hours, and the arithmetic is among what the estimate stands on."""
    found = figures("--gpu", "H100", "--count", "64", "--params", "7e9", "--tokens", "1e12", "--mfu", "0.4")

    assert 4.2e22 / (64 * 989.4e12 * 0.4 * 3600) == pytest.approx(found["hours"]["value"])
    assert 4.2e22 == found["flops"]
    [hours] = [assumption for assumption in found["assumptions"] if assumption["name"] == "hours"]
    assert "6 x 7e+09 parameters x 1e+12 tokens" in hours["source"]


def test_moving_is_a_table_the_cleanest_first() -> None:
    """The same energy elsewhere: what it would stand for, and what would be saved."""
    text = told(*H100, "--what-if", "US, FR")
    found = figures(*H100, "--what-if", "US, FR")

    assert ["SE", "FR", "US"] == re.findall(r"^(SE|FR|US) ", text, re.MULTILINE)
    assert re.search(r"^SE .* planned *$", text, re.MULTILINE)
    assert re.search(r"^US .* \S+ % more *$", text, re.MULTILINE)
    assert ["SWE", "FRA", "USA"] == [place["region"] for place in found["what_if"]]
    grams = [place["grams_co2e"]["value"] for place in found["what_if"]]
    assert sorted(grams) == grams
    assert [found["grams_co2e"]["value"] - elsewhere for elsewhere in grams] == [
        place["saved_grams_co2e"] for place in found["what_if"]
    ]


@pytest.mark.parametrize(("places", "least"), [("default", 20), ("all", len(regions()))])
def test_a_set_of_regions_may_be_meant(places: str, least: int) -> None:
    """``default`` is where much computing is done, ``all`` is the whole table."""
    found = figures("--gpu", "T4", "--hours", "1", "--what-if", places)

    assert least <= len({place["region"] for place in found["what_if"]}) <= len(regions())


def test_markdown_has_a_table_for_each_part() -> None:
    """Figures and regions, each row with as many cells as its head, and the sources below."""
    text = told(*H100, "--what-if", "SE,PL", "--markdown")
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]

    assert 2 == len(tables)
    assert [1, 1] == [len({line.count("|") for line in lines}) for lines in tables]
    assert "| CO2e (SE) |" in text
    assert "\n* rated power: 700 W; NVIDIA H100 data sheet" in text


def test_a_limit_and_a_part_that_is_not_listed_can_be_given() -> None:
    """With the power of one, no name is needed, and there is no cloud's price."""
    found = figures("--gpu-watts", "170", "--hours", "10")

    assert 170 == found["rated_watts"]
    assert {"accelerator", "cloud_usd"} & set(found) == set()
    assert "accelerators of 170 W" in told("--gpu-watts", "170", "--hours", "10")


def test_the_accelerators_can_be_listed() -> None:
    """Every row, as a table or as JSON; what no source says is a dash there and no key here."""
    text, listed = told("--list-gpus"), json.loads(told("--list-gpus", "--json"))
    rows = told("--list-gpus", "--markdown").splitlines()

    assert [gpu.name for gpu in accelerators()] == [row["name"] for row in listed]
    assert all(sum(row.startswith(f"| {gpu} |") for row in rows) == 1 for gpu in accelerators())
    [tpu] = [row for row in listed if row["name"] == "TPU v5p"]
    assert "power_watts" not in tpu
    assert re.search(r"^Google TPU v5p +95 +– ", text, re.MULTILINE)


def test_the_region_may_come_from_the_environment() -> None:
    """As for a meter, the variable stands in for the option."""
    text = told("--gpu", "T4", "--hours", "1", environ={"LIGHTNING_CARBON_REGION": "FR"})

    assert "CO2e (FR)" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gpu", "H1OO", "--hours", "1"], "--gpu H1OO cannot be used: did you mean H100 "),
        (["--hours", "1"], "--gpu is missing: name an accelerator"),
        (["--gpu", "H100"], "--hours is missing: give how long"),
        (["--gpu", "H100", "--params", "7e9"], "--tokens is missing: "),
        (["--gpu", "H100", "--hours", "84", "--params", "7e9"], "--params 7000000000.0 cannot be used: the hours are"),
        (["--gpu", "H100", "--hours", "-1"], "--hours -1.0 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--count", "0"], "--count 0 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--utilisation", "80"], "--utilisation 80.0 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--gpu-watts", "0"], "--gpu-watts 0.0 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--usd-per-kwh", "-1"], "--usd-per-kwh -1.0 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--region", "Sweeden"], "--region Sweeden cannot be used: did you mean SE"),
        (["--gpu", "H100", "--hours", "1", "--pue", "0.9"], "--pue 0.9 cannot be used: "),
        (["--gpu", "H100", "--hours", "1", "--what-if", "SE,XX"], "--what-if SE,XX cannot be used: "),
        (["--gpu", "TPU v6e", "--hours", "1"], "--gpu TPU v6e cannot be used: no source says"),
        (
            ["--gpu", "H100", "--hours", "1", "--json", "--markdown"],
            "--json cannot be used: --markdown is given too",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(words: list[str], said: str) -> None:
    """Nothing is printed but the option, its value and the fix."""
    result = CliRunner().invoke(app, ["estimate", *words])

    assert (2, "", f"lightning-carbon: {said}", 1) == (
        result.exit_code,
        result.stdout,
        result.stderr[: len(said) + 18],
        result.stderr.count("\n"),
    )
