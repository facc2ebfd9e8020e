"""The address of a service processor, and what lets the meter in."""

from __future__ import annotations

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.settings import REDFISH, configure
from lightning_carbon.settings.redfish import RedfishPlan, check_redfish, headers_of

TOKEN = {"LIGHTNING_CARBON_REDFISH_TOKEN": "s3cret"}
PAIR = {"LIGHTNING_CARBON_REDFISH_USER": "reader", "LIGHTNING_CARBON_REDFISH_PASSWORD": "s3cret"}


@pytest.mark.parametrize(
    ("address", "environ", "expected"),
    [
        ("https://bmc", TOKEN, RedfishPlan("https://bmc")),
        (" https://bmc:8443/ ", PAIR, RedfishPlan("https://bmc:8443")),
        ("https://bmc/redfish/v1", TOKEN, RedfishPlan("https://bmc")),
        ("https://bmc/redfish/v1/Chassis/1,System%20Board/", TOKEN, RedfishPlan("https://bmc", ("1", "System Board"))),
        ("http://127.0.0.1:8000", TOKEN, RedfishPlan("http://127.0.0.1:8000")),
        (
            "http://bmc",
            {**TOKEN, "LIGHTNING_CARBON_REDFISH_VERIFY": "0"},
            RedfishPlan("http://bmc", verify=False),
        ),
        (
            "https://bmc",
            {**TOKEN, "LIGHTNING_CARBON_REDFISH_VERIFY": __file__},
            RedfishPlan("https://bmc", (), __file__),
        ),
        (None, {}, None),
    ],
)
def test_an_address_is_taken_apart(address: str | None, environ: dict[str, str], expected: RedfishPlan | None) -> None:
    """Certificates are verified unless the variable says otherwise."""
    assert expected == check_redfish(address, environ)


@pytest.mark.parametrize(
    ("address", "environ", "said"),
    [
        ("bmc", TOKEN, "give the address"),
        ("ftp://bmc", TOKEN, "give the address"),
        ("https://", TOKEN, "give the address"),
        ("https://[bmc", TOKEN, "give the address"),
        ("https://bmc:99999", TOKEN, "give the address"),
        ("https://bmc/index.html", TOKEN, "or of its chassis"),
        ("https://bmc?token=s3cret", TOKEN, "give the address"),
        ("https://reader:s3cret@bmc", TOKEN, "no place for a password"),
        ("https://reader:s3cret@@bmc:no", TOKEN, "give the address"),
        ("http://bmc", TOKEN, "in clear"),
        ("https://bmc", {}, "set LIGHTNING_CARBON_REDFISH_TOKEN, or"),
        ("https://bmc", {"LIGHTNING_CARBON_REDFISH_USER": "reader"}, "and LIGHTNING_CARBON_REDFISH_PASSWORD"),
        ("https://bmc", {"LIGHTNING_CARBON_REDFISH_TOKEN": "s3cret\r\nHost: elsewhere"}, "a line end"),
        ("https://bmc", {**TOKEN, "LIGHTNING_CARBON_REDFISH_VERIFY": "no-such.pem"}, "give 1, 0, or the file"),
    ],
)
def test_what_cannot_be_used_is_told_without_a_secret(address: str, environ: dict[str, str], said: str) -> None:
    """Before any training, with what would work."""
    with pytest.raises(ConfigError) as caught:
        check_redfish(address, environ)

    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.args[1])


def test_the_variable_s_password_is_not_told_either() -> None:
    """The error names the variable, and shows its address without what may be a secret."""
    with pytest.raises(ConfigError) as caught:
        REDFISH.in_force(None, {"LIGHTNING_CARBON_REDFISH": "https://reader:s3cret@bmc"})

    assert "LIGHTNING_CARBON_REDFISH='https://***@bmc'" in str(caught.value)


def test_nothing_is_asked_unless_told() -> None:
    """Whatever else is in the environment."""
    assert configure({**TOKEN, **PAIR}).redfish is None


def test_a_token_comes_before_a_password() -> None:
    """As headers, which nothing else holds."""
    assert {"X-Auth-Token": "s3cret"} == headers_of({**TOKEN, **PAIR})
    assert {"Authorization": "Basic cmVhZGVyOnMzY3JldA=="} == headers_of(PAIR)
    assert {} == headers_of({})
