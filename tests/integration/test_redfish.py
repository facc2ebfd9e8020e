"""A service processor on loopback: what each maker answers, and what a bad one does; no training waits for it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from lightning_carbon import Meter
from lightning_carbon.energy.readings import Kind
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.settings.redfish import check_redfish, headers_of
from lightning_carbon.sources import redfish
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.redfish.client import MOST_BYTES, Service
from lightning_carbon.sources.redfish.gauge import RedfishGauge
from lightning_carbon.sources.simulated import Constant, SimulatedGauge
from lightning_carbon.units import Power
from tests.unit.sources.redfish.answers import DELL, HPE, KNOWN, ROOT, Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lightning_carbon.ports import Source

TOKEN = "s3cret-of-a-bmc"  # noqa: S105 - that of a test
ENVIRON = {"LIGHTNING_CARBON_REDFISH_TOKEN": TOKEN}


class Processor(BaseHTTPRequestHandler):
    """A service processor: resources behind a token, and a path with a slash too few redirects to the right path."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[Answers] = {}
    oddity: Callable[[Processor], bytes | None] | None = None
    over: ClassVar[threading.Event]

    def do_GET(self) -> None:
        """Answer as the maker's firmware does, or as a bad one."""
        oddity = type(self).oddity
        data = None if oddity is None else oddity(self)
        if data is not None:
            self.tell(200, data)
        elif oddity is None and self.headers.get("X-Auth-Token") != TOKEN:
            self.tell(401, b"{}")
        elif oddity is None and self.path in self.answers:
            self.tell(200, json.dumps(self.answers[self.path]).encode())
        elif oddity is None and f"{self.path}/" in self.answers:
            self.tell(308, b"", location=f"{self.path}/")
        elif oddity is None:
            self.tell(404, b'{"error": {}}')

    def tell(self, status: int, data: bytes, location: str = "") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    answers: Answers, oddity: Callable[[Processor], bytes | None] | None = None, context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """The address of a service processor that is there for the block."""
    over = threading.Event()
    own = type(
        "Own", (Processor,), {"answers": answers, "oddity": staticmethod(oddity) if oddity else None, "over": over}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    server.daemon_threads = True
    server.block_on_close = False
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join(10.0)


def chassis_of(address: str, environ: dict[str, str] = ENVIRON, whole_seconds: float = 15.0) -> object:
    """What a client is told of the chassis."""
    plan = check_redfish(address, environ)
    assert plan is not None
    with closing(Service(plan, headers_of(environ), whole_seconds)) as client:
        return client(ROOT)


@pytest.mark.parametrize("maker", KNOWN)
def test_a_machine_of_any_maker_is_read(maker: str) -> None:
    """Over one connection that is kept, behind a token."""
    answers, watts = KNOWN[maker]
    with serving(answers) as address:
        plan = check_redfish(address, ENVIRON)
        assert plan is not None
        with closing(Service(plan, headers_of(ENVIRON))) as client:
            gauge = RedfishGauge(redfish.sensor(), client)
            gauge.ask()

    assert Power(watts) == gauge.read_power()


def garbled(_: Processor) -> bytes:
    """No JSON."""
    return b"<html>login</html>"


def a_list(_: Processor) -> bytes:
    """JSON of another form."""
    return b"[1, 2, 3]"


def deep(_: Processor) -> bytes:
    """JSON that no parser takes."""
    return b'{"a":' * 200_000


def huge(_: Processor) -> bytes:
    """More than any chassis has to say."""
    return b" " * (MOST_BYTES + 1)


def endless(handler: Processor) -> None:
    """Parts that never end, each well in time."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.over.wait(0.01):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def elsewhere(handler: Processor) -> None:
    """A redirection to another host."""
    handler.tell(302, b"", location="https://elsewhere.example.org/redfish/v1/Chassis")


def out_of_redfish(handler: Processor) -> None:
    """A redirection to another service of the same host."""
    handler.tell(302, b"", location="/login.html")


def in_circles(handler: Processor) -> None:
    """A redirection to itself."""
    handler.tell(301, b"", location=handler.path)


def failing(handler: Processor) -> None:
    """As while the firmware is updated."""
    handler.tell(503, b"")


def hung_up(handler: Processor) -> None:
    """A connection that ends in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.close_connection = True


@pytest.mark.parametrize(
    ("oddity", "said"),
    [
        (garbled, "a garbled answer"),
        (a_list, "a garbled answer"),
        (deep, "a garbled answer"),
        (huge, "an answer without end"),
        (endless, "no whole answer in time"),
        (elsewhere, "it redirects elsewhere"),
        (out_of_redfish, "it redirects elsewhere"),
        (in_circles, "it redirects without end"),
        (failing, "status 503"),
        (hung_up, "no connection"),
    ],
)
def test_a_bad_answer_is_a_reading_that_failed(oddity: Callable[[Processor], bytes | None], said: str) -> None:
    """With a reason that names neither the token nor the address."""
    with serving({}, oddity) as address:
        with pytest.raises(ReadFailed, match=said) as caught:
            chassis_of(address, whole_seconds=0.2)
        shown = f"{caught.value} {caught.value.__cause__}"

    assert TOKEN not in shown
    assert "127.0.0.1" not in shown


def test_a_service_that_is_not_there_is_no_connection() -> None:
    """As one whose name nobody knows."""
    with serving({}) as address:
        pass
    for place in (address, "https://no-such-host.invalid"):
        with pytest.raises(ReadFailed, match="no connection"):
            chassis_of(place)


def test_a_wrong_token_is_the_last_question() -> None:
    """Asking on would lock the account."""
    with serving(DELL) as address, pytest.raises(SourceLost, match="status 401"):
        chassis_of(address, {"LIGHTNING_CARBON_REDFISH_TOKEN": "wrong"})


def test_a_certificate_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    """By the authorities of the machine, or by the file that the variable names."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bmc"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(DELL, context=context) as address:
        with pytest.raises(SourceLost, match="certificate cannot be verified"):
            chassis_of(address)
        by_file = chassis_of(address, {**ENVIRON, "LIGHTNING_CARBON_REDFISH_VERIFY": str(certificate)})
        unverified = chassis_of(address, {**ENVIRON, "LIGHTNING_CARBON_REDFISH_VERIFY": "0"})

    assert DELL[ROOT] == by_file == unverified


def test_the_service_that_was_asked_for_comes_before_other_sensors() -> None:
    """And a service that does not answer a command in time is told with the reason."""
    with serving(HPE) as address:
        plan = check_redfish(address, ENVIRON)
        assert plan is not None
        asked = redfish.discover(plan, ENVIRON, wait_seconds=30.0)
        found = discover("auto", environ={}, machine=True, cpu_scope="machine", asked=asked)
    refused = redfish.discover(plan, ENVIRON, wait_seconds=0.05)
    machines = [finding.port for finding in found if finding.port and finding.port.sensor.domain.kind is Kind.MACHINE]

    assert [asked.port] == machines
    assert (None, True) == (refused.port, bool(refused.reason))


@pytest.mark.parametrize("is_hanging", [False, True])
def test_a_training_is_metered_at_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_hanging: bool
) -> None:
    """Its machine is what the service shows; a service that hangs covers nothing; nothing secret is kept."""

    def hang(handler: Processor) -> None:
        handler.over.wait(60.0)

    monkeypatch.setenv("LIGHTNING_CARBON_REDFISH_TOKEN", TOKEN)
    with serving(HPE, hang if is_hanging else None) as address:
        plan = check_redfish(address)
        assert plan is not None
        source = redfish.discover(plan).port
        assert isinstance(source, RedfishGauge)
        if not is_hanging:
            assert source.wait(30.0)
        sources: list[Source] = [SimulatedGauge(SystemClock(), Constant(300.0)), *([] if is_hanging else [source])]
        with Meter(ledger=tmp_path, region="SE", sources=sources, machine="desktop", redfish=address) as meter:
            for _ in range(20):
                meter.step_done()
                sum(range(20_000))
            row = meter.row()
    record = meter.record
    assert record.machine is not None
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert ("modelled" if is_hanging else "integrated") == record.machine.hosts[0].provenance
    assert bool(record.machine.hosts[0].measured_ratio) is not is_hanging
    assert ("Redfish" in record.machine.hosts[0].method) is not is_hanging
    assert row.total_joules
    assert TOKEN.encode() not in kept
    assert b"127.0.0.1" not in kept
