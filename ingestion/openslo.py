"""OpenSLO v1 YAML to the rows of seeds/slo: what the warehouse can measure is mapped, the rest is refused.

Pure: texts and the governed codes go in, rows, refusals and notes come out; `merge` says what the seeds would be and
`write_seeds` puts them down, both files or neither. docs/openslo.md tells the mapping. Here belong only the format and
its meaning for the seeds; what the rows then mean is the models' business.

Format: the OpenSLO specification, version openslo/v1 (README of OpenSLO/OpenSLO).
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

API_VERSION = "openslo/v1"
KINDS = ("DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service")
WAREHOUSE_TYPE = "slt-warehouse"
ANNOTATION_PREFIX = "slt-warehouse/"
LARGEST_FILE_BYTES = 1_000_000
BUCKET_SECONDS = 300

SLO_FILE, POLICY_FILE = "slo_definition.csv", "slo_alert_policy.csv"
SLO_COLUMNS = (
    "slo_code", "slo_version", "slo_name", "service_code", "indicator", "slt_code", "sample_kind", "budgeting_method",
    "target_share", "time_slice_seconds", "time_slice_target_share", "window_kind", "window_days", "calendar_unit",
    "time_zone", "exclusion_effect", "minimum_event_count", "effective_from", "effective_to",
)  # fmt: skip
POLICY_COLUMNS = (
    "slo_code", "alert_policy_code", "long_window_seconds", "short_window_seconds", "budget_share", "threshold_factor",
    "minimum_event_count", "severity", "notification_target", "effective_from", "effective_to",
)  # fmt: skip
# What OpenSLO has no field for: an existing row keeps its value, a new one begins with this.
SLO_DEFAULTS = {
    "exclusion_effect": "drop_denominator",
    "minimum_event_count": "1",
    "sample_kind": "",
    "time_zone": "Etc/UTC",
}
POLICY_DEFAULTS = {"minimum_event_count": "1"}
VALIDITY = ("slo_version", "effective_from", "effective_to")

# measure -> (indicator, what of it)
MEASURES = {
    "up_seconds": ("monitor_time", "good"),
    "down_seconds": ("monitor_time", "bad"),
    "known_seconds": ("monitor_time", "total"),
    "sampled_up_seconds": ("sample_time", "good"),
    "sampled_down_seconds": ("sample_time", "bad"),
    "sampled_seconds": ("sample_time", "total"),
    "good_samples": ("monitor_samples", "good"),
    "bad_samples": ("monitor_samples", "bad"),
    "samples": ("monitor_samples", "total"),
    "tickets_in_time": ("ticket_attainment", "good"),
    "tickets_late": ("ticket_attainment", "bad"),
    "tickets": ("ticket_attainment", "total"),
}
SHARE_MEASURES = {"up_share": "monitor_time", "sampled_up_share": "sample_time", "good_sample_share": "monitor_samples"}
BUDGETING_METHODS = {"Occurrences": "occurrences", "Timeslices": "timeslices", "RatioTimeslices": "ratio_timeslices"}
CALENDAR_UNITS = {
    (1, "w"): "week",
    (7, "d"): "week",
    (1, "M"): "month",
    (1, "Q"): "quarter",
    (3, "M"): "quarter",
    (1, "Y"): "year",
    (12, "M"): "year",
    (4, "Q"): "year",
}
SECONDS_OF = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._|/\\-]{0,253}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Finding:
    """Something about one field of one document, for people: where, what, how to mend it."""

    file: str
    document_number: int
    field: str
    reason: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}, document {self.document_number}" + (f", {self.field}" if self.field else "")
        return f"{where}: {self.reason}" + (f"; {self.mend}" if self.mend else "")


@dataclass(frozen=True)
class Imported:
    """What the documents mean: rows without validity, and what stands against or beside them.

    A value of None in a row is not stated by the documents: the seed's own value stays.
    """

    slos: tuple[dict[str, str | None], ...]
    alert_policies: tuple[dict[str, str | None], ...]
    refusals: tuple[Finding, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True)
class Merged:
    """The seeds' rows after the import, and what could not be merged."""

    slos: tuple[dict[str, str], ...]
    alert_policies: tuple[dict[str, str], ...]
    refusals: tuple[Finding, ...]


# ------------------------------------------------------------------------------------------------ YAML


