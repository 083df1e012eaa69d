"""token: keys for programs that use the REST API in somebody's name."""

from __future__ import annotations

import argparse
from datetime import timedelta

from engine.errors import Invalid
from handlers.directory import tokens
from webapp.cli.opening import Commands, command, opened

MAX_DAYS = 3650


def add_commands(commands: Commands) -> None:
    parser = command(commands, "token", manage_tokens, "接口令牌：新增、列出、吊销 / API tokens: add, list, revoke")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="为用户新增令牌，只显示这一次 / a new token of a user; it is shown this once")
    add.add_argument("username", help="以谁的身份 / in whose name")
    add.add_argument("--name", required=True, help="用途，例如“自治区平台对接” / what it is for")
    add.add_argument("--days", type=int, help="有效天数，不填则一直有效 / days that it lives; without it for ever")
    actions.add_parser("list", help="列出令牌 / list the tokens")
    revoke = actions.add_parser("revoke", help="吊销令牌 / revoke a token")
    revoke.add_argument("id", type=int, help="编号，见 list / its number, see list")


def manage_tokens(arguments: argparse.Namespace) -> int:
    """Prints a new token alone on stdout, so that scripts can catch it."""
    with opened() as engine, engine.unit_of_work() as session:
        if arguments.action == "add":
            print(tokens.add_token(session, arguments.username, arguments.name, _lifetime(arguments.days)))
        elif arguments.action == "revoke":
            tokens.revoke_token(session, arguments.id)
            print("已吊销 / revoked")
        else:
            for token in tokens.tokens(session):
                until = token.expires_at.date().isoformat() if token.expires_at is not None else "—"
                print(f"{token.id:>5}  {token.username:20} {token.created_at.date().isoformat()}  {until:10}  {token.name}")
    return 0


def _lifetime(days: int | None) -> timedelta | None:
    if days is not None and not 0 < days <= MAX_DAYS:
        raise Invalid(reason=f"有效天数应为 1 至 {MAX_DAYS} (days)")
    return None if days is None else timedelta(days=days)
