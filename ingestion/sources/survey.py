"""Answers to surveys (customer satisfaction, fairness of the incentive scheme) by file drop in SURVEY_DROP_PATH.

One export a wave: survey_responses_<wave>.csv. A respondent is a pseudonym the survey tool makes up; the warehouse
holds no key to it. `reference_kind` says what the answer is about: a ticket, or the respondent's team. The question's
scale stands on the answer as well as in the seed survey_question, so that an export made with another scale shows.
`submitted_at` is ISO 8601 with Z or an offset. Respondents who answer twice stand twice; staging says which counts.
SURVEY_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import NamedFiles, drop_folder

RESPONSE = Entity(
    source="survey",
    name="response",
    partitioning="file",
    columns=words(
        "response_id wave_code respondent_pseudonym question_code score scale_minimum scale_maximum submitted_at "
        "reference_kind reference"
    ),
    key=("response_id",),
    description="One answer of one respondent to one question of a wave.",
)

SURVEY = drop_folder(
    "survey",
    "Answers to the surveys of customers (satisfaction) and of staff (fairness of the incentive scheme).",
    "survey-csv/1",
    ("SURVEY_DROP_PATH", "SURVEY_ENCODING"),
    [(NamedFiles, "survey_responses", RESPONSE)],
)
