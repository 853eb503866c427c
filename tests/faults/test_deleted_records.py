"""Records gone from the source are found by counting, noted, and taken back when they come again; late ones land."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingestion.contracts import SourceError
from ingestion.extract import BatchResult, extract_due
from ingestion.reconcile import OLD_WINDOWS_PER_RUN
from tests.faults.conftest import Desk, incidents
from tests.faults.vendor_server import Answer, VendorServer

AS_OF = datetime(2024, 9, 1, tzinfo=UTC)
WINDOWS = ("2024-07-01/2024-07-31", "2024-08-01/2024-08-31")
NOTED = "select record_key, batch_id, is_deleted from landing.deleted_record order by found_at, record_key"
CHECKED = """
    select partition_key, source_count, landed_count, deleted_count, returned_count, unlanded_count
    from landing.reconciled_window where entity = 'incident' order by checked_at
"""


@pytest.fixture(autouse=True)
def two_months(desk: Desk, vendor: VendorServer) -> None:
    """25 incidents of the fourth of July and 5 of the fourth of August."""
    august = incidents(30, "2024-08-04")[25:]
    vendor.tables["incident"] = incidents(25, "2024-07-04") + august


def run(desk: Desk, entity: str = "incident") -> list[BatchResult]:
    results = extract_due(desk.settings, "servicenow", entity, AS_OF, "run", desk.progress.append)
    for result in results:
        desk.assert_counts_are_true(result, f"raw_servicenow.{entity}")
    return results


def sys_id(number: int) -> str:
    return f"{number:032x}"


def questions(vendor: VendorServer) -> list[str]:
    """What was asked of the incident table since the last call: count, keys, existence or a page."""
    found = []
    for path, params, _ in vendor.requests:
        if path.endswith("/incident"):
            kind = "keys" if "sysparm_fields" in params else "page"
            kind = "count" if params["sysparm_limit"] == "1" else kind
            found.append("existence" if params["sysparm_query"].startswith("sys_idIN") else kind)
    vendor.requests.clear()
    return found


@pytest.mark.requirement("LTI-7.5")
def test_a_deleted_record_is_noted_once_with_its_batch(desk: Desk, vendor: VendorServer) -> None:
    first, _ = run(desk)
    assert questions(vendor) == ["page"] * 4 + ["count"] * 2
    assert desk.rows(CHECKED) == [(WINDOWS[0], 25, 25, 0, 0, 0), (WINDOWS[1], 5, 5, 0, 0, 0)]
    del vendor.tables["incident"][3]
    run(desk)
    assert questions(vendor) == ["page", "count", "keys", "existence", "count"], "only keys are read, and one question"
    assert desk.rows(NOTED) == [(sys_id(3), first.batch_id, True)]
    run(desk)
    assert desk.rows(NOTED) == [(sys_id(3), first.batch_id, True)]
    assert desk.rows(CHECKED)[2:] == [
        (WINDOWS[0], 24, 25, 1, 0, 0),
        (WINDOWS[1], 5, 5, 0, 0, 0),
        (WINDOWS[0], 24, 24, 0, 0, 0),
        (WINDOWS[1], 5, 5, 0, 0, 0),
    ]
    told = [event.message for event in desk.progress if event.phase == "reconciled"]
    assert told == [
        "24 records at the source, 25 landed: 1 deleted there, 0 there again, 0 not landed yet, 0 changed since"
    ]


def test_a_restored_record_is_taken_back(desk: Desk, vendor: VendorServer) -> None:
    first, _ = run(desk)
    (record,) = vendor.tables["incident"][3:4]
    vendor.tables["incident"].remove(record)
    run(desk)
    vendor.tables["incident"].append(record)
    run(desk)
    assert desk.rows(NOTED) == [(sys_id(3), first.batch_id, True), (sys_id(3), first.batch_id, False)]
    assert desk.rows(CHECKED)[4] == (WINDOWS[0], 25, 24, 0, 1, 0)


def test_a_record_that_moved_on_is_no_deleted_one(desk: Desk, vendor: VendorServer) -> None:
    """Changed after the last landed day, it has left its window and lands with a later one."""
    run(desk)
    vendor.tables["incident"][3]["sys_updated_on"] = "2024-09-01 07:00:00"
    run(desk)
    assert desk.rows(NOTED) == []
    assert desk.rows(CHECKED)[2] == (WINDOWS[0], 24, 25, 0, 0, 0)
    extract_due(desk.settings, "servicenow", "incident", datetime(2024, 9, 2, tzinfo=UTC), "run")
    assert desk.rows(NOTED) == []
    assert [row[:3] for row in desk.rows(CHECKED)[4:]] == [
        (WINDOWS[0], 24, 24),
        (WINDOWS[1], 5, 5),
        ("2024-09-01", 1, 1),
    ]


def test_a_late_record_is_landed_by_extracting_its_window_again(desk: Desk, vendor: VendorServer) -> None:
    run(desk)
    vendor.tables["incident"] += incidents(26, "2024-07-09")[25:]
    vendor.tables["incident"][-1]["sys_id"] = sys_id(99)
    results = run(desk)
    assert [(result.partition_key, result.is_new, result.row_count) for result in results] == [
        (WINDOWS[1], False, 5),
        (WINDOWS[0], True, 26),
    ]
    assert desk.rows(f"select count(*) from raw_servicenow.incident where sys_id = '{sys_id(99)}'") == [(1,)]
    assert desk.rows(CHECKED)[2] == (WINDOWS[0], 26, 25, 0, 0, 1)


def test_out_of_order_updates_the_newest_stamp_wins(desk: Desk, vendor: VendorServer) -> None:
    """An older version of a record, landed later (a backfill), does not come to stand for it."""
    run(desk)
    older = {**vendor.tables["incident"][27], "sys_updated_on": "2024-07-20 08:00:00", "short_description": "older"}
    vendor.tables["incident"].append(older)
    desk.extract("servicenow", "incident", WINDOWS[0])
    vendor.tables["incident"].remove(older)
    run(desk)
    # counted in August, where its newest version is, and not missed in July
    assert desk.rows(CHECKED)[2:] == [(WINDOWS[0], 25, 25, 0, 0, 0), (WINDOWS[1], 5, 5, 0, 0, 0)]
    assert desk.rows(NOTED) == []


def test_few_windows_are_checked_a_run_the_longest_unchecked_first(desk: Desk, vendor: VendorServer) -> None:
    as_of = datetime(2025, 7, 1, tzinfo=UTC)
    for _ in range(4):
        extract_due(desk.settings, "servicenow", "incident", as_of, "run")
    keys = desk.rows("select partition_key from landing.extract_state where entity = 'incident' order by 1")
    checked = [key for (key, *_) in desk.rows(CHECKED)]
    assert len(keys) == 12 and checked.count(keys[-1][0]) == 4, "the last days are checked in every run"
    assert checked[: OLD_WINDOWS_PER_RUN + 1] == [keys[0][0], keys[1][0], keys[-1][0]]
    assert sorted(set(checked) - {keys[-1][0]}) == [key for (key,) in keys[: 4 * OLD_WINDOWS_PER_RUN]]


@pytest.mark.parametrize("kind", ["count", "keys", "existence"])
def test_a_source_that_contradicts_itself_deletes_nothing(desk: Desk, vendor: VendorServer, kind: str) -> None:
    run(desk)
    vendor.requests.clear()

    def half(current: int, path: str, params: dict, answer: Answer) -> None:
        if questions(vendor)[-1:] == [kind]:
            answer.replace_records(answer.records()[:-1])

    if kind == "existence":
        vendor.tables["incident"][3]["sys_updated_on"] = "2024-09-01 07:00:00"
    elif kind == "keys":
        del vendor.tables["incident"][3]
    vendor.fault = half
    if kind == "count":
        run(desk)
    else:
        with pytest.raises(SourceError, match="promise"):
            run(desk)
    assert desk.rows(NOTED) == []


def test_a_source_that_does_not_count_is_not_asked_again(desk: Desk, vendor: VendorServer) -> None:
    vendor.fault = lambda current, path, params, answer: answer.headers.pop("X-Total-Count", None)
    run(desk)
    assert desk.rows(NOTED) == [] and desk.rows(CHECKED) == []


def test_what_left_a_snapshot_is_noted_and_comes_back_with_a_new_batch(desk: Desk, vendor: VendorServer) -> None:
    users = [{**dict.fromkeys(("name", "user_name"), "u"), "sys_id": sys_id(number)} for number in range(3)]
    vendor.tables["sys_user"] = list(users)
    (first,) = run(desk, "sys_user")
    vendor.tables["sys_user"] = users[:2]
    run(desk, "sys_user")
    run(desk, "sys_user")
    assert desk.rows(NOTED) == [(sys_id(2), first.batch_id, True)]
    vendor.tables["sys_user"] = list(users)
    (third,) = run(desk, "sys_user")
    vendor.tables["sys_user"] = users[:2]
    run(desk, "sys_user")
    assert third.is_new and desk.rows(NOTED)[1:] == [(sys_id(2), third.batch_id, True)]


def test_an_account_that_sees_less_deletes_nothing(
    desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most records of a window gone at once is a lost role; an operator who knows better says so for one run."""
    first, _ = run(desk)
    vendor.tables["incident"] = vendor.tables["incident"][20:]
    run(desk)
    assert desk.rows(NOTED) == []
    told = [event.message for event in desk.progress if event.phase == "reconciled"]
    assert any("20 of 25 landed records" in message and "none is noted" in message for message in told), told
    monkeypatch.setenv("BELIEVE_DELETIONS", "true")
    run(desk)
    assert desk.rows(NOTED) == [(sys_id(number), first.batch_id, True) for number in range(20)]


def test_an_account_that_sees_nothing_deletes_nothing(desk: Desk, vendor: VendorServer) -> None:
    """Five of five records may go in a small window, but not while the whole table shows none."""
    run(desk)
    vendor.tables["incident"] = []
    vendor.requests.clear()
    run(desk)
    assert desk.rows(NOTED) == []


def test_a_list_is_not_emptied_in_a_day(desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [{**dict.fromkeys(("name", "user_name"), "u"), "sys_id": sys_id(number)} for number in range(12)]
    vendor.tables["sys_user"] = users
    run(desk, "sys_user")
    vendor.tables["sys_user"] = []
    with pytest.raises(SourceError, match="the list is empty now and had 12 records"):
        run(desk, "sys_user")
    assert desk.rows(NOTED) == []
    monkeypatch.setenv("BELIEVE_DELETIONS", "true")
    assert run(desk, "sys_user")[0].row_count == 0
