"""Migration of running instances to another process model (Camunda 8.9's process instance migration, and more): see `plan` for the rules.

plan = make_plan(old_model, new_model, Instructions({"task_a": "task_b"}))
migrated = migrate(instance, new_model, plan)
"""

from engine.bpmn.migration.apply import Migrated, migrate
from engine.bpmn.migration.diff import ElementChange, counterparts
from engine.bpmn.migration.obstacles import MigrationRefused
from engine.bpmn.migration.plan import Instructions, Plan, make_plan
from engine.bpmn.migration.suggest import suggestions

__all__ = ["ElementChange", "Instructions", "Migrated", "MigrationRefused", "Plan", "counterparts", "make_plan", "migrate", "suggestions"]