class _Loader(yaml.SafeLoader):
    """Safe YAML with numbers as Decimal, times as text, and no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no text", key_node.start_mark)
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


def _number(loader: yaml.SafeLoader, node: Any) -> Any:
    text = loader.construct_scalar(node).replace("_", "")
    try:
        return Decimal(text)
    except ArithmeticError:
        return text  # .inf, .nan, 0x1F, 12:30: read on as text, which no number field accepts


_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


@dataclass
class _Document:
    """One object as read, and the name it goes by."""

    file: str
    number: int
    body: dict[str, Any]
    is_used: bool = False

    @property
    def kind(self) -> str:
        return str(self.body.get("kind"))

    @property
    def name(self) -> str:
        metadata = self.body.get("metadata")
        return str(metadata.get("name")) if isinstance(metadata, dict) else ""


@dataclass
class _Reading:
    """Everything collected on the way."""

    services: frozenset[str]
    slt_codes: frozenset[str]
    objects: dict[tuple[str, str], _Document] = field(default_factory=dict)
    refusals: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _At:
    """A value and where it stands; reading from it collects refusals instead of raising."""

    reading: _Reading
    document: _Document
    path: str
    value: Any

    def refuse(self, reason: str, mend: str = "") -> None:
        self.reading.refusals.append(Finding(self.document.file, self.document.number, self.path, reason, mend))

    def note(self, text: str) -> None:
        self.reading.notes.append(Finding(self.document.file, self.document.number, self.path, text))

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def get(self, key: str) -> _At:
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return _At(self.reading, self.document, f"{self.path}.{key}" if self.path else key, value)

    def items(self) -> list[_At]:
        """The elements of a list; anything else is refused."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            self.refuse("is no list", "write its entries with leading dashes")
            return []
        return [
            _At(self.reading, self.document, f"{self.path}[{number}]", value) for number, value in enumerate(self.value)
        ]

    def mapping(self, allowed: Iterable[str], required: Iterable[str] = ()) -> bool:
        """Whether it is a mapping with these keys and no others; each that is not is refused."""
        if not isinstance(self.value, dict):
            self.refuse("is missing" if self.value is None else "is no mapping", "write it as key: value pairs")
            return False
        known = tuple(allowed)
        for key in self.value:
            if key not in known:
                self.get(str(key)).refuse(f"openslo/v1 has no such field here, or it is not supported (known: "
                                          f"{', '.join(known)})", "remove it")  # fmt: skip
        missing = [key for key in required if self.value.get(key) is None]
        for key in missing:
            self.get(key).refuse("is missing", "it is required")
        return not missing

    def text(self, default: str | None = None) -> str | None:
        if self.value is None:
            return default
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse("is no text" if not isinstance(self.value, str) else "is empty", "write a text, in quotes")
            return None
        if "\n" in self.value.strip() or "\x00" in self.value:
            self.refuse("has more than one line", "write it on one")
            return None
        return self.value.strip()

    def choice(self, values: Sequence[str], default: str | None = None) -> str | None:
        text = self.text(default)
        if text is not None and text not in values:
            self.refuse(f"{text!r} is not supported", f"write one of {', '.join(values)}")
            return None
        return text

    def boolean(self) -> bool | None:
        if self.value is not None and not isinstance(self.value, bool):
            self.refuse(f"{self.value!r} is neither true nor false", "write true or false")
            return None
        return self.value

    def number(self, above: Decimal, limit: Decimal | None = None, is_limit_allowed: bool = False) -> Decimal | None:
        """A number above a bound and below (or at) another, with at most six decimals."""
        wanted = f"a number above {above}" + (
            f" and {'at most' if is_limit_allowed else 'below'} {limit}" if limit is not None else ""
        )
        if not isinstance(self.value, Decimal) or not self.value.is_finite():
            self.refuse(f"{self.value!r} is no number", f"write {wanted}")
            return None
        beyond = limit is not None and (self.value > limit or (self.value == limit and not is_limit_allowed))
        if self.value <= above or beyond:
            self.refuse(f"{self.value} is out of range", f"write {wanted}")
            return None
        if self.value != round(self.value, 6):
            self.refuse(f"{self.value} has more than six decimals", "the seeds keep six: round it")
            return None
        return self.value

    def duration(self) -> tuple[int, str] | None:
        """The number and postfix of a duration shorthand such as 4w."""
        match = re.fullmatch(r"(\d{1,6})([mhdwMQY])", self.value) if isinstance(self.value, str) else None
        if match is None or int(match[1]) == 0:
            self.refuse(
                f"{self.value!r} is no duration",
                "write a whole number above 0 and one of m (minutes), h, d, w, M (months), Q, Y",
            )
            return None
        return int(match[1]), match[2]

    def seconds(self) -> int | None:
        """A duration of fixed length in seconds."""
        duration = self.duration()
        if duration is None:
            return None
        if duration[1] not in SECONDS_OF:
            self.refuse(f"{self.value} has no fixed length in seconds", "write it in m, h, d or w")
            return None
        return duration[0] * SECONDS_OF[duration[1]]


def read_openslo(texts: Mapping[str, str], *, services: Iterable[str], slt_codes: Iterable[str]) -> Imported:
    """What OpenSLO documents mean for the seeds.

    texts: file name to YAML text; objects refer to each other by name across all files. services, slt_codes: the
    governed codes an objective may name. Never raises for what stands in the texts: everything the warehouse cannot do
    is a refusal, and rows are complete only when there is none.
    """
    reading = _Reading(frozenset(services), frozenset(slt_codes))
    for file, text in texts.items():
        for document in _documents(reading, file, text):
            _register(reading, document)
    slos: list[dict[str, str | None]] = []
    policies: list[dict[str, str | None]] = []
    for document in reading.objects.values():
        _check_object(reading, document)
    for document in [each for each in reading.objects.values() if each.kind == "SLO"]:
        document.is_used = True
        rows = _slo(_root(reading, document))
        slos += rows
        # without a row they are read too, for what stands against them
        alerts = [_alert_policies(_root(reading, document), str(row["slo_code"])) for row in rows or [{"slo_code": ""}]]
        policies += [policy for of_row in alerts for policy in of_row] if rows else []
    for kind, name in _repeated((str(row["slo_code"]), "") for row in slos):
        reading.refusals.append(Finding("", 0, "", f"two objectives would have the code {kind}{name}", "rename one"))
    for document in reading.objects.values():
        if not document.is_used and document.kind not in ("SLO", "Service"):
            _root(reading, document).note(
                f"{document.kind} {document.name} is used by no SLO here: nothing comes of it"
            )
    if not any(document.kind == "SLO" for document in reading.objects.values()) and not reading.refusals:
        reading.refusals.append(
            Finding(", ".join(texts), 1, "", "no SLO in it", "give the file that holds the SLOs too")
        )
    return Imported(
        tuple(slos), tuple(policies), tuple(dict.fromkeys(reading.refusals)), tuple(dict.fromkeys(reading.notes))
    )


