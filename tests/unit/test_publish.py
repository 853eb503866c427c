"""Publication: what each audience gets, what it never gets, and what readers see while it happens."""

import os
import stat
import subprocess
import sys
import textwrap
import time

import duckdb
import pytest

from dagster_project.lib import publish as publishing
from dagster_project.lib.publish import PublishError, publish, tables_for

SECRET = "Maeve Brannigan-Ashgrove"


def column(name, classification, description="what it is"):
    return {"name": name, "description": description, "config": {"meta": {"classification": classification}}}


def mart(schema, name, audiences, *columns):
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "tags": ["marts"],
        "patch_path": f"slt://models/marts/{schema}/{name}.yml",
        "description": f"About {name}; one row per 'thing'.",
        "config": {"meta": {"audiences": audiences}},
        "columns": {c["name"]: c for c in columns},
    }


def manifest(*nodes):
    return {"nodes": {f"model.slt.{node['name']}": node for node in nodes}}


TICKETS = mart(
    "slt",
    "fct_ticket",
    ["bi", "finance"],
    column("ticket_key", "public", "The ticket's key."),
    column("agent_name", "personal"),
    column("share", "public"),
)
PAYOUTS = mart(
    "finance",
    "rec_payout",
    ["finance"],
    column("employee_number", "personal"),
    column("payout_amount", "pay", "Amount in currency_code."),
)
INTERNAL = mart("core", "int_ticket", [], column("ticket_key", "public"))
MANIFEST = manifest(TICKETS, PAYOUTS, INTERNAL)


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema landing; create schema slt; create schema finance; create schema core;
            create table landing.run_context as
                select 'r1' as run_id, timestamp '2026-01-05 04:00:00' as started_at, timestamp '2026-01-05' as as_of_at
                union all select 'r0', timestamp '2026-01-04 04:00:00', timestamp '2026-01-04';
            create table landing.extract_batch as
                select 'b' || range as batch_id, 10::bigint as row_count, 1::bigint as rejected_count from range(3);
            create table slt.fct_ticket as
                select 'T' || range as ticket_key, '{SECRET}' as agent_name, 0.5::decimal(18, 6) as share
                from range(500);
            create table finance.rec_payout as
                select 'e1001' as employee_number, 12.34::decimal(18, 2) as payout_amount;
            create table core.int_ticket as select 'T1' as ticket_key;
            """
        )
    return path


@pytest.fixture
def published(tmp_path):
    return tmp_path / "published"


def read(path, sql):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_each_audience_gets_its_marts_and_columns_and_no_other(warehouse, published):
    for audience, expected in {
        "bi": [("slt", "fct_ticket", "share"), ("slt", "fct_ticket", "ticket_key")],
        "finance": [
            ("main", "rec_payout", "employee_number"),
            ("main", "rec_payout", "payout_amount"),
            ("slt", "fct_ticket", "agent_name"),
            ("slt", "fct_ticket", "share"),
            ("slt", "fct_ticket", "ticket_key"),
        ],
    }.items():
        done = publish(warehouse, published, MANIFEST, audience, "run-1")
        columns = read(
            done.path,
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_schema <> 'published' order by all",
        )
        assert columns == expected


def test_what_an_audience_may_not_see_is_not_in_the_bytes(warehouse, published):
    publish(warehouse, published, MANIFEST, "bi", "run-1")
    publish(warehouse, published, MANIFEST, "finance", "run-1")
    assert SECRET.encode() not in (published / "bi.duckdb").read_bytes()
    assert b"e1001" not in (published / "bi.duckdb").read_bytes()
    assert SECRET.encode() in (published / "finance.duckdb").read_bytes(), "the search itself must be able to find"


def test_a_column_that_becomes_personal_leaves_the_bytes_with_the_next_publication(warehouse, published):
    open_minded = manifest(
        mart("slt", "fct_ticket", ["bi"], column("ticket_key", "public"), column("agent_name", "public"))
    )
    publish(warehouse, published, open_minded, "bi", "run-1")
    assert SECRET.encode() in (published / "bi.duckdb").read_bytes()
    publish(warehouse, published, MANIFEST, "bi", "run-2")
    assert SECRET.encode() not in (published / "bi.duckdb").read_bytes()


def test_descriptions_and_types_travel(warehouse, published):
    done = publish(warehouse, published, MANIFEST, "bi", "run-1")
    assert read(done.path, "select comment from duckdb_tables() where table_name = 'fct_ticket'") == [
        ("About fct_ticket; one row per 'thing'.",)
    ]
    assert read(
        done.path,
        "select column_name, data_type, comment from duckdb_columns() where table_name = 'fct_ticket' order by all",
    ) == [("share", "DECIMAL(18,6)", "what it is"), ("ticket_key", "VARCHAR", "The ticket's key.")]


def test_a_file_says_what_it_was_built_from(warehouse, published):
    done = publish(warehouse, published, MANIFEST, "finance", "run-7")
    about = read(
        done.path,
        "select audience, publishing_run_id, warehouse_run_id, as_of_at::varchar, batch_count, landed_row_count, "
        "rejected_row_count, table_count, row_count from published.about",
    )
    assert about == [("finance", "run-7", "r1", "2026-01-05 00:00:00", 3, 30, 3, 2, 501)]
    assert read(done.path, "select schema_name, table_name, row_count from published.table_list order by all") == [
        ("main", "rec_payout", 1),
        ("slt", "fct_ticket", 500),
    ]


def test_a_mart_is_found_by_the_name_it_has_in_the_warehouse(warehouse, published):
    """finance.duckdb opens as the database finance: a schema finance in it would make this name ambiguous."""
    done = publish(warehouse, published, MANIFEST, "finance", "run-1")
    assert read(done.path, "select payout_amount::varchar from finance.rec_payout") == [("12.34",)]
    assert read(done.path, "select count(*) from slt.fct_ticket") == [(500,)]


def test_files_are_read_only_and_never_readable_by_others_while_they_grow(warehouse, published, monkeypatch):
    seen = []
    real_build = publishing._build

    def watched(building, *arguments):
        counts = real_build(building, *arguments)
        seen.append(stat.S_IMODE(building.stat().st_mode))
        return counts

    monkeypatch.setattr(publishing, "_build", watched)
    before = os.umask(0o022)
    try:
        done = publish(warehouse, published, MANIFEST, "bi", "run-1")
        assert os.umask(0o022) == 0o022, "the process keeps its own umask"
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o440
    assert sorted(path.name for path in published.iterdir()) == ["bi.duckdb"]


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (manifest(mart("slt", "fct_ticket", ["bi"], column("ticket_key", None))), "set meta.classification"),
        (
            manifest(mart("slt", "fct_ticket", ["bi"], column("ticket_key", "secret"))),
            "set meta.classification",
        ),
        (
            manifest(mart("slt", "fct_ticket", ["bi"], column("ticket_key", "pay"))),
            "none of its columns is public",
        ),
        (manifest(PAYOUTS), "no mart is meant for bi"),
        (manifest(mart("slt", "fct_gone", ["bi"], column("ticket_key", "public"))), "fct_gone"),
        (manifest(mart("slt", "fct_ticket", ["bi"], column("gone", "public"))), "gone"),
    ],
)
def test_a_publication_that_fails_leaves_the_earlier_file_and_nothing_else(warehouse, published, broken, complaint):
    done = publish(warehouse, published, MANIFEST, "bi", "run-1")
    earlier = done.path.read_bytes()
    with pytest.raises(PublishError, match=complaint):
        publish(warehouse, published, broken, "bi", "run-2")
    assert done.path.read_bytes() == earlier
    assert [path.name for path in published.iterdir()] == ["bi.duckdb"]


def test_a_killed_publication_leaves_the_earlier_file_and_the_next_one_cleans_up(warehouse, published):
    publish(warehouse, published, MANIFEST, "bi", "run-1")
    program = """
        import os, signal, sys
        from pathlib import Path
        from dagster_project.lib import publish as publishing
        from tests.unit.test_publish import MANIFEST
        publishing._sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)
        publishing.publish(Path(sys.argv[1]), Path(sys.argv[2]), MANIFEST, "bi", "run-2")
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(warehouse), str(published)], capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    assert len(list(published.iterdir())) == 2
    assert read(published / "bi.duckdb", "select publishing_run_id from published.about") == [("run-1",)]
    publish(warehouse, published, MANIFEST, "bi", "run-3")
    assert [path.name for path in published.iterdir()] == ["bi.duckdb"]


