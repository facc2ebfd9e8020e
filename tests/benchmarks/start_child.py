"""Times the start of a meter, and listens for processes and sockets from the first import to the stop."""

import sys
from time import perf_counter

LISTENED = {
    "process": ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system", "pty.spawn"),
    "socket": ("socket.",),
}
HEARD: dict[str, list[str]] = {kind: [] for kind in LISTENED}


def listen(event: str, _arguments: object) -> None:
    """Note what must not happen (PEP 578)."""
    for kind, starts in LISTENED.items():
        if event.startswith(starts):
            HEARD[kind].append(event)


def main() -> None:
    """Start, stop, tell."""
    loaded_before = sorted({"pynvml", "psutil", "lightning_carbon.wiring"} & set(sys.modules))
    sys.addaudithook(listen)
    began = perf_counter()
    from lightning_carbon import Meter

    imported = perf_counter()
    meter = Meter(devices="all")
    constructed = perf_counter()
    meter.start()
    started = perf_counter()
    meter.step_done()
    record = meter.stop()

    heard = {kind: list(events) for kind, events in HEARD.items()}
    import json
    from pathlib import Path

    found = {
        **heard,
        "loaded_before": loaded_before,
        "gpus": sum(domain.kind == "gpu" for domain in record.energy.domains),
        "import_ms": (imported - began) * 1e3,
        "construct_ms": (constructed - imported) * 1e3,
        "start_ms": (started - constructed) * 1e3,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
