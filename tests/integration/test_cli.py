"""The command line as a process: what passes through, what is recorded, what the doctor sees."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.energy.readings import Kind
from lightning_carbon.sources.host import rapl
from lightning_carbon.sources.host.cpuinfo import describe_cpu
from lightning_carbon.sources.process_tree import ProcessTree
from tests.nvml_standin import NO_PERMISSION, Gpu, Scenario
from tests.nvml_standin.scenario import Slice, gpu_uuid
from tests.powercap import PowercapTree, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.nvml_standin import Standin

LIGHTNING_CARBON = [sys.executable, "-m", "lightning_carbon"]
PATIENCE = 300.0


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of this test's own, and a machine that shows no RAPL."""
    folder = tmp_path / "ledger"
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(folder))
    monkeypatch.setenv("LIGHTNING_CARBON_POWERCAP_ROOT", str(tmp_path / "no-powercap"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return folder


def metered(
    *words: str,
    options: tuple[str, ...] = (),
    given: bytes | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    start_new_session: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program under the meter."""
    return subprocess.run(
        [*LIGHTNING_CARBON, "run", *options, "--", *words],
        input=given,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        env=env,
        cwd=cwd,
        start_new_session=start_new_session,
    )


def records(ledger: Path) -> list[dict[str, Any]]:
    """Every record of a ledger."""
    return [json.loads(path.read_text()) for path in sorted(ledger.rglob("record.json"))]


@pytest.mark.parametrize(
    ("script", "code", "status"),
    [
        ("exit 0", 0, "completed"),
        ("exit 1", 1, "failed"),
        ("exit 255", 255, "failed"),
        ("kill -TERM $$", 143, "interrupted"),
        ("kill -KILL $$", 137, "interrupted"),
    ],
)
def test_the_exit_code_passes_through_and_the_record_is_closed(
    ledger: Path, script: str, code: int, status: str
) -> None:
    """The program's own code, or 128 and the signal that ended it."""
    done = metered("sh", "-c", script)

    assert (code, b"") == (done.returncode, done.stdout)
    assert [status] == [record["status"] for record in records(ledger)]
    assert all(record["ended_at"] for record in records(ledger))


def test_a_ledger_that_cannot_be_written_does_not_keep_a_program_from_running() -> None:
    """It is warned of once, with the fix, and the summary tells what was used all the same."""
    done = metered("sh", "-c", "exit 3", options=("--ledger", "/proc/ledger"))

    assert 3 == done.returncode
    assert 1 == done.stderr.count(b"/proc/ledger")
    assert 1 == done.stderr.count(b"or name another folder by ledger= or LIGHTNING_CARBON_LEDGER")
    assert b"failed" in done.stderr


def test_bytes_pass_through_untouched(ledger: Path) -> None:
    """Input goes in and output comes out as they are, and the summary is on stderr after the program's own words."""
    data = bytes(range(256)) * 4096
    done = metered("sh", "-c", "cat; echo mine >&2", given=data)

    assert data == done.stdout
    assert done.stderr.startswith(b"mine\n")
    assert str(next(ledger.rglob("record.json"))).encode() in done.stderr


def test_quiet_adds_nothing_and_json_is_the_record(ledger: Path, tmp_path: Path) -> None:
    """With both, stderr is the program's own and the file is what the ledger has."""
    copy = tmp_path / "copy.json"
    options = ("--quiet", "--json", str(copy), "--project", "lisa", "--run-name", "first", "--region", "SE")
    done = metered("sh", "-c", "echo out; echo err >&2", options=options)
    (record,) = records(ledger)

    assert (b"out\n", b"err\n") == (done.stdout, done.stderr)
    assert record == json.loads(copy.read_text())
    assert ("lisa", "first", "SWE") == (
        record["project"],
        record["run_name"],
        record["carbon"]["intensity"]["region"],
    )


def test_json_into_a_pipe_leaves_the_pipe_in_its_place(ledger: Path, tmp_path: Path) -> None:
    """What is no file is written to, never replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    metered("true", options=("--quiet", "--json", str(pipe)))
    reader.join(PATIENCE)

    assert pipe.is_fifo()
    assert records(ledger) == [json.loads(read[0])]


def test_words_after_the_program_are_its_own(ledger: Path) -> None:
    """Options like ours and another ``--`` reach the program, with and without ``--`` before it."""
    script = 'printf "%s\\n" "$@"'
    words = ["sh", "-c", script, "sh", "--region", "XX", "--", "-q"]
    with_dashes = metered(*words)
    without = subprocess.run([*LIGHTNING_CARBON, "run", *words], capture_output=True, check=False, timeout=PATIENCE)

    assert [b"--region\nXX\n--\n-q\n"] * 2 == [with_dashes.stdout, without.stdout]
    assert ["completed"] * 2 == [record["status"] for record in records(ledger)]


@pytest.mark.usefixtures("ledger")
def test_the_program_s_world_is_as_without_the_meter(tmp_path: Path) -> None:
    """Blocked and ignored signals, open files, folder and variables are those that the meter was given."""
    script = "grep -E 'Sig(Blk|Ign)|ShdPnd' /proc/self/status; pwd; echo $MINE; cat /proc/self/fd/$FILE"
    source = tmp_path / "source"
    source.write_text("from the file\n")

    def run(*before: str) -> str:
        with source.open() as file:
            number = file.fileno()
            env = {**os.environ, "MINE": "yes", "FILE": str(number)}
            text = subprocess.run(
                [*before, "sh", "-c", script],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                pass_fds=[number],
                cwd=tmp_path,
                env=env,
                timeout=PATIENCE,
            ).stdout
        # Signals 32 and 33 are the C library's own: glibc's posix_spawn ignores them, and its threads take them back.
        return re.sub(r"[0-9a-f]{16}", lambda mask: f"{int(mask[0], 16) & ~(0b11 << 31):x}", text)

    assert run() == run(*LIGHTNING_CARBON, "run", "--quiet", "--")


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("no-such-program-here", 127, "'no-such-program-here': no such program; check the spelling and PATH"),
        ("./nothing/here", 127, "no such program"),
        ("./plain", 126, "not executable: chmod +x"),
        ("./folder", 126, "is a folder"),
        ("./garbled", 126, "without a first line such as #!/bin/sh"),
        ("./orphan", 126, "the interpreter that its first line names is not there"),
        ("", 127, "no such program"),
    ],
)
def test_a_program_that_cannot_be_started_is_told_in_one_line(
    ledger: Path, tmp_path: Path, word: str, code: int, said: str
) -> None:
    """127 for what is not there and 126 for what cannot be executed, as shells do; no record stays open."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    for name, text in [("garbled", "\0\1\2"), ("orphan", "#!/no/such/interpreter\n")]:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    done = metered(word, cwd=tmp_path)

    assert (code, b"", 1) == (done.returncode, done.stdout, done.stderr.count(b"\n"))
    assert said in done.stderr.decode()
    assert not [record for record in records(ledger) if record["status"] == "running"]


def test_a_setting_that_cannot_be_used_starts_nothing(ledger: Path, tmp_path: Path) -> None:
    """The error is one line, without a traceback, and the program has not run."""
    done = metered("touch", str(tmp_path / "started"), options=("--region", "Sweeden"))

    assert (2, 1) == (done.returncode, done.stderr.count(b"\n"))
    assert b"--region Sweeden cannot be used: did you mean SE (Sweden)?" in done.stderr
    assert [False, False] == [(tmp_path / "started").exists(), ledger.exists()]


def started(*words: str) -> subprocess.Popen[bytes]:
    """Start a program under the meter and wait until it has written its first line."""
    process = subprocess.Popen([*LIGHTNING_CARBON, "run", "--quiet", "--", *words], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_forwarded_to_a_program_that_traps_them(ledger: Path, name: str) -> None:
    """The program hears of it, ends as it likes, and its code is ours."""
    if signal.getsignal(signal.Signals[f"SIG{name}"]) is signal.SIG_IGN:
        pytest.skip(f"SIG{name} is ignored here, as under nohup, and a shell cannot trap what was ignored before it")
    script = f'trap "echo caught {name}; exit 7" {name}; echo ready; while :; do sleep 0.05; done'
    process = started("sh", "-c", script)
    process.send_signal(signal.Signals[f"SIG{name}"])
    output, _ = process.communicate(timeout=PATIENCE)

    assert (7, f"caught {name}\n") == (process.returncode, output.decode())
    assert ["failed"] == [record["status"] for record in records(ledger)]


def test_a_program_without_a_trap_dies_of_the_signal(ledger: Path) -> None:
    """The run was interrupted, and its record says so."""
    process = started("sh", "-c", "echo ready; exec sleep 60")
    process.terminate()
    process.communicate(timeout=PATIENCE)

    assert 143 == process.returncode
    assert ["interrupted"] == [record["status"] for record in records(ledger)]


def test_a_program_whose_budget_is_used_up_is_asked_to_end(ledger: Path) -> None:
    """By SIGTERM, which it may handle; its record says that it was interrupted."""
    options = ("--budget", "1 J", "--on-budget", "stop", "--interval", "0.05")
    done = metered(sys.executable, "-c", "while True: pass", options=options)
    (record,) = records(ledger)

    assert 128 + signal.SIGTERM == done.returncode
    assert ("interrupted", True) == (record["status"], record["machine"]["joules"] >= 1)
    assert b"the budget of 1 J is used up" in done.stderr


def attached(*options: str) -> subprocess.CompletedProcess[str]:
    """Meter what runs already."""
    command = [*LIGHTNING_CARBON, "run", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_a_process_that_runs_already_is_metered_until_it_ends(ledger: Path) -> None:
    """With what it does by itself, without a word on its end, and without being touched."""
    script = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ninput()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        metering = subprocess.Popen(
            [*LIGHTNING_CARBON, "run", "--pid", str(process.pid)], stderr=subprocess.PIPE, text=True
        )
        while not list(ledger.rglob("rank-00000.jsonl")):
            assert metering.poll() is None
        process.communicate(b"\n")
        said = metering.communicate(timeout=PATIENCE)[1]
    (record,) = records(ledger)

    assert (0, 0) == (process.returncode, metering.returncode)
    assert "completed" == record["status"]
    assert f"process {process.pid} ({Path(sys.executable).name})" == record["subject"]
    assert f"of project default, metering {record['subject']}: completed after" in said
    assert "no longer metered" not in said
    assert not [domain["lost"] for domain in record["energy"]["domains"] if domain["lost"]]


def test_the_machine_is_metered_for_a_time(ledger: Path) -> None:
    """As a whole; the record says so."""
    done = attached("--machine", "--for", "0.2s")
    (record,) = records(ledger)

    assert 0 == done.returncode
    assert ("completed", "the whole machine") == (record["status"], record["subject"])
    assert any("of the machine" in domain["method"] for domain in record["energy"]["domains"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pid", "999999999"], "--pid 999999999 cannot be used: give the number of a process that runs"),
        (
            ["--pid", "1", "--machine"],
            "command='--pid and --machine' cannot be used: give a program after --, or --pid",
        ),
        (["--machine", "--for", "soon"], "--for soon cannot be used: give a time such as 90s, 10m or 1h30m"),
        (["--for", "3s", "true"], "--for 3s cannot be used: a program is metered until it ends"),
        ([], "command='' cannot be used: give a program after --, or --pid PID, or --machine"),
    ],
)
def test_what_cannot_be_metered_is_refused(ledger: Path, options: list[str], said: str) -> None:
    """With the fix, before anything is written."""
    done = CliRunner().invoke(app, ["run", *options])

    assert 2 == done.exit_code
    assert said in done.output
    assert [] == records(ledger)


def test_a_signal_that_the_program_sends_to_its_group_does_not_come_back(ledger: Path) -> None:
    """A launcher that ends its workers by its group hears its own signal once."""
    script = (
        "import os, signal, time\n"
        "heard = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: heard.append(1))\n"
        "os.killpg(0, signal.SIGTERM)\n"
        "time.sleep(0.5)\n"
        "print(len(heard))\n"
    )
    done = metered(sys.executable, "-c", script, start_new_session=True)

    assert (0, b"1\n") == (done.returncode, done.stdout)
    assert ["completed"] == [record["status"] for record in records(ledger)]


COUNTS_CTRL_C = (
    "import os, signal, sys, time\n"
    "heard = []\n"
    "signal.signal(signal.SIGINT, lambda *_: heard.append(1))\n"
    "print('tty', *(os.isatty(stream) for stream in range(3)), flush=True)\n"
    "end = time.monotonic() + 30\n"
    "while not heard and time.monotonic() < end:\n"
    "    time.sleep(0.01)\n"
    "time.sleep(0.5)\n"
    "print('heard', len(heard), flush=True)\n"
    "sys.exit(9)\n"
)
ON_TERMINAL = (
    "import fcntl, os, sys, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\nos.execvp(sys.argv[1], sys.argv[1:])\n"
)


def until(controller: int, text: str) -> str:
    """Read from a terminal until a text has come."""
    seen, end = "", time.monotonic() + PATIENCE
    while text not in seen and time.monotonic() < end:
        if select.select([controller], [], [], 0.1)[0]:
            seen += os.read(controller, 4096).decode(errors="replace")
    return seen


def test_ctrl_c_on_the_terminal_reaches_the_program_once(ledger: Path) -> None:
    """The program has the terminal itself, hears Ctrl-C one time, and the meter outlives it to write the record."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-c", ON_TERMINAL, *LIGHTNING_CARBON, "run", "--quiet", "--"]
    process = subprocess.Popen(
        [*command, sys.executable, "-c", COUNTS_CTRL_C],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        assert "tty True True True" in until(controller, "tty True True True")
        os.write(controller, b"\x03")
        assert "heard 1\r\n" in until(controller, "heard 1\r\n")
        assert 9 == process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(controller)

    assert ["failed"] == [record["status"] for record in records(ledger)]


def test_what_the_program_computes_is_charged_to_the_run(ledger: Path) -> None:
    """The model of the host counts the processor time of the program and of its children."""
    burn = "import os, time\nwhile sum(os.times()[:2]) < {}: pass\nprint(sum(os.times()[:2]))\n"
    python = shlex.quote(sys.executable)
    script = f"{python} -c '{burn.format(0.3)}'; {python} -c '{burn.format(0.4)}'"
    done = metered("sh", "-c", script)
    (package,) = [domain for domain in records(ledger)[0]["energy"]["domains"] if domain["kind"] == "package"]
    watts = float(re.findall(r"× ([\d.]+) W ", package["method"])[0])
    seconds = [float(figure) for figure in done.stdout.split()]

    assert 2 == len(seconds)
    assert package["joules"] == pytest.approx(watts * sum(seconds), rel=0.3)


def test_a_child_that_was_reaped_counts_at_the_next_reading() -> None:
    """However soon after the last look it comes: it may be the last reading of the run."""
    tree = ProcessTree(now_seconds=lambda: 0.0)
    before = [tree.cpu_seconds(), tree.cpu_seconds()]
    subprocess.run([sys.executable, "-c", "import os\nwhile sum(os.times()[:2]) < 0.2: pass"], check=True)

    assert before[0] == before[1] < 0.1
    assert tree.cpu_seconds() >= 0.15


def test_a_reader_that_is_gone_does_not_change_the_exit_code(ledger: Path) -> None:
    """When nobody reads the summary any more, the code is still the program's."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*LIGHTNING_CARBON, "run", "--", "sh", "-c", "exit 4"], stderr=writer, check=False, timeout=PATIENCE
        )
    finally:
        os.close(writer)

    assert 4 == done.returncode
    assert ["failed"] == [record["status"] for record in records(ledger)]


def test_ends_the_same_by_its_script_and_by_its_module() -> None:
    """``lightning-carbon`` and ``python -m lightning_carbon`` are one."""
    script = Path(sys.executable).with_name("lightning-carbon")
    if not script.exists():
        pytest.skip("the package is not installed beside this interpreter")
    said = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        for command in ([str(script)], LIGHTNING_CARBON)
    ]

    assert said[0] == said[1]
    assert said[0].startswith("lightning-carbon ")


def test_neither_rich_nor_typer_load_with_the_package() -> None:
    """Only the command line pays for them, and only once it runs."""
    script = "import sys, lightning_carbon.wiring, lightning_carbon.cli; print({'rich', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE)

    assert "set()\n" == done.stdout


def examined(*options: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The doctor's JSON; its exit code must agree."""
    command = [*LIGHTNING_CARBON, "doctor", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=PATIENCE)
    report: dict[str, Any] = json.loads(done.stdout)
    assert (0 if report["usable"] else 1, "") == (done.returncode, done.stderr)
    return report


class Feeding(threading.Thread):
    """Raises the count of a zone in place, without a moment at which it reads as nothing."""

    def __init__(self, zone: Zone) -> None:
        super().__init__(daemon=True)
        self._file = zone.path / "energy_uj"
        self.over = threading.Event()

    def run(self) -> None:
        """Add a joule every 20 ms."""
        count = 1_000_000_000
        with self._file.open("r+b", buffering=0) as file:
            while not self.over.wait(0.02):
                count += 1_000_000
                os.pwrite(file.fileno(), f"{count}\n".encode(), 0)


@pytest.fixture
def fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A powercap tree with a package that counts, and memory that does not."""
    tree = PowercapTree(tmp_path / "machine")
    package = tree.add("intel-rapl:0", "package-0")
    tree.add("intel-rapl:0:0", "dram")
    monkeypatch.setenv("LIGHTNING_CARBON_POWERCAP_ROOT", str(tree.root))
    feeding = Feeding(package)
    feeding.start()
    yield
    feeding.over.set()
    feeding.join()


@pytest.mark.usefixtures("fed")
def test_the_doctor_tells_a_counter_that_moves_from_one_that_stands_still() -> None:
    """Both can be read; of the one that moves tick and power are known, of the other that it does not move."""
    counters = {row["domain"]: row for row in examined()["sources"] if row["source"] == "rapl"}
    package, dram = counters["package:0"], counters["dram:0"]

    assert ("usable", "still") == (package["verdict"], dram["verdict"])
    assert min(package["moves"], package["tick_seconds"], package["watts"], package["read_seconds"]) > 0
    assert (0, None, None) == (dram["moves"], dram["tick_seconds"], dram["watts"])
    assert "did not move" in dram["reason"]
    assert ("counter", "counter") == (package["provenance"], package["port"])
    # The tree is played, the make of the processor is this machine's.
    is_computed = describe_cpu().get("vendor_id") in {"AuthenticAMD", "HygonGenuine"}
    expected = rapl.MODELLED_RATIO if is_computed else rapl.UNCERTAINTY_RATIOS[Kind.PACKAGE]
    assert expected == package["uncertainty_ratio"]


@pytest.mark.usefixtures("ledger")
def test_the_doctor_says_what_is_not_there_and_what_would_help() -> None:
    """Without RAPL its reason is told, and the model is there in its stead, labelled so."""
    sources = {source["source"]: source for source in examined("--seconds", "0.1")["sources"]}

    assert ("unusable", None) == (sources["rapl"]["verdict"], sources["rapl"]["provenance"])
    assert "no such folder" in sources["rapl"]["reason"]
    assert ("usable", "modelled") == (sources["host_model"]["verdict"], sources["host_model"]["provenance"])


def test_the_doctor_says_where_each_setting_is_from(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option wins over its variable, a variable over the default; the ledger is not made by looking at it."""
    before = examined("--seconds", "0.1")
    monkeypatch.setenv("LIGHTNING_CARBON_REGION", "FR")
    monkeypatch.setenv("LIGHTNING_CARBON_PUE", "1.2")
    by_variable = examined("--seconds", "0.1")
    by_option = examined("--seconds", "0.1", "--region", "SE", "--pue", "1.1", "--devices", "all")

    assert [("WORLD", "assumed"), ("FR", "LIGHTNING_CARBON_REGION"), ("SE", "--region")] == [
        (examination["region"]["region"], examination["region"]["from"])
        for examination in (before, by_variable, by_option)
    ]
    assert [(1.54, "assumed"), (1.2, "LIGHTNING_CARBON_PUE"), (1.1, "--pue")] == [
        (examination["pue"]["value"], examination["pue"]["from"]) for examination in (before, by_variable, by_option)
    ]
    assert [("auto", "default"), ("all", "--devices")] == [
        (examination["devices"]["setting"], examination["devices"]["from"]) for examination in (before, by_option)
    ]
    assert {"folder": str(ledger), "from": "LIGHTNING_CARBON_LEDGER", "writable": True, "trouble": ""} == before[
        "ledger"
    ]
    assert not ledger.exists()


@pytest.mark.usefixtures("ledger")
def test_the_doctor_reports_a_ledger_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a finding, not an error: the rest is told all the same."""
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", "/dev/null/ledger")
    ledger = examined("--seconds", "0.1")["ledger"]

    assert ("/dev/null/ledger", False) == (ledger["folder"], ledger["writable"])
    assert "set LIGHTNING_CARBON_LEDGER" in ledger["trouble"]


FOUR = Scenario.of(Gpu(), Gpu(tick_ns=100_000_000), Gpu(handle_code=NO_PERMISSION), Gpu(name="NVIDIA A100-SXM4-40GB"))


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [0, 1, None, 2]),
        ("1,0", [1, 0, None, None]),
        ("2", [None, None, None, 0]),
        (f"{gpu_uuid(1)},{gpu_uuid(3)[:10]}", [None, 0, None, 1]),
        ("", [None] * 4),
        ("-1", [None] * 4),
        ("0,0", [None] * 4),
        ("1,-1,0", [None, 0, None, None]),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_the_doctor_shows_what_cuda_would_see(
    nvml_standin: Standin, visible: str | None, expected: list[int | None]
) -> None:
    """Every GPU is listed, with the index that torch would give it; those and no others are metered."""
    env = nvml_standin.environment(FOUR)
    env.pop("CUDA_VISIBLE_DEVICES", None)
    if visible is not None:
        env["CUDA_VISIBLE_DEVICES"] = visible
    report = examined("--seconds", "0.1", env=env)
    devices = report["devices"]
    metered_uuids = {source["domain"].removeprefix("gpu:") for source in report["sources"] if source["kind"] == "gpu"}

    assert visible == devices["cuda_visible_devices"]
    assert expected == [device["cuda_index"] for device in devices["found"]]
    assert [index is not None for index in expected] == [device["metered"] for device in devices["found"]]
    assert metered_uuids == {device["uuid"] for device in devices["found"] if device["metered"]}
    assert ["", "", "Insufficient Permissions", ""] == [device["trouble"] for device in devices["found"]]


@pytest.mark.usefixtures("ledger")
def test_the_doctor_measures_the_tick_of_each_gpu(nvml_standin: Standin) -> None:
    """A counter that jumps every 100 ms beside one that runs on."""
    scenario = Scenario.of(Gpu(tick_ns=100_000_000, watts=250.0), Gpu(watts=400.0))
    env = {**nvml_standin.environment(scenario), "CUDA_VISIBLE_DEVICES": "0,1"}
    jumping, running = (source for source in examined(env=env)["sources"] if source["kind"] == "gpu")

    assert jumping["tick_seconds"] == pytest.approx(0.1, rel=0.3)
    assert jumping["watts"] == pytest.approx(250, rel=0.3)
    assert running["watts"] == pytest.approx(400, rel=0.3)
    assert (True, "counter") == (running["moves"] > 0, running["provenance"])
    assert running["uncertainty_ratio"] == max(running["accuracy"]["below_ratio"], running["accuracy"]["above_ratio"])


@pytest.mark.usefixtures("ledger")
def test_the_doctor_lists_mig_slices_below_their_gpu(nvml_standin: Standin) -> None:
    """A slice that is visible is metered, modelled, and its GPU is not."""
    uuid = "MIG-11111111-c0de-4b1d-9e1f-000000000001"
    scenario = Scenario.of(Gpu(mig_enabled=True, slices=(Slice(uuid=uuid),)))
    report = examined("--seconds", "0.1", env={**nvml_standin.environment(scenario), "CUDA_VISIBLE_DEVICES": uuid})

    assert [("gpu", None, False), ("mig", 0, True)] == [
        (device["kind"], device["cuda_index"], device["metered"]) for device in report["devices"]["found"]
    ]
    assert ["modelled"] == [source["provenance"] for source in report["sources"] if source["kind"] == "gpu"]


@pytest.mark.usefixtures("ledger")
def test_a_device_that_is_not_there_is_one_line(nvml_standin: Standin) -> None:
    """Doctor and run both say which index, and how many there are."""
    env = {**nvml_standin.environment(FOUR), "CUDA_VISIBLE_DEVICES": "0,1"}
    for words in (["doctor"], ["run", "--devices", "7", "true"]):
        command = [*LIGHTNING_CARBON, *words, *(["--devices", "7"] if words == ["doctor"] else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=PATIENCE)

        assert (2, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
        assert "--devices 7 cannot be used: there is no GPU 7: 2 visible" in done.stderr


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.usefixtures("ledger")
def test_the_doctor_fits_the_terminal(nvml_standin: Standin, columns: str) -> None:
    """No line but a fix is wider than the terminal, whatever the machine is called."""
    env = {**nvml_standin.environment(FOUR), "COLUMNS": columns}
    command = [*LIGHTNING_CARBON, "doctor", "--seconds", "0.1", "--devices", "all"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, timeout=PATIENCE)

    assert "GPU-1a5e1e00-c0de-4b1d-9e1f-000000000001" in done.stdout
    assert not [line for line in done.stdout.splitlines() if len(line) > int(columns) and "fix: " not in line]


def test_a_console_that_knows_only_ascii_is_no_trouble(ledger: Path) -> None:
    """Signs that it lacks become question marks; nothing is raised."""
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*LIGHTNING_CARBON, "doctor", "--seconds", "0.1"], capture_output=True, check=False, env=env, timeout=PATIENCE
    )
    summary = metered("true", env=env)

    assert (0, 0) == (done.returncode, summary.returncode)
    assert (b"", True) == (done.stderr, done.stdout.isascii())
    assert str(ledger).encode() in summary.stderr


def test_the_command_line_starts_without_what_commands_need() -> None:
    """Libraries that draw, and the rooms of the meter, are loaded by the command that needs them."""
    heavy = (
        *("rich.console", "matplotlib", "jinja2", "httpx", "sqlalchemy", "pyarrow", "sqlite3"),
        *("lightning_carbon.wiring", "lightning_carbon.measuring", "lightning_carbon.records.run"),
    )
    code = f"import sys, lightning_carbon.cli.app; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "[]\n" == told.stdout