def _documents(reading: _Reading, file: str, text: str) -> Iterable[_Document]:
    """The documents of one file; what is no YAML ends the file with a refusal."""
    number = 1
    if len(text.encode()) > LARGEST_FILE_BYTES:
        reading.refusals.append(Finding(file, 1, "", f"is larger than {LARGEST_FILE_BYTES:,} bytes", "split it"))
        return
    try:
        loader = _Loader(text)
        while loader.check_data():
            body = loader.get_data()
            if body is not None:  # an empty document between two markers is nothing
                document = _Document(file, number, body if isinstance(body, dict) else {})
                if isinstance(body, dict):
                    yield document
                else:
                    _root(reading, document).refuse("is no mapping", "begin it with apiVersion: openslo/v1")
            number += 1
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = f"line {mark.line + 1}" if mark is not None else ""
        reading.refusals.append(Finding(file, number, line, f"is not readable YAML: {what}", "mend it there"))


def _root(reading: _Reading, document: _Document) -> _At:
    return _At(reading, document, "", document.body)


def _register(reading: _Reading, document: _Document) -> None:
    root = _root(reading, document)
    version = root.get("apiVersion")
    if version.value != API_VERSION:
        version.refuse(f"{version.value!r} is not supported", f"write {API_VERSION}")
        return
    if root.get("kind").value not in KINDS:
        root.get("kind").refuse(f"{root.get('kind').value!r} is no kind of {API_VERSION}", f"one of {', '.join(KINDS)}")
        return
    root.mapping(("apiVersion", "kind", "metadata", "spec"), ("metadata", "spec"))
    if not _metadata(root.get("metadata")):
        return
    key = (document.kind, document.name)
    if key in reading.objects:
        first = reading.objects[key]
        root.get("metadata").get("name").refuse(
            f"{document.kind} {document.name} stands in {first.file}, document {first.number} too",
            "rename or remove one",
        )
        return
    reading.objects[key] = document


def _metadata(at: _At) -> bool:
    """Whether it names its object; labels and annotations are looked at for their shape only."""
    if not at.mapping(("name", "displayName", "labels", "annotations"), ("name",)):
        return False
    name = at.get("name").text()
    if name is None:
        return False
    if not NAME.fullmatch(name):
        at.get("name").refuse(f"{name!r} is no name", "use letters, digits and -, . | / \\ between, at most 255")
        return False
    at.get("displayName").text()
    for key in ("labels", "annotations"):
        if at.has(key) and not isinstance(at.get(key).value, dict):
            at.get(key).refuse("is no mapping", "write it as key: value pairs")
    for key, value in _pairs(at.get("labels")):
        if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            at.get("labels").get(key).refuse("is neither a text nor a list of texts", "put it in quotes")
    return True


def _pairs(at: _At) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in at.value.items()] if isinstance(at.value, dict) else []


def _annotations(at: _At, known: Mapping[str, str]) -> dict[str, str]:
    """Our own annotations of an object's metadata, by the column they fill."""
    found = {}
    for key, value in _pairs(at.get("annotations")):
        if not key.startswith(ANNOTATION_PREFIX):
            continue
        short = key.removeprefix(ANNOTATION_PREFIX)
        where = at.get("annotations").get(key)
        if short not in known:
            where.refuse("is no annotation we know", f"one of {', '.join(ANNOTATION_PREFIX + k for k in known)}")
        elif not isinstance(value, str):
            where.refuse("is no text", "annotations are texts: put it in quotes")
        else:
            found[known[short]] = value
    return found


def _description(spec: _At) -> None:
    value = spec.get("description").value
    if value is not None and (not isinstance(value, str) or len(value) > 1050):
        spec.get("description").refuse("is no text of at most 1,050 characters", "shorten it")


def _check_object(reading: _Reading, document: _Document) -> None:
    """What can be said of an object by itself, whether something refers to it or not."""
    root = _root(reading, document)
    spec = root.get("spec")
    if document.kind == "Service":
        if isinstance(spec.value, dict) and spec.mapping(("description",)):
            _description(spec)
        if document.name not in reading.services:
            root.get("metadata").get("name").refuse(
                f"service {document.name} is not governed here",
                "add it to seeds/services/service.csv: its owner, country and calendar are not in OpenSLO",
            )
    elif document.kind == "DataSource":
        if spec.mapping(("description", "type", "connectionDetails"), ("type",)):
            _description(spec)
    elif document.kind == "AlertNotificationTarget" and spec.mapping(("description", "target"), ("target",)):
        _description(spec)
        spec.get("target").text()


def _reference(at: _At, kind: str) -> _At | None:
    """The object of a kind that a field names."""
    name = at.text()
    if name is None:
        return None
    document = at.reading.objects.get((kind, name))
    if document is None:
        at.refuse(f"no {kind} {name} in the files given", "give the file that defines it too, or correct the name")
        return None
    document.is_used = True
    return _root(at.reading, document)


# ------------------------------------------------------------------------------------------------- SLO


