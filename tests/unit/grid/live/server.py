"""A server that plays providers of carbon intensities: as they answer, slow, failing, garbled and limiting."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DAY = 1_738_281_600.0
"""2025-01-31 00:00 UTC."""

ELECTRICITY_MAPS = {
    "zone": "DE",
    "history": [
        {
            "zone": "DE",
            "carbonIntensity": grams,
            "datetime": f"2025-01-31T{hour:02d}:00:00.000Z",
            "updatedAt": "2025-01-31T02:47:02.408Z",
            "createdAt": "2025-01-28T01:51:20.193Z",
            "emissionFactorType": "lifecycle",
            "isEstimated": False,
            "estimationMethod": None,
        }
        for hour, grams in enumerate((420, 410))
    ],
    "temporalGranularity": "hourly",
}
UK = {
    "data": [
        {
            "from": "2025-01-31T00:00Z",
            "to": "2025-01-31T00:30Z",
            "intensity": {"forecast": 266, "actual": 263, "index": "moderate"},
        },
        {
            "from": "2025-01-31T00:30Z",
            "to": "2025-01-31T01:00Z",
            "intensity": {"forecast": 250, "actual": None, "index": "moderate"},
        },
    ]
}
WATTTIME = {
    "data": [
        {"point_time": "2025-01-31T00:00:00+00:00", "value": 1000.0},
        {"point_time": "2025-01-31T00:05:00+00:00", "value": 900.0},
    ],
    "meta": {
        "data_point_period_seconds": 300,
        "region": "CAISO_NORTH",
        "warnings": [],
        "signal_type": "co2_moer",
        "model": {"date": "2024-03-01"},
        "units": "lbs_co2_per_mwh",
    },
}


class Played:
    """What a server answers, and what it was asked.

    Attributes:
        url: The beginning of its URLs.
        status: The status of every answer.
        body: The body, if not that of the provider.
        headers: Further headers.
        is_slow: Whether it waits until the test is over before it answers.
        asked: The path and the headers of every request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.body: bytes | None = None
        self.headers: dict[str, str] = {}
        self.is_slow = False
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self.texts: dict[str, str] = {}

    def answer(self, path: str) -> bytes:
        """The answer to a path, as the provider has it."""
        answers: dict[str, Any] = {
            "/v3/carbon-intensity/history": ELECTRICITY_MAPS,
            "/intensity/": UK,
            "/login": {"token": "bearer-of-a-session"},
            "/v3/historical": WATTTIME,
        }
        for beginning, text in self.texts.items():
            if path.startswith(beginning):
                return text.encode()
        found = next((answer for beginning, answer in answers.items() if path.startswith(beginning)), None)
        return json.dumps(found).encode()


@contextmanager
def playing() -> Iterator[Played]:
    """A server on this machine alone."""
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.asked.append((self.path, dict(self.headers)))
            if played.is_slow:
                played.over.wait(30)
            body = played.answer(self.path) if played.body is None else played.body
            missing = played.texts and not any(self.path.startswith(beginning) for beginning in played.texts)
            self.send_response(404 if missing else played.status)
            for name, value in played.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET  # noqa: N815 - the name that the library looks for

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    played.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield played
    finally:
        played.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
