"""The migration wizard: the proposed mapping, a dry run that changes nothing, a batch, and its undoing."""

from __future__ import annotations

import os
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import Engine
from engine.store import batches, definitions, reads
from engine.store import models as m
from tests.bpmn.support import END, START, chain, doc, el, multi
from tests.webapp.conftest import log_in
from tests.webapp.versions import MIGRATE, NEW, OLD, PROCESS, add_watchers, complete, deploy, start

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
MANY = 1_000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 30
RENAMED = {"version": "1", "to": "2", "map:review": "joint_review"}


@pytest.fixture
def keys(people: Engine) -> list[int]:
    """Three instances of v1, the last at 审查; v2 is deployed."""
    add_watchers(people)
    deploy(people, OLD)
    found = start(people, 3)
    complete(people, found[2])
    deploy(people, NEW)
    return found


@pytest.fixture
def analyst(app: Flask, keys: list[int]) -> FlaskClient:
    return log_in(app, "fenxi")


def versions(engine: Engine, keys: list[int]) -> list[int]:
    with engine.reading() as session:
        return [definitions.by_key(session, "process", reads.instance(session, key).definition_key).version for key in keys]


def key_of(answer: object) -> int:
    return int(re.findall(r"/batches/(\d+)", answer.location)[0])  # type: ignore[attr-defined]


@sqlite_only
def test_the_proposal_names_what_needs_a_decision(analyst: FlaskClient) -> None:
    text = analyst.get(f"{MIGRATE}?version=1").get_data(as_text=True)
    review = text[text.index('data-row="review"') :]
    assert text.index('data-row="review"') < text.index('data-row="apply"'), "what stops instances comes first"
    assert "停在这里的实例需要指定对应元素或明确取消" in review and 'value="joint_review"' in review
    apply = text[text.index('data-row="apply"') : text.index("</tr>", text.index('data-row="apply"'))]
    assert 'data-target="apply"' in apply and "去向" in apply


@sqlite_only
def test_a_change_of_the_mapping_is_answered_with_the_plan_alone(analyst: FlaskClient) -> None:
    answer = analyst.post(MIGRATE, data=RENAMED, headers={"X-Fragment": "plan"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and "<html" not in text
    assert '<option value="joint_review" selected>' in text and "需要指定对应元素" not in text


@sqlite_only
def test_a_dry_run_says_who_cannot_and_why_and_changes_nothing(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    text = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "try"}).get_data(as_text=True)
    trial = text[text.index("试算结果") :]
    assert "2 个可以迁移" in trial and "1 个不能迁移" in trial
    assert f'href="/instances/{keys[2]}"' in trial and f'href="/instances/{keys[0]}"' not in trial
    assert versions(people, keys) == [1, 1, 1]
    assert "3 个实例都可以迁移" in analyst.post(MIGRATE, data=RENAMED | {"step": "try"}).get_data(as_text=True)


@sqlite_only
def test_a_wrong_mapping_is_refused_in_place(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    for wrong in ({"map:review": "end"}, {"map:nowhere": "apply"}, {"map:review": "nowhere"}, {"branch": "nowhere"}):
        text = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "try"} | wrong).get_data(as_text=True)
        assert "对应关系有误" in text and "试算结果" not in text, wrong
        refused = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "apply", "who": "passing", "reason": "x"} | wrong)
        assert refused.status_code == 422, wrong
    assert versions(people, keys) == [1, 1, 1]


@sqlite_only
def test_only_the_passing_ones_or_all(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    without_reason = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "apply"})
    assert without_reason.status_code == 422 and "必须填写理由" in without_reason.get_data(as_text=True)
    every = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "apply", "who": "all", "key": str(keys[2]), "reason": "试试"})
    page = analyst.get(every.location).get_data(as_text=True)
    assert "失败 1" in page and "review" in page
    passing = analyst.post(MIGRATE, data={"version": "1", "to": "2", "step": "apply", "who": "passing", "reason": "升级"})
    assert versions(people, keys) == [2, 2, 1]
    with people.reading() as session:
        progress = batches.progress(session, key_of(passing))
    assert (progress.total, progress.done, progress.reason, progress.created_by) == (2, 2, "升级", "fenxi")


