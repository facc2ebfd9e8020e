"""The runs of a team in one database, through SQLAlchemy: PostgreSQL, or whichever of its databases there is.

Ledgers stay the truth. Pushing a run again changes nothing, unless the ledger knows more of it by now; several hosts
may push at once. A password in a URL is never part of a message.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import contextmanager
from dataclasses import asdict, astuple
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.address import masked, without_password
from lightning_carbon.ledger.causes import cause_parts_of
from lightning_carbon.ledger.facts import facts_of
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.filters import unknown_project
from lightning_carbon.ledger.sums import ALL, Addition, Tables, condition, divided
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.overlaps import Counted, Overlap, counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Engine, Table

    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.ledger.filters import RunFilter
    from lightning_carbon.records.run import RunRecord

VERSION: Final = 3
"""The version of the tables: those of an earlier version are brought up to it, those of a later are not touched."""
_SINCE_2: Final = ("boundary", "priced_joules", "priced_low_joules", "priced_high_joules")
"""The columns that version 2 added to the table of runs."""
CONNECT_SECONDS: Final = 10
"""How long a database may take to answer."""
_BATCH: Final = 200
"""The number of runs in a transaction."""
_TRIES: Final = 5
"""How often a transaction is tried that other pushers get in the way of."""
_NAME: Final = 255
_TABLES: Final = Tables("lightning_carbon_runs", "lightning_carbon_portions", "lightning_carbon_causes")
_POSTGRES: Final = {"postgres", "postgresql"}
_UNSAID: Final = logging.NullHandler()
"""Takes what the driver says of errors that it passes on as well: they are told here, or met by another try."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a push.

    Args:
        new: The number of runs that the database did not have, or had less of.
        known: The number of runs that it had already.
    """

    new: int
    known: int


class Team:
    """The database of a team.

    Args:
        url: Its address, as SQLAlchemy writes it, such as ``postgresql://me@db.example/energy``.
        argument: The name of the option that it was given by.
    """

    def __init__(self, url: str, argument: str) -> None:
        self._argument = argument
        self._shown = without_password(url)
        self._engine = self._open(url)
        self._runs, self._portions, self._causes, self._schema = _tables()

    def push(self, records: Iterable[RunRecord]) -> Pushed:
        """Put runs into the database, some hundred in a transaction.

        Raises:
            ConfigError: It cannot be reached, or has tables of a later version.
        """
        with self._told():
            self._make_tables()
            new = known = 0
            source = iter(records)
            while batch := [*islice(source, _BATCH)]:
                written = self._write({(record.project, record.run_id): record for record in batch})
                new, known = new + written, known + len(batch) - written
        return Pushed(new, known)

    def sums(self, wanted: RunFilter, way: str = ALL) -> Addition:
        """Sums over the runs of the team.

        Args:
            wanted: The filters; tags and names of sweeps are not known here.
            way: How the sum is divided.

        Raises:
            ConfigError: The database cannot be reached, has no runs or tables of a later version, or no such project.
        """
        from sqlalchemy import text

        with self._told(), self._engine.connect() as connection:
            self._check_version(connection)
            if wanted.project is not None:
                projects = connection.execute(text(f"SELECT DISTINCT project FROM {_TABLES.runs} ORDER BY 1"))  # noqa: S608 - our table
                names = [str(row[0]) for row in projects]
                if wanted.project not in names:
                    raise unknown_project(wanted.project, names, self._shown)

            def ask(query: str, values: dict[str, object]) -> Sequence[Any]:
                return connection.execute(text(query), values).all()

            parts, whole = divided(ask, wanted, way, tables=_TABLES)
            return Addition(parts, whole, counted_twice(self._sharing(connection, wanted)))

    def _sharing(self, connection: Connection, wanted: RunFilter) -> list[Counted]:
        """The runs of a sum, where any of them metered the same hardware as another."""
        from sqlalchemy import text

        where, values = condition(wanted, _TABLES)
        query = f"SELECT run_id, project, shared FROM {_TABLES.runs} AS runs WHERE {where}"  # noqa: S608 - no text of a user
        sharing = connection.execute(text(f"{query} AND shared IS NOT NULL"), values).all()
        if not sharing:
            return []
        others = connection.execute(text(f"{query} AND shared IS NULL"), values)
        return [
            *(Counted(row[0], row[1], tuple(Overlap(*overlap) for overlap in json.loads(row[2]))) for row in sharing),
            *(Counted(row[0], row[1], ()) for row in others),
        ]

    def _open(self, url: str) -> Engine:
        try:
            import sqlalchemy as sa
        except ImportError:
            fix = "SQLAlchemy, which speaks to databases, is not there; pip install 'lightning-carbon[team]'."
            raise ConfigError(self._argument, self._shown, fix) from None
        try:
            address = sa.make_url(url)
            if address.drivername in _POSTGRES:
                address = address.set(drivername="postgresql+psycopg")
                logging.getLogger("psycopg").addHandler(_UNSAID)
            name = address.get_backend_name()
            arguments = {"postgresql": {"connect_timeout": CONNECT_SECONDS}, "sqlite": {"timeout": CONNECT_SECONDS}}
            return sa.create_engine(address, connect_args=arguments.get(name, {}), hide_parameters=True)
        except ImportError as error:
            fix = f"the driver of this database is not there ({error.name}); pip install 'lightning-carbon[team]'."
            raise ConfigError(self._argument, self._shown, fix) from None
        except (sa.exc.ArgumentError, ValueError):
            fix = "it is no address of a database; give such as postgresql://me@db.example/energy or sqlite:///team.db."
            raise ConfigError(self._argument, self._shown, fix) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what a database says into one line.

        Raises:
            ConfigError: The database said something.
        """
        import sqlalchemy as sa

        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines() or ["no reason given"]
            reason = masked(said[0], self._engine.url.password)
            fix = f"the database cannot be used: {reason}."
            raise ConfigError(self._argument, self._shown, fix) from None
        finally:
            self._engine.dispose()

    def _make_tables(self) -> None:
        """Make the tables where they are missing; several pushers may do so at once."""
        import sqlalchemy as sa

        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    self._runs.metadata.create_all(connection)
                    if connection.execute(sa.select(self._schema.c.version)).first() is None:
                        connection.execute(self._schema.insert().values(id=1, version=VERSION))
                    self._bring_up(connection)
                break
            except sa.exc.DBAPIError:
                if attempt == _TRIES - 1:
                    raise
        with self._engine.connect() as connection:
            self._check_version(connection)

    def _bring_up(self, connection: Connection) -> None:
        """Bring tables of earlier versions up to this version: what is new comes from the records in them."""
        import sqlalchemy as sa

        runs = self._runs
        found = connection.execute(sa.select(self._schema.c.version).with_for_update()).scalar()
        if found not in {1, 2}:
            return
        for name in _SINCE_2 if found == 1 else ():
            kind = runs.c[name].type.compile(connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {_TABLES.runs} ADD COLUMN {name} {kind}"))
        at = (runs.c.project == sa.bindparam("of_project")) & (runs.c.run_id == sa.bindparam("of_run"))
        keys = connection.execute(sa.select(runs.c.project, runs.c.run_id)).all()
        for project, run_id in keys:
            stored = sa.select(runs.c.record).where((runs.c.project == project) & (runs.c.run_id == run_id))
            record = from_mapping(json.loads(connection.execute(stored).scalar_one()))
            facts = facts_of(record)
            values = {name: getattr(facts, name) for name in _SINCE_2}
            connection.execute(runs.update().where(at).values(values), {"of_project": project, "of_run": run_id})
            if causes := [*_caused_in(record)]:
                connection.execute(self._causes.insert(), causes)
        connection.execute(self._schema.update().values(version=VERSION))

    def _check_version(self, connection: Connection) -> None:
        """Refuse a database without runs, or with tables of another version.

        Raises:
            ConfigError: It is such a database.
        """
        import sqlalchemy as sa

        found = None
        if sa.inspect(connection).has_table(self._schema.name):
            found = connection.execute(sa.select(self._schema.c.version)).scalar()
        if found is None:
            fix = "it has no runs yet; `lightning-carbon runs push --to` puts them there."
            raise ConfigError(self._argument, self._shown, fix)
        if int(found) < VERSION:
            fix = f"its tables have version {found}; `lightning-carbon runs push --to` brings them up to {VERSION}."
            raise ConfigError(self._argument, self._shown, fix)
        if int(found) > VERSION:
            fix = f"its tables have version {found}, and this version knows up to {VERSION}: upgrade lightning-carbon."
            raise ConfigError(self._argument, self._shown, fix)

    def _write(self, records: dict[tuple[str, str], RunRecord]) -> int:
        """Write some runs in a transaction, tried again where another pusher is in the way.

        Returns:
            The number of runs that the database did not have, or had less of.
        """
        import sqlalchemy as sa

        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    return self._replace(connection, records)
            except (sa.exc.IntegrityError, sa.exc.OperationalError):
                if attempt == _TRIES - 1:
                    raise
        return 0

    def _replace(self, connection: Connection, records: dict[tuple[str, str], RunRecord]) -> int:
        import sqlalchemy as sa

        runs, portions, causes = self._runs, self._portions, self._causes
        keys = sa.tuple_(runs.c.project, runs.c.run_id).in_([*records])
        columns = (runs.c.project, runs.c.run_id, runs.c.digest, runs.c.status, runs.c.reported_ranks)
        known = {(row[0], row[1]): row[2:] for row in connection.execute(sa.select(*columns).where(keys))}
        rows = {key: _row(record) for key, record in sorted(records.items())}
        rows = {key: row for key, row in rows.items() if key not in known or _is_news(row, known[key])}
        if rows:
            for table in (runs, portions, causes):
                connection.execute(table.delete().where(sa.tuple_(table.c.project, table.c.run_id).in_([*rows])))
            connection.execute(runs.insert(), [*rows.values()])
            connection.execute(portions.insert(), [held for key in rows for held in _held_by(facts_of(records[key]))])
            if caused := [part for key in rows for part in _caused_in(records[key])]:
                connection.execute(causes.insert(), caused)
        return len(rows)


def _is_news(row: dict[str, Any], known: Sequence[Any]) -> bool:
    """Whether a row says something else than the database, and no less: no run goes on again, or loses ranks."""
    digest, status, ranks = known
    goes_on = row["status"] == Status.RUNNING and status != Status.RUNNING
    return bool(row["digest"] != digest and not goes_on and row["reported_ranks"] >= ranks)


_PLAIN: Final = (
    *("project", "run_id", "run_name", "status", "started_at", "ended_at", "duration_seconds", "steps", "samples"),
    *("tokens", "world_size", "reported_ranks", "model", "joules", "measured_joules", "low_joules", "high_joules"),
    *_SINCE_2,
    *("grams_co2e", "low_grams_co2e", "high_grams_co2e"),
)


def _row(record: RunRecord) -> dict[str, Any]:
    facts, whole = facts_of(record), to_json(to_mapping(record))
    shared = None
    if facts.overlaps:
        shared = json.dumps([astuple(overlap) for overlap in facts.overlaps])
    return {
        **{name: _storable(getattr(facts, name)) for name in _PLAIN},
        "folder": facts.run_id,
        "shared": shared,
        "digest": hashlib.sha256(whole.encode()).hexdigest(),
        "record": whole,
    }


def _storable(value: Any) -> Any:  # noqa: ANN401 - whatever a fact is
    """A value that any database stores; PostgreSQL has no text with a zero byte."""
    return value.replace("\x00", " ") if isinstance(value, str) else value


def _held_by(facts: Facts) -> Iterator[dict[str, Any]]:
    for part, portions in (("host", facts.hosts), ("gpu", facts.gpus)):
        for portion in portions:
            yield {
                "project": facts.project,
                "run_id": facts.run_id,
                "folder": facts.run_id,
                "part": part,
                "name": _storable(portion.name),
                "joules": portion.joules,
            }


def _caused_in(record: RunRecord) -> Iterator[dict[str, Any]]:
    for part in cause_parts_of(record):
        place = {"project": record.project, "run_id": record.run_id, "folder": record.run_id}
        yield place | {name: _storable(value) for name, value in asdict(part).items()}


def _tables() -> Sequence[Table]:
    """The tables of runs, of their portions and causes of errors, and of the version of all."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    meta = sa.MetaData()
    name: sa.types.TypeEngine[Any] = sa.String(_NAME)
    figure: sa.types.TypeEngine[Any] = sa.Double()
    count: sa.types.TypeEngine[Any] = sa.BigInteger()
    # MySQL's plain TEXT ends at 64 KiB.
    long_text = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    kinds: dict[str, Any] = dict.fromkeys(_PLAIN, name)
    kinds |= {column: figure for column in _PLAIN if column.endswith(("joules", "seconds")) or "grams" in column}
    kinds |= dict.fromkeys(("steps", "samples", "tokens", "world_size", "reported_ranks"), count)
    kinds |= dict.fromkeys(("model", "run_name"), sa.Text())
    runs = sa.Table(
        _TABLES.runs,
        meta,
        *(
            sa.Column(column, kinds[column], primary_key=column in {"project", "run_id"}, autoincrement=False)
            for column in _PLAIN
        ),
        sa.Column("folder", name, nullable=False),
        sa.Column("shared", long_text),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("record", long_text, nullable=False),
    )
    portions = sa.Table(
        _TABLES.portions,
        meta,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("project", name, nullable=False),
        sa.Column("run_id", name, nullable=False),
        sa.Column("folder", name, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("joules", figure),
        sa.Index("lightning_carbon_portions_of", "project", "run_id"),
    )
    causes = sa.Table(
        _TABLES.causes,
        meta,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *(sa.Column(column, name, nullable=False) for column in ("project", "run_id", "folder")),
        sa.Column("cause", sa.Text(), nullable=False),
        *(sa.Column(column, figure) for column in ("below_joules", "above_joules", "below_grams", "above_grams")),
        sa.Index("lightning_carbon_causes_of", "project", "run_id"),
    )
    schema = sa.Table(
        "lightning_carbon_schema",
        meta,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    return runs, portions, causes, schema
