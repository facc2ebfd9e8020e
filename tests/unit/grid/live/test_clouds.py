"""``region="auto"``: the metadata services of clouds, played by a server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.live.clouds import cloud_region
from lightning_carbon.settings.grid_checks import check_region
from tests.unit.grid.live.server import playing

if TYPE_CHECKING:
    from tests.unit.grid.live.server import Played

LONG = 30.0


@pytest.fixture
def played() -> Iterator[Played]:
    """A server that plays a metadata service."""
    with playing() as server:
        yield server


def region_at(played: Played, seconds: float = LONG) -> str | None:
    """The region that the played service tells."""
    return cloud_region(played.url.removeprefix("http://"), seconds)


@pytest.mark.parametrize(
    ("texts", "headers", "region"),
    [
        ({"/latest/api/token": "t0ken", "/latest/meta-data/placement/region": "eu-north-1"}, {}, "aws:eu-north-1"),
        (
            {"/computeMetadata/v1/instance/zone": "projects/123/zones/europe-west4-a"},
            {"Metadata-Flavor": "Google"},
            "gcp:europe-west4",
        ),
        ({"/metadata/instance/compute/location": "westeurope"}, {}, "azure:westeurope"),
        ({"/computeMetadata/v1/instance/zone": "projects/123/zones/europe-west4-a"}, {}, None),
        ({"/metadata/instance/compute/location": "<html>a portal of a hotel</html>"}, {}, None),
        ({"/nothing": ""}, {}, None),
    ],
)
def test_each_cloud_is_asked_as_it_wants(
    played: Played, texts: dict[str, str], headers: dict[str, str], region: str | None
) -> None:
    """AWS by its token, Google by its header both ways, Azure by its; whatever else answers is no cloud."""
    played.texts, played.headers = texts, headers

    assert region == region_at(played)
    if region == "aws:eu-north-1":
        asked = dict(played.asked)
        assert "t0ken" == asked["/latest/meta-data/placement/region"]["X-aws-ec2-metadata-token"]


def test_what_does_not_answer_is_left_behind(played: Played) -> None:
    """No service, or one that hangs, is none."""
    played.is_slow = True

    assert region_at(played, 0.05) is None
    assert cloud_region("127.0.0.1:1", 0.2) is None


def test_the_region_of_the_cloud_is_the_region() -> None:
    """It is as if the user had typed it; where no cloud answers, the error says so and what would work."""
    found = check_region("auto", ask=lambda: "aws:eu-north-1")

    assert found is not None
    assert ("SWE", "aws:eu-north-1") == (found.region, found.typed)
    with pytest.raises(ConfigError, match=r"region='Auto' cannot be used: no metadata service .* in 0.3 s; give"):
        check_region("Auto", ask=lambda: None)


def test_only_auto_asks() -> None:
    """Any other region asks nobody."""

    def never() -> str:
        pytest.fail("the metadata service was asked")

    assert check_region(None, ask=never) is None
    assert check_region("SE", ask=never) is not None
