"""An API that misbehaves: what passes is waited for, what does not is a clear error, and nothing is half
landed.
"""

from __future__ import annotations

import json

import pytest

from ingestion.contracts import SourceError
from tests.faults.conftest import Desk, incidents
from tests.faults.vendor_server import Answer, VendorServer

DAY = "2025-03-04"


def assert_all_landed(desk: Desk, count: int = 25) -> None:
    landed = desk.rows("select number, short_description from raw_servicenow.incident order by number")
    assert landed == [(row["number"], row["short_description"]) for row in incidents(count)]
    assert desk.rows(
        "select source_count, received_count, row_count, rejected_count, page_count, status, "
        "missing_columns, unknown_columns from landing.extract_batch"
    ) == [(count, count, count, 0, 3, "landed", "[]", "[]")]


def only_request(number: int, change):
    """A fault that strikes one request only."""

    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current == number:
            change(answer)

    return fault


def test_undisturbed(desk: Desk, vendor: VendorServer) -> None:
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.is_new, result.received_count, result.row_count, result.rejected_count) == (
        True,
        25,
        25,
        0,
    )
    assert (result.pages, result.partition_key) == (3, DAY)
    assert_all_landed(desk)
    assert desk.rows("select distinct assignment_group from raw_servicenow.incident") == [("g1",)]
    assert desk.rows("select distinct _record ->> '$.assignment_group.value' from raw_servicenow.incident") == [("g1",)]
    offsets = [params["sysparm_offset"] for _, params, _ in vendor.requests]
    assert offsets == ["0", "10", "20"]
    assert vendor.requests[0][1]["sysparm_query"] == (
        "sys_updated_on>=2025-03-04 00:00:00^sys_updated_on<2025-03-05 00:00:00^ORDERBYsys_updated_on^ORDERBYsys_id"
    )
    assert {params["sysparm_display_value"] for _, params, _ in vendor.requests} == {"false"}
    assert desk.phases() == ["extracting"] * 3 + ["landed"]
    assert [event.row_count for event in desk.progress] == [10, 20, 25, 25]


def test_429_with_retry_after_is_waited_for(desk: Desk, vendor: VendorServer) -> None:
    def refuse(answer: Answer) -> None:
        answer.status, answer.headers = 429, {"Retry-After": "7"}

    vendor.fault = only_request(2, refuse)
    desk.extract("servicenow", "incident", DAY)
    assert desk.sleeps == [7.0]
    assert "429" in next(event.message for event in desk.progress if event.phase == "retrying")
    assert_all_landed(desk)


def test_429_that_asks_for_too_long_is_an_error(desk: Desk, vendor: VendorServer) -> None:
    def refuse(answer: Answer) -> None:
        answer.status, answer.headers = 429, {"Retry-After": "3600"}

    vendor.fault = only_request(1, refuse)
    with pytest.raises(SourceError, match="429; the system asks to wait 3600 s"):
        desk.extract("servicenow", "incident", DAY)
    assert desk.sleeps == [] and desk.is_empty()


