"""A ServiceNow incident audit log as a file (.csv or .csv.gz, SERVICENOW_EXPORT_FILE).

The shape is that of the public 'Incident management process enriched event log': one row per event of an
incident, 36 columns, '?' for missing, instants 'd/m/yyyy HH:MM' without a zone (taken as UTC), minute
resolution. The key of an event is (number, sys_mod_count, sys_updated_at): the counter has gaps and goes back
in places, so neither it nor the stamp alone will do; the three together are unique over the public log's
141,712 rows. Rows that share a key but differ anywhere are all landed: only a row that repeats another to the
last byte is turned away.
SERVICENOW_EXPORT_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.file_drop import SingleFile

STAMP_FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")

SERVICENOW_EVENT_LOG = SingleFile(
    name="servicenow_event_log",
    description="An exported incident event log of a ServiceNow instance.",
    connector_version="servicenow-event-log-csv/2",
    entities={
        "incident_event": Entity(
            source="servicenow_event_log",
            name="incident_event",
            partitioning="file",
            columns=tuple(
                words(
                    "number incident_state active reassignment_count reopen_count sys_mod_count made_sla "
                    "caller_id opened_by opened_at sys_created_by sys_created_at sys_updated_by "
                    "sys_updated_at contact_type location category subcategory u_symptom cmdb_ci impact "
                    "urgency priority assignment_group assigned_to knowledge u_priority_confirmation notify "
                    "problem_id rfc vendor caused_by closed_code resolved_by resolved_at closed_at"
                )
            ),
            key=("number", "sys_mod_count", "sys_updated_at"),
            description="One event of an incident: all its fields as they stood after the event.",
            stamp="sys_updated_at",
            stamp_formats=STAMP_FORMATS,
            keeps_record="rest",
        )
    },
    path_variable="SERVICENOW_EXPORT_FILE",
    encoding_variable="SERVICENOW_EXPORT_ENCODING",
)
