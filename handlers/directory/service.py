"""People and units. The only import allowed from outside.

passwords.py: log-in; attempts.py: who is kept out after wrong passwords; accounts.py: who has one; people.py: looking people up;
acting.py: the Actor that commands are sent as; units.py: departments and agencies; tokens.py: keys of programs.
"""

from handlers.directory.accounts import DemoUser, create_demo_user, create_user, demo_analyst, demo_users, disable_user
from handlers.directory.acting import actor_for, actor_named, called, is_staff, staff_actor
from handlers.directory.attempts import LOCK, MAX_FAILED_LOGINS, AccountLocked
from handlers.directory.passwords import (
    MIN_PASSWORD,
    AccountDisabled,
    LoginRefused,
    change_password,
    log_in,
    password_stamp,
    reset_password,
)
from handlers.directory.people import (
    KINDS,
    PEOPLE,
    Kind,
    User,
    active_staff,
    display_names,
    get_user,
    lock_user,
    person,
    users,
    users_in_group,
)
from handlers.directory.units import Unit, import_units, known_groups, unit_names, units

__all__ = [
    "KINDS",
    "LOCK",
    "MAX_FAILED_LOGINS",
    "MIN_PASSWORD",
    "PEOPLE",
    "AccountDisabled",
    "AccountLocked",
    "DemoUser",
    "Kind",
    "LoginRefused",
    "Unit",
    "User",
    "active_staff",
    "actor_for",
    "actor_named",
    "called",
    "change_password",
    "create_demo_user",
    "create_user",
    "demo_analyst",
    "demo_users",
    "disable_user",
    "display_names",
    "get_user",
    "import_units",
    "is_staff",
    "known_groups",
    "lock_user",
    "log_in",
    "password_stamp",
    "person",
    "reset_password",
    "staff_actor",
    "unit_names",
    "units",
    "users",
    "users_in_group",
]