def test_500_twice_then_success(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current in (2, 3):
            answer.status = 500

    vendor.fault = fault
    desk.extract("servicenow", "incident", DAY)
    assert desk.sleeps == [0.5, 1.0]
    assert_all_landed(desk)


def test_500_for_ever_is_an_error(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current > 1:
            answer.status = 500

    vendor.fault = fault
    with pytest.raises(SourceError, match="answered 500, 6 times in a row") as caught:
        desk.extract("servicenow", "incident", DAY)
    assert f"{vendor.url}/api/now/table/incident?" in str(caught.value)
    assert "nothing was landed" in str(caught.value)
    assert desk.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0] and desk.is_empty()


@pytest.mark.parametrize("cut_after", [0, 1, 700])
def test_connection_cut_in_the_middle_of_a_page(desk: Desk, vendor: VendorServer, cut_after: int) -> None:
    def cut(answer: Answer) -> None:
        answer.cut_after = cut_after

    vendor.fault = only_request(2, cut)
    desk.extract("servicenow", "incident", DAY)
    assert len(desk.sleeps) == 1
    assert_all_landed(desk)


def test_malformed_json_once_is_read_again(desk: Desk, vendor: VendorServer) -> None:
    def spoil(answer: Answer) -> None:
        answer.body = answer.body.replace(b'"number"', b'"number', 1)

    vendor.fault = only_request(3, spoil)
    desk.extract("servicenow", "incident", DAY)
    assert len(desk.sleeps) == 1
    assert_all_landed(desk)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"result": [{"sys_id": "1"',
        b'{"result": [NaN]}',
        b'{"error": {"message": "x"}}',
        b"<html>",
    ],
)
def test_malformed_json_for_ever_is_an_error(desk: Desk, vendor: VendorServer, body: bytes) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        answer.body = body

    vendor.fault = fault
    with pytest.raises(SourceError, match="not the JSON it should be"):
        desk.extract("servicenow", "incident", DAY)
    assert desk.is_empty()


def test_duplicated_page_is_read_again(desk: Desk, vendor: VendorServer) -> None:
    first_page: list[bytes] = []

    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current == 1:
            first_page.append(answer.body)
        if current == 2:
            answer.body = first_page[0]

    vendor.fault = fault
    desk.extract("servicenow", "incident", DAY)
    assert desk.phases().count("restarted") == 1
    assert_all_landed(desk)


def test_duplicated_page_for_ever_is_an_error(desk: Desk, vendor: VendorServer) -> None:
    first_page: list[bytes] = []

    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        first_page.append(answer.body)
        if params["sysparm_offset"] == "10":
            answer.body = first_page[0]

    vendor.fault = fault
    with pytest.raises(SourceError, match="read 3 times; nothing of 2025-03-04 was landed"):
        desk.extract("servicenow", "incident", DAY)
    assert desk.is_empty()


def test_repeated_page_among_cursor_pages_is_found_without_a_total(
    desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.datadog_paging.EVENT_PAGE_SIZE", 10)
    vendor.lists["/api/v2/events"] = [transition(number) for number in range(25)]
    first_page: list[bytes] = []

    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        first_page.append(answer.body)
        if current == 2:
            envelope = json.loads(answer.body) | {"data": json.loads(first_page[0])["data"]}
            answer.body = json.dumps(envelope).encode()

    vendor.fault = fault
    result = desk.extract("datadog", "monitor_transition", DAY)
    assert (result.row_count, result.rejected_count) == (25, 0)
    assert desk.phases().count("restarted") == 1


def test_a_single_repeated_row_is_rejected_and_counted(desk: Desk, vendor: VendorServer) -> None:
    vendor.lists["/api/v2/events"] = [transition(number) for number in [0, 1, 2, 1, 3]]
    result = desk.extract("datadog", "monitor_transition", DAY)
    assert (result.received_count, result.row_count, result.rejected_count) == (5, 4, 1)
    ((row_number, reason, record),) = desk.rows(
        "select row_number, reason, decode(record_bytes) from landing.landing_reject"
    )
    assert (row_number, reason, json.loads(record)) == (4, "duplicate_in_extract", transition(1))


def test_same_key_with_other_content_is_landed_twice(desk: Desk, vendor: VendorServer) -> None:
    other = transition(1)
    other["attributes"]["attributes"]["monitor"]["transition"]["destination_state"] = "Warn"
    vendor.lists["/api/v2/events"] = [transition(0), transition(1), other]
    result = desk.extract("datadog", "monitor_transition", DAY)
    assert (result.row_count, result.rejected_count) == (3, 0)


def test_short_page_before_the_total(desk: Desk, vendor: VendorServer) -> None:
    vendor.fault = only_request(2, lambda answer: answer.replace_records(answer.records()[:-1]))
    desk.extract("servicenow", "incident", DAY)
    assert desk.phases().count("restarted") == 1
    assert_all_landed(desk)


def test_row_given_twice_in_place_of_another_reads_the_window_again(desk: Desk, vendor: VendorServer) -> None:
    """Rows moved between two requests: the counts are right, and one record is missing all the same."""

    def shift(answer: Answer) -> None:
        answer.replace_records([vendor.tables["incident"][9], *answer.records()[1:]])

    vendor.fault = only_request(2, shift)
    desk.extract("servicenow", "incident", DAY)
    (restart,) = [event for event in desk.progress if event.phase == "restarted"]
    assert "25 records came (1 of them repeats), the source promised 25" in restart.message
    assert_all_landed(desk)


def test_rows_hidden_from_the_user_are_an_error(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        answer.replace_records([row for row in answer.records() if row["number"] != "INC0000013"])

    vendor.fault = fault
    with pytest.raises(SourceError, match="at offset 10 has 9 records") as caught:
        desk.extract("servicenow", "incident", DAY)
    assert "let the integration user read every row" in str(caught.value)
    assert desk.is_empty()


def test_total_changed_under_way_reads_the_window_again(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current == 1:
            answer.headers["X-Total-Count"] = "26"

    vendor.fault = fault
    desk.extract("servicenow", "incident", DAY)
    (restart,) = [event for event in desk.progress if event.phase == "restarted"]
    assert "26 at first, 25 now" in restart.message
    assert_all_landed(desk)


def test_records_out_of_order_read_the_window_again(desk: Desk, vendor: VendorServer) -> None:
    vendor.fault = only_request(2, lambda answer: answer.replace_records(answer.records()[::-1]))
    desk.extract("servicenow", "incident", DAY)
    (restart,) = [event for event in desk.progress if event.phase == "restarted"]
    assert "not in the order asked for" in restart.message
    assert_all_landed(desk)


def test_filter_that_is_ignored_is_an_error(desk: Desk, vendor: VendorServer) -> None:
    vendor.tables["incident"] += incidents(3, day="2025-03-09")

    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        rows = sorted(vendor.tables["incident"], key=lambda row: row["sys_updated_on"])
        first = int(params["sysparm_offset"])
        answer.replace_records(rows[first : first + 10])
        answer.headers["X-Total-Count"] = str(len(rows))

    vendor.fault = fault
    with pytest.raises(
        SourceError, match=r"outside the window asked for: sys_updated_on .* to 2025-03-09 08:00:02"
    ) as e:
        desk.extract("servicenow", "incident", DAY)
    assert "time zone GMT" in str(e.value)
    assert desk.is_empty()


def test_missing_column_is_landed_and_reported(desk: Desk, vendor: VendorServer) -> None:
    for row in vendor.tables["incident"]:
        del row["priority"]
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.row_count, result.missing_columns, result.unknown_columns) == (25, ("priority",), ())
    assert desk.rows("select missing_columns from landing.extract_batch") == [('["priority"]',)]
    assert desk.rows("select distinct priority from raw_servicenow.incident") == [(None,)]


@pytest.mark.parametrize(("column", "rejected"), [("sys_updated_on", 0), ("sys_id", 25)])
def test_missing_stamp_or_key_loses_nothing(desk: Desk, vendor: VendorServer, column: str, rejected: int) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        answer.replace_records([{k: v for k, v in row.items() if k != column} for row in answer.records()])

    vendor.fault = fault
    result = desk.extract("servicenow", "incident", DAY)
    assert result.missing_columns == (column,)
    assert (result.received_count, result.rejected_count) == (25, rejected)
    reasons = desk.rows("select distinct reason from landing.landing_reject")
    assert reasons == ([("missing_key: sys_id",)] if rejected else [])


def test_new_column_is_kept_and_reported(desk: Desk, vendor: VendorServer) -> None:
    for row in vendor.tables["incident"][20:]:
        row["u_blast_radius"] = {"link": "x", "value": "wide"}
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.row_count, result.unknown_columns, result.missing_columns) == (25, ("u_blast_radius",), ())
    kept = desk.rows("select count(*) from raw_servicenow.incident where _record ->> '$.u_blast_radius.value' = 'wide'")
    assert kept == [(5,)]


def test_empty_extract_is_a_batch_of_no_rows(desk: Desk, vendor: VendorServer) -> None:
    vendor.tables["incident"] = []
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.is_new, result.row_count, result.missing_columns) == (True, 0, ())
    assert desk.rows("select source_count, received_count, row_count, page_count from landing.extract_batch") == [
        (0, 0, 0, 1)
    ]


def test_malformed_records_are_rejected_with_their_bytes(desk: Desk, vendor: VendorServer) -> None:
    def spoil(answer: Answer) -> None:
        rows = answer.records()
        rows[1] = None
        rows[2] = ["a", 1.50]
        rows[3]["sys_id"] = ""
        rows[5]["short_description"] = "half a pair"
        answer.replace_records(rows)
        answer.body = answer.body.replace(b"printer \\u00ab4", b"printer \xab4", 1)
        answer.body = answer.body.replace(b"half a pair", b"half \\ud83d", 1)

    vendor.fault = only_request(1, spoil)
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.received_count, result.row_count, result.rejected_count) == (25, 20, 5)
    rejects = desk.rows("select row_number, reason, record_bytes from landing.landing_reject order by row_number")
    assert [row[:2] for row in rejects] == [
        (2, "not_an_object: NoneType"),
        (3, "not_an_object: list"),
        (4, "missing_key: sys_id"),
        (5, "undecodable_bytes: not UTF-8 text"),
        (6, "undecodable_bytes: not UTF-8 text"),
    ]
    assert rejects[0][2] == b"null" and rejects[1][2] == b'["a", 1.5]'
    assert b"printer \xab4" in rejects[3][2]
    numbers = desk.rows("select _row_number from raw_servicenow.incident order by 1")
    assert [number for (number,) in numbers] == [1, *range(7, 26)]


