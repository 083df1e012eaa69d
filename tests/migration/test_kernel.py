"""Migrating one live instance (Camunda 8.9 process instance migration, rules in engine.bpmn.migration.plan). The instance is stored and
restored after the migration, so what is tested is what the rows say."""

from __future__ import annotations

from engine.bpmn import Completed, Pending, Signer, parse
from engine.bpmn.migration import Instructions, make_plan, migrate
from tests.bpmn.support import (
    COMPENSATE,
    END,
    ROOTS,
    SIGNAL,
    START,
    Host,
    Run,
    boundary,
    chain,
    doc,
    el,
    flow,
    gate,
    multi,
    service,
    sub,
    timer,
    user,
    zeebe,
)
from tests.migration.moving import move, refused, sequence, with_boundary

FORK = START + gate("fork") + gate("join") + END


def parallel(*branches: str) -> bytes:
    """A fork, one user task a branch, a join, then a last task."""
    body = FORK + user(*branches, "last") + flow("s", "fork") + chain("join", "last", "e")
    body += "".join(flow("fork", b, id=f"to_{b}") + flow(b, "join", id=f"from_{b}") for b in branches)
    return doc(body)


# ---------------------------------------------------------------------- inactive parts
def test_what_comes_after_the_active_element_is_the_new_models() -> None:
    run = move(Run(sequence("a", "b")), sequence("a", "new", "b"))
    run.complete("a")
    assert run.tasks == ["new"]
    run.complete("new")
    run.complete("b")
    assert run.state == "COMPLETED"


def test_the_token_keeps_its_id_and_its_variables() -> None:
    run = Run(sequence("a"), {"x": 1})
    token = run.token("a")
    run.do("set_variables", {"own": 2}, token, local=True)
    move(run, sequence("a", "b"))
    assert run.token("a") == token and run.instance.variables(token) == {"x": 1, "own": 2}


def test_a_renamed_element_is_mapped_and_the_history_goes_on_under_the_new_id() -> None:
    run = move(Run(sequence("a")), sequence("b"), mapping={"a": "b"})
    assert run.tasks == ["b"] and run.events("b") == ["migrated"]
    run.complete("b")
    assert run.state == "COMPLETED" and run.events("b") == ["migrated", "completed"]


def test_two_elements_may_swap_their_places() -> None:
    run = Run(parallel("a", "b"))
    first, second = run.token("a"), run.token("b")
    move(run, parallel("a", "b"), mapping={"a": "b", "b": "a"})
    assert run.token("b") == first and run.token("a") == second


def test_the_finished_branching_point_of_a_removed_element_is_spliced_out() -> None:
    """The fork itself is gone in the new model; its finished token held the two branches together."""
    before = doc(
        START
        + user("a", "b")
        + gate("fork")
        + END
        + flow("s", "fork")
        + flow("fork", "a")
        + flow("fork", "b")
        + chain("a", "e")
        + chain("b", "e")
    )
    after = doc(START + user("a", "b") + END + flow("s", "a") + flow("s", "b") + chain("a", "e") + chain("b", "e"))
    run = move(Run(before), after)
    run.complete("b")
    run.complete("a")
    assert run.state == "COMPLETED"


# ---------------------------------------------------------------------- what is refused
def test_an_active_element_without_a_target_is_refused() -> None:
    assert refused(Run(sequence("a", "b")), sequence("b")) == {("unmapped", "a")}


def test_every_reason_is_given_at_once() -> None:
    assert refused(Run(parallel("a", "b")), sequence("c")) == {("unmapped", "a"), ("unmapped", "b")}


def test_another_type_is_refused() -> None:
    target = doc(START + service("a", "x") + END + chain("s", "a", "e"))
    assert refused(Run(sequence("a")), target, mapping={"a": "a"}) == {("type", "a")}
    assert refused(Run(sequence("a")), target) == {("unmapped", "a")}


def test_an_unknown_id_is_refused() -> None:
    assert refused(Run(sequence("a")), sequence("a"), mapping={"x": "a", "a": "y"}) >= {("unknown-source", "x"), ("unknown-target", "a")}


