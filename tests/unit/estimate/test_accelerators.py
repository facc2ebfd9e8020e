"""The table of accelerators: its own sanity, and how names are found in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError
from lightning_carbon.estimate.accelerators import (
    PRECISIONS,
    Accelerator,
    accelerators,
    find_accelerator,
    is_family_name,
    near_accelerators,
    relatives,
)

parts = st.sampled_from(accelerators())


def test_every_row_states_its_source_year_and_address() -> None:
    """A figure without a source is of no use to whoever has to report it."""
    incomplete = [
        accelerator.name
        for accelerator in accelerators()
        if not (
            accelerator.source
            and 2016 <= accelerator.year <= 2026
            and accelerator.url.startswith("https://")
            and accelerator.vendor
        )
    ]

    assert incomplete == []


def test_names_and_aliases_are_unique() -> None:
    """One name leads to one row, however it is spelled."""
    wrong = [
        (name, accelerator.name)
        for accelerator in accelerators()
        for name in (accelerator.name, str(accelerator), *accelerator.aliases)
        if find_accelerator(name) is not accelerator
    ]

    assert wrong == []
    assert len({accelerator.name for accelerator in accelerators()}) == len(accelerators()) > 95


def test_figures_are_plausible() -> None:
    """Watts are watts and FLOP/s are FLOP/s: no row is off by a factor of a thousand."""
    odd = [
        accelerator.name
        for accelerator in accelerators()
        if not (
            (accelerator.power_watts is None or 50 <= accelerator.power_watts <= 2_000)
            and (accelerator.memory_gigabytes is None or 6 <= accelerator.memory_gigabytes <= 512)
            and (
                accelerator.system_watts is None or 1 < accelerator.system_watts / (accelerator.power_watts or 30) < 10
            )
            and accelerator.dies in {1, 2}
            and all(5e12 <= peak <= 1e16 for peak in accelerator.peak_flops.values())
        )
    ]

    assert odd == []


def test_narrower_formats_are_never_slower() -> None:
    """A peak rises from 32 bits to 8, save that early parts compute in bfloat16 at half the rate."""
    falling = [
        accelerator.name
        for accelerator in accelerators()
        for known in [
            [accelerator.peak_flops[name] for name in PRECISIONS if name in accelerator.peak_flops and name != "bf16"]
        ]
        if known != sorted(known)
    ]

    assert falling == []


def test_efficiency_rises_by_less_than_a_thousandfold() -> None:
    """From the first Titan X to the newest part, peak arithmetic for a watt lies between 0.02 and 10 TFLOP/s."""
    per_watt = {
        accelerator.name: accelerator.peak()[1] / accelerator.power_watts
        for accelerator in accelerators()
        if accelerator.power_watts and accelerator.peak_flops
    }

    assert {name: ratio for name, ratio in per_watt.items() if not 2e10 <= ratio <= 1e13} == {}


def test_prices_are_ordered_and_of_a_year() -> None:
    """The low end is the low end, and a price says when it was asked."""
    prices = [accelerator.price for accelerator in accelerators() if accelerator.price is not None]

    assert len(prices) > 15
    assert all(
        0 < price.low <= price.high < 20 and price.source and 2019 <= (price.year or 0) <= 2026 for price in prices
    )


@pytest.mark.parametrize(
    ("name", "watts", "tflops"),
    [
        ("P100", 300, 21.2),
        ("V100", 300, 125),
        ("T4", 70, 65),
        ("A100", 400, 312),
        ("NVIDIA A100 80GB PCIe", 300, 312),
        ("L40S", 350, 362.05),
        ("H100", 700, 989.4),
        ("H100 PCIe", 350, 756),
        ("NVIDIA GeForce RTX 4090", 450, 165.2),
        ("MI300X", 750, 1307.4),
        ("Gaudi 3", 900, 1835),
        ("TPU v4", 192, 275),
        ("A800", 400, 311.8),
        ("H800", 700, 989),
        ("H20", 400, 148),
        ("NVIDIA GH200 480GB", 700, 989.5),
        ("B300", 1100, 2250),
        ("GB300", 1400, 2500),
        ("NVIDIA RTX A5000", 230, 27.77),
        ("GTX 1080 Ti", 250, 11.34),
        ("NVIDIA GeForce GTX TITAN X", 250, 6.691),
        ("NVIDIA GeForce RTX 2080 Ti", 250, 13.45),
        ("Instinct MI100", 300, 92.3),
        ("MI300A", 760, 980.6),
        ("Max 1550", 600, 52.43),
    ],
)
def test_published_ratings_and_peaks(name: str, watts: float, tflops: float) -> None:
    """The table says what the data sheets do, of 16-bit arithmetic."""
    found = find_accelerator(name)

    assert watts == found.power_watts
    assert tflops * 1e12 == pytest.approx(found.peak()[1])


COMMON = """
    NVIDIA A2; NVIDIA A10; NVIDIA A10G; NVIDIA A30; NVIDIA A40; NVIDIA A100-SXM4-40GB; NVIDIA A100-SXM4-80GB;
    NVIDIA A100-PCIE-40GB; NVIDIA A100 80GB PCIe; NVIDIA A800-SXM4-80GB; NVIDIA A800 80GB PCIe; NVIDIA B200;
    NVIDIA B300; NVIDIA GB200; NVIDIA GB300; NVIDIA GH200 480GB; NVIDIA H20; NVIDIA H100 80GB HBM3; NVIDIA H100 PCIe;
    NVIDIA H100 NVL; NVIDIA H200; NVIDIA H200 NVL; NVIDIA H800; NVIDIA L4; NVIDIA L20; NVIDIA L40; NVIDIA L40S;
    Tesla K80; Tesla M40; Tesla P40; Tesla P100-PCIE-16GB; Tesla P100-SXM2-16GB; Tesla T4; Tesla V100-PCIE-16GB;
    Tesla V100-PCIE-32GB; Tesla V100-SXM2-16GB; Tesla V100-SXM2-32GB; Tesla V100S-PCIE-32GB; Quadro RTX 6000;
    Quadro RTX 8000; NVIDIA RTX A2000; NVIDIA RTX A4000; NVIDIA RTX A5000; NVIDIA RTX A6000;
    NVIDIA RTX 2000 Ada Generation; NVIDIA RTX 4000 Ada Generation; NVIDIA RTX 4500 Ada Generation;
    NVIDIA RTX 5000 Ada Generation; NVIDIA RTX 6000 Ada Generation; NVIDIA RTX PRO 6000 Blackwell Workstation Edition;
    NVIDIA RTX PRO 6000 Blackwell Server Edition; NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition;
    NVIDIA GeForce GTX 1070; NVIDIA GeForce GTX 1080; NVIDIA GeForce GTX 1080 Ti; NVIDIA GeForce GTX TITAN X;
    NVIDIA TITAN X (Pascal); NVIDIA TITAN Xp; NVIDIA TITAN V; NVIDIA TITAN RTX; NVIDIA GeForce RTX 2060;
    NVIDIA GeForce RTX 2060 SUPER; NVIDIA GeForce RTX 2070; NVIDIA GeForce RTX 2070 SUPER; NVIDIA GeForce RTX 2080;
    NVIDIA GeForce RTX 2080 Ti; NVIDIA GeForce RTX 3060; NVIDIA GeForce RTX 3060 Ti; NVIDIA GeForce RTX 3070;
    NVIDIA GeForce RTX 3070 Ti; NVIDIA GeForce RTX 3080; NVIDIA GeForce RTX 3080 Ti; NVIDIA GeForce RTX 3090;
    NVIDIA GeForce RTX 3090 Ti; NVIDIA GeForce RTX 4060; NVIDIA GeForce RTX 4060 Ti; NVIDIA GeForce RTX 4070;
    NVIDIA GeForce RTX 4070 SUPER; NVIDIA GeForce RTX 4070 Ti; NVIDIA GeForce RTX 4070 Ti SUPER;
    NVIDIA GeForce RTX 4080; NVIDIA GeForce RTX 4080 SUPER; NVIDIA GeForce RTX 4090; NVIDIA GeForce RTX 5050;
    NVIDIA GeForce RTX 5060; NVIDIA GeForce RTX 5060 Ti; NVIDIA GeForce RTX 5070; NVIDIA GeForce RTX 5070 Ti;
    NVIDIA GeForce RTX 5080; NVIDIA GeForce RTX 5090; AMD Instinct MI100; AMD Instinct MI210; AMD Instinct MI250;
    AMD Instinct MI250X; AMD Instinct MI300A; AMD Instinct MI300X; AMD Instinct MI325X; AMD Instinct MI350X;
    AMD Instinct MI355X; Intel(R) Data Center GPU Max 1100; Intel(R) Data Center GPU Max 1550; Apple M1; Apple M1 Max;
    Apple M1 Ultra; Apple M2; Apple M2 Pro; Apple M2 Max; Apple M2 Ultra; Apple M3 Ultra; Apple M4; Apple M4 Pro;
    Apple M4 Max
