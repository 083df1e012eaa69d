"""Searching on both databases: conditions, wildcards, NULL at one end, cursors forwards and backwards, and who sees what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import literal

from engine import Engine, commands
from engine.policy import SYSTEM, Actor
from engine.store import search_sources as sources
from engine.store.database import Instant
from engine.store.search import AnyOf, Condition, CursorInvalid, Operator, Order, Page, PageRequest, Source, search

DIAGRAMS = Path(__file__).parent / "diagrams"
EVERY_SOURCE = {name: source for name, source in vars(sources).items() if isinstance(source, Source)}
SAMPLES: dict[type, Any] = {int: 5, str: "x_%[*", bool: True, datetime: datetime(2022, 8, 1, tzinfo=UTC)}


@pytest.fixture
def running(engine: Engine) -> Engine:
    """Seven joint reviews with business ids p0..p6, p3 without one; odd ones belong to muge."""
    with engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("parallel_review.bpmn", (DIAGRAMS / "parallel_review.bpmn").read_bytes())])
        for number in range(7):
            commands.start_instance(
                session,
                SYSTEM,
                "parallel_review",
                {"units": ["A", "B"], "number": number, "title": f"项目{number}"},
                business_id=None if number == 3 else f"p{number}",
                owner="muge" if number % 2 else None,
            )
    return engine


def find(engine: Engine, source: Source, *conditions: Condition | AnyOf, **more: Any) -> Page:
    with engine.reading() as session:
        return search(session, source, conditions, **more)


def ids(page: Page) -> list[str | None]:
    return [row.business_id for row in page.rows]


@pytest.mark.parametrize("name", EVERY_SOURCE)
def test_every_field_of_every_source_can_be_compared_and_sorted(running: Engine, name: str) -> None:
    source = EVERY_SOURCE[name]
    every: list[Condition] = []
    for field, column in source.fields.items():
        value = SAMPLES[datetime if isinstance(column.type, Instant) else column.type.python_type]
        operators: tuple[Operator, ...] = ("eq", "neq") if isinstance(value, bool) else ("eq", "neq", "gt", "gte", "lt", "lte")
        every += [Condition(field, operator, value) for operator in operators]
        every += [Condition(field, "in", [value]), Condition(field, "notIn", [value]), Condition(field, "exists", True)]
        every += [Condition(field, "like", "p*?")] if isinstance(value, str) else []
    find(running, source, *every)
    orders = [Order(field, number % 2 == 1) for number, field in enumerate(source.fields)]
    first = find(running, source, orders=orders, page=PageRequest(limit=1))
    if first.end_cursor is not None:
        second = find(running, source, orders=orders, page=PageRequest(limit=1, after=first.end_cursor))
        assert second.rows != first.rows


COMPARED: tuple[Operator, ...] = ("eq", "neq", "gt", "lte")


@pytest.mark.parametrize("name", EVERY_SOURCE)
def test_every_field_can_be_compared_by_a_shared_statement(running: Engine, name: str) -> None:
    source = EVERY_SOURCE[name]
    every: list[Condition] = []
    for field, column in source.fields.items():
        value = SAMPLES[datetime if isinstance(column.type, Instant) else column.type.python_type]
        every += [Condition(field, operator, value) for operator in COMPARED[: 2 if isinstance(value, bool) else 4]]
        every += [Condition(field, "in", [value, value]), Condition(field, "exists", False), Condition(field, "neq", None)]
    orders = [Order(field, number % 2 == 0) for number, field in enumerate(source.fields)]
    for conditions, limit in ((every, 5), ([], 3)):
        page = PageRequest(limit=limit, offset=1)
        shared = find(running, source, *conditions, orders=orders, page=page)
        assert plain(shared) == plain(find(running, source, *conditions, orders=orders, page=page, visible=literal(True)))


def tasks_in(state: str, *business_ids: str) -> tuple[Source, list[Condition]]:
    return sources.USER_TASKS, [Condition("state", "eq", state), Condition("business_id", "in", list(business_ids))]


def running_with(number: str) -> tuple[Source, list[Condition]]:
    has_number = Condition("variables", "eq", ("number", Condition("number", "eq", number)))
    return sources.PROCESS_INSTANCES, [has_number, Condition("end_date", "eq", None)]


SAME_SHAPES = [
    *(tasks_in(state, "p1", other) for state in ("CREATED", "COMPLETED") for other in ("p2", "p5")),
    *(running_with(number) for number in ("3", "5", "77", f'"{"long" * 40}"')),
]


@pytest.mark.parametrize("limit", [0, 1, 2, 100])
def test_searches_of_one_shape_find_what_a_statement_of_their_own_finds(running: Engine, limit: int) -> None:
    for source, conditions in SAME_SHAPES:
        for offset in (0, 1, 9):
            page = PageRequest(limit=limit, offset=offset)
            shared = plain(find(running, source, *conditions, page=page))
            assert shared == plain(find(running, source, *conditions, page=page, visible=literal(True))), (conditions, offset)


def plain(page: Page) -> tuple[object, ...]:
    """`visible=literal(True)` hides nothing, but a search with it is written anew each time."""
    return [tuple(row) for row in page.rows], page.total, page.has_more_total, page.start_cursor, page.end_cursor


def test_pages_by_cursor_meet_every_row_once_in_both_directions(running: Engine) -> None:
    for orders in ([Order("business_id")], [Order("business_id", True)], [Order("start_date", True)], [Order("end_date")], []):
        whole = find(running, sources.PROCESS_INSTANCES, orders=orders)
        assert (whole.total, whole.has_more_total, len(whole.rows)) == (7, False, 7)
        forwards: list[str | None] = []
        page = find(running, sources.PROCESS_INSTANCES, orders=orders, page=PageRequest(limit=3))
        last = page
        while page.rows:
            forwards += ids(page)
            last, page = page, find(running, sources.PROCESS_INSTANCES, orders=orders, page=PageRequest(limit=3, after=page.end_cursor))
        assert forwards == ids(whole)
        before = find(running, sources.PROCESS_INSTANCES, orders=orders, page=PageRequest(limit=4, before=last.start_cursor))
        assert ids(before) == ids(whole)[2:6]


def test_rows_without_a_value_come_last_and_first_when_descending(running: Engine) -> None:
    assert ids(find(running, sources.PROCESS_INSTANCES, orders=[Order("business_id")]))[-1] is None
    assert ids(find(running, sources.PROCESS_INSTANCES, orders=[Order("business_id", True)]))[0] is None


def test_wildcards_are_case_sensitive_and_can_be_escaped(running: Engine) -> None:
    def like(pattern: str) -> list[str | None]:
        return ids(find(running, sources.PROCESS_INSTANCES, Condition("business_id", "like", pattern)))

    assert like("p?") == ["p0", "p1", "p2", "p4", "p5", "p6"]
    assert like("*5") == ["p5"]
    assert like("P?") == like("p\\?") == like("p%") == like("p_") == like("[p]*") == []


def test_conditions_and_groups(running: Engine) -> None:
    some = Condition("business_id", "in", ["p2", "p5"])
    both = AnyOf(((Condition("business_id", "eq", "p1"),), (some, Condition("state", "eq", "ACTIVE"))))
    assert ids(find(running, sources.PROCESS_INSTANCES, both)) == ["p1", "p2", "p5"]
    assert ids(find(running, sources.PROCESS_INSTANCES, Condition("business_id", "exists", False))) == [None]
    assert ids(find(running, sources.PROCESS_INSTANCES, Condition("business_id", "notIn", ["p0", "p1", "p2", "p4", "p5"]))) == [None, "p6"]
    late = datetime.now(UTC) + timedelta(days=1)
    assert find(running, sources.PROCESS_INSTANCES, Condition("start_date", "gt", late)).total == 0


def test_values_of_variables(running: Engine) -> None:
    def having(name: str, operator: Any, value: Any) -> list[str | None]:
        return ids(find(running, sources.PROCESS_INSTANCES, Condition("variables", "eq", (name, Condition("value", operator, value)))))

    assert having("number", "eq", "4") == ["p4"]
    assert having("title", "like", '"项目?"') == ["p0", "p1", "p2", None, "p4", "p5", "p6"]
    assert having("title", "in", ['"项目1"', '"项目2"']) == ["p1", "p2"]
    assert having("nothing", "exists", True) == []
    assert find(running, sources.VARIABLES, Condition("name", "eq", "title"), Condition("value", "eq", '"项目6"')).total == 1


def test_everybody_sees_only_what_they_may(running: Engine) -> None:
    analyst, clerk = Actor("ana", powers=frozenset({"deploy"})), Actor("li", frozenset({"A.handler"}))
    everybody = [(SYSTEM, 7), (analyst, 7), (Actor("muge"), 3), (clerk, 0)]
    for actor, count in everybody:
        with running.reading() as session:
            assert search(session, sources.PROCESS_INSTANCES, visible=sources.visible_instances(actor)).total == count
    tasks = [(SYSTEM, 14), (Actor("li", frozenset({"A.handler"})), 7), (Actor("muge"), 0)]
    for actor, count in tasks:
        with running.reading() as session:
            found = search(session, sources.USER_TASKS, visible=sources.visible_tasks(actor))
        assert found.total == count


def test_candidates(running: Engine) -> None:
    assert find(running, sources.USER_TASKS, Condition("candidate_group", "eq", "A.handler")).total == 7
    assert find(running, sources.USER_TASKS, Condition("candidate_group", "like", "*.handler")).total == 14
    assert find(running, sources.USER_TASKS, Condition("candidate_group", "neq", "A.handler")).total == 7


def test_a_cursor_that_is_none_is_refused(running: Engine) -> None:
    for cursor in ("", "x", "AAAA", "W10=", "W1sidiIsMV1d", "W1sidCIsIngiXV0=", "é", "W1sidiIsInAxIl0sWyJ2IiwieCJdXQ=="):
        with pytest.raises(CursorInvalid):
            find(running, sources.PROCESS_INSTANCES, orders=[Order("business_id")], page=PageRequest(after=cursor))


def test_elements_of_an_instance_with_their_ends(running: Engine) -> None:
    with running.reading() as session:
        instance = search(session, sources.PROCESS_INSTANCES, [Condition("business_id", "eq", "p1")]).rows[0]
    found = find(running, sources.ELEMENT_INSTANCES, Condition("process_instance_key", "eq", instance.key))
    assert {row.shown_state for row in found.rows} == {"ACTIVE", "COMPLETED"}
    assert all((row.ended_at is None) == (row.shown_state == "ACTIVE") for row in found.rows)
    chosen = Condition("of_element", "eq", [(instance.definition_key, ["s"]), (999, ["x"])])
    assert {row.element_id for row in find(running, sources.ELEMENT_INSTANCES, chosen).rows} <= {"s"}