def test_refused_credentials_are_told_at_once_and_never_shown(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        answer.status = 401
        answer.body = b'{"error": "user integration.reader with password s3cr3t-of-servicenow is unknown"}'

    vendor.fault = fault
    with pytest.raises(SourceError, match="answered 401") as caught:
        desk.extract("servicenow", "incident", DAY)
    assert "check SERVICENOW_USER and SERVICENOW_PASSWORD" in str(caught.value)
    assert "s3cr3t" not in str(caught.value) and "integration.reader" not in str(caught.value)
    assert len(vendor.requests) == 1 and desk.is_empty()


def test_no_secret_reaches_the_warehouse_or_the_messages(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        if current == 1:
            answer.status, answer.body = 503, b"s3cr3t-of-servicenow"

    vendor.fault = fault
    desk.extract("servicenow", "incident", DAY)
    assert "s3cr3t" not in repr(desk.progress)
    assert b"s3cr3t" not in desk.settings.warehouse_path.read_bytes()


def test_redirect_is_not_followed(desk: Desk, vendor: VendorServer) -> None:
    def fault(current: int, path: str, params: dict, answer: Answer) -> None:
        answer.status, answer.headers = 302, {"Location": "http://127.0.0.1:1/elsewhere"}

    vendor.fault = fault
    with pytest.raises(SourceError, match="answered 302"):
        desk.extract("servicenow", "incident", DAY)
    assert len(vendor.requests) == 1


def test_unreachable_system_is_an_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with VendorServer() as server:
        environment = server.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SourceError, match="the connection broke"):
        desk.extract("servicenow", "incident", DAY)
    assert len(desk.sleeps) == 5 and desk.is_empty()


def test_address_with_credentials_in_it_never_shows_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with VendorServer() as server:
        port = server.url.rpartition(":")[2]
        monkeypatch.setenv("SERVICENOW_URL", f"http://bob:hunter22@127.0.0.1:{port}")
        monkeypatch.setenv("SERVICENOW_USER", "u")
        with pytest.raises(SourceError, match="SERVICENOW_PASSWORD is not set"):
            desk.extract("servicenow", "incident", DAY)
        monkeypatch.setenv("SERVICENOW_PASSWORD", "p")
        server.fault = lambda current, path, params, answer: setattr(answer, "status", 404)
        with pytest.raises(SourceError, match="answered 404") as caught:
            desk.extract("servicenow", "incident", DAY)
    assert "hunter22" not in str(caught.value) and "bob" not in str(caught.value)


def transition(number: int) -> dict:
    """A monitor's change of state as Datadog's event search gives it."""
    return {
        "id": f"event-{number}",
        "type": "event",
        "attributes": {
            "timestamp": f"2025-03-04T08:{number:02d}:00.250Z",
            "tags": ["service:payments", "source:alert"],
            "attributes": {
                "monitor_id": 7,
                "monitor": {"transition": {"source_state": "OK", "destination_state": "Alert"}},
            },
        },
    }
