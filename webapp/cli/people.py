"""init and user: the first administrator, and accounts."""

from __future__ import annotations

import argparse

from engine.errors import Conflict, Invalid
from handlers.directory import service as directory
from handlers.policies import service as policies
from webapp.cli.content import deploy_own_files
from webapp.cli.opening import Commands, ask, ask_password, command, opened
from webapp.sessions import revoke_all


def add_commands(commands: Commands) -> None:
    first = command(commands, "init", initialise, "建库、导入单位与流程、设立第一位管理员 / set up for real use, without demo data")
    first.add_argument("--username", help="管理员用户名 / the administrator's user name")
    first.add_argument("--display-name", help="管理员姓名 / the administrator's name")
    user = command(commands, "user", change_user, "账户：新增、停用、重设密码 / accounts: add, disable, reset the password")
    user.add_argument("action", choices=("add", "disable", "reset"))
    user.add_argument("username")
    user.add_argument("--display-name", help="姓名 / name (add)")
    user.add_argument("--kind", choices=directory.KINDS, default="staff")
    user.add_argument("--organisation", default="", help="项目单位名称 / company of an investor (add)")
    user.add_argument("--member", action="append", default=[], metavar="UNIT.role", help="岗位，可多次 / membership, repeatable (add)")


def initialise(arguments: argparse.Namespace) -> int:
    """Schema, units and the deployed flows, then the first administrator. Refused when there is an administrator already."""
    with opened(migrate=True) as engine:
        with engine.reading() as session:
            if any(user.kind == "admin" for user in directory.users(session)):
                raise Conflict(reason="已有管理员，用 lianban user 管理账户 (there is an administrator already)")
        username = arguments.username or ask("管理员用户名 / administrator's user name", default="admin")
        name = arguments.display_name or ask("姓名 / name", default="系统管理员")
        password = ask_password()
        with engine.unit_of_work() as session:
            directory.import_units(session)
            policies.bring_in(session)
            directory.create_user(session, username, name, "admin", password)
        with engine.unit_of_work() as session:
            deployment = deploy_own_files(session)
    print(f"已设立管理员 {username}，部署 {len(deployment.items)} 个定义。下一步：lianban serve / next: lianban serve")
    return 0


def change_user(arguments: argparse.Namespace) -> int:
    """A disabled or reset user is logged out everywhere at once: the sessions are rows."""
    username: str = arguments.username
    with opened() as engine, engine.unit_of_work() as session:
        if arguments.action == "add":
            name = arguments.display_name or ask("姓名 / name")
            members = [_membership(text) for text in arguments.member]
            directory.create_user(session, username, name, arguments.kind, ask_password(), members, arguments.organisation)
        elif arguments.action == "disable":
            directory.disable_user(session, username)
            revoke_all(session, username)
        else:
            directory.reset_password(session, username, ask_password())
            revoke_all(session, username)
    print({"add": "已新增 / added", "disable": "已停用 / disabled", "reset": "密码已重设 / password reset"}[arguments.action])
    return 0


def _membership(text: str) -> tuple[str, str]:
    unit, dot, role = text.partition(".")
    if not dot:
        raise Invalid(reason=f"岗位应写作 单位.角色，例如 ZRZYJ.handler，而不是 {text!r} (write UNIT.role)")
    return unit, role
