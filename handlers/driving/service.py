"""Taking projects through their flows without a browser. The only import allowed from outside."""

from handlers.driving.answers import answer, merged
from handlers.driving.driver import Driver, Stuck, deploy_everything, own_files
from handlers.driving.player import Act, Player
from handlers.driving.script import Rule, Script, Situation, read_rules, rules_of

__all__ = [
    "Act",
    "Driver",
    "Player",
    "Rule",
    "Script",
    "Situation",
    "Stuck",
    "answer",
    "deploy_everything",
    "merged",
    "own_files",
    "read_rules",
    "rules_of",
]
