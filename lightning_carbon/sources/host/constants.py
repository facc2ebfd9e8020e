"""Power of a host's parts without a sensor or a data sheet: per virtual CPU and per gigabyte of memory.

Each figure has a range, which is wide because the sources disagree by as much. All are in watts at the part, without
PUE.

References:
    [CCF] Cloud Carbon Footprint, *Methodology* and ``packages/aws/src/domain/AwsFootprintEstimationConstants.ts``,
        Apache-2.0, https://www.cloudcarbonfootprint.org/docs/methodology/. Per architecture: ``ccf-coefficients``,
        ``output/coefficients-aws-use.csv`` of March 2026. Both come from SPECpower_ssj2008 results.
    [GA] Lannelongue, Grealey and Inouye, *Green Algorithms: Quantifying the Carbon Footprint of Computation*, Advanced
        Science 8 (2021) 2100707, https://doi.org/10.1002/advs.202100707, and its data files (CC BY 4.0).
    [Micron] TN-40-07, *Calculating Memory Power for DDR4 SDRAM*, as quoted by [CCF].
"""

from __future__ import annotations

IDLE_WATTS_PER_VCPU = 0.74
"""The power of an idle virtual CPU: the mean over the architectures that AWS rents out [CCF]."""

IDLE_WATTS_PER_VCPU_LOW = 0.46
"""The lowest architecture of [CCF]: EPYC 3rd generation."""

IDLE_WATTS_PER_VCPU_HIGH = 1.86
"""The highest of [CCF] since 2014: Haswell."""

MAX_WATTS_PER_VCPU = 3.5
"""The power of a fully busy virtual CPU: the mean over the architectures that AWS rents out [CCF].

It is a share of a whole server, memory included, so DRAM charged beside it is to some extent counted twice.
"""

MAX_WATTS_PER_VCPU_LOW = 1.69
"""The lowest architecture of [CCF]: EPYC 2nd generation."""

MAX_WATTS_PER_VCPU_HIGH = 5.60
"""The highest of [CCF] since 2014: Haswell.

EPYC 5th generation is left out: 9 W a thread and 75 GB a chip in its row speak of small sockets (the 192-core EPYC
9965, of the same generation, takes 800 W for 768 threads in SPECpower results of 2025).
"""

DRAM_WATTS_PER_GIGABYTE = 0.3725
"""The power of memory in use, in W/GB [GA]; 0.392 in [CCF], 0.375 by Crucial's rule of 3 W for 8 GB [CCF]."""

DRAM_WATTS_PER_GIGABYTE_LOW = 0.08
"""The figure of a later data file of [GA]: large modules draw little more than small modules."""

DRAM_WATTS_PER_GIGABYTE_HIGH = 0.41
"""DDR4 under load: 408.3 mW a chip of 1 GB [Micron], rounded up."""