def test_an_element_that_moved_into_a_subprocess_is_refused() -> None:
    target = doc(
        START
        + sub("box", el("startEvent", "is") + user("a") + el("endEvent", "ie") + chain("is", "a", "ie"))
        + END
        + chain("s", "box", "e")
    )
    assert refused(Run(sequence("a")), target) == {("unmapped", "a")}
    assert refused(Run(sequence("a")), target, mapping={"a": "a"}) == {("scope", "a")}


def test_parallel_and_sequential_multi_instance_do_not_mix() -> None:
    def reviews(**kind: str) -> bytes:
        return doc(START + el("userTask", "m", multi(**kind)) + END + chain("s", "m", "e"))

    run = Run(reviews(), {"units": ["A", "B"]})
    assert refused(run, reviews(sequential="true")) == {("unmapped", "m")}


def test_an_ended_instance_is_refused() -> None:
    run = Run(sequence("a"), resident=True)
    run.complete("a")
    assert refused(run, sequence("a")) == {("ended", "")}


# ---------------------------------------------------------------------- cancelling
def test_an_element_mapped_to_none_is_cancelled() -> None:
    run = Run(doc(START + user("a", "b") + END + flow("s", "a") + flow("s", "b") + chain("a", "e") + chain("b", "e")))
    move(run, sequence("b"), mapping={"a": None})
    assert run.tasks == ["b"] and run.events("a") == ["entered", "terminated"]


def test_cancelling_everything_is_refused() -> None:
    assert refused(Run(sequence("a")), sequence("b"), mapping={"a": None}) == {("nothing-left", "")}


# ---------------------------------------------------------------------- joins
def test_tokens_that_wait_at_a_join_are_counted_on() -> None:
    run = Run(parallel("a", "b", "c"))
    run.complete("b")
    move(run, parallel("c", "b", "a"))
    run.complete("a")
    assert run.tasks == ["c"]
    run.complete("c")
    assert run.tasks == ["last"]


def test_a_join_with_fewer_flows_is_refused_while_a_token_waits() -> None:
    run = Run(parallel("a", "b", "c"))
    run.complete("a")
    assert ("join-flow", "join") in refused(run, parallel("b", "c"), mapping={"a": None})


def test_a_token_at_a_join_is_found_again_when_a_step_was_inserted_before_it() -> None:
    """Camunda's example: the flow into the join is another one afterwards, and it comes from an element that did not exist."""
    body = FORK + user("a", "b", "c", "last") + chain("s", "fork") + chain("join", "last", "e")
    body += flow("fork", "a") + flow("fork", "b") + flow("a", "c", id="from_a") + flow("c", "join") + flow("b", "join", id="from_b")
    run = Run(parallel("a", "b"))
    run.complete("a")
    move(run, doc(body))
    assert run.tasks == ["b"]
    run.complete("b")
    assert run.tasks == ["last"]


def test_a_token_at_a_join_is_found_again_when_its_step_was_removed() -> None:
    body = FORK + user("b", "last") + chain("s", "fork") + chain("join", "last", "e")
    body += flow("fork", "join", id="direct") + flow("fork", "b") + flow("b", "join", id="from_b")
    run = Run(parallel("a", "b"))
    run.complete("a")
    move(run, doc(body))
    run.complete("b")
    assert run.tasks == ["last"]


def test_flows_that_cannot_be_told_apart_are_mapped_explicitly() -> None:
    def version(one: str, two: str) -> bytes:
        body = FORK + user("a", "b", "last") + chain("s", "fork") + chain("join", "last", "e")
        body += flow("fork", "a") + flow("fork", "b") + gate("x", "exclusive") + chain("a", "x")
        return doc(body + flow("x", "join", id=one) + flow("b", "join", id="from_b") + flow("x", "join", "go", id=two) + chain("b", "e"))

    source = version("p1", "p2")
    run = Run(source, {"go": True})
    run.complete("a")
    assert refused(run, version("q1", "q2")) == {("join-flow", "join")}
    run = Run(source, {"go": True})
    run.complete("a")
    move(run, version("q1", "q2"), mapping={"p1": "q1", "p2": "q2"})
    assert run.tasks == ["b"]
    assert ("unknown-target", "p1") in refused(Run(source), version("q1", "q2"), mapping={"p1": "q9"})


