"""Log-in with lock-out, accounts, and the Actor of each role (domain §6.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from engine import clock
from engine.errors import Conflict, Forbidden, Invalid, NotFound
from handlers.directory import service as directory
from handlers.directory.models import AttemptsRow
from tests.handlers.conftest import Office

PASSWORD = "correct horse 2022"


def test_the_right_password_logs_in(office: Office, known_user: str) -> None:
    user = directory.log_in(office.engine, known_user, PASSWORD)
    assert (user.username, user.kind, user.memberships, user.unit) == (known_user, "staff", (("ZRZYJ", "verifier"),), "ZRZYJ")


def test_a_wrong_password_and_an_unknown_name_are_refused_alike(office: Office, known_user: str) -> None:
    with pytest.raises(directory.LoginRefused) as wrong:
        directory.log_in(office.engine, known_user, "wrong")
    with pytest.raises(directory.LoginRefused) as unknown:
        directory.log_in(office.engine, "nobody-of-that-name", "wrong")
    assert wrong.value.message() == unknown.value.message()


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(office: Office, known_user: str) -> None:
    for _ in range(directory.MAX_FAILED_LOGINS):
        with pytest.raises(directory.LoginRefused):
            directory.log_in(office.engine, known_user, "wrong")
    with pytest.raises(directory.AccountLocked) as locked:
        directory.log_in(office.engine, known_user, PASSWORD)
    assert 14 <= locked.value.details["minutes"] <= 15


def test_a_lock_ends_after_its_time(office: Office, known_user: str) -> None:
    for _ in range(directory.MAX_FAILED_LOGINS):
        with pytest.raises(directory.LoginRefused):
            directory.log_in(office.engine, known_user, "wrong")
    with office.engine.unit_of_work() as session:
        session.execute(update(AttemptsRow).values(locked_until=clock.wall_now() - timedelta(seconds=1)))
    assert directory.log_in(office.engine, known_user, PASSWORD).username == known_user


def test_a_success_forgets_earlier_failures(office: Office, known_user: str) -> None:
    for _ in range(2):
        for _ in range(directory.MAX_FAILED_LOGINS - 1):
            with pytest.raises(directory.LoginRefused):
                directory.log_in(office.engine, known_user, "wrong")
        directory.log_in(office.engine, known_user, PASSWORD)


def test_a_disabled_account_cannot_log_in_nor_act(office: Office, known_user: str) -> None:
    with office.engine.unit_of_work() as session:
        directory.disable_user(session, known_user)
    with pytest.raises(directory.AccountDisabled):
        directory.log_in(office.engine, known_user, PASSWORD)
    with office.engine.reading() as session, pytest.raises(Forbidden):
        directory.actor_named(session, known_user)


def test_the_password_is_changed_by_who_knows_the_old_one(office: Office, known_user: str) -> None:
    with office.engine.unit_of_work() as session, pytest.raises(directory.LoginRefused):
        directory.change_password(session, known_user, "wrong", "another horse 99")
    with office.engine.unit_of_work() as session:
        directory.change_password(session, known_user, PASSWORD, "another horse 99")
    assert directory.log_in(office.engine, known_user, "another horse 99")


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaa", ""])
def test_weak_passwords_are_refused(office: Office, known_user: str, weak: str) -> None:
    with office.engine.unit_of_work() as session, pytest.raises(Invalid):
        directory.reset_password(session, known_user, weak)


def test_a_password_may_not_hold_the_user_name(office: Office, known_user: str) -> None:
    with office.engine.unit_of_work() as session, pytest.raises(Invalid):
        directory.reset_password(session, known_user, f"{known_user} 2022")


def test_names_units_and_roles_are_checked(office: Office, known_user: str) -> None:
    with office.engine.unit_of_work() as session:
        with pytest.raises(Conflict):
            directory.create_demo_user(session, known_user, "同名", "staff")
        with pytest.raises(Invalid):
            directory.create_demo_user(session, "new1", "张三", "staff", [("NOWHERE", "handler")])
        with pytest.raises(Invalid):
            directory.create_demo_user(session, "new2", "张三", "staff", [("FGW", "king")])
        with pytest.raises(NotFound):
            directory.disable_user(session, "nobody-of-that-name")


def test_the_window_may_represent_owners_and_signs_nothing(office: Office) -> None:
    window = office.actor("guli")
    assert window.can("represent_owner") and not window.can("read_all") and window.groups == {"XZSPJ.window"}


@pytest.mark.parametrize(
    ("username", "powers", "has_groups"),
    [
        ("lijianguo", set(), True),
        ("chenjing", {"read_all"}, True),
        ("zhouming", {"read_all"}, True),
        ("liuyang", {"deploy"}, False),
        ("admin", {"administer", "operate", "deploy"}, False),
        ("liumin", set(), False),
    ],
)
def test_powers_follow_kind_and_role(office: Office, username: str, powers: set[str], has_groups: bool) -> None:
    actor = office.actor(username)
    assert actor.powers == powers and bool(actor.groups) == has_groups


def test_investors_belong_to_the_colleagues_of_their_company(office: Office) -> None:
    with office.engine.unit_of_work() as session:
        directory.create_demo_user(session, f"second-{office.engine.settings.database_url[:6]}", "同事", "investor", (), "昌吉市教育局")
    with office.engine.reading() as session:
        owns = directory.actor_named(session, "liumin").owns
    assert "liumin" in owns and len(owns) == 2 and "baixiaofeng" not in owns


def test_twenty_seven_units_reside_in_the_centre(office: Office) -> None:
    with office.engine.reading() as session:
        units = directory.units(session)
    resident = [unit for unit in units if unit.resident]
    assert len(resident) == 27 and [unit.number for unit in resident] == list(range(1, 28))


def test_every_unit_of_the_plan_has_a_handler_a_verifier_and_a_signer(office: Office) -> None:
    with office.engine.reading() as session:
        missing = [
            f"{unit.code}.{role}"
            for unit in directory.units(session)
            if unit.resident
            for role in ("handler", "verifier", "signer")
            if not directory.users_in_group(session, f"{unit.code}.{role}")
        ]
    assert missing == []


def test_the_demo_offers_every_role_grouped(office: Office) -> None:
    with office.engine.reading() as session:
        offered = directory.demo_users(session)
    groups = {user.group for user in offered}
    assert {"政务中心", "项目单位", "系统"} <= groups
    assert next(u for u in offered if u.username == "lijianguo").description == "自然资源局 审批经办人"


def test_demo_users_have_no_password(office: Office) -> None:
    with pytest.raises(directory.LoginRefused):
        directory.log_in(office.engine, "lijianguo", "nobody has this password ")