@sqlite_only
def test_cancelling_and_options_reach_the_batch(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    form = {"version": "1", "to": "2", "map:review": "-", "refresh_tasks": "1", "refresh_waits": "1", "step": "apply", "reason": "x"}
    answer = analyst.post(MIGRATE, data=form)
    with people.reading() as session:
        parameters = batches.progress(session, key_of(answer)).parameters
    assert parameters["mapping"] == {"review": None} and parameters["refreshTasks"] is True and parameters["refreshWaits"] is True
    assert "review → 取消" in analyst.get(answer.location).get_data(as_text=True)


@sqlite_only
def test_the_selection_of_the_list_is_kept(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    text = analyst.get(f"{MIGRATE}?version=1&key={keys[1]}").get_data(as_text=True)
    assert "共 1 个运行中的实例" in text and f'name="key" value="{keys[1]}"' in text
    analyst.post(MIGRATE, data=RENAMED | {"key": str(keys[1]), "step": "apply", "reason": "先试一个"})
    assert versions(people, keys) == [1, 2, 1]
    assert "共 1 个运行中的实例" in analyst.get(f"{MIGRATE}?version=1&all=1&element=review").get_data(as_text=True)


@sqlite_only
def test_nothing_to_migrate_is_said(analyst: FlaskClient, people: Engine) -> None:
    assert "v2 上没有运行中的实例" in analyst.get(f"{MIGRATE}?version=2").get_data(as_text=True)
    assert analyst.get(f"{MIGRATE}?version=1&to=9").status_code == 404
    assert analyst.get(f"{MIGRATE}?version=8").status_code == 404
    assert analyst.get("/definitions/processes/nowhere/migrate").status_code == 404


@sqlite_only
def test_a_process_with_one_version(app: Flask, people: Engine) -> None:
    add_watchers(people)
    deploy(people, OLD)
    start(people, 1)
    visitor = log_in(app, "fenxi")
    assert "没有可以迁移到的版本" in visitor.get(MIGRATE).get_data(as_text=True)
    refused = visitor.post(MIGRATE, data={"version": "1", "step": "apply", "reason": "x"})
    assert refused.status_code == 422


@sqlite_only
def test_a_reason_counts_instances_not_tokens(app: Flask, people: Engine) -> None:
    add_watchers(people)
    loop = multi("[1, 2, 3]", "n")
    deploy(people, doc(START + el("userTask", "a", loop) + END + chain("s", "a", "e"), process_id=PROCESS))
    start(people, 2)
    deploy(people, doc(START + el("userTask", "b", loop) + END + chain("s", "b", "e"), process_id=PROCESS))
    text = log_in(app, "fenxi").post(MIGRATE, data={"version": "1", "to": "2", "step": "try"}).get_data(as_text=True)
    assert "<b>2 个</b>" in text and "<b>8 个</b>" not in text and "没有实例可以迁移" in text


@sqlite_only
def test_the_definition_page_offers_the_way_from_the_version_that_still_runs(app: Flask, keys: list[int]) -> None:
    text = log_in(app, "fenxi").get("/definitions/processes/permit").get_data(as_text=True)
    assert f'href="{MIGRATE}?version=1&amp;to=2&amp;all=1"' in text
    assert f'href="{MIGRATE}' not in log_in(app, "li").get("/definitions/processes/permit").get_data(as_text=True)


@sqlite_only
def test_only_analysts_and_operators(app: Flask, keys: list[int]) -> None:
    for username in ("li", "muge", "ducha"):
        visitor = log_in(app, username)
        assert visitor.get(MIGRATE).status_code == 403
        assert visitor.post(MIGRATE, data=RENAMED | {"step": "apply", "reason": "x"}).status_code == 403
    assert log_in(app, "yunwei").get(f"{MIGRATE}?version=1").status_code == 200


@pytest.mark.scaled
def test_many_instances_are_migrated_and_brought_back_over_http(app: Flask, people: Engine) -> None:
    """1,000 in make soak: dry run, apply, undo; every instance is afterwards exactly where it was."""
    add_watchers(people)
    deploy(people, OLD)
    keys = start(people, MANY)
    for key in keys[: MANY // 10]:
        complete(people, key)
    deploy(people, NEW)
    before = snapshot(people)
    visitor = log_in(app, "fenxi")
    assert f"{MANY} 个实例都可以迁移" in visitor.post(MIGRATE, data=RENAMED | {"step": "try"}).get_data(as_text=True)
    begun = visitor.post(MIGRATE, data=RENAMED | {"step": "apply", "who": "all", "reason": "升级"})
    assert f"完成 {MANY}" in visitor.get(begun.location).get_data(as_text=True)
    assert set(versions(people, keys)) == {2}
    complete(people, keys[0])
    page = visitor.get(f"{begun.location}/undo").get_data(as_text=True)
    assert f"{MANY - 1} 个实例恢复到迁移前的样子" in page and "迁移之后流程又有办理，不能撤销迁移" in page
    undone = visitor.post(f"{begun.location}/undo", data={"reason": "发现问题"})
    assert f"完成 {MANY - 1}" in visitor.get(undone.location).get_data(as_text=True)
    assert versions(people, keys) == [2] + [1] * (MANY - 1)
    after = snapshot(people)
    assert {key: after[key] for key in keys[1:]} == {key: before[key] for key in keys[1:]}


def snapshot(engine: Engine) -> dict[int, tuple[object, ...]]:
    """Instance key -> its tokens, variables and open tasks as they stand in the tables."""
    with engine.reading() as session:
        keys = session.scalars(select(m.process_instance.c.key)).all()
        return {
            key: (
                reads.token_rows(session, key),
                reads.variable_rows(session, key),
                [tuple(task) for task in reads.open_tasks_of_instance(session, key)],
            )
            for key in keys
        }


def test_instances_move_to_another_process_and_back(analyst: FlaskClient, people: Engine, keys: list[int]) -> None:
    other = (
        NEW.replace(b'"permit"', b'"licence"').replace("小许可".encode(), "大许可".encode()).replace("联合审查".encode(), "审查".encode())
    )
    deploy(people, other)
    text = analyst.get(f"{MIGRATE}?version=1&into=licence&to=2&were=permit").get_data(as_text=True)  # `to` was of the other process
    assert "目标是另一个流程" in text and "大许可 v1" in text and "有 1 个编号不同、名称相同的环节" in text
    assert '<option value="joint_review" selected>' in text, "suggested by its name"
    choice = {"version": "1", "into": "licence", "to": "1", "map:review": "joint_review"}
    assert "3 个实例都可以迁移" in analyst.post(MIGRATE, data=choice | {"step": "try"}).get_data(as_text=True)
    applied = analyst.post(MIGRATE, data=choice | {"step": "apply", "reason": "合并流程", "who": "ok"})
    batch = key_of(applied)
    with people.reading() as session:
        assert {reads.instance(session, key).process_id for key in keys} == {"licence"}
        assert {task.element_id for key in keys for task in reads.open_tasks_of_instance(session, key)} == {"apply", "joint_review"}
    assert "大许可 v1" in analyst.get(f"/batches/{batch}").get_data(as_text=True)
    assert "大许可 v1 → 小许可 v1" in analyst.get(f"/batches/{batch}/undo").get_data(as_text=True)
    analyst.post(f"/batches/{batch}/undo", data={"reason": "看错了"})
    assert versions(people, keys) == [1, 1, 1]
    with people.reading() as session:
        assert {reads.instance(session, key).process_id for key in keys} == {PROCESS}
    assert analyst.get(f"{MIGRATE}?version=1&into=nothing").status_code == 404
