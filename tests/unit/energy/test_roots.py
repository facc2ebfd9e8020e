"""Which domains a total sums."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.roots import DomainUse, Roots, roots_of


def claim(id_: str, joules: int, parent: str | None = None, *, is_measured: bool = True) -> DomainUse:
    """What a domain says it has used."""
    return DomainUse(id_, parent, is_measured, joules * 1_000_000)


def test_domains_side_by_side_all_count() -> None:
    """What is inside of nothing, or of something that is not metered, counts."""
    assert Roots((0, 1)) == roots_of([claim("gpu", 5), claim("package", 3, "psys")])


def test_a_platform_counts_and_its_parts_are_only_told() -> None:
    """A parent that has used at least what its parts have is what counts."""
    assert Roots((1,)) == roots_of([claim("package", 3, "psys"), claim("psys", 5), claim("dram", 2, "psys")])


def test_a_platform_that_stands_still_does_not_hide_its_parts() -> None:
    """A parent that has used less than its parts is overruled by them, and that is told."""
    assert Roots((0, 2), (1,)) == roots_of([claim("package", 3, "psys"), claim("psys", 0), claim("dram", 2, "psys")])


def test_each_platform_is_judged_by_its_own_parts() -> None:
    """A second psys that stands at zero leaves the first one alone."""
    claims = [claim("psys:0", 9), claim("psys:1", 0), claim("package:0", 4, "psys:0"), claim("package:1", 4, "psys:1")]

    assert Roots((0, 3), (1,)) == roots_of(claims)


def test_what_is_inside_of_a_part_counts_by_the_part_unless_that_is_overruled() -> None:
    """A module, a GPU in it and a slice of that are judged from the inside out."""
    module, gpu = claim("module", 4), claim("gpu", 1, "module")
    part = claim("slice", 6, "gpu")

    assert Roots((2,), (0, 1)) == roots_of([module, gpu, part])
    assert Roots((1,), (0,)) == roots_of([module, gpu._replace(microjoules=7_000_000), part])
    assert Roots((0,)) == roots_of([module._replace(microjoules=8_000_000), gpu, part])


def test_a_modelled_share_does_not_overrule_a_sensor() -> None:
    """Slices of a GPU, which are computed from its counter, never count in its stead; of a model they may."""
    part = claim("slice", 6, "gpu", is_measured=False)

    assert Roots((0,)) == roots_of([claim("gpu", 5), part])
    assert Roots((1,), (0,)) == roots_of([claim("gpu", 5, is_measured=False), part])


def test_a_circle_counts_as_if_nothing_were_inside() -> None:
    """Domains that are inside of each other, or of themselves, all count."""
    assert Roots((0, 1, 2)) == roots_of([claim("a", 1, "b"), claim("b", 2, "a"), claim("c", 3, "c")])


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.none() | st.integers(0, 7)), max_size=8))
def test_a_total_never_falls(domains: list[tuple[int, bool, int | None]]) -> None:
    """However domains lie in each other, and whatever one of them uses next, what counts adds up to no less."""

    def total(more_at: int | None) -> int:
        claims = [
            DomainUse(
                place, parent if parent is not None and parent < place else None, is_measured, uj + (place == more_at)
            )
            for place, (uj, is_measured, parent) in enumerate(domains)
        ]
        return sum(claims[place].microjoules for place in roots_of(claims).places)

    assert all(total(None) <= total(place) for place in range(len(domains)))
