"""Batches: progress, reasons of failures, pause, resume, cancel, again, undo; who may."""

from __future__ import annotations

import pytest
from flask import Flask

from engine import Engine, commands
from engine.policy import SYSTEM
from engine.store import batches
from tests.webapp.conftest import log_in
from tests.webapp.versions import NEW, OLD, add_watchers, complete, deploy, start

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def keys(people: Engine) -> list[int]:
    add_watchers(people)
    deploy(people, OLD)
    return start(people, 3)


def create(engine: Engine, kind: str, keys: list[int], **parameters: object) -> int:
    """A batch; inline jobs run it at once."""
    with engine.unit_of_work() as session:
        return commands.create_batch(session, SYSTEM, kind, keys, parameters, reason="核查")


def stalled(engine: Engine, kind: str, keys: list[int], monkeypatch: pytest.MonkeyPatch) -> int:
    """A running batch whose job got lost."""
    with monkeypatch.context() as patch:
        patch.setattr(type(engine.runtime.jobs), "enqueue", lambda *_args, **_named: None)
        return create(engine, kind, keys)


def state(engine: Engine, key: int) -> str:
    with engine.reading() as session:
        return batches.progress(session, key).state


def test_the_list_and_one_batch(app: Flask, people: Engine, keys: list[int]) -> None:
    watcher = log_in(app, "ducha")
    assert "还没有批处理" in watcher.get("/batches").get_data(as_text=True)
    key = create(people, "cancel", keys)
    listed = watcher.get("/batches").get_data(as_text=True)
    assert f'href="/batches/{key}"' in listed and "终止 3 个实例" in listed and "核查" in listed
    text = watcher.get(f"/batches/{key}").get_data(as_text=True)
    assert "100%" in text and "完成 3" in text and f'href="/instances/{keys[0]}"' in text
    assert "<form" not in text[text.index("<main") : text.index("</main>")], "who may only look changes nothing"


def test_failures_with_reasons_and_the_filter(app: Flask, people: Engine, keys: list[int]) -> None:
    create(people, "suspend", keys[:1])
    key = create(people, "suspend", keys)
    operator = log_in(app, "yunwei")
    text = operator.get(f"/batches/{key}?state=FAILED").get_data(as_text=True)
    reasons = text[text.index("失败的原因") : text.index('id="items-title"')]
    assert "1 个" in reasons and "暂停" in reasons
    items = text[text.index('id="items-title"') :]
    assert f'href="/instances/{keys[0]}"' in items and f'href="/instances/{keys[1]}"' not in items
    assert "没有这样的实例" in operator.get(f"/batches/{key}?state=PENDING").get_data(as_text=True)


def test_a_running_batch_is_paused_resumed_and_cancelled(
    app: Flask, people: Engine, keys: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = stalled(people, "suspend", keys, monkeypatch)
    operator = log_in(app, "yunwei")
    fragment = operator.get(f"/batches/{key}", headers={"X-Fragment": "batch"}).get_data(as_text=True)
    assert 'data-state="RUNNING"' in fragment and "<html" not in fragment and "暂停" in fragment
    operator.post(f"/batches/{key}/pause")
    assert state(people, key) == "PAUSED"
    operator.post(f"/batches/{key}/cancel")
    assert state(people, key) == "CANCELLED"
    assert "未执行 3" in operator.get(f"/batches/{key}").get_data(as_text=True)
    late = operator.post(f"/batches/{key}/resume", follow_redirects=True)
    assert late.status_code == 200 and "flash error" in late.get_data(as_text=True) and state(people, key) == "CANCELLED"
    other = stalled(people, "suspend", keys, monkeypatch)
    operator.post(f"/batches/{other}/pause")
    operator.post(f"/batches/{other}/resume")
    assert state(people, other) == "COMPLETED"


def test_what_failed_is_done_again(app: Flask, people: Engine, keys: list[int]) -> None:
    create(people, "suspend", keys[:1])
    key = create(people, "suspend", keys)
    create(people, "resume", keys[:1])
    answer = log_in(app, "yunwei").post(f"/batches/{key}/again")
    fresh = int(answer.location.rpartition("/")[2])
    with people.reading() as session:
        progress = batches.progress(session, fresh)
        assert [item.instance_key for item in batches.items(session, fresh)] == keys[:1]
    assert (progress.kind, progress.done, progress.reason) == ("suspend", 1, "核查")
    assert log_in(app, "yunwei").post(f"/batches/{fresh}/again").status_code == 422, "nothing failed there"


def test_undoing_a_migration(app: Flask, people: Engine, keys: list[int]) -> None:
    old, new = deploy(people, OLD), deploy(people, NEW)
    key = create(people, "migrate", keys, sourceKey=old, targetKey=new)
    complete(people, keys[0])
    analyst = log_in(app, "fenxi")
    assert f'href="/batches/{key}/undo"' in analyst.get(f"/batches/{key}").get_data(as_text=True)
    page = analyst.get(f"/batches/{key}/undo").get_data(as_text=True)
    assert "2 个实例恢复到迁移前的样子" in page and "不能撤销的 1 个" in page and f'href="/instances/{keys[0]}"' in page
    assert analyst.post(f"/batches/{key}/undo", data={"reason": ""}).status_code == 422
    undone = analyst.post(f"/batches/{key}/undo", data={"reason": "发现问题"})
    text = analyst.get(undone.location).get_data(as_text=True)
    assert "完成 2" in text and f'href="/batches/{key}"' in text
    assert "没有可以撤销的" in analyst.get(f"/batches/{key}/undo").get_data(as_text=True)
    assert analyst.post(f"/batches/{key}/undo", data={"reason": "再来"}).status_code == 422
    assert analyst.get(f"{undone.location}/undo").status_code == 404, "not a migration"


def test_who_may(app: Flask, people: Engine, keys: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    key = stalled(people, "suspend", keys, monkeypatch)
    for stranger in ("li", "muge"):
        assert log_in(app, stranger).get("/batches").status_code == 403
        assert log_in(app, stranger).get(f"/batches/{key}").status_code == 403
    for watcher in ("ducha", "fenxi"):
        visitor = log_in(app, watcher)
        assert visitor.get(f"/batches/{key}").status_code == 200
        for change in ("pause", "resume", "cancel", "again"):
            assert visitor.post(f"/batches/{key}/{change}").status_code in {403, 422}
    operator = log_in(app, "yunwei")
    assert operator.post(f"/batches/{key}/delete").status_code == 404
    assert operator.get("/batches/999").status_code == operator.get("/batches/999/undo").status_code == 404
    assert state(people, key) == "RUNNING"
