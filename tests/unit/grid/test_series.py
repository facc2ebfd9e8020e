"""The one reader of files with carbon intensities: what it recognises, mends, tells and refuses."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.carbon.series import IntensitySeries
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.series import read_series
from lightning_carbon.grid.stamps import ZoneMeaning, moment_of

DAY = datetime(2025, 1, 31, tzinfo=UTC).timestamp()
HOUR = 3600.0

ELECTRICITY_MAPS = """\
Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle)
2025-01-31 00:00:00,Germany,Germany,DE,380.5,420.25
2025-01-31 01:00:00,Germany,Germany,DE,370.0,410.75
"""
ELECTRICITY_MAPS_OF_2023 = """\
Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA)
2025-01-31 00:00:00,Germany,Germany,DE,380.5,420.25
2025-01-31 01:00:00,Germany,Germany,DE,370.0,410.75
"""
WATTTIME = """\
timestamp,MOER
2025-01-31 00:00:00+00:00,1000
2025-01-31 00:05:00+00:00,900
"""
WATTTIME_V3 = """\
point_time,value
2025-01-31T00:00:00+00:00,1000
2025-01-31T00:05:00+00:00,900
"""
NESO = """\
DATETIME,GAS,COAL,NUCLEAR,WIND,GENERATION,CARBON_INTENSITY,LOW_CARBON
2025-01-31T00:00:00,8382,0,6924,4000,24313,230,7000
2025-01-31T00:30:00,8400,0,6838,4000,24325,228,7000
"""
CARBON_INTENSITY_API = """\
Datetime (UTC),Actual Carbon Intensity (gCO2/kWh),Forecast Carbon Intensity (gCO2/kWh),Index
2025-01-31T00:00Z,230,235,high
2025-01-31T00:30Z,228,233,high
"""
ENTSOE_WIDE = (
    '"Area","MTU","Biomass  - Actual Aggregated [MW]","Fossil Gas  - Actual Aggregated [MW]",'
    '"Fossil Oil  - Actual Aggregated [MW]","Hydro Pumped Storage  - Actual Aggregated [MW]",'
    '"Hydro Pumped Storage  - Actual Consumption [MW]","Nuclear  - Actual Aggregated [MW]"'
    """
"Germany (DE)","31.01.2025 01:00 - 31.01.2025 02:00 (CET/CEST)","100","300","50","40","10","600"
"Germany (DE)","31.01.2025 02:00 - 31.01.2025 03:00 (CET/CEST)","100","n/e","0","-","10","900"
"""
)
ENTSOE_LONG = """\
"MTU (UTC)","Area","Production Type","Generation (MW)"
"31/01/2025 00:00:00 - 31/01/2025 01:00:00","BZN|DE-LU","Fossil Gas","400"
"31/01/2025 00:00:00 - 31/01/2025 01:00:00","BZN|DE-LU","Nuclear","600"
"31/01/2025 01:00:00 - 31/01/2025 02:00:00","BZN|DE-LU","Wind Onshore","10"
"""
POUND = 0.45359237


def series_in(folder: Path, text: str, name: str = "grid.csv") -> IntensitySeries:
    """The series of a file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_series(path)


def refusal_of(folder: Path, text: str) -> str:
    """Why a file with this text is refused."""
    with pytest.raises(ConfigError) as refused:
        series_in(folder, text)
    assert "intensity" == refused.value.argument
    assert str(folder / "grid.csv") == refused.value.value
    return refused.value.fix


@pytest.mark.parametrize(
    ("text", "name", "grams", "basis", "region"),
    [
        (ELECTRICITY_MAPS, "Electricity Maps", (420.25, 410.75), "life-cycle, consumption", "DE"),
        (ELECTRICITY_MAPS_OF_2023, "Electricity Maps", (420.25, 410.75), "life-cycle, consumption", "DE"),
        (WATTTIME, "WattTime", (1000 * POUND, 900 * POUND), "direct, marginal", ""),
        (WATTTIME_V3, "WattTime", (1000 * POUND, 900 * POUND), "direct, marginal", ""),
        (NESO, "NESO", (230.0, 228.0), "direct, consumption", ""),
        (CARBON_INTENSITY_API, "Carbon Intensity API, NESO", (230.0, 228.0), "direct, consumption", ""),
        (
            ENTSOE_WIDE,
            "ENTSO-E",
            ((100 * 230 + 300 * 490 + 600 * 12) / 1000, (100 * 230 + 900 * 12) / 1000),
            "life-cycle, generation",
            "Germany (DE)",
        ),
        (ENTSOE_LONG, "ENTSO-E", ((400 * 490 + 600 * 12) / 1000, 11.0), "life-cycle, generation", "BZN|DE-LU"),
    ],
)
def test_files_are_recognised_as_they_are_downloaded(
    tmp_path: Path, text: str, name: str, grams: tuple[float, ...], basis: str, region: str
) -> None:
    """Publisher, unit, zone and basis follow from the columns, and the first value begins at midnight UTC."""
    series = series_in(tmp_path, text)

    assert f"grid.csv ({name})" == series.source
    assert grams == pytest.approx(series.grams)
    assert (basis, region) == (series.basis, series.region)
    assert DAY == series.starts[0]
    assert ("marginal" if name == "WattTime" else "average") == series.signal


