"""Windows of a vendor's status page: what can be read is read to the minute, what cannot is refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion.vendor_status import OutageCandidate, RefusedOutage, read_outage


def record(text: str, *, posted: str = "2021-07-01 19:00:00", summary: str = "[RESOLVED] Errors") -> dict[str, Any]:
    """A record first posted at an instant in UTC (12:00 PDT by default)."""
    at = datetime.fromisoformat(posted).replace(tzinfo=UTC)
    return {"date": str(int(at.timestamp())), "service": "ec2", "summary": summary, "description": f"<div>{text}</div>"}


@pytest.mark.parametrize(
    ("text", "starts", "ends"),
    [
        ("Between 10:42 AM and 12:04 PM PDT we saw", "2021-07-01 17:42", "2021-07-01 19:04"),
        ("Between&nbsp;1:13 AM and 12:30 AM PDT", "2021-07-01 08:13", "2021-07-02 07:30"),
        ("between 9:55 and 11:17 AM PST", "2021-07-01 16:55", "2021-07-01 18:17"),
        ("Between 3:32 AM and 3.54 AM PDT", "2021-07-01 10:32", "2021-07-01 10:54"),
        ("Between 5:10 PM on June 29th, and 3:50 AM PDT on June 30th, we", "2021-06-30 00:10", "2021-06-30 10:50"),
        ("Between May 6, 2020 at 11:10 PM PST and May 7, 2020 at 5:45 AM", "2020-05-07 06:10", "2020-05-07 12:45"),
        # a later message corrects an earlier one, and 30 minutes after the first message is soon enough
        ("Between 8:00 AM and 9 AM. <br>Between 12:30 PM and 1:00 PM PDT", "2021-07-01 19:30", "2021-07-01 20:00"),
    ],
)  # fmt: skip
def test_a_window_is_read(text: str, starts: str, ends: str) -> None:
    found = read_outage(record(text))
    assert isinstance(found, OutageCandidate), found
    assert (f"{found.starts_at:%Y-%m-%d %H:%M}", f"{found.ends_at:%Y-%m-%d %H:%M}") == (starts, ends)


def test_clocks_that_change_in_between_count_their_hour() -> None:
    # 2021-03-14: 01:30 PST is 09:30 UTC, 03:30 PDT is 10:30 UTC
    found = read_outage(record("Between 1:30 AM and 3:30 AM PDT", posted="2021-03-14 10:00:00"))
    assert isinstance(found, OutageCandidate)
    assert (found.ends_at - found.starts_at).total_seconds() == 3600


@pytest.mark.parametrize(
    ("text", "summary", "reason"),
    [
        ("Between 10:42 AM and 12:04 PM PDT", "Errors", "unresolved"),
        ("The issue has been resolved.", "[RESOLVED] Errors", "no_window"),
        ("between EC2 instances and 3 other services", "[RESOLVED] Errors", "no_window"),
        ("Between 13:10 PM and 13:20 PM PDT", "[RESOLVED] Errors", "unreadable_clock"),
        ("Between 2:12 PM and 2:38 PM PDT", "[RESOLVED] Errors", "implausible_window"),
        ("Between June 1 at 1:00 AM and June 20 at 1:00 AM PDT", "[RESOLVED] Errors", "implausible_window"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(text: str, summary: str, reason: str) -> None:
    found = read_outage(record(text, summary=summary))
    assert isinstance(found, RefusedOutage)
    assert found.reason.startswith(f"{reason}: ")