def _slo(root: _At) -> list[dict[str, str | None]]:
    """One row per objective; what is wrong is refused on the way."""
    spec, metadata = root.get("spec"), root.get("metadata")
    if not spec.mapping(
        ("description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod", "objectives",
         "alertPolicies"),
        ("service", "budgetingMethod", "objectives"),
    ):  # fmt: skip
        return []
    _description(spec)
    own = _annotations(
        metadata,
        {
            "exclusion-effect": "exclusion_effect",
            "minimum-event-count": "minimum_event_count",
            "time-zone": "time_zone",
            "sample-kind": "sample_kind",
            "all-services": "all_services",
        },
    )
    service = spec.get("service").text()
    if service is not None and service not in root.reading.services:
        spec.get("service").refuse(
            f"service {service} is not governed here", "add it to seeds/services/service.csv or name another"
        )
    method = BUDGETING_METHODS.get(spec.get("budgetingMethod").choice(tuple(BUDGETING_METHODS)) or "")
    indicator = _indicator(spec)
    window = _time_window(spec)
    _own_values(metadata, own, window)
    objectives = spec.get("objectives").items()
    if isinstance(spec.get("objectives").value, list) and not objectives:
        spec.get("objectives").refuse("holds no objective", "give at least one")
    is_threshold = bool(indicator and indicator.get("is_threshold"))
    if is_threshold and len(objectives) > 1:
        spec.get("objectives").refuse("a thresholdMetric has one objective only", "make an SLO of each")
    rows = []
    codes: list[str] = []
    for number, objective in enumerate(objectives):
        figures = _objective(objective, method, is_threshold)
        name = objective.get("displayName").text()
        code = root.document.name if len(objectives) == 1 else f"{root.document.name}-{_slug(name) or number + 1}"
        codes.append(code)
        if figures is None or indicator is None or window is None or method is None:
            continue
        if indicator["indicator"] == "ticket_attainment" and method != "occurrences":
            spec.get("budgetingMethod").refuse("tickets are not cut into time slices", "write Occurrences")
            continue
        if own.get("all_services") == "true" and indicator["indicator"] != "ticket_attainment":
            metadata.get("annotations").get(ANNOTATION_PREFIX + "all-services").refuse(
                "monitors are those of one service", "remove it"
            )
            continue
        if "sample_kind" in own and indicator["indicator"] not in ("sample_time", "monitor_samples"):
            metadata.get("annotations").get(ANNOTATION_PREFIX + "sample-kind").refuse(
                "only samples have a kind", "remove it, or measure sampled_up_seconds or good_samples"
            )
            continue
        display = metadata.get("displayName").text(root.document.name)
        rows.append(
            {
                "slo_code": code,
                "slo_name": display if len(objectives) == 1 else f"{display}: {name or number + 1}",
                "service_code": "" if own.get("all_services") == "true" else service,
                "indicator": indicator["indicator"],
                "slt_code": indicator["slt_code"],
                "sample_kind": own.get("sample_kind"),
                "budgeting_method": "timeslices" if is_threshold else method,
                **figures,
                **window,
                "exclusion_effect": own.get("exclusion_effect"),
                "minimum_event_count": own.get("minimum_event_count"),
            }
        )
    for code, _ in _repeated((code, "") for code in codes):
        spec.get("objectives").refuse(f"two objectives would have the code {code}", "give them different displayNames")
    return rows


def _own_values(metadata: _At, own: dict[str, str], window: dict[str, str | None] | None) -> None:
    """Check the values of our annotations, and let the time zone of a rolling window count."""
    at = metadata.get("annotations")
    allowed = {
        "exclusion_effect": ("exclusion-effect", ("drop_denominator", "count_good")),
        "sample_kind": ("sample-kind", ("synthetic", "real_user", "log_scraped")),
        "all_services": ("all-services", ("true", "false")),
    }
    for column, (key, values) in allowed.items():
        if column in own:
            at.get(ANNOTATION_PREFIX + key).choice(values)
    if "minimum_event_count" in own and not re.fullmatch(r"\d{1,12}", own["minimum_event_count"]):
        at.get(ANNOTATION_PREFIX + "minimum-event-count").refuse("is no whole number", "write one such as '1000'")
    if "time_zone" in own:
        where = at.get(ANNOTATION_PREFIX + "time-zone")
        if window is not None and window["window_kind"] == "calendar":
            where.refuse("a calendar window has its time zone in timeWindow", "remove the annotation")
        elif _is_zone(where) and window is not None:
            window["time_zone"] = own["time_zone"]


def _is_zone(at: _At) -> bool:
    name = at.text()
    if name is None:
        at.refuse("is missing", "write an IANA name such as Europe/Dublin")
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        at.refuse(f"time zone {name!r} is unknown", "write an IANA name such as Europe/Dublin")
        return False
    return True


def _time_window(spec: _At) -> dict[str, str | None] | None:
    windows = spec.get("timeWindow").items()
    if len(windows) != 1:
        spec.get("timeWindow").refuse(
            f"{len(windows)} time windows", "give exactly one: the warehouse has no window of its own choice"
        )
        return None
    (at,) = windows
    if not at.mapping(("duration", "isRolling", "calendar"), ("duration",)):
        return None
    is_rolling = at.get("isRolling").boolean()
    if at.get("isRolling").value is not None and is_rolling is None:
        return None
    if is_rolling and at.has("calendar"):
        at.refuse("is rolling and has a calendar", "remove one of them")
        return None
    if not is_rolling and not at.has("calendar"):
        at.refuse(
            "is neither rolling nor has a calendar", "write isRolling: true, or calendar with startTime and timeZone"
        )
        return None
    return _rolling(at) if is_rolling else _calendar(at)