def test_generation_without_a_factor_is_told(tmp_path: Path) -> None:
    """Oil has no figure in the IPCC's table: its share is named, and storage is no generation."""
    notes = series_in(tmp_path, ENTSOE_WIDE).notes

    assert any(note.startswith("2.4 % of the generation (fossil oil) has no factor") for note in notes)


@pytest.mark.parametrize(
    ("head", "cell", "grams"),
    [
        ("timestamp,gCO2e/kWh", "41.4", 41.4),
        ("timestamp,kg_co2e_per_kwh", "0.0414", 41.4),
        ("timestamp,kgCO2/MWh", "41.4", 41.4),
        ("timestamp,tCO2/MWh", "0.0414", 41.4),
        ("timestamp,lbs/MWh", "100", 45.359237),
        ("timestamp;carbon_intensity", "41,4", 41.4),
        ("timestamp\tintensity", "41.4", 41.4),
        ("\ufefftimestamp,value", "41.4", 41.4),
    ],
)
def test_the_unit_is_that_of_the_column(tmp_path: Path, head: str, cell: str, grams: float) -> None:
    """kg/MWh is g/kWh, t/MWh is kg/kWh, and a column without a unit is in g/kWh."""
    separator = next(mark for mark in ",;\t" if mark in head)
    series = series_in(tmp_path, f"{head}\n2025-01-31T00:00Z{separator}{cell}\n")

    assert grams == pytest.approx(series.grams[0])


@settings(max_examples=40)
@given(
    offsets=st.lists(st.integers(-14 * 60, 14 * 60), min_size=1, max_size=10),
    order=st.randoms(use_true_random=False),
)
def test_zone_and_moment_shifted_together_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, offsets: list[int], order: object
) -> None:
    """Each row may be in a zone of its own, and the rows in any order."""
    rows = [
        f"{datetime.fromtimestamp(DAY + hour * HOUR, timezone(timedelta(minutes=minutes))).isoformat()},{hour + 10}"
        for hour, minutes in enumerate(offsets)
    ]
    order.shuffle(rows)  # type: ignore[attr-defined]  # a random.Random of Hypothesis
    series = series_in(tmp_path_factory.mktemp("zones"), "\n".join(["time,g/kWh", *rows]))

    assert tuple(DAY + hour * HOUR for hour in range(len(offsets))) == series.starts
    assert tuple(10.0 + hour for hour in range(len(offsets))) == series.grams


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """Rows out of order, repeated, without a value, and gaps: put in order or left out, and told."""
    series = series_in(
        tmp_path,
        "# a comment\ntime,g/kWh\n2025-01-31T02:00Z,3\n2025-01-31T00:00Z,1\n2025-01-31T01:00Z,2\n\n"
        "2025-01-31T01:00Z,2.0\n2025-01-31T03:00Z,\n2025-01-31T04:00Z,n/a\n2025-01-31T06:00Z,7\n",
    )

    assert (1.0, 2.0, 3.0, 7.0) == series.grams
    assert (
        "2 rows without a value left out",
        "1 row twice in the file, with the same value",
        "1 row out of order, put in order",
        "1 gap between rows",
    ) == series.notes


