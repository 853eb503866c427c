"""Answers to the company's surveys: customers about tickets, staff about the fairness of the incentive scheme.

Respondents are pseudonyms drawn at random: nothing leads from one to a person. Scores come from chance and say
nothing about anybody. Planted among them, one of each: an answer given twice, one beyond its scale, one after the
wave had closed, one to a question nobody asked.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.demo.model import Company, PlantedFact
from ingestion.demo.pay_desk import team_on, write_csv
from ingestion.demo.timeline import read_seed, utc
from ingestion.sources.survey import RESPONSE

FACT_PREFIX = "survey_answer_"
TICKETS_PER_WAVE = 120
SCORE_WEIGHTS = (1, 2, 4, 9, 7, 5, 3)

Row = tuple[object, ...]


def write_responses(company: Company, folder: Path) -> None:
    """survey_responses_<wave>.csv of every wave that has closed; records the planted answers."""
    folder.mkdir(parents=True, exist_ok=True)
    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith(FACT_PREFIX)]
    questions = read_seed("surveys/survey_question.csv")
    for wave in read_seed("surveys/survey_wave.csv"):
        opens_at, closes_at = utc(wave["opens_at"]), utc(wave["closes_at"])
        if closes_at + timedelta(days=2) >= company.as_of_at:
            continue
        asked = [row for row in questions if row["survey_code"] == wave["survey_code"]]
        chance = random.Random(f"{company.seed}:survey:{wave['wave_code']}")
        rows: list[Row] = []
        for kind, reference, earliest in _subjects(company, wave["survey_code"], opens_at, closes_at):
            respondent = f"r{chance.getrandbits(48):012x}"
            sent_at = earliest + timedelta(seconds=chance.randrange(int((closes_at - earliest).total_seconds())))
            for question in asked:
                rows.append(
                    _answer(wave["wave_code"], len(rows), respondent, question, chance, sent_at, kind, reference)
                )
        if len(rows) >= 4:
            rows += _planted(company, wave["wave_code"], rows, closes_at)
        write_csv(folder / f"survey_responses_{wave['wave_code']}.csv", RESPONSE.columns, rows)


def _subjects(
    company: Company, survey_code: str, opens_at: datetime, closes_at: datetime
) -> list[tuple[str, str, datetime]]:
    """(kind, reference, first instant an answer can come) of what a survey asks about."""
    if survey_code == "csat":
        solved = [
            ("ticket", ticket.number, event.at)
            for ticket in company.tickets
            for event in ticket.events
            if event.ticket_state == "resolved" and opens_at <= event.at < closes_at - timedelta(days=1)
        ]
        return solved[:: max(1, len(solved) // TICKETS_PER_WAVE)]
    day = opens_at.date()
    employed = [
        person
        for person in company.employees
        if person.is_agent and person.hired_on <= day and (person.terminated_on is None or person.terminated_on > day)
    ]
    teams = [team_on(company, person, day) for person in employed]
    return [("team", team.team_code, opens_at) for team in teams if team]


def _answer(
    wave_code: str,
    place: int,
    respondent: str,
    question: dict[str, str],
    chance: random.Random,
    sent_at: datetime,
    kind: str,
    reference: str,
) -> Row:
    low, high = int(question["scale_minimum_value"]), int(question["scale_maximum_value"])
    score = chance.choices(range(low, high + 1), SCORE_WEIGHTS[: high - low + 1])[0]
    submitted = f"{sent_at:%Y-%m-%dT%H:%M:%SZ}"
    response_id = f"{wave_code}-{place + 1:05d}"
    return (
        response_id, wave_code, respondent, question["question_code"], score, low, high, submitted, kind, reference,
    )  # fmt: skip


def _planted(company: Company, wave_code: str, rows: list[Row], closes_at: datetime) -> list[Row]:
    """One answer of each kind that does not count; its status is what staging must say of it."""
    late = f"{closes_at + timedelta(hours=7):%Y-%m-%dT%H:%M:%SZ}"
    twice, beyond, after, unasked = rows[0], rows[1], rows[2], rows[3]
    earlier = f"{datetime.fromisoformat(str(twice[7])) - timedelta(seconds=30):%Y-%m-%dT%H:%M:%SZ}"
    found = {
        "duplicate": (f"{wave_code}-twice", *twice[1:7], earlier, *twice[8:]),
        "out_of_scale": (f"{wave_code}-beyond", wave_code, "r-beyond", beyond[3], 9, *beyond[5:]),
        "outside_wave": (f"{wave_code}-late", wave_code, "r-late", *after[3:7], late, *after[8:]),
        "unknown_question": (f"{wave_code}-unasked", wave_code, "r-unasked", "who_are_you", *unasked[4:]),
    }
    settled_at = f"{closes_at + timedelta(days=2):%Y-%m-%d %H:%M:%S}"
    company.planted += [
        PlantedFact(
            f"{FACT_PREFIX}{status}_{wave_code}",
            f"An answer of {wave_code} that must be found as {status}",
            {"settled_at": settled_at, "response_id": str(row[0]), "status": status},
        )
        for status, row in found.items()
    ]
    return list(found.values())
