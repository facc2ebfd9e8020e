"""Python's advice in the words of the command line."""

from __future__ import annotations

import pytest

from lightning_carbon.cli.usage_errors import for_command_line, in_words
from lightning_carbon.errors import ConfigError


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        ('meter all: devices="all"', 'meter all: --devices "all"'),
        ("a factor with intensity=<gCO2e/kWh>.", "a factor with --intensity <gCO2e/kWh>."),
        ("give another with ledger=..., or", "give another with --ledger ..., or"),
        ("CUDA_VISIBLE_DEVICES='' shows none", "CUDA_VISIBLE_DEVICES='' shows none"),
        ("set CUDA_DEVICE_ORDER=PCI_BUS_ID", "set CUDA_DEVICE_ORDER=PCI_BUS_ID"),
        ("nvidia-region=x", "nvidia-region=x"),
    ],
)
def test_arguments_become_options_and_nothing_else_changes(advice: str, expected: str) -> None:
    """Only the meter's own arguments are rewritten."""
    assert expected == for_command_line(advice)


def test_an_option_wins_over_the_variable_it_stands_before() -> None:
    """What was typed is what was wrong, whatever the environment says."""
    error = ConfigError("region", "XX", "give SE.")
    said = in_words(error, {"region": "XX"}, {"LIGHTNING_CARBON_REGION": "YY"})

    assert "--region XX cannot be used: give SE." == said


def test_what_nobody_gave_is_named_by_itself() -> None:
    """A default that cannot be used is neither an option nor a variable."""
    error = ConfigError("ledger", "ledger/x", "give another.")

    assert "ledger='ledger/x' cannot be used: give another." == in_words(error, {"ledger": None}, {})
