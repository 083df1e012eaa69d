"""Suggested mappings between processes whose ids differ: by name, type and place, and only where there is no doubt."""

from __future__ import annotations

from engine.bpmn import ProcessModel, parse
from engine.bpmn.migration import Instructions, make_plan, suggestions
from tests.bpmn.support import chain, doc


def load(content: bytes) -> ProcessModel:
    return parse(content, "test.bpmn")[0]


def model(*steps: tuple[str, str, str]) -> ProcessModel:
    """(id, kind, name) one after the other between a start and an end."""
    ids = ["start", *(id for id, _kind, _name in steps), "end"]
    inside = "".join(f'<{kind} id="{id}" name="{name}" />' for id, kind, name in steps)
    return load(doc('<startEvent id="start" />' + inside + '<endEvent id="end" />' + chain(*ids)))


def test_what_has_the_same_name_and_type_is_suggested() -> None:
    old = model(("a", "userTask", "审查\n材料"), ("b", "task", "签发"), ("same", "userTask", "归档"))
    new = model(("x", "userTask", "审查材料"), ("y", "userTask", "签发"), ("same", "userTask", "存档"))
    found = suggestions(old, new)
    assert found == {"a": "x"}, "签发 is of another type; what has the same id needs no suggestion"
    assert make_plan(old, new, Instructions(found)).valid


def test_two_of_one_name_are_left_to_people() -> None:
    old = model(("a", "userTask", "审查"))
    new = model(("x", "userTask", "审查"), ("y", "userTask", "审查"))
    assert suggestions(old, new) == {} and suggestions(new, old) == {}


def test_nameless_elements_are_left_to_people() -> None:
    assert suggestions(model(("a", "userTask", "")), model(("x", "userTask", ""))) == {}


def test_what_is_inside_a_subprocess_follows_the_subprocess() -> None:
    def nested(outside: str, inside: str) -> ProcessModel:
        body = f'<startEvent id="s_{inside}" /><userTask id="{inside}" name="会签" /><endEvent id="e_{inside}" />'
        body += "".join(
            f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}" />' for a, b in ((f"s_{inside}", inside), (inside, f"e_{inside}"))
        )
        sub = f'<subProcess id="{outside}" name="联合审查">{body}</subProcess>'
        return load(doc('<startEvent id="start" />' + sub + '<endEvent id="end" />' + chain("start", outside, "end")))

    assert suggestions(nested("review", "sign"), nested("joint", "countersign")) == {"review": "joint", "sign": "countersign"}
