"""What is made of pynvml and its errors."""

from __future__ import annotations

import types

import pynvml
import pytest

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.sources.nvml.library import Handle, Library, code_of, is_shadowed


def test_the_deprecated_distribution_is_told_from_the_maintained_one() -> None:
    """The package ``pynvml`` of the distribution pynvml is not taken for nvidia-ml-py."""
    deprecated = types.ModuleType("pynvml")
    deprecated.__path__ = []

    assert is_shadowed(deprecated)
    assert not is_shadowed(pynvml)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST), SourceLost),
        (pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED), SourceLost),
        (pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED), SourceLost),
        (pynvml.NVMLError(pynvml.NVML_ERROR_RESET_REQUIRED), SourceLost),
        (pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN), ReadFailed),
        (pynvml.NVMLError(pynvml.NVML_ERROR_TIMEOUT), ReadFailed),
        (pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED), ReadFailed),
        (AttributeError("no such function"), ReadFailed),
        (OSError("no such file"), ReadFailed),
        (ZeroDivisionError(), ReadFailed),
    ],
)
def test_every_error_of_a_reading_becomes_one_of_two(error: Exception, expected: type[Exception]) -> None:
    """A GPU or driver that is gone is lost; whatever else goes wrong may pass."""

    def fail(_handle: object) -> int:
        raise error

    with pytest.raises(expected) as caught:
        Handle(Library(), "GPU-1", object()).ask(fail)

    assert expected is type(caught.value)


def test_only_errors_of_nvml_carry_its_codes() -> None:
    """An exception that happens to have a value is not taken for NVML's."""
    assert 15 == code_of(pynvml.NVMLError(15))
    assert code_of(StopIteration(15)) is None
    assert code_of(OSError(15, "no")) is None


def test_closing_what_was_never_opened_does_nothing() -> None:
    """A library that was not initialised can be given back."""
    Library().close()
