"""Powercap trees as they should not be: each zone that cannot be used is a finding, and nothing waits."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lightning_carbon.sources.host.rapl import discover
from tests.integration.test_rapl_tree import found, parents, server
from tests.powercap import PowercapTree


@pytest.fixture
def tree(tmp_path: Path) -> PowercapTree:
    """An empty tree."""
    return PowercapTree(tmp_path / "sys")


def test_a_count_that_stands_at_zero_is_none(tree: PowercapTree) -> None:
    """The psys of a second socket that nothing feeds holds nothing, and memory at zero is not measured."""
    server(tree)
    tree.add("intel-rapl:2", "psys", joules=9000)
    tree.add("intel-rapl:3", "psys-1", joules=0)
    (tree.devices / "intel-rapl/intel-rapl:1/intel-rapl:1:0/energy_uj").write_text("0\n")
    findings = discover(tree.root)

    assert {"psys:0": None, "package:0": "psys:0", "package:1": "psys:0", "dram:0": "psys:0"} == parents(findings)
    assert ["memory of package 1", "platform 1"] == sorted(
        finding.subject.partition(" (")[0] for finding in findings if "stands at zero" in finding.reason
    )


@pytest.mark.parametrize("file", ["energy_uj", "name"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_a_file_that_is_none_costs_its_zone_and_nothing_waits(tree: PowercapTree, file: str, kind: str) -> None:
    """A pipe, a folder or a device in the place of a file is a finding with the reason; the others are counted."""
    server(tree)
    path = tree.devices / "intel-rapl/intel-rapl:0" / file
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    else:
        {"pipe": os.mkfifo, "folder": os.mkdir}[kind](path)
    findings = discover(tree.root)

    assert "package:0" not in found(findings)
    assert {"package:1", "dram:1"} <= set(found(findings))
    [reason] = [finding.reason for finding in findings if finding.port is None]
    assert reason.endswith("Is a directory" if kind == "folder" else "not a regular file")


@pytest.mark.parametrize("content", [b"\xff\xfe\n", None])
def test_a_name_that_cannot_be_read_is_a_finding(tree: PowercapTree, content: bytes | None) -> None:
    """A zone that does not say what it is, is not counted, and a finding says why."""
    server(tree)
    path = tree.devices / "intel-rapl/intel-rapl:1" / "name"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    findings = discover(tree.root)

    assert "package:1" not in found(findings)
    [(subject, reason)] = [(finding.subject, finding.reason) for finding in findings if finding.port is None]
    assert "intel-rapl:1" == subject
    assert reason.startswith("its name cannot be read: ")


def test_links_that_lead_in_a_circle_are_findings(tree: PowercapTree) -> None:
    """A zone whose link leads to itself costs that zone; a control type that leads back to the root ends nothing."""
    server(tree)
    (tree.root / "intel-rapl:7").symlink_to("intel-rapl:8")
    (tree.root / "intel-rapl:8").symlink_to("intel-rapl:7")
    (tree.root / "intel-rapl-again").symlink_to(tree.root)
    findings = discover(tree.root)

    assert 4 == len(found(findings))
    assert {"intel-rapl:7", "intel-rapl:8"} == {finding.subject for finding in findings if finding.port is None}


def test_a_root_that_leads_in_a_circle_is_a_finding(tmp_path: Path) -> None:
    """A tree that is a link to itself, or whose name no file can have, is told as it is."""
    loop = tmp_path / "powercap"
    loop.symlink_to(loop)

    assert [1, 1] == [len(discover(root)) for root in (loop, Path("\0"))]
    assert "cannot be listed" in discover(loop)[0].reason


def test_a_zone_whose_file_hangs_is_given_up(tree: PowercapTree) -> None:
    """What does not come back from opening is a finding, and the others are counted."""
    server(tree)
    release = threading.Event()

    def opener(path: str, flags: int) -> int:
        if path.endswith("intel-rapl:0/energy_uj"):
            release.wait(60)
        return os.open(path, flags)

    findings = discover(tree.root, opener=opener, patience_seconds=0.1)
    release.set()

    assert "package:0" not in found(findings)
    assert ["energy_uj cannot be read: no answer in 0.1 s"] == [f.reason for f in findings if f.port is None]
