"""What each tracker holds of a run, read back by its own library or from its own files."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTION = "lightning_carbon"


@dataclass
class Held:
    """What a tracker holds of a run.

    Args:
        values: Numbers and texts of the whole run, by name; of a metric the value that is shown for the run.
        settings: What it was metered with.
        record: The record that lies there; ``None`` without one.
        images: How many figures lie there.
    """

    values: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] | None = None
    images: int = 0


def read_wandb(folder: Path, run: Any) -> Held:  # noqa: ANN401 - a run of wandb
    """The summary and the configuration as wandb tells them; files as they wait to be sent."""
    values = {
        name: getattr(value, "_as_dict", lambda value=value: value)() for name, value in dict(run.summary).items()
    }
    run.finish()
    # An artifact is copied to where it is sent from.
    [artifact] = [path for path in (folder / "artifacts").rglob("*") if path.is_file()]
    images = list(folder.glob("wandb/**/media/images/power/over_time*.png"))
    return Held(values, dict(run.config[SECTION]), json.loads(artifact.read_text()), len(images))


def read_mlflow(folder: Path, run_id: str) -> Held:
    """What the client of MLflow tells."""
    import mlflow

    client = mlflow.MlflowClient()
    data = client.get_run(run_id).data
    files = {file.path: file for file in client.list_artifacts(run_id, SECTION)}
    record = client.download_artifacts(run_id, f"{SECTION}/record.json", str(folder))
    settings = {name.split("/")[1]: value for name, value in data.params.items() if name.startswith(SECTION)}
    return Held(
        {**data.metrics, **data.tags},
        settings,
        json.loads(Path(record).read_text()),
        sum(path.endswith(".png") for path in files),
    )


def read_comet(folder: Path) -> Held:
    """The archive that Comet would send."""
    [archive] = folder.glob("*.zip")
    held = Held()
    with zipfile.ZipFile(archive) as files:
        for line in files.read("messages.json").decode().splitlines():
            message = json.loads(line)
            kind, payload = message["type"], message["payload"]
            if kind == "log_other":
                held.values[payload["key"]] = payload["value"]
            elif kind == "metric_msg":
                held.values[payload["metric"]["metricName"]] = payload["metric"]["metricValue"]
            elif kind == "parameter_msg" and payload.get("param", {}).get("paramName", "").startswith(SECTION):
                name = payload["param"]["paramName"].removeprefix(f"{SECTION}_")
                held.settings[name] = payload["param"]["paramValue"]
            elif kind == "file_upload":
                names = payload["additional_params"]
                name = names.get("fileName") or names.get("figName") or ""
                if name == f"{SECTION}/record.json":
                    held.record = json.loads(files.read(Path(payload["file_path"]).name))
                held.images += name.startswith("power/over_time")
    return held


def read_trackio(folder: Path, project: str) -> Held:
    """The database and the folders of trackio."""
    from trackio.sqlite_storage import SQLiteStorage

    [run] = SQLiteStorage.get_runs(project)
    values: dict[str, Any] = {}
    for log in SQLiteStorage.get_logs(project, run):
        values.update({name: value for name, value in log.items() if value is not None})
    config = SQLiteStorage.get_run_config(project, run)
    [blob] = [path for path in folder.glob("trackio/artifacts/**/sha256/**/*") if path.is_file()]
    images = list(folder.glob("trackio/media/**/*.png"))
    assert config is not None
    return Held(values, config[SECTION], json.loads(blob.read_text()), len(images))


def read_clearml(folder: Path) -> Held:
    """The folder that ClearML would send."""
    [archive] = folder.rglob("offline-*.zip")
    held = Held()
    with zipfile.ZipFile(archive) as files:
        names = files.namelist()
        for line in files.read("metrics.jsonl").decode().splitlines():
            for event in json.loads(line):
                if event["type"] == "training_stats_scalar":
                    name = event["variant"] if event["metric"] == "Summary" else f"{event['metric']}/{event['variant']}"
                    held.values[name] = event["value"]
        task = json.loads(files.read("task.json"))
        configuration = task["configuration"][SECTION]["value"]
        [record] = [name for name in names if name.endswith("record/record.json")]
        held.record = json.loads(files.read(record))
        held.images = sum("over_time" in name and name.endswith((".png", ".jpeg")) for name in names)
    pairs = dict(line.split(" = ", 1) for line in configuration.splitlines() if " = " in line)
    pairs = {name.strip().strip('"'): value.strip().strip('"') for name, value in pairs.items()}
    held.settings = {name: value for name, value in pairs.items() if "/" not in name}
    held.values |= {name: value for name, value in pairs.items() if "/" in name}
    return held


def read_aim(folder: Path, run_hash: str) -> Held:
    """What Aim tells of the run, opened again."""
    import aim
    from aim.storage.context import Context

    quiet = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
    run = aim.Run(run_hash, repo=str(folder), **quiet)
    told = dict(run[SECTION])
    settings, record = told.pop("settings"), told.pop("record")
    shown = {metric.name: metric.values.last()[1] for metric in run.metrics()}
    images = run.get_image_sequence("power/over_time", Context({}))
    return Held({**shown, **told}, settings, json.loads(record), 0 if images is None else len(images.values))
