"""A stand-in accelerator for torch (its PrivateUse1), compiled where the tests run: real events, and a known truth.

``torch.Event`` and ``torch.Stream`` of the real torch run behind the program here as they do on a GPU: streams, events,
graphs being captured by CUDA's rules, a clock of the device's own that drifts, latency, errors once and errors that
stick. What it proves is this package's use of torch. It proves nothing about NVIDIA's driver, nor about any other: that
is what ``make test-gpu`` is for, and the tests of ``tests/gpu/test_cuda_clock.py`` run on both.

Torch cannot be rid of a back end again, and much in it looks at the accelerator that it has. So the back end is loaded
by a pytest that is started for it alone, as ``tests/integration/test_torch_standin.py`` does::

    python -m pytest -p tests.torch_standin.plugin tests/torch_standin tests/gpu/test_cuda_clock.py
"""