"""


@pytest.mark.parametrize("name", [name.strip() for name in COMMON.split(";")])
def test_the_driver_s_names_of_common_accelerators_are_known_with_their_power(name: str) -> None:
    """As NVML, torch or the system says them; of Apple's, the power of the whole machine is known."""
    found = find_accelerator(name)

    assert found.power_watts or found.system_watts


@pytest.mark.parametrize(
    "name", ["TPU v2", "TPU v3", "TPU v4", "TPU v5e", "TPU v5p", "TPU v6e", "TPU v7", "trn1", "trn2"]
)
def test_accelerators_that_no_driver_names_are_known(name: str) -> None:
    """By the names of their clouds, with a peak where the power is not published."""
    assert find_accelerator(name).peak_flops


@given(accelerator=parts, raised=st.lists(st.booleans(), min_size=40, max_size=40))
def test_case_and_vendor_do_not_matter(accelerator: Accelerator, raised: list[bool]) -> None:
    """A name is a name in any case, with its vendor or without."""
    typed = "".join(
        letter.upper() if up else letter.lower() for letter, up in zip(accelerator.name, raised, strict=False)
    )

    assert find_accelerator(typed) is find_accelerator(f" {accelerator.vendor} {typed}\n") is accelerator


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("H1OO", "H100 SXM"),
        ("H100 SXM4", "H100 SXM"),
        ("RTX4090Ti", "RTX 4090"),
        ("A1000", "A100 SXM 80GB"),
        ("MI300", "MI300X"),
        ("gaudi", "Gaudi 2"),
        ("TPU", "TPU v2"),
    ],
)
def test_what_was_meant_is_named(typed: str, meant: str) -> None:
    """A slip of the finger or half a name is refused with the name that would work."""
    with pytest.raises(ConfigError) as refused:
        find_accelerator(typed)

    assert "gpu" == refused.value.argument
    assert meant in str(refused.value)


