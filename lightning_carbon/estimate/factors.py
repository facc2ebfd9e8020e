"""The assumptions about a training that has not run yet, each with its range, source and year.

The ranges are what published trainings span whose power was measured, or whose hours are known (``calibration``);
metering the run replaces all of them.

The power of an accelerator is a share of its rating: that of measured trainings or, where its utilisation is given,
linear from idle to busy: ``idle + (busy - idle) x utilisation``. The rest of its machine draws a fixed share of the
rating, and a share of what the accelerator draws.

References:
    [Newkirk] A. C. Newkirk et al., Empirically-Calibrated H100 Node Power Models for Reducing Uncertainty in AI
        Training Energy Estimation, 2025 (arXiv 2506.14551): a node of eight H100 under heavy training.
    [Latif] I. Latif et al., Cooling Matters: Benchmarking LLMs and VLMs on Liquid-Cooled Versus Air-Cooled H100 GPU
        Systems, 2025 (arXiv 2507.16781): 8.16 kW with air and 6.99 kW with liquid, at full load.
    [Kaplan] J. Kaplan et al., Scaling Laws for Neural Language Models, 2020 (arXiv 2001.08361), section 2.1.
    [EIA] U.S. Energy Information Administration, Electric Power Annual 2023.
"""

from __future__ import annotations

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import KILO
from lightning_carbon.values import dataclass


@dataclass(frozen=True, slots=True)
class SourcedBounds:
    """A figure with its source.

    Args:
        span: The figure.
        source: Its source, with the year.
    """

    span: Bounds[float]
    source: str


IDLE_SHARE = SourcedBounds(
    Bounds(0.15, 0.05, 0.30),
    "GPUs that are half busy take 57 % of their rated power (Tailpipe, laboratory tests); a context alone adds 26 to "
    "66 W to H100, A100 and L40S that idle (arXiv 2605.23918, 2026)",
)
"""The draw of a waiting accelerator, as a share of its rated power. The ends are ours."""

TRAINING_SHARE = SourcedBounds(
    Bounds(0.86, 0.30, 1.00),
    "29 measured trainings on GPUs, from a small vision model to the rated power, which no part exceeds for long "
    "(MLPerf Training Power 2024 and 2025, Dodge et al. 2022, Patterson et al. 2021, Newkirk et al. 2025)",
)
"""The mean power of a GPU over a training, as a share of its rating, where the utilisation is not given."""

FULL_SHARE = SourcedBounds(
    Bounds(0.86, 0.65, 1.00),
    "12 measured trainings of language models at full speed, on GPUs (MLPerf Training Power 2024 and 2025, Patterson "
    "et al. 2021, Dodge et al. 2022)",
)
"""The same of a language model at full speed: at a utilisation of 1, and where hours follow from arithmetic."""

TPU_SHARE = SourcedBounds(
    Bounds(0.47, 0.22, 0.72),
    "TPU v2 and v3 in three trainings (Patterson et al. 2021), whose ratings are far above what training takes",
)
"""The same of a TPU, whatever it trains."""

HOST_FIXED = SourcedBounds(
    Bounds(0.14, 0.14, 0.20),
    "100 W for each of eight GPUs of 700 W: fans, boards, disks and network (of 8.16 kW in all, Latif et al. 2025); "
    "the split is ours",
)
"""The constant draw of the rest of the machine, as a share of its accelerators' rated power."""

HOST_SHARE = SourcedBounds(
    Bounds(0.17, 0.17, 0.25),
    "processors, memory, fans and losses of supplies of a node of eight H100 (8.16 kW with air, Latif et al. 2025; "
    "76 % of 10.2 kW, Newkirk et al. 2025); the split is ours",
)
"""The draw of the rest of the machine that grows with its accelerators', as a share of their power."""

MFU = SourcedBounds(
    Bounds(0.29, 0.12, 0.58),
    "14 language models of published size, tokens and hours, from Llama 3.1 8B, 14 %, to TinyLlama, 51 %",
)
"""The share of the dense peak that the model's own arithmetic takes, where it is not given."""

SMALL_MFU = SourcedBounds(
    Bounds(0.11, 0.067, 0.163),
    "SmolLM2 with 135 and 360 million parameters, 9 and 12 % (Hugging Face 2025)",
)
"""The same of models with few parameters, which keep an accelerator less busy."""
SMALL_PARAMETERS = KILO**3
"""Below so many parameters a model is small."""

FLOPS_PER_PARAMETER_AND_TOKEN = 6
"""The operations for each parameter and token: two forward, four backward; long contexts need more [Kaplan]."""

USD_PER_KWH = SourcedBounds(
    Bounds(0.127, 0.080, 0.249),
    "mean of the United States of 2023, from North Dakota to California (EIA, Electric Power Annual 2023)",
)
"""The price of a kilowatt-hour where it is not given: the mean over all customers."""
USD_PER_KWH_YEAR = 2023
