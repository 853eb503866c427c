"""OpenSLO v1 to the seeds' rows: the specification's examples, what is refused and how, and never half a write."""

# ruff: noqa: E501 (the refusals stand one a line)

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ingestion import openslo
from ingestion.openslo import Imported, ImportRefusedError, import_files, merge, read_openslo

pytestmark = pytest.mark.requirement("SVC-4.0")

SERVICES, SLTS = {"web-shop", "payments"}, {"incident_resolution"}


def metric(measure: str, **more: Any) -> dict[str, Any]:
    return {"metricSource": {"type": "slt-warehouse", "spec": {"measure": measure, **more}}}


def thing(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def slo(**changes: Any) -> dict[str, Any]:
    """A good SLO; `annotations` go to its metadata, everything else replaces a field of its spec (None removes it)."""
    spec = {
        "service": "web-shop",
        "indicator": {
            "metadata": {"name": "up"},
            "spec": {"ratioMetric": {"good": metric("up_seconds"), "total": metric("known_seconds")}},
        },
        "timeWindow": [{"duration": "4w", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.99}],
    }
    annotations = changes.pop("annotations", {})
    spec = {key: value for key, value in (spec | changes).items() if value is not None}
    return thing("SLO", "main-page", spec, displayName="Main page", annotations=annotations)


def read(*documents: dict[str, Any] | str) -> Imported:
    text = "---\n".join(each if isinstance(each, str) else yaml.safe_dump(each) for each in documents)
    return read_openslo({"slos.yaml": text}, services=SERVICES, slt_codes=SLTS)


def refusals(*documents: dict[str, Any] | str) -> list[str]:
    imported = read(*documents)
    return [str(finding) for finding in imported.refusals]


def only(*documents: dict[str, Any] | str) -> dict[str, str | None]:
    imported = read(*documents)
    assert not imported.refusals, imported.refusals
    (row,) = imported.slos
    return row


# --- the specification's own examples, in the measures of the warehouse ---


def test_occurrences_over_a_rolling_window() -> None:
    row = only(slo())
    assert row == {
        "slo_code": "main-page", "slo_name": "Main page", "service_code": "web-shop", "indicator": "monitor_time",
        "slt_code": "", "sample_kind": None, "budgeting_method": "occurrences", "target_share": "0.99",
        "time_slice_seconds": "", "time_slice_target_share": "", "window_kind": "rolling", "window_days": "28",
        "calendar_unit": "", "time_zone": None, "exclusion_effect": None, "minimum_event_count": None,
    }  # fmt: skip


def test_two_objectives_of_time_slices_in_a_calendar_month() -> None:
    """The example of an internet provider's promise: an internal objective above the contract's."""
    imported = read(
        slo(
            budgetingMethod="Timeslices",
            timeWindow=[
                {
                    "duration": "1M",
                    "isRolling": False,
                    "calendar": {"startTime": "2022-01-01 00:00:00", "timeZone": "America/New_York"},
                }
            ],
            objectives=[
                {"displayName": "Internal objective", "op": "gt", "target": 0.995, "timeSliceTarget": 0.99, "timeSliceWindow": "5m"},
                {"displayName": "SLA", "targetPercent": 99.0, "timeSliceTarget": 0.99, "timeSliceWindow": 5},
            ],
        )
    )  # fmt: skip
    assert not imported.refusals
    internal, contract = imported.slos
    assert (internal["slo_code"], internal["target_share"]) == ("main-page-internal-objective", "0.995")
    assert (contract["slo_code"], contract["target_share"]) == ("main-page-sla", "0.99")
    for row in imported.slos:
        assert (row["time_slice_seconds"], row["time_slice_target_share"]) == ("300", "0.99")
        assert (row["window_kind"], row["calendar_unit"], row["time_zone"]) == ("calendar", "month", "America/New_York")
    assert "has no effect on a ratioMetric" in str(imported.notes[0])


def test_that_examples_slip_of_a_month_for_a_minute_is_refused() -> None:
    calendar = {"startTime": "2022-01-01 12:00:00", "timeZone": "America/New_York"}
    assert refusals(slo(timeWindow=[{"duration": "1m", "isRolling": False, "calendar": calendar}])) == [
        "slos.yaml, document 1, spec.timeWindow[0].duration: calendar windows of 1m are not supported (m is minutes: "
        "a month is 1M); write 1w, 1M, 1Q or 1Y"
    ]
    assert refusals(slo(timeWindow=[{"duration": "1M", "calendar": calendar}])) == [
        "slos.yaml, document 1, spec.timeWindow[0].calendar.startTime: a calendar month that begins at 2022-01-01 "
        "12:00:00 is not supported; write the first of a month at 00:00:00"
    ]


def test_ratio_timeslices_average_and_have_no_slice_target() -> None:
    objective = {"displayName": "Good", "op": "gt", "target": 0.99, "timeSliceWindow": "1h"}
    row = only(slo(budgetingMethod="RatioTimeslices", objectives=[objective]))
    assert (row["budgeting_method"], row["time_slice_seconds"], row["time_slice_target_share"]) == (
        "ratio_timeslices", "3600", "",
    )  # fmt: skip


def test_the_specifications_one_minute_slices_are_finer_than_the_buckets() -> None:
    objective = {"target": 0.99, "timeSliceWindow": "1m"}
    (refusal,) = refusals(slo(budgetingMethod="RatioTimeslices", objectives=[objective]))
    assert (
        "objectives[0].timeSliceWindow: a slice of 1m is not supported; the finest the warehouse keeps is 5m" in refusal
    )


def test_a_bad_over_total_metric_by_reference_through_a_data_source() -> None:
    def source(measure: str) -> dict[str, Any]:
        return {"metricSource": {"metricSourceRef": "warehouse", "spec": {"measure": measure}}}

    row = only(
        thing("DataSource", "warehouse", {"type": "slt-warehouse", "connectionDetails": {"accessKeyID": "k"}}),
        thing("SLI", "down", {"ratioMetric": {"bad": source("bad_samples"), "total": source("samples")}}),
        slo(indicator=None, indicatorRef="down", annotations={"slt-warehouse/sample-kind": "synthetic"}),
        thing("Service", "web-shop", {"description": "The shop"}),
    )
    assert (row["indicator"], row["sample_kind"]) == ("monitor_samples", "synthetic")


def test_a_threshold_metric_makes_slices_good_from_its_value_on() -> None:
    threshold = {"metadata": {"name": "up"}, "spec": {"thresholdMetric": metric("up_share")}}
    objective = {"op": "gte", "value": 0.9, "target": 0.95, "timeSliceTarget": 1.0, "timeSliceWindow": "15m"}
    row = only(slo(indicator=threshold, budgetingMethod="Timeslices", objectives=[objective]))
    assert (row["budgeting_method"], row["time_slice_seconds"], row["time_slice_target_share"]) == (
        "timeslices", "900", "0.9",
    )  # fmt: skip
    (refusal,) = refusals(slo(indicator=threshold, budgetingMethod="Timeslices", objectives=[objective | {"op": "lt"}]))
    assert "spec.objectives[0].op: 'lt' cannot be expressed; a slice is good from a share on: write gte" in refusal
    assert any("judged slice by slice" in each for each in refusals(slo(indicator=threshold)))
    assert any("one objective only" in each for each in refusals(
        slo(indicator=threshold, budgetingMethod="Timeslices", objectives=[objective, objective | {"displayName": "b"}])
    ))  # fmt: skip


def test_tickets_of_all_services() -> None:
    tickets = {
        role: metric(name, slt_code="incident_resolution")
        for role, name in (("good", "tickets_in_time"), ("total", "tickets"))
    }
    row = only(
        slo(
            indicator={"metadata": {"name": "t"}, "spec": {"ratioMetric": tickets}},
            annotations={
                "slt-warehouse/all-services": "true",
                "slt-warehouse/exclusion-effect": "count_good",
                "slt-warehouse/minimum-event-count": "100",
                "slt-warehouse/time-zone": "Europe/Dublin",
                "example.com/elsewhere": "kept out",
            },
        )
    )
    assert (row["indicator"], row["slt_code"], row["service_code"]) == ("ticket_attainment", "incident_resolution", "")
    assert (row["exclusion_effect"], row["minimum_event_count"], row["time_zone"]) == (
        "count_good", "100", "Europe/Dublin",
    )  # fmt: skip


CONDITION = {"kind": "burnrate", "threshold": 2, "lookbackWindow": "1h", "alertAfter": "5m"}


def policy(condition: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    inline = {
        "kind": "AlertCondition",
        "metadata": {"name": "cpu-usage-breach"},
        "spec": {"severity": "page", "condition": condition or CONDITION},
    }
    targets = {"notificationTargets": [{"targetRef": "OnCallDevopsMailNotification"}]}
    return thing("AlertPolicy", "AlertPolicy", {"alertWhenBreaching": True, "conditions": [inline], **targets} | spec)


MAIL = thing("AlertNotificationTarget", "OnCallDevopsMailNotification", {"target": "email"})


@pytest.mark.parametrize("by_reference", [True, False])
def test_an_alert_policy_becomes_a_row_of_the_objective(by_reference: bool) -> None:
    condition = thing("AlertCondition", "cpu-usage-breach", {"severity": "page", "condition": CONDITION})
    alert = policy(conditions=[{"conditionRef": "cpu-usage-breach"}]) if by_reference else policy()
    imported = read(slo(alertPolicies=[{"alertPolicyRef": "AlertPolicy"}]), alert, MAIL, *([condition] * by_reference))
    assert not imported.refusals
    assert imported.alert_policies == (
        {
            "slo_code": "main-page", "alert_policy_code": "AlertPolicy", "long_window_seconds": "3600",
            "short_window_seconds": "300", "threshold_factor": "2", "severity": "page", "budget_share": "",
            "minimum_event_count": None, "notification_target": "email",
        },
    )  # fmt: skip
    assert "alertAfter: becomes the short window" in str(imported.notes[0])


def test_an_inline_policy_without_alert_after_gets_a_twelfth() -> None:
    alert = policy({"threshold": 6, "lookbackWindow": "6h"}, alertWhenResolved=True, alertWhenNoData=True)
    imported = read(slo(alertPolicies=[alert]), MAIL)
    (row,) = imported.alert_policies
    assert (row["long_window_seconds"], row["short_window_seconds"]) == ("21600", "1800")
    assert len(imported.notes) == 3


# --- what is refused: where, why, how to mend it ---

REFUSED = [
    (slo(service="nowhere"), "spec.service", "is not governed here; add it to seeds/services/service.csv"),
    (slo(service=None), "spec.service", "is missing"),
    (slo(timeWindow=None), "spec.timeWindow", "0 time windows; give exactly one"),
    (slo(timeWindow=[{"duration": "12h", "isRolling": True}]), "timeWindow[0].duration", "not whole days"),
    (slo(timeWindow=[{"duration": "1M", "isRolling": True}]), "timeWindow[0].duration", "no fixed length in seconds"),
    (slo(timeWindow=[{"duration": "28 d", "isRolling": True}]), "timeWindow[0].duration", "'28 d' is no duration"),
    (slo(timeWindow=[{"duration": "28d"}]), "timeWindow[0]", "is neither rolling nor has a calendar"),
    (slo(timeWindow=[{"duration": "1M", "calendar": {"startTime": "2025-01-01 00:00:00", "timeZone": "Mars/Base"}}]), "calendar.timeZone", "'Mars/Base' is unknown"),
    (slo(timeWindow=[{"duration": "1Q", "calendar": {"startTime": "2025-02-01 00:00:00", "timeZone": "Etc/UTC"}}]), "calendar.startTime", "the first of a quarter"),
    (slo(budgetingMethod="occurrences"), "spec.budgetingMethod", "write one of Occurrences, Timeslices, RatioTimeslices"),
    (slo(budgetingMethod="Timeslices"), "objectives[0].timeSliceWindow", "is missing"),
    (slo(objectives=[]), "spec.objectives", "holds no objective"),
    (slo(objectives=[{"target": 0.99, "targetPercent": 99}]), "objectives[0]", "has target and targetPercent; give one"),
    (slo(objectives=[{"target": 1}]), "objectives[0].target", "out of range; write a number above 0 and below 1"),
    (slo(objectives=[{"target": 0.99999999}]), "objectives[0].target", "more than six decimals"),
    (slo(objectives=[{"target": "0.99"}]), "objectives[0].target", "is no number"),
    (slo(objectives=[{"target": float("nan")}]), "objectives[0].target", "is no number"),
    (slo(objectives=[{"target": 0.99, "timeSliceWindow": "5m"}]), "objectives[0].timeSliceWindow", "Occurrences have no time slices"),
    (slo(objectives=[{"target": 0.99, "compositeWeight": 1}]), "objectives[0].compositeWeight", "no such field"),
    (slo(objectives=[{"target": 0.99}, {"target": 0.9}]), None, None),
    (slo(objectives=[{"target": 0.99, "displayName": "a"}, {"target": 0.9, "displayName": "A"}]), "spec.objectives", "two objectives would have the code main-page-a"),
    (slo(indicatorRef="up"), "spec.indicator", "stands beside indicatorRef"),
    (slo(indicator=None, indicatorRef="up"), "spec.indicatorRef", "no SLI up in the files given"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {}}), "indicator.spec", "exactly one of thresholdMetric and ratioMetric"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"raw": metric("up_share"), "rawType": "success"}}}), "ratioMetric.raw", "cannot be adjusted for exclusions"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": metric("up_seconds"), "bad": metric("down_seconds"), "total": metric("known_seconds")}}}), "ratioMetric", "exactly one of good and bad"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": metric("up_seconds")}}}), "ratioMetric.total", "is missing"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": metric("up_seconds"), "total": metric("samples")}}}), "ratioMetric", "do not belong together"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": metric("tickets_in_time", slt_code="no"), "total": metric("tickets", slt_code="no")}}}), "good.metricSource.spec.slt_code", "SLT 'no' is not governed here"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": {"metricSource": {"type": "Prometheus", "spec": {"query": "sum(up)"}}}, "total": metric("samples")}}}), "good.metricSource.spec", "a query of Prometheus cannot be run in the warehouse; name what the warehouse holds"),
    (slo(indicator={"metadata": {"name": "x"}, "spec": {"ratioMetric": {"good": {"metricSource": {"spec": {}}}, "total": metric("samples")}}}), "good.metricSource", "neither type nor metricSourceRef"),
    (slo(alertPolicies=["missing"]), "spec.alertPolicies[0]", "no AlertPolicy missing in the files given"),
    (slo(alertPolicies=[policy(notificationTargets=[])] * 2), "spec.alertPolicies", "AlertPolicy stands twice"),
    (slo(alertPolicies=[policy(alertWhenBreaching=False)]), "alertPolicies[0].spec.alertWhenBreaching", "never alerts on a breach"),
    (slo(alertPolicies=[policy(conditions=[])]), "alertPolicies[0].spec.conditions", "0 conditions; openslo/v1 allows exactly one"),
    (slo(alertPolicies=[policy()]), "notificationTargets[0].targetRef", "no AlertNotificationTarget OnCallDevopsMailNotification"),
    (slo(alertPolicies=[policy(CONDITION | {"lookbackWindow": "7m"}, notificationTargets=[])]), "condition.lookbackWindow", "finer than the warehouse keeps"),
    (slo(alertPolicies=[policy(CONDITION | {"alertAfter": "2h"}, notificationTargets=[])]), "condition.alertAfter", "not shorter than lookbackWindow"),
    (slo(alertPolicies=[policy(CONDITION | {"kind": "latency"}, notificationTargets=[])]), "condition.kind", "write one of burnrate"),
    (slo(alertPolicies=[policy(CONDITION | {"threshold": 0}, notificationTargets=[])]), "condition.threshold", "write a number above 0"),
    (slo(annotations={"slt-warehouse/colour": "red"}), "annotations.slt-warehouse/colour", "is no annotation we know"),
    (slo(annotations={"slt-warehouse/minimum-event-count": "many"}), "minimum-event-count", "is no whole number"),
    (slo(annotations={"slt-warehouse/all-services": "true"}), "all-services", "monitors are those of one service"),
    (slo(annotations={"slt-warehouse/sample-kind": "synthetic"}), "sample-kind", "only samples have a kind"),
    (slo(description="x" * 1051), "spec.description", "at most 1,050 characters"),
    (slo() | {"apiVersion": "openslo/v2alpha"}, "apiVersion", "'openslo/v2alpha' is not supported; write openslo/v1"),
    (slo() | {"kind": "Objective"}, "kind", "'Objective' is no kind of openslo/v1"),
    (slo() | {"metadata": {"name": "-odd"}}, "metadata.name", "is no name"),
    (slo() | {"status": {}}, "status", "no such field"),
    (thing("Service", "legacy", {}), "metadata.name", "service legacy is not governed here"),
    (thing("DataSource", "d", {}), "spec.type", "is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "field", "reason"), REFUSED, ids=[f"{n}-{c[1]}" for n, c in enumerate(REFUSED)])
def test_refusals_name_the_field_the_reason_and_the_remedy(
    document: dict[str, Any], field: str | None, reason: str | None
) -> None:
    found = refusals(document)
    if field is None:
        assert not found
        return
    assert any(
        each.startswith("slos.yaml, document 1, ") and field in each and str(reason) in each for each in found
    ), found


MALFORMED = [
    ("a: [1, 2", "document 1, line 1", "is not readable YAML"),
    ("apiVersion: openslo/v1\nkind: SLO\nkind: SLI\n", "document 1, line 3", "the key 'kind' stands twice"),
    ("a: !!python/object/apply:os.system [id]\n", "document 1, line 1", "could not determine a constructor"),
    ("- 1\n- 2\n", "document 1", "is no mapping"),
    ("just text\n", "document 1", "is no mapping"),
    ("a: *nowhere\n", "document 1, line 1", "is not readable YAML"),
    ("a: &a [*a]\n", "apiVersion", "None is not supported"),
    ("? [1, 2]\n: 3\n", "document 1, line 1", "is not readable YAML"),
    ("a: \x07\n", "document 1", "is not readable YAML"),
    ("", "slos.yaml", "no SLO in it"),
    ("#" * 1_000_001, "document 1", "is larger than 1,000,000 bytes"),
]


@pytest.mark.parametrize(("text", "where", "reason"), MALFORMED, ids=[case[2] + case[1] for case in MALFORMED])
def test_malformed_input_is_refused_where_it_stands(text: str, where: str, reason: str) -> None:
    found = refusals(text)
    assert any(where in each and reason in each for each in found), found


def test_a_broken_document_does_not_hide_the_ones_before_it() -> None:
    found = refusals(slo(service="nowhere"), "a: [\n")
    assert any("document 1, spec.service" in each for each in found)
    assert any("document 2, line" in each for each in found)


def test_the_same_name_twice_is_refused() -> None:
    assert refusals(slo(), slo()) == [
        "slos.yaml, document 2, metadata.name: SLO main-page stands in slos.yaml, document 1 too; rename or remove one"
    ]


def test_secrets_of_a_data_source_are_in_no_message() -> None:
    document = thing("DataSource", "d", {"type": "Redshift", "connectionDetails": {"secretAccessKey": "hush"}, "x": 1})
    imported = read(document, slo())
    assert imported.refusals and "hush" not in repr(imported)


@seed(20250301)
@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
        | st.sampled_from(["SLO", "4w", "up_seconds", "slt-warehouse", "Occurrences", "gte"]),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*slo()["spec"], "metadata", "spec", "name", "ratioMetric", "good", "total", "metricSource", "type", "duration", "target", "conditions", "conditionRef"]), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from(["spec", *(f"spec.{key}" for key in (*slo()["spec"], "alertPolicies", "indicatorRef")), "metadata"]),
)  # fmt: skip
def test_nothing_raises_whatever_stands_where(value: Any, where: str) -> None:
    document = slo()
    holder: dict[str, Any] = document
    *path, last = where.split(".")
    for key in path:
        holder = holder[key]
    holder[last] = value
    imported = read(document)
    assert imported.refusals or imported.slos


