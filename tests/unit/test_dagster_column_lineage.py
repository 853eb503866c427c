"""Column lineage: from which parent columns a value is made, through everything the models use."""

import pytest

from dagster_project.lib.column_lineage import column_lineage

PARENTS = {
    ("staging", "ticket"): {
        "ticket_id": "VARCHAR",
        "opened_at": "TIMESTAMP",
        "team": "VARCHAR",
        "note": "VARCHAR",
    },
    ("core", "event"): {
        "ticket_id": "VARCHAR",
        "event_at": "TIMESTAMP",
        "state": "VARCHAR",
        "note": "VARCHAR",
    },
}
TICKET, EVENT = ("staging", "ticket"), ("core", "event")


def col(table, column):
    return (*table, column)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            "with t as (select * from w.staging.ticket), final as (select ticket_id, upper(team) as team_code from t) "
            "select * from final",
            {"ticket_id": [col(TICKET, "ticket_id")], "team_code": [col(TICKET, "team")]},
            id="stars through ctes",
        ),
        pytest.param(
            "with t as (select * from w.staging.ticket), e as (select * from w.core.event) "
            "select t.ticket_id, max(e.event_at) - t.opened_at as age, count(*) as n "
            "from t inner join e on t.ticket_id = e.ticket_id where e.state = 'x' group by all",
            {
                "ticket_id": [col(TICKET, "ticket_id")],
                "age": [col(EVENT, "event_at"), col(TICKET, "opened_at")],
                "n": [],
            },
            id="joins and filters are no lineage",
        ),
        pytest.param(
            "select ticket_id, note from w.staging.ticket union all select ticket_id, state from w.core.event",
            {
                "ticket_id": [col(EVENT, "ticket_id"), col(TICKET, "ticket_id")],
                "note": [col(EVENT, "state"), col(TICKET, "note")],
            },
            id="unions by position",
        ),
        pytest.param(
            "select t.ticket_id, (select max(e.event_at) from w.core.event as e where e.ticket_id = t.ticket_id) "
            "as last_at from w.staging.ticket as t",
            {
                "ticket_id": [col(TICKET, "ticket_id")],
                "last_at": [col(EVENT, "event_at"), col(EVENT, "ticket_id"), col(TICKET, "ticket_id")],
            },
            id="scalar subquery",
        ),
        pytest.param(
            "select ticket_id, row_number() over (partition by team order by opened_at) as n from w.staging.ticket",
            {
                "ticket_id": [col(TICKET, "ticket_id")],
                "n": [col(TICKET, "opened_at"), col(TICKET, "team")],
            },
            id="windows",
        ),
    ],
)
def test_lineage(sql, expected):
    assert column_lineage(sql, PARENTS) == expected


def test_a_cte_used_by_many_is_walked_once():
    """Without a memo the thirty doublings below would be a thousand million walks."""
    steps = ["c0 as (select opened_at as a from w.staging.ticket)"]
    steps += [f"c{n} as (select x.a as a from c{n - 1} as x cross join c{n - 1} as y)" for n in range(1, 31)]
    sql = f"with {', '.join(steps)} select x.a, y.a as b from c30 as x cross join c30 as y"
    assert column_lineage(sql, PARENTS) == {"a": [col(TICKET, "opened_at")], "b": [col(TICKET, "opened_at")]}