def test_an_added_branch_would_starve_the_join_and_is_refused() -> None:
    assert refused(Run(parallel("a", "b")), parallel("a", "b", "c")) == {("join-starves", "join")}


def test_an_added_branch_gets_its_token_where_the_fork_was_passed() -> None:
    target = parallel("a", "b", "c")
    run = Run(parallel("a", "b"))
    run.complete("a")
    assert make_plan(run.model, parse(target, "x")[0]).new_branches == ("c",)
    move(run, target, branches=("c",))
    assert run.tasks == ["b", "c"]
    run.complete("c")
    run.complete("b")
    run.complete("last")
    assert run.state == "COMPLETED"


def test_an_added_branch_gets_no_second_token_where_the_join_was_passed() -> None:
    run = Run(parallel("a", "b"))
    run.complete("a")
    run.complete("b")
    move(run, parallel("a", "b", "c"), branches=("c",))
    assert run.tasks == ["last"]


def test_an_instance_before_the_fork_needs_no_added_token() -> None:
    def ahead(*branches: str) -> bytes:
        body = FORK + user("first", *branches) + chain("s", "first", "fork") + chain("join", "e")
        return doc(body + "".join(flow("fork", b) + flow(b, "join") for b in branches))

    run = move(Run(ahead("a", "b")), ahead("a", "b", "c"), branches=("c",))
    run.complete("first")
    assert run.tasks == ["a", "b", "c"]


# ---------------------------------------------------------------------- scopes, loops, jobs, incidents, compensation
def test_members_of_a_multi_instance_go_on_and_their_results_are_collected() -> None:
    def review(id: str) -> bytes:
        return doc(START + el("userTask", id, multi(out="all", out_element="opinion")) + user("z") + END + chain("s", id, "z", "e"))

    run = Run(review("m"), {"units": ["A", "B"]})
    run.complete("m", opinion="ok")
    move(run, review("n"), mapping={"m": "n"})
    run.complete("n", opinion="no")
    assert run.variables["all"] == ["ok", "no"]


def test_a_subprocess_is_migrated_with_what_is_inside() -> None:
    def boxed(box: str, *ids: str) -> bytes:
        inner = el("startEvent", "is") + user(*ids) + el("endEvent", "ie") + chain("is", *ids, "ie")
        return doc(START + sub(box, inner) + END + chain("s", box, "e"))

    run = Run(boxed("box", "a"))
    assert refused(run, boxed("other", "a", "b"), mapping={"a": "a"}) >= {("scope", "a"), ("unmapped", "box")}
    run = move(Run(boxed("box", "a")), boxed("other", "a", "b"), mapping={"box": "other", "a": "a"})
    run.complete("a")
    assert run.tasks == ["b"]


def test_a_pending_job_keeps_its_type_unless_it_is_refreshed() -> None:
    def work(type: str) -> bytes:
        return doc(START + service("j", type) + END + chain("s", "j", "e"))

    host = Host(jobs={"old": lambda _: Pending(), "new": lambda _: Pending()})
    run = Run(work("old"), host=host)
    model = parse(work("new"), "x")[0]
    migrated = migrate(run.instance, model, make_plan(run.model, model, Instructions(refresh_tasks=True)))
    assert [(job.type, job.token_id) for job in migrated.jobs] == [("new", run.token("j", "jobs"))]
    assert not migrated.instance.take_changes().closed_jobs


def test_a_listener_that_is_pending_must_exist_in_the_target() -> None:
    listener = '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="check"/></zeebe:executionListeners>'
    source = doc(START + el("userTask", "a", zeebe(listener)) + END + chain("s", "a", "e"))
    run = Run(source, host=Host(jobs={"check": lambda _: Pending()}))
    assert refused(run, sequence("a")) == {("listener", "a")}