@given(typed=st.text(max_size=20))
def test_any_text_is_found_or_refused_with_names_that_work(typed: str) -> None:
    """Whatever is typed leads to a row or to hints that can be looked up."""
    try:
        find_accelerator(typed)
    except ConfigError:
        hints = near_accelerators(typed)
    else:
        hints = ()

    assert [find_accelerator(hint).name for hint in hints] == list(hints)
    assert len(hints) <= 5


def test_a_family_s_name_is_known_to_be_one() -> None:
    """``H100`` could have meant the slower boards as well, ``H100 SXM`` could not."""
    found = find_accelerator("H100")

    assert {"H100 PCIe", "H100 NVL"} == {accelerator.name for accelerator in relatives(found)}
    assert is_family_name("nvidia h100", found)
    assert not is_family_name("H100 SXM", found)
    assert not is_family_name("T4", find_accelerator("T4"))


def test_a_peak_that_no_source_states_is_refused() -> None:
    """No peak is made up: a P100 has none in bfloat16, and the message says what it has."""
    with pytest.raises(ConfigError, match="fp32, fp16") as refused:
        find_accelerator("P100").peak("bf16")

    assert ("precision", "bf16") == (refused.value.argument, refused.value.value)


@pytest.mark.parametrize("name", ["Trainium", "Trainium2", "Trainium3", "Inferentia2", "TPU v7", "TPU v5e"])
def test_what_no_vendor_states_is_not_in_the_table(name: str) -> None:
    """Estimates of a power that others make up are left out; its peak is stated."""
    found = find_accelerator(name)

    assert found.power_watts is None
    assert found.device_watts is None
    assert found.peak()[1] > 0


def test_a_part_without_a_peak_needs_hours() -> None:
    """The power of an RTX 5080 is known, and no peak of it."""
    with pytest.raises(ConfigError, match="no source gives a peak of NVIDIA RTX 5080; give the hours instead"):
        find_accelerator("RTX 5080").peak()


@pytest.mark.parametrize(("name", "dies"), [("MI250X", 2), ("MI250", 2), ("K80", 2), ("MI300X", 1), ("H100", 1)])
def test_boards_of_two_dies_are_two_devices(name: str, dies: int) -> None:
    """A program sees each die by itself."""
    assert dies == find_accelerator(name).dies


def test_no_price_is_that_of_a_single_seller() -> None:
    """A range has two ends."""
    assert [] == [gpu.name for gpu in accelerators() if gpu.price is not None and gpu.price.low == gpu.price.high]
