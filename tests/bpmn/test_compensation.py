"""Compensation and transactions: order, scopes, one activity, restored in between, cancelled."""

from __future__ import annotations

from tests.bpmn.support import COMPENSATE, END, START, Run, boundary, chain, doc, el, event_sub, gate, io, multi, script, sub, user, zeebe


def undoable(id: str, task: str | None = None) -> str:
    """A user task (or the given one) with a compensation handler h<id>."""
    return (
        (task or user(id))
        + boundary(f"c{id}", id, COMPENSATE)
        + el("userTask", f"h{id}", isForCompensation="true")
        + f'<association id="as{id}" sourceRef="c{id}" targetRef="h{id}"/>'
    )


def throw(id: str = "th", activity: str = "") -> str:
    reference = f' activityRef="{activity}"' if activity else ""
    return el("intermediateThrowEvent", id, f"<compensateEventDefinition{reference}/>")


def test_handlers_run_for_what_completed_also_out_of_a_subprocess_and_the_throw_waits() -> None:
    inner = el("startEvent", "s2") + undoable("x", script("x", "1", "vx")) + el("endEvent", "e2") + chain("s2", "x", "e2")
    body = START + undoable("y", script("y", "2", "vy")) + undoable("never") + sub("sp", inner) + throw() + user("z") + END
    run = Run(doc(body + chain("s", "y", "sp", "th", "z", "e")))
    assert run.tasks == ["hx", "hy"]
    assert run.token("hx") < run.token("hy")
    run.complete("hx")
    assert run.tasks == ["hy"]
    run.complete("hy")
    assert run.tasks == ["z"]


def test_only_the_named_activity_and_only_once() -> None:
    body = START + undoable("a") + undoable("b") + throw("t1", "a") + throw("t2", "a") + user("z") + END
    run = Run(doc(body + chain("s", "a", "b", "t1", "t2", "z", "e")))
    run.complete("a")
    run.complete("b")
    assert run.tasks == ["ha"]
    run.complete("ha")
    assert run.tasks == ["z"]


def test_what_did_not_complete_is_not_compensated() -> None:
    body = START + undoable("a") + throw() + user("z") + END + chain("s", "th", "z", "e") + chain("a", "z")
    assert Run(doc(body)).tasks == ["z"]


def test_a_compensation_event_subprocess_replaces_the_records_of_its_inside() -> None:
    handler = event_sub("es", COMPENSATE, user("undo") + chain("es_s", "undo", "es_e"))
    inner = el("startEvent", "s2") + undoable("x", script("x", "1", "vx")) + el("endEvent", "e2") + chain("s2", "x", "e2") + handler
    run = Run(doc(START + sub("sp", inner) + throw() + user("z") + END + chain("s", "sp", "th", "z", "e")))
    assert run.tasks == ["undo"]
    run.complete("undo")
    assert run.tasks == ["z"]


def test_every_round_of_a_loop_leaves_a_record() -> None:
    loop = "<standardLoopCharacteristics><loopCondition>loopCounter &lt; 3</loopCondition></standardLoopCharacteristics>"
    inner = el("startEvent", "s2") + undoable("x", script("x", "loopCounter", "v")) + el("endEvent", "e2") + chain("s2", "x", "e2")
    run = Run(doc(START + el("subProcess", "sp", loop + inner) + throw() + user("z") + END + chain("s", "sp", "th", "z", "e")))
    assert run.tasks == ["hx"] * 3


def test_handlers_of_multi_instance_members_see_what_their_member_had() -> None:
    inner = el("startEvent", "s2") + undoable("x", script("x", "1", "v")) + el("endEvent", "e2") + chain("s2", "x", "e2")
    member = el("subProcess", "sp", zeebe(io({"note": '"n-" + unit'})) + multi() + inner)
    run = Run(doc(START + member + throw() + user("z") + END + chain("s", "sp", "th", "z", "e")), {"units": ["A", "B"]})
    seen = [run.instance.variables(token) for token in sorted(run.rows.open["tasks"])]
    assert [(v["unit"], v["loopCounter"], v["note"]) for v in seen] == [("B", 2, "n-B"), ("A", 1, "n-A")]
    run.complete("hx", done="yes")
    run.complete("hx")
    assert run.tasks == ["z"] and run.variables == {"units": ["A", "B"], "v": 1, "done": "yes"}


def test_a_handler_sees_the_input_of_the_activity_it_undoes() -> None:
    task = el("serviceTask", "a", zeebe('<zeebe:taskDefinition type="pay"/>' + io({"amount": "n * 2"})))
    run = Run(doc(START + undoable("a", task) + user("w") + throw() + END + chain("s", "a", "w", "th", "e")), {"n": 4})
    run.complete("w", n=100)
    seen = run.instance.variables(run.token("ha"))
    assert (seen["amount"], seen["n"]) == (8, 100)


def test_a_transaction_that_is_cancelled_is_undone_and_goes_on_at_its_cancel_event() -> None:
    inner = el("startEvent", "s2") + undoable("a") + user("ask") + el("endEvent", "no", "<cancelEventDefinition/>")
    inner += chain("s2", "a", "ask", "no")
    body = START + sub("tx", inner, tag="transaction") + boundary("b", "tx", "<cancelEventDefinition/>") + user("h", "z") + END
    run = Run(doc(body + chain("s", "tx", "z", "e") + chain("b", "h", "e")))
    run.complete("a")
    run.complete("ask")
    assert run.tasks == ["ha"]
    run.complete("ha")
    assert run.tasks == ["h"] and run.events("tx") == ["entered", "terminated"]


def test_cancelling_the_throw_cancels_the_running_handlers() -> None:
    inner = el("startEvent", "s2") + undoable("a") + throw() + el("endEvent", "e2") + chain("s2", "a", "th", "e2")
    body = START + sub("sp", inner) + boundary("b", "sp", '<signalEventDefinition signalRef="S1"/>') + user("h") + END
    run = Run(doc(body + chain("s", "sp", "e") + chain("b", "h", "e")))
    run.complete("a")
    run.signal()
    assert run.tasks == ["h"]


def test_a_cancelled_member_of_a_repeated_transaction_cancels_the_whole() -> None:
    done = boundary("cb", "t", COMPENSATE) + el("userTask", "undo", isForCompensation="true")
    done += '<association id="as" sourceRef="cb" targetRef="undo" associationDirection="One"/>'
    inner = START + gate("f") + user("t", "o") + done + el("endEvent", "ce", "<cancelEventDefinition/>")
    inner += chain("s", "f", "t", "ce") + chain("f", "o")
    body = el("startEvent", "s0") + sub("m", multi("[1, 2]") + inner, "transaction") + boundary("cx", "m", "<cancelEventDefinition/>")
    run = Run(doc(body + user("h") + chain("s0", "m") + chain("cx", "h")))
    run.complete("t")
    assert run.tasks == ["o", "t", "undo"]
    run.complete("undo")
    assert run.tasks == ["h"] and not run.incidents