# --- into the seeds ---


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    for name, columns, codes in (
        ("services/service.csv", "service_code,service_name", [f"{code},x" for code in sorted(SERVICES)]),
        ("slt/slt_definition.csv", "slt_code,slt_version", ["incident_resolution,1"]),
    ):
        path = tmp_path / "seeds" / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join([columns, *codes]) + "\n")
    return tmp_path / "seeds"


def write_yaml(seeds: Path, *documents: dict[str, Any]) -> list[Path]:
    path = seeds / "slos.yaml"
    path.write_text("---\n".join(yaml.safe_dump(each) for each in documents))
    return [path]


def rows_of(seeds: Path, name: str) -> list[dict[str, str]]:
    with (seeds / "slo" / name).open(newline="") as file:
        return list(csv.DictReader(file))


FIRST, SECOND = date(2025, 1, 1), date(2025, 7, 1)


def test_a_change_is_a_new_version_and_ends_the_one_before(seeds: Path) -> None:
    alerts = {"alertPolicies": [policy(notificationTargets=[])]}
    files = write_yaml(seeds, slo(**alerts, annotations={"slt-warehouse/minimum-event-count": "50"}))
    shown = import_files(files, seeds / "slo", seeds, FIRST)
    assert shown.difference and not (seeds / "slo").exists()
    import_files(files, seeds / "slo", seeds, FIRST, write=True)
    assert not import_files(files, seeds / "slo", seeds, SECOND, write=True).difference, (
        "the same again changes nothing"
    )

    changed = write_yaml(seeds, slo(**alerts, objectives=[{"target": 0.995}]))
    import_files(changed, seeds / "slo", seeds, SECOND, write=True)
    first, second = rows_of(seeds, "slo_definition.csv")
    assert (first["slo_version"], first["target_share"], first["effective_to"]) == ("1", "0.99", "2025-06-30")
    assert (second["slo_version"], second["target_share"], second["effective_from"], second["effective_to"]) == (
        "2", "0.995", "2025-07-01", "",
    )  # fmt: skip
    assert second["minimum_event_count"] == "50", "what the file does not state stays as governed"
    (alert,) = rows_of(seeds, "slo_alert_policy.csv")
    assert (alert["effective_from"], alert["effective_to"]) == ("2025-01-01", "")


