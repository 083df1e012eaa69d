"""A refusal that speaks of somebody names the person and the office, not the log-in name; programs get the user name."""

from __future__ import annotations

from tests.e2e import city
from tests.webapp.conftest import Town

JSON = {"Accept": "application/json"}


def _task(town: Town, unit: str) -> int:
    tasks = city.open_tasks(town.engine, str(town.project))
    return next(int(task.key) for task in tasks if f"{unit}.handler" in task.candidate_groups)


def test_who_has_claimed_it_is_named_with_the_office(town: Town) -> None:
    task = _task(town, "ZRZYJ")
    assert town.visit("zrzyj").post(f"/tasks/{task}/claim").status_code == 302
    colleague = town.visit("zrzyj2")
    refused = colleague.post(f"/tasks/{task}/complete", json={"data": city.example("joint_review_opinion")}, headers=JSON)
    assert refused.status_code == 403
    assert "任务已由 ZRZYJ 经办（自然资源局） 签收" in refused.get_json()["detail"]
    page = colleague.get(f"/tasks/{task}").get_data(as_text=True)
    assert "zrzyj 签收" not in page and "由 zrzyj" not in page


def test_who_was_faster_is_named(town: Town) -> None:
    task = _task(town, "SLJ")
    answer = {"data": city.example("joint_review_opinion")}
    assert town.visit("slj").post(f"/tasks/{task}/complete", json=answer, headers=JSON).status_code == 200
    again = town.visit("slj").post(f"/tasks/{task}/complete", json=answer, headers=JSON)
    assert again.status_code == 409
    assert "已由 SLJ 经办（水利局） 办结，没有再次提交" in again.get_json()["detail"]
