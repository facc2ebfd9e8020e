"""What an error names, as the user of the command line wrote it."""

from __future__ import annotations

import pytest

from lightning_carbon.cli.usage_errors import name_origin
from lightning_carbon.errors import ConfigError


@pytest.mark.parametrize(
    ("error", "given", "environ", "expected"),
    [
        # What was typed is what was wrong, whatever the environment says.
        (("region", "XX"), {"region": "XX"}, {"LIGHTNING_CARBON_REGION": "YY"}, "--region XX cannot be used: "),
        (("interval_seconds", 0.0), {"interval_seconds": 0.0}, {}, "--interval 0.0 cannot be used: "),
        (("json", True), {"json": True}, {}, "--json cannot be used: "),
        # Whether a device is there shows at the start, where nobody knows who named it.
        (
            ("devices", (7,)),
            {"devices": None},
            {"LIGHTNING_CARBON_DEVICES": "7"},
            "LIGHTNING_CARBON_DEVICES='7'",
        ),
        # A default that cannot be used is neither an option nor a variable.
        (("ledger", "ledger/x"), {"ledger": None}, {}, "ledger='ledger/x' cannot be used: "),
        (("usd_per_kwh", None), {}, {}, "--usd-per-kwh is missing: "),
        (("place", "ZZ"), {"place": "ZZ"}, {}, "PLACE ZZ cannot be used: "),
        (("place", None), {"place": None}, {}, "PLACE is missing: "),
    ],
)
def test_an_error_names_what_the_user_wrote(
    error: tuple[str, object], given: dict[str, object], environ: dict[str, str], expected: str
) -> None:
    """The option where one was given, else the variable where one is set, else the argument."""
    told = ConfigError(*error, "give another.")
    name_origin(told, given, environ, words={"place"})

    assert str(told).startswith(expected)
