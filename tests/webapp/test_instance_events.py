"""What operators set going on an instance's page: elements of an ad-hoc subprocess, and conditions that ask for the time."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from engine import clock, commands
from engine.policy import SYSTEM
from tests.webapp.office import Office, office

__all__ = ["office"]

WAITING = (Path(__file__).parent / "files" / "waiting.bpmn").read_bytes()


@pytest.fixture
def key(office: Office) -> int:
    """An instance that goes on in an hour."""
    with office.engine.unit_of_work() as session:
        commands.deploy(session, SYSTEM, [("waiting.bpmn", WAITING)])
        resumes = (clock.now() + timedelta(hours=1)).isoformat()
        return commands.start_instance(session, SYSTEM, "after_flood", {"resumes": resumes})


def test_a_condition_is_evaluated_again_when_time_has_passed(office: Office, key: int) -> None:
    ada = office.visit()
    page = ada.get(f"/instances/{key}?tab=messages").text
    assert "过了汛期" in page and "now() &gt;" in page and "重新判断条件" in page
    assert "重新判断条件" not in office.visit("ana").get(f"/instances/{key}?tab=messages").text
    assert office.visit("ana").post(f"/instances/{key}/conditions").status_code == 403
    told = ada.post(f"/instances/{key}/conditions", follow_redirects=True).text
    assert "0 个条件成立" in told and office.live(key) == ["season"]
    with office.engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    told = ada.post(f"/instances/{key}/conditions", follow_redirects=True).text
    assert "1 个条件成立后不再等待，0 个继续等待" in told
    assert office.live(key) == ["work", "consult"]
    assert office.actions(key).count("重新判断条件") == 2
    ada.post(f"/instances/{key}/cancel", data={"reason": "试完了"})
    assert ada.post(f"/instances/{key}/conditions").status_code == 409


def test_elements_of_an_ad_hoc_subprocess_are_begun(office: Office, key: int) -> None:
    ada = office.visit()
    with office.engine.unit_of_work() as session:
        commands.move_clock(session, SYSTEM, by=timedelta(hours=2))
    ada.post(f"/instances/{key}/conditions")
    page = ada.get(f"/instances/{key}?tab=work").text
    (place,) = re.findall(rf"/instances/{key}/ad-hoc/\d+", page)
    assert re.search(r'value="visit"> 现场踏勘', page) and "进行中 1" in page
    assert "ad-hoc/" not in office.visit("ana").get(f"/instances/{key}?tab=work").text
    assert office.visit("ana").post(place, data={"element": "visit"}).status_code == 403
    assert ada.post(place).status_code == 422 and ada.post(place, data={"element": "nothing"}).status_code == 404
    assert ada.post(f"/instances/{key}/ad-hoc/{2**62}", data={"element": "visit"}).status_code == 422
    assert "已启动：现场踏勘" in ada.post(place, data={"element": "visit"}, follow_redirects=True).text
    assert office.live(key) == ["work", "consult", "visit"]
    ada.post(place, data={"element": ["visit", "consult"], "cancel": "on"})
    assert office.live(key) == ["work", "visit", "consult"]
    assert office.actions(key).count("启动临时环节") == 2