def _rolling(at: _At) -> dict[str, str | None] | None:
    seconds = at.get("duration").seconds()
    if seconds is None:
        return None
    if seconds % 86400:
        at.get("duration").refuse(
            f"{at.get('duration').value} is not whole days", "take days or weeks, such as 28d or 4w"
        )
        return None
    return {"window_kind": "rolling", "window_days": str(seconds // 86400), "calendar_unit": "", "time_zone": None}


def _calendar(at: _At) -> dict[str, str | None] | None:
    duration = at.get("duration").duration()
    calendar = at.get("calendar")
    if duration is None or not calendar.mapping(("startTime", "timeZone"), ("startTime", "timeZone")):
        return None
    unit = CALENDAR_UNITS.get(duration)
    if unit is None:
        hint = " (m is minutes: a month is 1M)" if duration[1] == "m" else ""
        at.get("duration").refuse(
            f"calendar windows of {duration[0]}{duration[1]} are not supported{hint}", "write 1w, 1M, 1Q or 1Y"
        )
    is_zone = _is_zone(calendar.get("timeZone"))
    start = _local_time(calendar.get("startTime"))
    if unit is None or start is None or not is_zone:
        return None
    begins = {
        "week": start.isoweekday() == 1,
        "month": start.day == 1,
        "quarter": start.day == 1 and start.month % 3 == 1,
        "year": start.day == 1 and start.month == 1,
    }
    if not begins[unit] or start.time() != datetime.min.time():
        first = {"week": "a Monday", "month": "the first of a month", "quarter": "the first of a quarter",
                 "year": "1 January"}[unit]  # fmt: skip
        calendar.get("startTime").refuse(
            f"a calendar {unit} that begins at {start} is not supported", f"write {first} at 00:00:00"
        )
        return None
    return {
        "window_kind": "calendar",
        "window_days": "",
        "calendar_unit": unit,
        "time_zone": str(calendar.get("timeZone").value),
    }


def _local_time(at: _At) -> datetime | None:
    text = at.text()
    for pattern in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text or "", pattern)  # noqa: DTZ007 (a wall clock reading of the window's zone)
        except ValueError:
            continue
    at.refuse(f"{text!r} is no local time", "write it as 2025-01-01 00:00:00, without an offset")
    return None


def _objective(at: _At, method: str | None, is_threshold: bool) -> dict[str, str | None] | None:
    """target_share and the slice columns of one objective."""
    if not at.mapping(("displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow")):
        return None
    before = len(at.reading.refusals)
    target: Decimal | None = None
    if at.has("target") == at.has("targetPercent"):
        at.refuse(
            "has target and targetPercent" if at.has("target") else "has neither target nor targetPercent", "give one"
        )
    elif at.has("target"):
        target = at.get("target").number(Decimal(0), Decimal(1))
    else:
        percent = at.get("targetPercent").number(Decimal(0), Decimal(100))
        target = percent / 100 if percent is not None else None
        if target is not None and target != round(target, 6):
            at.get("targetPercent").refuse("has more than four decimals", "the seeds keep six of the share: round it")
    slice_seconds: int | None = None
    slice_target: Decimal | None = None
    if method == "occurrences":
        for key in ("timeSliceTarget", "timeSliceWindow"):
            if at.has(key):
                at.get(key).refuse("Occurrences have no time slices", "remove it, or write budgetingMethod: Timeslices")
    elif method is not None:
        slice_seconds = _slice_seconds(at.get("timeSliceWindow"))
        if method == "timeslices":
            slice_target = at.get("timeSliceTarget").number(Decimal(0), Decimal(1), is_limit_allowed=True)
        elif at.has("timeSliceTarget"):
            at.get("timeSliceTarget").refuse("RatioTimeslices averages the slices and judges none", "remove it")
    if is_threshold:
        slice_target = _threshold(at, method, slice_target)
    else:
        if at.has("value"):
            at.get("value").refuse("only a thresholdMetric is compared with a value", "remove it")
        if at.has("op"):
            at.get("op").choice(("lte", "gte", "lt", "gt"))
            at.get("op").note("has no effect on a ratioMetric")
    if len(at.reading.refusals) > before or target is None:
        return None
    return {
        "target_share": _plain(target),
        "time_slice_seconds": "" if slice_seconds is None else str(slice_seconds),
        "time_slice_target_share": "" if slice_target is None else _plain(slice_target),
    }


def _threshold(at: _At, method: str | None, slice_target: Decimal | None) -> Decimal | None:
    """A thresholdMetric over slices: its value is the share from which a slice is good."""
    if method is not None and method != "timeslices":
        at.refuse(
            "a thresholdMetric is judged slice by slice here: no series of single values is kept",
            "write budgetingMethod: Timeslices, or use a ratioMetric",
        )
        return None
    if at.get("op").choice(("lte", "gte", "lt", "gt")) not in ("gte", None) or not at.has("op"):
        at.get("op").refuse(f"{at.get('op').value!r} cannot be expressed", "a slice is good from a share on: write gte")
    if slice_target is not None and slice_target != 1:
        at.get("timeSliceTarget").refuse("each slice has one value: all of it must hold", "write 1.0")
    return at.get("value").number(Decimal(0), Decimal(1), is_limit_allowed=True)


def _slice_seconds(at: _At) -> int | None:
    if at.value is None:
        at.refuse("is missing", "say how long a slice is, such as 5m")
        return None
    if isinstance(at.value, Decimal):
        minutes = at.number(Decimal(0))
        seconds = None if minutes is None else minutes * 60
    else:
        length = at.seconds()
        seconds = None if length is None else Decimal(length)
    if seconds is None:
        return None
    if seconds % BUCKET_SECONDS or 86400 % seconds:
        at.refuse(
            f"a slice of {at.value} is not supported",
            "the finest the warehouse keeps is 5m: take a multiple of it that divides a day, such as 5m, 15m or 1h",
        )
        return None
    return int(seconds)


# ------------------------------------------------------------------------------------------- indicator


def _indicator(spec: _At) -> dict[str, Any] | None:
    """indicator, slt_code and is_threshold of an SLO's SLI, inline or by name."""
    if spec.has("indicator") == spec.has("indicatorRef"):
        spec.get("indicator").refuse(
            "stands beside indicatorRef" if spec.has("indicator") else "is missing, and so is indicatorRef",
            "give one of the two",
        )
        return None
    if spec.has("indicatorRef"):
        sli = _reference(spec.get("indicatorRef"), "SLI")
        if sli is None:
            return None
    else:
        sli = spec.get("indicator")
        if not sli.mapping(("apiVersion", "kind", "metadata", "spec"), ("metadata", "spec")):
            return None
        _metadata(sli.get("metadata"))
    body = sli.get("spec")
    if not body.mapping(("description", "thresholdMetric", "ratioMetric")):
        return None
    _description(body)
    if body.has("thresholdMetric") == body.has("ratioMetric"):
        body.refuse("needs exactly one of thresholdMetric and ratioMetric", "give one of the two")
        return None
    if body.has("ratioMetric"):
        return _ratio(body.get("ratioMetric"))
    measured = _measure(body.get("thresholdMetric"), tuple(SHARE_MEASURES))
    return measured and {"indicator": SHARE_MEASURES[measured[0]], "slt_code": "", "is_threshold": True}


def _ratio(at: _At) -> dict[str, Any] | None:
    if not at.mapping(("counter", "good", "bad", "total", "rawType", "raw")):
        return None
    at.get("counter").boolean()
    if at.has("raw") or at.has("rawType"):
        at.get("raw").refuse(
            "a ratio computed elsewhere cannot be adjusted for exclusions nor traced",
            "give good (or bad) and total instead",
        )
        return None
    if at.has("good") == at.has("bad"):
        at.refuse("needs exactly one of good and bad", "give one of the two")
        return None
    if not at.has("total"):
        at.get("total").refuse("is missing", "it is the denominator of good or bad")
        return None
    part = "good" if at.has("good") else "bad"
    measures = {
        role: _measure(at.get(role), tuple(name for name, (_, of) in MEASURES.items() if of == role))
        for role in (part, "total")
    }
    numerator, denominator = measures[part], measures["total"]
    if numerator is None or denominator is None:
        return None
    if MEASURES[numerator[0]][0] != MEASURES[denominator[0]][0] or numerator[1] != denominator[1]:
        at.refuse(
            f"{' '.join(numerator)} and {' '.join(denominator)} do not belong together".replace("  ", " "),
            "take both from one row of docs/openslo.md, with the same slt_code",
        )
        return None
    return {"indicator": MEASURES[numerator[0]][0], "slt_code": numerator[1], "is_threshold": False}


def _measure(at: _At, allowed: Sequence[str]) -> tuple[str, str] | None:
    """(measure, slt_code) of a metric the warehouse itself holds."""
    if not at.mapping(("metricSource",), ("metricSource",)):
        return None
    source = at.get("metricSource")
    if not source.mapping(("metricSourceRef", "type", "spec"), ("spec",)):
        return None
    kind = source.get("type").text()
    if source.has("metricSourceRef"):
        referred = _reference(source.get("metricSourceRef"), "DataSource")
        if referred is None:
            return None
        its_kind = referred.get("spec").get("type").value
        if kind is not None and kind != its_kind:
            source.get("type").refuse(f"{kind} is not the type of its DataSource, {its_kind}", "remove one of them")
            return None
        kind = str(its_kind)
    if kind is None:
        source.refuse("has neither type nor metricSourceRef", f"write type: {WAREHOUSE_TYPE}")
        return None
    if kind.lower() != WAREHOUSE_TYPE:
        source.get("spec").refuse(
            f"a query of {kind} cannot be run in the warehouse",
            f"name what the warehouse holds: type: {WAREHOUSE_TYPE} and spec.measure, one of {', '.join(allowed)}",
        )
        return None
    spec = source.get("spec")
    if not spec.mapping(("measure", "slt_code"), ("measure",)):
        return None
    measure = spec.get("measure").choice(allowed)
    if measure is None:
        return None
    slt_code = spec.get("slt_code").text("")
    if slt_code is None:
        return None
    is_ticket = MEASURES.get(measure, ("",))[0] == "ticket_attainment"
    if is_ticket and slt_code not in at.reading.slt_codes:
        spec.get("slt_code").refuse(
            f"SLT {slt_code!r} is not governed here", "name one of slt_definition.csv, whose tickets count"
        )
        return None
    if slt_code and not is_ticket:
        spec.get("slt_code").refuse("monitors have no SLT", "remove it")
        return None
    return measure, slt_code


# ---------------------------------------------------------------------------------------------- alerts


def _alert_policies(root: _At, slo_code: str) -> list[dict[str, str | None]]:
    rows = []
    for entry in root.get("spec").get("alertPolicies").items():
        if isinstance(entry.value, str):
            policy = _reference(entry, "AlertPolicy")
        elif entry.has("alertPolicyRef"):
            entry.mapping(("alertPolicyRef",))
            policy = _reference(entry.get("alertPolicyRef"), "AlertPolicy")
        else:
            policy = entry
            if not policy.mapping(("apiVersion", "kind", "metadata", "spec"), ("metadata", "spec")):
                continue
            if not _metadata(policy.get("metadata")):
                continue
        row = _alert_policy(policy) if policy is not None else None
        if row is not None:
            rows.append({"slo_code": slo_code, **row})
    for code, _ in _repeated((str(row["alert_policy_code"]), "") for row in rows):
        root.get("spec").get("alertPolicies").refuse(f"the alert policy {code} stands twice", "remove one")
    return rows


def _alert_policy(at: _At) -> dict[str, str | None] | None:
    spec = at.get("spec")
    if not spec.mapping(
        ("description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching", "conditions",
         "notificationTargets"),
        ("conditions",),
    ):  # fmt: skip
        return None
    _description(spec)
    own = _annotations(at.get("metadata"), {"minimum-event-count": "minimum_event_count"})
    if not re.fullmatch(r"\d{1,12}", own.get("minimum_event_count", "0")):
        at.get("metadata").get("annotations").refuse(
            "minimum-event-count is no whole number", "write one such as '1000'"
        )
        return None
    if spec.get("alertWhenBreaching").boolean() is not True:
        spec.get("alertWhenBreaching").refuse(
            "an alert that never alerts on a breach", "write true, or remove the policy"
        )
        return None
    for key, what in (
        ("alertWhenResolved", "the end of an alert"),
        ("alertWhenNoData", "insufficient_data"),
    ):
        if spec.get(key).boolean():
            spec.get(key).note(f"fct_burn_rate shows {what}; nobody is told of it")
    conditions = spec.get("conditions").items()
    if len(conditions) != 1:
        spec.get("conditions").refuse(f"{len(conditions)} conditions", "openslo/v1 allows exactly one")
        return None
    burn = _condition(conditions[0])
    targets = [_notification_target(target) for target in spec.get("notificationTargets").items()]
    if burn is None or any(target is None for target in targets):
        return None
    return {
        "alert_policy_code": str(at.get("metadata").get("name").value),
        **burn,
        "budget_share": "",
        "minimum_event_count": own.get("minimum_event_count"),
        "notification_target": "+".join(str(target) for target in targets),
    }


def _condition(entry: _At) -> dict[str, str] | None:
    if entry.has("conditionRef"):
        entry.mapping(("conditionRef",))
        condition = _reference(entry.get("conditionRef"), "AlertCondition")
        if condition is None:
            return None
    else:
        condition = entry
        if not condition.mapping(("apiVersion", "kind", "metadata", "spec"), ("spec",)):
            return None
    spec = condition.get("spec")
    if not spec.mapping(("description", "severity", "condition"), ("severity", "condition")):
        return None
    _description(spec)
    severity = spec.get("severity").text()
    at = spec.get("condition")
    if not at.mapping(("kind", "threshold", "lookbackWindow", "alertAfter"), ("threshold", "lookbackWindow")):
        return None
    kind = at.get("kind").choice(("burnrate",), "burnrate")
    threshold = at.get("threshold").number(Decimal(0))
    long_seconds = at.get("lookbackWindow").seconds()
    if None in (kind, severity, threshold) or long_seconds is None:
        return None
    after = at.get("alertAfter")
    if after.value is None or after.value == "0m":
        short_seconds: int | None = max(BUCKET_SECONDS, -(-long_seconds // 12 // BUCKET_SECONDS) * BUCKET_SECONDS)
        at.note(f"no alertAfter: the short window is a twelfth of the long one, {short_seconds} s")
    else:
        short_seconds = after.seconds()
        after.note("becomes the short window: the burn over it must exceed the threshold too")
    if short_seconds is None:
        return None
    for where, seconds in ((at.get("lookbackWindow"), long_seconds), (after, short_seconds)):
        if seconds % BUCKET_SECONDS:
            where.refuse(f"{seconds} s is finer than the warehouse keeps", "take a multiple of 5m")
            return None
    if short_seconds >= long_seconds:
        after.refuse(f"{short_seconds} s is not shorter than lookbackWindow", "shorten it")
        return None
    return {
        "long_window_seconds": str(long_seconds),
        "short_window_seconds": str(short_seconds),
        "threshold_factor": _plain(threshold or Decimal(0)),
        "severity": str(severity),
    }


def _notification_target(entry: _At) -> str | None:
    if entry.has("targetRef"):
        entry.mapping(("targetRef",))
        target = _reference(entry.get("targetRef"), "AlertNotificationTarget")
        if target is None:
            return None
    else:
        target = entry
        if not target.mapping(("apiVersion", "kind", "metadata", "spec"), ("spec",)):
            return None
    if not target.get("spec").mapping(("description", "target"), ("target",)):
        return None
    return target.get("spec").get("target").text()


# ------------------------------------------------------------------------------------------- the seeds


def merge(
    imported: Imported,
    slos: Sequence[Mapping[str, str]],
    alert_policies: Sequence[Mapping[str, str]],
    effective_from: date,
) -> Merged:
    """The seeds' rows with the imported ones in force from a day on.

    A row that says the same as the one in force is left alone. A changed one is a new version (of an alert policy: a
    new row) from that day, and the one before ends the day before: results already reported keep their definition.
    """
    refusals: list[Finding] = []
    merged_slos = [dict(row) for row in slos]
    for new in imported.slos:
        _put(merged_slos, new, ("slo_code",), SLO_DEFAULTS, effective_from, refusals)
    merged_policies = [dict(row) for row in alert_policies]
    for new in imported.alert_policies:
        _put(merged_policies, new, ("slo_code", "alert_policy_code"), POLICY_DEFAULTS, effective_from, refusals)
    return Merged(tuple(merged_slos), tuple(merged_policies), tuple(refusals))


def _put(
    rows: list[dict[str, str]],
    new: Mapping[str, str | None],
    key: tuple[str, ...],
    defaults: Mapping[str, str],
    effective_from: date,
    refusals: list[Finding],
) -> None:
    own = [number for number, row in enumerate(rows) if all(row[column] == new[column] for column in key)]
    last = rows[max(own, key=lambda number: rows[number]["effective_from"])] if own else None
    stated = {
        column: value if value is not None else (last[column] if last else defaults.get(column, ""))
        for column, value in new.items()
    }
    if last is not None:
        if not last["effective_to"] and all(_same(last[column], value) for column, value in stated.items()):
            return
        if date.fromisoformat(last["effective_from"]) >= effective_from:
            refusals.append(
                Finding("seeds", 0, " ".join(str(new[column]) for column in key),
                        f"a version begins on {last['effective_from']} already: {effective_from} would not follow it",
                        "choose a later --effective-from")
            )  # fmt: skip
            return
        day_before = (effective_from - timedelta(days=1)).isoformat()
        if not last["effective_to"] or last["effective_to"] > day_before:
            last["effective_to"] = day_before
    row = {**stated, "effective_from": effective_from.isoformat(), "effective_to": ""}
    if key == ("slo_code",):
        row["slo_version"] = str(max((int(rows[number]["slo_version"]) for number in own), default=0) + 1)
    rows.insert(own[-1] + 1 if own else len(rows), row)


def _same(left: str, right: str) -> bool:
    """Whether two cells say the same: 0.10 is 0.1."""
    try:
        return left == right or Decimal(left) == Decimal(right)
    except ArithmeticError:
        return False


def parse_seed(text: str, columns: Sequence[str], file: str) -> list[dict[str, str]]:
    """Rows of a seed's text. Raises ValueError where its columns are others than ours."""
    reader = csv.DictReader(io.StringIO(text))
    if text and tuple(reader.fieldnames or ()) != tuple(columns):
        raise ValueError(f"{file} has the columns {', '.join(reader.fieldnames or ())}; expected {', '.join(columns)}")
    return [{column: row[column] or "" for column in columns} for row in reader]


def render_seed(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    """A seed's text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass(frozen=True)
class ImportResult:
    """What an import would change, or has changed."""

    slo_count: int
    alert_policy_count: int
    notes: tuple[Finding, ...]
    difference: tuple[str, ...]


class ImportRefusedError(ValueError):
    """Documents hold what the warehouse cannot do; `findings` says where, what and how to mend it."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = tuple(findings)


def import_files(
    files: Sequence[Path], folder: Path, seeds: Path, effective_from: date, *, write: bool = False
) -> ImportResult:
    """Read files, merge them into the seeds of `folder`, and write those when asked to.

    seeds: the folder whose services and SLTs objectives may name. Raises ImportRefusedError, ValueError (a seed has
    other columns, a file is no text) or OSError, each before anything is written.
    """
    texts = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not UTF-8: {error}") from error
    imported = read_openslo(
        texts,
        services=_codes(seeds / "services" / "service.csv", "service_code"),
        slt_codes=_codes(seeds / "slt" / "slt_definition.csv", "slt_code"),
    )
    if imported.refusals:
        raise ImportRefusedError(imported.refusals)
    columns = {SLO_FILE: SLO_COLUMNS, POLICY_FILE: POLICY_COLUMNS}
    before = {name: (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else "" for name in columns}
    rows = {name: parse_seed(before[name], columns[name], str(folder / name)) for name in columns}
    merged = merge(imported, rows[SLO_FILE], rows[POLICY_FILE], effective_from)
    if merged.refusals:
        raise ImportRefusedError(merged.refusals)
    after = {
        SLO_FILE: render_seed(merged.slos, SLO_COLUMNS),
        POLICY_FILE: render_seed(merged.alert_policies, POLICY_COLUMNS),
    }
    difference = [
        line
        for name in columns
        for line in difflib.unified_diff(
            before[name].splitlines(), after[name].splitlines(), name, name, lineterm="", n=0
        )
    ]
    if write and difference:
        write_seeds(folder, after)
    return ImportResult(len(imported.slos), len(imported.alert_policies), imported.notes, tuple(difference))


def _codes(path: Path, column: str) -> set[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row[column] for row in csv.DictReader(file)}


def write_seeds(folder: Path, texts: Mapping[str, str]) -> None:
    """Put the files down, all of them or none. Raises OSError with everything as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: (folder / name).read_bytes() if (folder / name).exists() else None for name in texts}
    parts = {name: folder / f".{name}.part" for name in texts}
    replaced: list[str] = []
    try:
        for name, text in texts.items():
            parts[name].write_text(text, encoding="utf-8", newline="")
        for name in texts:
            parts[name].replace(folder / name)
            replaced.append(name)
    except OSError:
        for name in replaced:
            old = before[name]
            if old is None:
                (folder / name).unlink()
            else:
                (folder / name).write_bytes(old)
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _slug(text: str | None) -> str:
    return re.sub(r"[^a-z0-9]+", "-", (text or "").lower()).strip("-")


def _repeated(keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    listed = list(keys)
    return sorted({key for key in listed if listed.count(key) > 1})
