"""A full disk is said so, leaves nothing behind, and is no trouble to the run after it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
from typing import Any

import duckdb
import pytest

from ingestion import landing
from ingestion.contracts import SourceError
from ingestion.extract import extract, resolve, window_for_partition
from ingestion.settings import Settings
from tests.faults.conftest import Desk
from tests.faults.vendor_server import VendorServer

DAY = "2025-03-04"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_for_a_page(desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    write_table = landing.pq.write_table

    def write_half(table: object, path: object, **settings: object) -> None:
        write_table(table, path, **settings)
        if "000002" in str(path):
            os.truncate(path, 100)
            raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(landing.pq, "write_table", write_half)
        with pytest.raises(SourceError, match="the disk is full") as caught:
            desk.extract("servicenow", "incident", DAY)
    assert str(desk.settings.spool_path) in str(caught.value) and "free some space" in str(caught.value)
    assert desk.is_empty()
    assert desk.extract("servicenow", "incident", DAY).row_count == 25


def test_another_trouble_with_a_file_is_not_called_a_full_disk(
    desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(landing.pq, "write_table", refuse)
    with pytest.raises(PermissionError):
        desk.extract("servicenow", "incident", DAY)
    assert desk.is_empty()


def _extract_with_small_files(told: Any, environment: dict[str, str], settings: Settings) -> None:
    """In a process of its own: files may grow little beyond the warehouse as it is."""
    from ingestion.sources import servicenow

    os.environ.update(environment)
    servicenow.PAGE_SIZE = 10
    limit = settings.warehouse_path.stat().st_size
    landed = landing.land

    def land(*arguments: Any, **settings: Any) -> landing.LandResult:
        # the pages are written; the log of the transaction and the warehouse are what the disk has no room for
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(limit, 2000), resource.RLIM_INFINITY))
        return landed(*arguments, **settings)

    landing.land = land
    entity = resolve("servicenow", "incident")[1]
    try:
        extract(settings, "servicenow", entity, window_for_partition(entity, DAY), "child")
    except SourceError as error:
        told.send(error.what)
    except (OSError, duckdb.Error) as error:
        told.send(repr(error))
    else:
        told.send("landed")


def test_no_room_for_the_transaction(desk: Desk, vendor: VendorServer) -> None:
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_extract_with_small_files, args=(theirs, dict(os.environ), desk.settings))
    child.start()
    theirs.close()
    said = ours.recv()
    child.join(60)
    assert said.startswith("the disk is full"), said
    assert desk.is_empty()
    assert desk.extract("servicenow", "incident", DAY).row_count == 25