def test_an_incident_is_kept_and_a_retry_uses_the_mended_diagram() -> None:
    """Camunda: correcting mistakes in a process instance."""

    def choice(condition: str) -> bytes:
        body = START + user("a", "b") + gate("x", "exclusive") + END + chain("s", "a", "x") + flow("x", "b", condition) + chain("b", "e")
        return doc(body)

    run = Run(choice("missing.text &gt; 5"), {"good": True})
    run.complete("a")
    assert run.incidents
    move(run, choice("good"))
    assert run.incidents
    run.do("retry", run.token("x", "incidents"))
    assert run.tasks == ["b"] and not run.incidents


def compensable(handler: str) -> bytes:
    event = el("boundaryEvent", f"{handler}_event", COMPENSATE, attachedToRef="a")
    undo = el("userTask", handler, isForCompensation="true")
    link = f'<association id="as" sourceRef="{handler}_event" targetRef="{handler}"/>'
    throw = el("intermediateThrowEvent", "throw", COMPENSATE)
    return doc(START + user("a", "b") + throw + END + event + undo + link + chain("s", "a", "b", "throw", "e"))


def test_what_completed_can_still_be_compensated() -> None:
    run = Run(compensable("undo"))
    run.complete("a")
    move(run, compensable("revoke"), mapping={"undo": "revoke"})
    run.complete("b")
    assert run.tasks == ["revoke"]


def test_a_compensation_that_would_be_lost_is_refused() -> None:
    run = Run(compensable("undo"))
    run.complete("a")
    assert refused(run, sequence("a", "b")) == {("compensation", "undo")}


def test_an_open_call_goes_on() -> None:
    def call(*after: str) -> bytes:
        activity = el("callActivity", "c", zeebe('<zeebe:calledElement processId="child"/>'))
        return doc(START + activity + user(*after) + END + chain("s", "c", *after, "e"))

    run = move(Run(call()), call("z"))
    run.do("call_completed", run.token("c", "calls"), {"r": 1})
    assert run.tasks == ["z"] and run.variables["r"] == 1


def test_an_open_task_takes_its_new_people_and_form_when_refreshed() -> None:
    def task(group: str, form: str) -> bytes:
        inner = zeebe(f'<zeebe:userTask/><zeebe:formDefinition formId="{form}"/><zeebe:assignmentDefinition candidateGroups="{group}"/>')
        return doc(START + el("userTask", "a", inner) + END + chain("s", "a", "e"))

    run = Run(task("OLD", "f1"), host=Host(jobs={"x": lambda _: Completed()}))
    model = parse(task("NEW", "f2"), "x")[0]
    migrated = migrate(run.instance, model, make_plan(run.model, model, Instructions(refresh_tasks=True)))
    (opened,) = migrated.tasks
    assert (opened.form_id, opened.candidate_groups) == ("f2", ("NEW",))


def test_signatures_that_were_asked_for_go_on_with_their_own_people() -> None:
    """加签: a signer's task is of the same element, but not from the diagram."""
    run = Run(with_boundary(boundary("t", "a", timer("PT1H"))))
    run.do("add_signs", run.token("a"), "before", [Signer(user="zhang")])
    model = parse(with_boundary(boundary("c", "a", SIGNAL)), "x")[0]
    plan = make_plan(run.model, model, Instructions(refresh_tasks=True))
    migrated = migrate(run.instance, model, plan)
    assert migrated.tasks == [], "the task itself stands still, its signer's people are not the diagram's"
    run.instance, run.model = migrated.instance, model
    run.store()
    assert len(run.rows.open["signals"]) == 1, "the added boundary event waits at the task alone"
    signer = max(token for token, task in run.rows.open["tasks"].items() if task.assignee == "zhang")
    run.do("complete_user_task", signer, {})
    run.complete("a")
    assert run.state == "COMPLETED"


def test_the_roots_of_a_file_do_not_matter() -> None:
    run = move(Run(sequence("a")), doc(START + user("a") + END + chain("s", "a", "e"), roots=ROOTS))
    run.complete("a")
    assert run.state == "COMPLETED"
