"""The assumptions about a training that has not run yet, each with its range, source and year.

The ranges are wide because the sources disagree by as much; metering the run replaces all of them.

The power of an accelerator, as a share of its rating, is linear from idle to busy: ``idle + (busy - idle) x
utilisation``. The power of the rest of its server is a share of that.

References:
    [Patterson] D. Patterson et al., Carbon Emissions and Large Neural Network Training, 2021 (arXiv 2104.10350),
        tables 1 and 4: measured power of whole systems for each accelerator, on P100, V100, TPU v2 and v3.
    [Newkirk] A. C. Newkirk et al., Empirically-Calibrated H100 Node Power Models for Reducing Uncertainty in AI
        Training Energy Estimation, 2025 (arXiv 2506.14551): a node of eight H100 under heavy training.
    [Chowdhery] A. Chowdhery et al., PaLM: Scaling Language Modeling with Pathways, 2022 (arXiv 2204.02311), table 3.
    [Kaplan] J. Kaplan et al., Scaling Laws for Neural Language Models, 2020 (arXiv 2001.08361), section 2.1.
    [EIA] U.S. Energy Information Administration, Electric Power Annual 2023.
"""

from __future__ import annotations

from dataclasses import dataclass

from lightning_carbon.carbon.uncertainty import Bounds


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

BUSY_SHARE = SourcedBounds(
    Bounds(0.80, 0.50, 1.00),
    "from half of the rated power, ours, to the rated power, which no part exceeds for long",
)
"""The draw of an accelerator in a kernel, as a share of its rated power. The low end and the middle are ours."""

HOST_SHARE = SourcedBounds(
    Bounds(0.50, 0.10, 1.00),
    "from V100 systems at 330 W for 300 W of GPU (Patterson et al. 2021) to the ratings of a DGX A100: 6.5 kW, of "
    "which 3.2 kW GPUs (NVIDIA 2020); between: H100 nodes at 76 % of 10.2 kW (Newkirk et al. 2025)",
)
"""The draw of the server's processors, memory, network, fans and losses, as a share of the accelerators' power. The
middle is ours."""

UTILISATION = SourcedBounds(
    Bounds(0.80, 0.50, 1.00),
    "from 52 % in the mean on a shared cluster (Jeon et al., USENIX ATC 2019) to all of the time",
)
"""The share of the time in which an accelerator computes, where it is not given. The middle is ours."""

MFU = SourcedBounds(
    Bounds(0.35, 0.213, 0.462),
    "from GPT-3, 21.3 %, to PaLM, 46.2 % (Chowdhery et al. 2022, table 3)",
)
"""The share of the dense peak that the model's own arithmetic takes, where it is not given. The middle is ours."""

FLOPS_PER_PARAMETER_AND_TOKEN = 6
"""The operations for each parameter and token: two forward, four backward; long contexts need more [Kaplan]."""

USD_PER_KWH = SourcedBounds(
    Bounds(0.127, 0.080, 0.249),
    "mean of the United States of 2023, from North Dakota to California (EIA, Electric Power Annual 2023)",
)
"""The price of a kilowatt-hour where it is not given: the mean over all customers."""
USD_PER_KWH_YEAR = 2023
