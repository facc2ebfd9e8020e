"""Which GPUs a process sees, asked in processes of their own; here the stand-in answers, and CUDA is not there."""

from __future__ import annotations

import pytest

from tests.gpu.measuring.visible import Seen, ask, ask_all, forms, slice_forms, slices_of_machine
from tests.nvml_standin import Gpu, Scenario, Slice, Standin, gpu_uuid


def test_every_form_is_another_one() -> None:
    """Indices, UUIDs, beginnings of UUIDs, nonsense and mixtures, with and without a second GPU."""
    single, pair = list(forms([gpu_uuid(0)])), list(forms([gpu_uuid(0), gpu_uuid(1)]))

    assert len(set(single)) == len(single)
    assert {None, "", "-1", "0", "1", gpu_uuid(0), gpu_uuid(0)[:12]} <= set(single)
    assert {"1,0", f"{gpu_uuid(1)},{gpu_uuid(0)}"} <= set(pair) - set(single)


def test_the_same_devices_in_the_same_order_agree() -> None:
    """However they are written; another order does not, nor one more."""
    a, b = gpu_uuid(0), gpu_uuid(1)

    assert Seen("0,1", (a.removeprefix("GPU-"), b.upper()), (a, b)).agree
    assert Seen("", (), ()).agree
    assert [False, False] == [Seen(None, (a, b), (b, a)).agree, Seen(None, (a,), (a, b)).agree]


def test_a_slice_may_go_by_the_name_of_its_gpu() -> None:
    """As older versions of CUDA call it; but not by that of another."""
    slices = {"MIG-aaaa": gpu_uuid(0), "MIG-bbbb": gpu_uuid(1)}
    own, whole = Seen("0", ("aaaa",), ("MIG-aaaa",)), Seen("0", (gpu_uuid(0),), ("MIG-aaaa",))
    other = Seen("0", (gpu_uuid(1),), ("MIG-aaaa",))

    assert [True, True, False] == [choice.agree_on(slices) for choice in (own, whole, other)]


def test_slices_are_named_in_every_form(nvml_standin: Standin) -> None:
    """Those of all GPUs, by what the driver calls them, each with its GPU."""
    cut = Gpu(mig_enabled=True, slices=(Slice(uuid="MIG-a5e1-1"), Slice(uuid="MIG-a5e1-2", gpu_instance=8)))
    with nvml_standin.showing(Scenario.of(Gpu(), cut)):
        slices = slices_of_machine()
    values = list(slice_forms(slices))

    assert {"MIG-a5e1-1": gpu_uuid(1), "MIG-a5e1-2": gpu_uuid(1)} == slices
    assert {None, "0", "MIG-a5e1-1", gpu_uuid(1), "MIG-a5e1-1,MIG-a5e1-2"} <= set(values)


def test_a_process_tells_what_it_sees(nvml_standin: Standin) -> None:
    """With the variable set as it was asked for, whatever it is set to here."""
    pytest.importorskip("torch")
    environment = {**nvml_standin.environment(Scenario.of(Gpu(), Gpu())), "CUDA_VISIBLE_DEVICES": "-1"}
    seen = ask_all([None, f"{gpu_uuid(1)},{gpu_uuid(0)}"], environment, at_once=2)

    assert [(gpu_uuid(0), gpu_uuid(1)), (gpu_uuid(1), gpu_uuid(0))] == [choice.meter for choice in seen]
    assert [None, f"{gpu_uuid(1)},{gpu_uuid(0)}"] == [choice.value for choice in seen]


def test_a_process_that_fails_says_why() -> None:
    """Its last words are in the error."""
    with pytest.raises(RuntimeError, match=r"(?s)CUDA_VISIBLE_DEVICES='0':.*No module named"):
        ask("0", {"PATH": "/usr/bin:/bin", "PYTHONHOME": "/nonexistent"})
