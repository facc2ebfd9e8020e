"""What part of the machine a job has, from trees of files as machines show them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.host.allocation import Allocation, allocation

# As systemd lays it out on a host with version 2 alone.
UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
# As a container of version 1 sees it: only its own group is mounted, under the name that all of the machine has.
DOCKER_1 = (
    "693 678 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755\n"
    "701 693 0:34 /docker/4f1e /sys/fs/cgroup/cpu,cpuacct ro,nosuid,relatime master:16 - cgroup cgroup rw,cpu,cpuacct\n"
    "702 693 0:35 /docker/4f1e /sys/fs/cgroup/cpuset ro,nosuid,relatime master:17 - cgroup cgroup rw,cpuset\n"
)
DOCKER_1_GROUPS = "5:cpuset:/docker/4f1e\n4:cpu,cpuacct:/docker/4f1e\n1:name=systemd:/docker/4f1e\n"
# A host on which Slurm puts jobs into groups of version 1, below one another.
SLURM_1 = (
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
STEP = "slurm/uid_1000/job_77/step_0"


class Machine:
    """A tree of files under any folder, of a machine with 64 processors.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("sys/devices/system/cpu/online", "0-63\n")
        self.write("proc/self/status", "Name:\tpython\nCpus_allowed_list:\t0-127\nMems_allowed_list:\t0\n")

    def write(self, path: str, text: str) -> None:
        """Write one file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def groups(self, mounts: str, groups: str, **files: str) -> None:
        """Write the cgroups: the mounts, the groups of this process, and files (``__`` stands for ``/``)."""
        self.write("proc/self/mountinfo", "22 1 259:1 / / rw,relatime - ext4 /dev/root rw\n" + mounts)
        self.write("proc/self/cgroup", groups)
        for name, text in files.items():
            self.write(f"sys/fs/cgroup/{name}", text)

    def cpus(self, environ: dict[str, str] | None = None) -> float | None:
        """How many processors the job has."""
        found = allocation(environ or {}, self.root)
        assert 64 == found.machine_cpus
        assert found.reason
        assert found.is_part == (found.cpus is not None)
        return found.cpus


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose files say nothing of limits yet."""
    return Machine(tmp_path)


def test_a_machine_without_limits_is_whole(machine: Machine) -> None:
    """Bare metal under systemd: nothing holds the job."""
    machine.groups(
        UNIFIED,
        "0::/user.slice/user-1000.slice/session-3.scope\n",
        **{
            "cpuset.cpus.effective": "0-63\n",
            "user.slice/cpu.max": "max 100000\n",
            "user.slice/user-1000.slice/cpu.max": "max 100000\n",
            "user.slice/user-1000.slice/session-3.scope/cpu.max": "max 100000\n",
        },
    )

    assert machine.cpus() is None


def test_a_container_of_version_2_sees_its_own_quota(machine: Machine) -> None:
    """With a namespace of its own the container's group is the mount itself."""
    machine.groups(UNIFIED, "0::/\n", **{"cpu.max": "250000 100000\n", "cpuset.cpus.effective": "0-63\n"})

    assert 2.5 == machine.cpus()
    assert "2.5 of 64" in allocation({}, machine.root).reason


def test_a_quota_further_up_holds_too(machine: Machine) -> None:
    """The narrowest of all groups above counts, and a cpuset that is written at some level only."""
    machine.groups(
        UNIFIED,
        "0::/kubepods/burstable/pod1/main\n",
        **{
            "kubepods/cpu.max": "3200000 100000\n",
            "kubepods/burstable/cpu.max": "max 100000\n",
            "kubepods/burstable/pod1/cpu.max": "800000 100000\n",
            "kubepods/burstable/pod1/main/cpu.max": "1600000 100000\n",
            "kubepods/cpuset.cpus.effective": "0-15,32-47\n",
            "kubepods/burstable/pod1/main/pids.max": "max\n",
        },
    )

    assert 8 == machine.cpus()


def test_a_cpuset_of_version_2_is_a_part(machine: Machine) -> None:
    """A quota wider than the cpuset does not widen it."""
    machine.groups(
        UNIFIED,
        "0::/job\n",
        **{"job/cpuset.cpus.effective": "0-3,32-35\n", "job/cpu.max": "3200000 100000\n"},
    )

    assert 8 == machine.cpus()


def test_a_container_of_version_1_sees_its_own_quota(machine: Machine) -> None:
    """The path in ``/proc/self/cgroup`` is the host's, and what is mounted is the container's group."""
    machine.groups(
        DOCKER_1,
        DOCKER_1_GROUPS,
        **{
            "cpu,cpuacct/cpu.cfs_quota_us": "400000\n",
            "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "cpuset/cpuset.cpus": "0-63\n",
        },
    )

    assert 4 == machine.cpus()


def test_version_1_without_limits_is_whole(machine: Machine) -> None:
    """A quota of -1 is none."""
    machine.groups(
        DOCKER_1,
        DOCKER_1_GROUPS,
        **{
            "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "cpuset/cpuset.effective_cpus": "0-63\n",
            "cpuset/cpuset.cpus": "\n",
        },
    )

    assert machine.cpus() is None