def test_an_unknown_audience():
    with pytest.raises(PublishError, match="no audience 'press'"):
        tables_for(MANIFEST, "press")


READ_ON_AND_ON = """
    import sys, time
    import duckdb
    path, stop = sys.argv[1], sys.argv[2]
    from pathlib import Path
    reads, runs = 0, set()
    print("reading", flush=True)
    while not Path(stop).exists():
        with duckdb.connect(path, read_only=True) as connection:
            for _ in range(3):
                run = connection.execute("select publishing_run_id from published.about").fetchall()
                count = connection.execute("select count(*), count(distinct ticket_key) from slt.fct_ticket").fetchall()
                assert count == [(500, 500)], count
                reads += 1
            runs.add(run[0][0])
    print(reads, len(runs))
"""


def test_readers_get_no_error_and_no_half_file_while_it_is_replaced(warehouse, published, tmp_path):
    done = publish(warehouse, published, MANIFEST, "bi", "run-0")
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(READ_ON_AND_ON), str(done.path), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert all(reader.stdout.readline() == "reading\n" for reader in readers)
    holding = duckdb.connect(str(done.path), read_only=True)
    for number in range(1, 21):
        publish(warehouse, published, MANIFEST, "bi", f"run-{number}")
        time.sleep(0.05)
    assert holding.execute("select publishing_run_id from published.about").fetchall() == [("run-0",)]
    holding.close()
    stop.touch()
    seen = []
    for reader in readers:
        output, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors
        seen.append([int(figure) for figure in output.split()])
    assert all(reads > 3 and runs > 1 for reads, runs in seen), seen
    assert read(done.path, "select publishing_run_id from published.about") == [("run-20",)]