def test_a_version_cannot_begin_before_the_one_in_force(seeds: Path) -> None:
    import_files(write_yaml(seeds, slo()), seeds / "slo", seeds, SECOND, write=True)
    before = (seeds / "slo" / "slo_definition.csv").read_bytes()
    with pytest.raises(ImportRefusedError, match="a version begins on 2025-07-01 already"):
        import_files(write_yaml(seeds, slo(objectives=[{"target": 0.5}])), seeds / "slo", seeds, FIRST, write=True)
    assert (seeds / "slo" / "slo_definition.csv").read_bytes() == before


def test_one_refusal_writes_nothing_of_the_rest(seeds: Path) -> None:
    other = slo(service="nowhere")
    other["metadata"]["name"] = "other"
    with pytest.raises(ImportRefusedError) as refused:
        import_files(write_yaml(seeds, slo(), other), seeds / "slo", seeds, FIRST, write=True)
    assert refused.value.findings[0].document_number == 2
    assert not (seeds / "slo").exists()


def test_a_failing_second_file_leaves_the_first_as_it_was(seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_yaml(seeds, slo(alertPolicies=[policy(notificationTargets=[])]))
    import_files(files, seeds / "slo", seeds, FIRST, write=True)
    before = {path.name: path.read_bytes() for path in (seeds / "slo").iterdir()}
    replace = Path.replace

    def failing(path: Path, target: Path) -> Path:
        if target.name == openslo.POLICY_FILE:
            raise OSError("no space")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    changed = write_yaml(seeds, slo(objectives=[{"target": 0.9}]))
    with pytest.raises(OSError, match="no space"):
        import_files(changed, seeds / "slo", seeds, SECOND, write=True)
    assert {path.name: path.read_bytes() for path in (seeds / "slo").iterdir()} == before


def test_a_seed_of_another_shape_is_not_touched(seeds: Path) -> None:
    (seeds / "slo").mkdir()
    (seeds / "slo" / "slo_definition.csv").write_text("slo_code\nx\n")
    with pytest.raises(ValueError, match="has the columns slo_code; expected"):
        import_files(write_yaml(seeds, slo()), seeds / "slo", seeds, FIRST, write=True)


def test_the_governed_seeds_have_the_columns_the_import_writes() -> None:
    folder = Path(__file__).resolve().parents[2] / "seeds" / "slo"
    for name, columns in ((openslo.SLO_FILE, openslo.SLO_COLUMNS), (openslo.POLICY_FILE, openslo.POLICY_COLUMNS)):
        text = (folder / name).read_text()
        assert openslo.render_seed(openslo.parse_seed(text, columns, name), columns) == text


def test_values_not_stated_get_defaults_in_a_new_row() -> None:
    merged = merge(read(slo()), [], [], FIRST)
    (row,) = merged.slos
    assert (row["exclusion_effect"], row["minimum_event_count"], row["time_zone"], row["sample_kind"]) == (
        "drop_denominator", "1", "Etc/UTC", "",
    )  # fmt: skip


def test_the_command_shows_the_difference_and_refuses_with_a_reason(
    seeds: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from dagster_project.cli import main

    out = str(seeds / "slo")
    good = str(write_yaml(seeds, slo(service="payments"))[0])
    assert main(["openslo-import", good, "--out", out, "--effective-from", "2026-01-01"]) == 0
    shown = capfd.readouterr().out
    assert "+main-page,1,Main page,payments" in shown and "not written: add --write" in shown.splitlines()[-1]
    assert not Path(out).exists()
    assert main(["openslo-import", good, "--out", out, "--effective-from", "2026-01-01", "--write"]) == 0
    assert Path(out, "slo_definition.csv").exists()
    bad = str(write_yaml(seeds, slo(service="nowhere"))[0])
    assert main(["openslo-import", bad, "--out", out, "--write"]) == 1
    assert "document 1, spec.service: service nowhere is not governed here" in capfd.readouterr().out
    assert main(["openslo-import", str(seeds / "missing.yaml"), "--out", out]) == 2


def test_the_example_in_the_documentation_can_be_imported() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "openslo.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    imported = read_openslo({"docs": example}, services={"checkout"}, slt_codes=())
    assert not imported.refusals and imported.slos[0]["minimum_event_count"] == "1000000"