def test_a_cpuset_of_version_1_is_a_part(machine: Machine) -> None:
    """Slurm's cpuset for a job holds, though the step's own is wider on paper, and the empty version 2 beside it."""
    machine.groups(
        SLURM_1,
        f"9:cpuset:/{STEP}\n2:cpu,cpuacct:/\n0::/\n",
        **{
            f"cpuset/{STEP}/cpuset.effective_cpus": "8-23\n",
            f"cpuset/{STEP}/cpuset.cpus": "0-63\n",
            "unified/cgroup.procs": "1\n",
        },
    )

    assert 16 == machine.cpus()


def test_a_group_that_cannot_be_found_is_the_one_that_is_mounted(machine: Machine) -> None:
    """A path that leads out of the namespace, or to a folder that is not there, stands for the mount."""
    machine.write("sys/other/cpu.max", "100000 100000\n")  # no group, though the path leads there
    for path in ("/../../other", "/gone"):
        machine.groups(UNIFIED, f"0::{path}\n", **{"cpu.max": "200000 100000\n"})

        assert 2 == machine.cpus()


def test_a_mount_point_may_have_blanks(machine: Machine) -> None:
    """The kernel writes them as octal numbers."""
    machine.write("proc/self/mountinfo", UNIFIED.replace("/sys/fs/cgroup", r"/my\040groups"))
    machine.write("proc/self/cgroup", "0::/\n")
    machine.write("my groups/cpu.max", "300000 100000\n")

    assert 3 == machine.cpus()


def test_affinity_smaller_than_the_machine_is_a_part(machine: Machine) -> None:
    """What ``taskset`` or a batch system binds to holds."""
    machine.write("proc/self/status", "Cpus_allowed_list:\t4-7,200\n")

    assert 4 == machine.cpus()


@pytest.mark.parametrize(
    ("environ", "cpus"),
    [
        ({"SLURM_CPUS_ON_NODE": "8"}, 8),
        ({"SLURM_CPUS_ON_NODE": "64"}, None),
        ({"SLURM_CPUS_ON_NODE": "8", "SLURM_JOB_CPUS_PER_NODE": "16"}, 8),
        ({"SLURM_JOB_CPUS_PER_NODE": "16"}, 16),
        ({"SLURM_JOB_CPUS_PER_NODE": "16(x4)"}, 16),
        ({"SLURM_JOB_CPUS_PER_NODE": "64(x2),12", "SLURM_NODEID": "2"}, 12),
        ({"SLURM_JOB_CPUS_PER_NODE": "64(x2),12", "SLURM_NODEID": "1"}, None),
        ({"SLURM_JOB_CPUS_PER_NODE": "64(x2),12"}, None),
        ({"SLURM_JOB_CPUS_PER_NODE": "64(x2),12", "SLURM_NODEID": "3"}, None),
        ({"SLURM_JOB_CPUS_PER_NODE": "12(x99999999999)"}, None),
        ({"SLURM_JOB_CPUS_PER_NODE": "many"}, None),
        ({"SLURM_CPUS_ON_NODE": "0"}, None),
        ({}, None),
    ],
)
def test_slurm_says_what_it_gave(machine: Machine, environ: dict[str, str], cpus: float | None) -> None:
    """By node where it says so, and nothing is made of what cannot be understood."""
    assert cpus == machine.cpus({"SLURM_JOB_ID": "77", **environ})


def test_slurm_s_words_count_inside_a_job_only(machine: Machine) -> None:
    """A variable that was left behind is no allocation."""
    assert machine.cpus({"SLURM_CPUS_ON_NODE": "8"}) is None


def test_the_narrowest_limit_is_named(machine: Machine) -> None:
    """The reason says which, and of how many."""
    machine.write("proc/self/status", "Cpus_allowed_list:\t0-31\n")
    found = allocation({"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "16"}, machine.root)

    assert Allocation(16, 64, "this job has 16 of 64 CPUs by Slurm (SLURM_CPUS_ON_NODE)") == found


def test_an_empty_tree_limits_nothing(tmp_path: Path) -> None:
    """Where nothing can be read, the machine has the processors that Python counts, and all are the job's."""
    found = allocation({}, tmp_path)

    assert (None, os.cpu_count()) == (found.cpus, found.machine_cpus)


def test_this_machine_can_be_looked_at() -> None:
    """The real files of wherever this runs are understood."""
    found = allocation()

    assert found.machine_cpus >= 1
    assert found.cpus is None or 0 < found.cpus < found.machine_cpus


@given(texts=st.lists(st.text(max_size=30), min_size=6, max_size=6))
def test_no_file_can_make_it_raise(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Whatever stands in the files, there is an answer."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.groups(UNIFIED + texts[0], "0::/\n" + texts[1], **{"cpu.max": texts[2], "cpuset.cpus.effective": texts[3]})
    machine.write("proc/self/status", f"Cpus_allowed_list:\t{texts[4]}")
    found = allocation({"SLURM_JOB_ID": "1", "SLURM_JOB_CPUS_PER_NODE": texts[5]}, machine.root)

    assert found.cpus is None or 0 < found.cpus < 64
