"""What Prometheus collects: names by its conventions, sums without double counting, and only on loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from lightning_carbon.exporting.prometheus import LOOPBACK, MetricsServer, RunCollector
from lightning_carbon.exporting.publishing import publisher_of
from lightning_carbon.settings import configure
from tests.unit.exporting.worlds import DRAM_WATTS, GPU_ID, GPU_WATTS, PACKAGE_WATTS, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.exporting.live import LiveRun

TOTAL = "lightning_carbon_energy_joules_total"


def served(port: int) -> str:
    """What a request gets."""
    with urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
    return port


def test_energy_is_a_counter_whose_sum_is_the_total_of_the_run() -> None:
    """A part of another domain is in that domain's energy, and no sample of its own."""
    registry = CollectorRegistry()

    def publish(run: LiveRun) -> Callable[[], None]:
        registry.register(RunCollector(run))
        return lambda: None

    of_run = world(publish)
    with of_run.engine:
        of_run.steps(50, samples=8)
        samples = [
            sample for family in registry.collect() for sample in family.samples if not sample.name.endswith("_info")
        ]
        record = of_run.engine.record
    energies = {sample.labels["domain"]: sample.value for sample in samples if sample.name == TOTAL}
    values = {sample.name: sample.value for sample in samples if not sample.labels}

    assert {GPU_ID: GPU_WATTS * 5, "package:0": PACKAGE_WATTS * 5} == pytest.approx(
        {name: energies[name] for name in (GPU_ID, "package:0")}, abs=1e-6
    )
    assert DRAM_WATTS not in energies.values()
    assert record.energy.total_joules == pytest.approx(sum(energies.values()), abs=1e-6)
    assert (50, 400) == (values["lightning_carbon_steps_total"], values["lightning_carbon_samples_total"])
    assert record.carbon.grams_co2e == pytest.approx(values["lightning_carbon_co2e_grams"])
    assert "lightning_carbon_tokens_total" not in values


def test_names_are_prometheus_s_and_the_run_is_told_by_its_labels() -> None:
    """By its own parser: a prefix, base units, and the end of a counter's name."""
    found: list[str] = []

    def publish(run: LiveRun) -> Callable[[], None]:
        server = MetricsServer(run, 0)
        found.append(served(server.port))
        return server.close

    of_run = world(publish)
    with of_run.engine:
        of_run.steps(10)
    families = list(text_string_to_metric_families(found[0]))
    [info] = [sample for family in families for sample in family.samples if sample.name == "lightning_carbon_run_info"]

    assert {family.type for family in families} == {"counter", "gauge"}
    for family in families:
        assert family.name.startswith("lightning_carbon_")
        assert family.documentation
        ends = {sample.name.removeprefix(family.name) for sample in family.samples}
        assert ends <= ({"_total"} if family.type == "counter" else {""})
    assert ("test", "running", "SE") == tuple(info.labels[name] for name in ("project", "status", "region"))


def test_a_port_is_given_back_at_the_end_of_a_run_and_another_run_may_have_it() -> None:
    """And a run that finds it taken says so, and goes on."""
    port = free_port()
    config = configure({}, ledger="unused", prometheus_port=port)
    for _ in range(2):
        of_run = world(publisher_of(config))
        with of_run.engine:
            of_run.steps(1)

            assert TOTAL in served(port)
        with pytest.raises(URLError):
            served(port)


def test_a_client_that_says_nothing_holds_up_no_end_of_a_run() -> None:
    """The port is given back while the request is still waited for."""
    servers: list[MetricsServer] = []

    def publish(run: LiveRun) -> Callable[[], None]:
        servers.append(MetricsServer(run, 0))
        return servers[-1].close

    of_run = world(publish)
    of_run.engine.start()
    of_run.steps(1)
    with socket.create_connection((LOOPBACK, servers[0].port)) as client:
        client.send(b"GET /metrics")  # and no end of the line
        of_run.engine.stop()

        with pytest.raises(URLError):
            served(servers[0].port)


def test_a_port_that_is_taken_is_warned_of_and_costs_no_run(caplog: pytest.LogCaptureFixture) -> None:
    """The figures are in the record as ever."""
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        config = configure({}, ledger="unused", prometheus_port=holder.getsockname()[1])
        of_run = world(publisher_of(config))
        with of_run.engine:
            of_run.steps(3)

    assert 3 == of_run.engine.record.steps
    assert [f"port {config.prometheus_port} is not free" in message for message in caplog.messages] == [True]
