"""一次性告知 (R061, R128; 行政许可法 30, 32): at most twelve questions, and the notice is the union of what is demanded later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Forbidden, Invalid, NotFound
from engine.policy import SYSTEM
from engine.settings import Settings
from handlers.cases import service as cases
from handlers.guide import service as guide
from handlers.materials import service as materials
from handlers.projects import service as projects
from handlers.simulate import service as simulation
from tests.handlers.conftest import DAIRY, SCHOOL, WINDOW, Office
from webapp.composition import open_lianban

Facts = dict[str, Any]
EMPTY: Facts = {"project": {}, "application": {}}
EVERY = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 997
"""Of the paths, every so manyth is computed whole; all of them in `make soak`."""


def paths(facts: Facts = EMPTY, given: int = 0) -> Iterator[tuple[Facts, int]]:
    """Every way through the questions -> (facts, how many questions were asked)."""
    question = guide.next_question(facts)
    if question is None:
        yield facts, given
        return
    for number in range(len(question.options)):
        yield from paths(guide.answer(facts, question.code, number), given + 1)


def demanded(found: list[guide.NeededItem], facts: Facts) -> dict[str, set[str]]:
    """What the window's checklist will demand of each item, by the same answers."""
    return {one.item.code: {row["name"] for row in materials.checklist(one.item.code, facts)} for one in found if not one.spared_by}


def test_on_every_path_there_are_at_most_twelve_questions_and_the_end_is_reached() -> None:
    counts = [asked for _facts, asked in paths()]
    assert len(counts) > 10_000 and max(counts) <= guide.MOST_QUESTIONS


def check_path(office: Office, facts: Facts) -> None:
    with office.engine.reading() as session:
        found = guide.needed(session, facts)
    for one in found:
        certain = {m.wanted.name for m in one.materials if m.certain}
        told = {m.wanted.name for m in one.materials}
        later = demanded([one], facts).get(one.item.code, set())
        assert certain <= later <= told, (one.item.code, facts)
    codes = {one.item.code for one in found}
    assert len(codes & {"FG03", "FG05", "FG06"}) == 1
    assert {"ZR06", "ZJ01", "ZJ03", "ZJ05", "ZJ06", "ZR07"} <= codes
    assert ("FG04" in codes) == (facts["project"]["tzly"] == "政府投资")
    assert ("ZR02" in codes) == (facts["project"]["tdhqfs"] != "自有")
    assert ("ZJ02" in codes) == (facts["application"].get("tsgc") is True)


@pytest.mark.scaled
def test_the_notice_is_the_union_of_what_is_demanded_later(office: Office) -> None:
    for number, (facts, _asked) in enumerate(paths()):
        if number % EVERY == 0:
            check_path(office, facts)


@pytest.mark.parametrize("variant", [1])
def test_a_whole_project_is_asked_for_nothing_that_its_notice_did_not_say(tmp_path: Path, variant: int) -> None:
    """The simulated project runs through the real diagrams; every case of it and every material of its checklist was told before."""
    engine = open_lianban(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}", jobs="inline", files_dir=tmp_path / "files"))
    engine.create_schema()
    try:
        assert simulation.simulate(engine, variant, 3, lambda _step: None).ok
        with engine.reading() as session:
            (line,) = projects.list_projects(session, SYSTEM).rows
            found = cases.cases_of(session, line.project.id)
            facts = guide.project_facts(session, SYSTEM, line.project.id)
            while (question := guide.next_question(facts)) is not None:
                facts = guide.answer(facts, question.code, 0)
            told = {one.item.code: {m.wanted.name for m in one.materials} for one in guide.needed(session, facts)}
    finally:
        engine.close()
    assert {case.item_code for case in found} <= told.keys()
    for case in found:
        assert {row["name"] for row in materials.checklist(case.item_code, facts)} <= told[case.item_code]


def test_a_registered_project_is_asked_only_what_its_registration_does_not_say(office: Office) -> None:
    project = office.register()
    with office.engine.reading() as session:
        facts = guide.project_facts(session, office.actor(SCHOOL), project.id)
    open_codes = [q.code for q in guide.asked(facts) if guide.chosen(q, facts) is None]
    assert open_codes and set(open_codes) <= {"procedure", "energy", "environment", "fire"}


def test_an_evaluated_area_drops_the_item_with_its_number(office: Office) -> None:
    """优化营商环境条例42 (R214)."""
    facts = next(facts for facts, _asked in paths() if facts["project"].get("ghfwn") is False)
    facts["project"] |= {"sfwcqypg": True, "jsdd": "昌吉高新区"}
    with office.engine.reading() as session:
        spared = {one.item.code: one for one in guide.needed(session, facts)}["ZR08"]
    assert spared.spared_by == "昌高区评〔2021〕1号" and spared.materials == ()
    assert "压覆重要矿产/地灾评估审查" not in str(guide.notice_facts([spared]))


def test_the_notice_is_issued_for_the_project_and_only_by_those_who_file(office: Office) -> None:
    project = office.register()
    with office.engine.unit_of_work() as session:
        facts = guide.project_facts(session, office.actor(SCHOOL), project.id)
        with pytest.raises(Invalid):
            guide.issue(session, office.actor(SCHOOL), project.id, facts)
        while (question := guide.next_question(facts)) is not None:
            facts = guide.answer(facts, question.code, 0)
        with pytest.raises(NotFound):
            guide.issue(session, office.actor(DAIRY), project.id, facts)
        with pytest.raises(Forbidden):
            guide.issue(session, office.actor("lijianguo"), project.id, facts)
        issued = guide.issue(session, office.actor(WINDOW), project.id, facts)
    assert issued.kind == "W02" and issued.facts["事项清单"] and issued.facts["填报情况"]


def test_an_answer_that_does_not_exist_or_does_not_matter_is_refused() -> None:
    for code, option in (("investment", 9), ("mode", -1), ("nothing", 0)):
        with pytest.raises(Invalid):
            guide.answer(EMPTY, code, option)
    with pytest.raises(Invalid):
        guide.answer(guide.answer(EMPTY, "investment", 0), "mode", 0)  # a government project is not asked for the catalogue
