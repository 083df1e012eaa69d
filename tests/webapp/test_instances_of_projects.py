"""The page of an approval's instance: members of a joint review, decisions with their rules, called processes, the project's link."""

from __future__ import annotations

import json
import re

import pytest

from engine.store import reads
from handlers.directory import service as directory
from tests.webapp.conftest import Town


@pytest.fixture
def permit(town: Town) -> int:
    """The planning permit in joint review."""
    with town.engine.unit_of_work() as session:
        if not any(user.username == "ada" for user in directory.users(session)):
            directory.create_demo_user(session, "ada", "管理员", "admin")
        rows = reads.instances_of_business(session, str(town.project))
    return next(int(row.key) for row in rows if row.process_id == "planning_permit")


def test_members_of_a_joint_review_are_told_apart_and_counted_without_their_body(town: Town, permit: int) -> None:
    page = town.visit("ada").get(f"/instances/{permit}").text
    state = json.loads(re.findall(r"data-instance-state>(.*?)</script>", page)[0])
    with town.engine.reading() as session:
        tasks = [task for task in reads.open_tasks_of_instance(session, permit) if task.element_id == "mi_review"]
    assert state["tokens"]["mi_review"] == len(tasks) == 11
    assert state["passed"]["mi_review"] == 1
    assert re.search(r"<b class=\"small-2\">#\d+ RFB</b>", page)


def test_decisions_with_the_rules_that_matched(town: Town, permit: int) -> None:
    page = town.visit("ada").get(f"/instances/{permit}?tab=decisions").text
    assert "命中规则" in page
    assert re.search(r"第 \d+ 行", page)


def test_called_processes_lead_there_and_back(town: Town, permit: int) -> None:
    client = town.visit("ada")
    page = client.get(f"/instances/{permit}?tab=calls").text
    called = re.findall(r'<td><a href="/instances/(\d+)">事项收件受理', page)[0]
    back = client.get(f"/instances/{called}").text
    assert f'href="/instances/{permit}"' in back
    assert f"/instances/{called}/cancel" not in back


def test_open_tasks_name_the_office_and_the_page_names_the_project(town: Town, permit: int) -> None:
    page = town.visit("ada").get(f"/instances/{permit}?tab=work").text
    assert "人防办" in page or "人民防空" in page
    assert f'href="/projects/{town.project}"' in page
    assert f'data-live="{town.project}"' in page
    assert "刘敏" in page  # who filled in the application


def test_the_project_leads_operators_to_its_instances(town: Town, permit: int) -> None:
    address = f"/projects/{town.project}?tab=diagram"
    assert f'href="/instances/{permit}"' in town.visit("ada").get(address).text
    assert f'href="/instances/{permit}"' not in town.visit("zrzyj").get(address).text


def test_the_operations_log_by_project(town: Town, permit: int) -> None:
    client = town.visit("ada")
    assert f"/instances/{permit}" in client.get(f"/operations?action=all&business={town.project}").text
    assert f"/instances/{permit}" not in client.get(f"/operations?business={town.project}").text