def test_daylight_saving_is_a_missing_and_a_double_hour(tmp_path: Path) -> None:
    """In Central European time spring leaves an hour out and autumn has one twice; no instant is lost or doubled."""
    rows = [
        ("30.03.2025 01:00", "2025-03-30T00:00Z"),
        ("30.03.2025 02:00", None),
        ("30.03.2025 03:00", "2025-03-30T01:00Z"),
        ("26.10.2025 02:00", "2025-10-26T00:00Z"),
        ("26.10.2025 02:00", "2025-10-26T01:00Z"),
        ("26.10.2025 03:00", "2025-10-26T02:00Z"),
    ]
    head = '"MTU","Nuclear  - Actual Aggregated [MW]"'
    series = series_in(tmp_path, "\n".join([head, *(f'"{text} - x","1"' for text, _ in rows)]))

    expected = tuple(datetime.fromisoformat(utc).timestamp() for _, utc in rows if utc)
    assert expected == series.starts
    assert "1 row of an hour that does not exist in spring left out" in series.notes
    assert expected[3] == moment_of("26/10/2025 02:00:00 (CET)", ZoneMeaning.CENTRAL_EUROPE)
    assert expected[2] == moment_of("26/10/2025 02:00:00 (CEST)", ZoneMeaning.CENTRAL_EUROPE)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no column of moments"),
        ("a,b\n1,2\n", "no column of moments among 'a', 'b'"),
        ("time,wind\n2025-01-31T00:00Z,2\n", "name one 'gCO2e/kWh'"),
        ("time,g/kWh,kg/kWh\n", "'g/kWh' and 'kg/kWh' may both be meant"),
        ("time,g/kWh\n", "no value"),
        ("time,g/kWh\n2025-01-31T00:00,40\n", "'2025-01-31T00:00' in line 2 has no zone; write it as 2025-01-31T13:00"),
        ("time,g/kWh\nnever,40\n", "'never' in line 2 is no moment"),
        ("time,g/kWh\n9999-12-31T00:00Z,40\n", "is no moment"),
        ("time,g/kWh\n2025-02-30 00:00Z,40\n", "is no moment"),
        ("time,g/kWh\n31.02.2025 00:00,40\n", "is no moment"),
        ("time,g/kWh\n2025-01-31T00:00Z\n", "line 2 has 1 cells, and needs 2"),
        ("time,g/kWh\n2025-01-31T00:00Z,-5\n", "line 2 has -5 gCO2e/kWh, below zero"),
        ("time,g/kWh\n2025-01-31T00:00Z,414000\n", "was 414 meant?"),
        ("time,g/kWh\n2025-01-31T00:00Z,inf\n", "'inf' in line 2 is no number"),
        ("time,g/kWh\n2025-01-31T00:00Z,many\n", "'many' in line 2 is no number"),
        ("time,value\n2025-01-31T00:00Z,0.4\n", "were 400 meant? Name the column 'kgCO2e/kWh'"),
        ("time,g/kWh\n2025-10-26T00:00Z,4\n2025-10-26T00:00Z,5\n", "4 (line 2) and 5 (line 3); leave one"),
        ("time,g/kWh,zone\n2025-01-31T00:00Z,4,DE\n2025-01-31T01:00Z,4,FR\n", "several zones (DE, FR)"),
        ('time,g/kWh\n2025-01-31T00:00Z,"' + "x" * 200_000, "it is no CSV"),
        ("time,g/kWh\n\0,\0\n", "is no moment"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(tmp_path: Path, text: str, part: str) -> None:
    """The message names what is wrong, where, and what would work."""
    assert part in refusal_of(tmp_path, text)


@pytest.mark.linux
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, a FIFO, a device, a file that is not there, and a sparse file without end are not read."""
    os.mkfifo(tmp_path / "fifo.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**36)
    for path, part in (
        (tmp_path, "it is no file"),
        (tmp_path / "fifo.csv", "it is no file"),
        (Path("/dev/zero"), "it is no file"),
        (tmp_path / "none.csv", "No such file"),
        (tmp_path / "huge.csv", "larger than 64 MiB"),
    ):
        with pytest.raises(ConfigError, match="intensity="):
            read_series(path)
        with pytest.raises(ConfigError) as refused:
            read_series(path)
        assert part in refused.value.fix


@settings(max_examples=60)
@given(data=st.binary(max_size=300) | st.text(alphabet='time,/gkWh\n0123456789-:TZ"', max_size=200).map(str.encode))
def test_no_file_of_any_bytes_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever stands in a file, there is a series or a refusal that names it."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    read = 0
    with suppress(ConfigError):
        read = len(read_series(path).grams)

    assert read >= 0


def test_parquet_is_read_where_there_is_pyarrow(tmp_path: Path) -> None:
    """Moments with a zone and numbers, as pandas writes them; what is no Parquet is refused."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    moments = [datetime(2025, 1, 31, hour, tzinfo=UTC) for hour in range(3)]
    table = pyarrow.table({"time": moments, "gCO2e/kWh": [1.5, None, 3.5]})
    parquet.write_table(table, tmp_path / "grid.parquet")
    series = read_series(tmp_path / "grid.parquet")

    assert (1.5, 3.5) == series.grams
    assert (DAY, DAY + 2 * HOUR) == series.starts
    (tmp_path / "no.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(ConfigError, match="it is no Parquet"):
        read_series(tmp_path / "no.parquet")


def test_seconds_and_milliseconds_since_1970_are_moments() -> None:
    """Numbers of either size name the same instant; other numbers name none."""
    assert DAY == moment_of(f"{DAY:.0f}", ZoneMeaning.NONE) == moment_of(f"{DAY * 1000:.0f}", ZoneMeaning.NONE)
    assert moment_of("123456789", ZoneMeaning.UTC) is None
    assert moment_of("31.12.1889 00:00", ZoneMeaning.CENTRAL_EUROPE) is None
