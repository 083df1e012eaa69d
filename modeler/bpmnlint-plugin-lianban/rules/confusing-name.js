// What a person cannot tell apart on the diagram or in a work list. As engine/bpmn/lint/names.py.
const { scopeRule } = require("../scope");

const LONGEST = 40;
const NAMED = ["UserTask", "ServiceTask", "SendTask", "ReceiveTask", "ScriptTask", "BusinessRuleTask", "ManualTask", "Task", "CallActivity"];
const PEOPLES = ["bpmn:UserTask", "bpmn:CallActivity"];
const ASKING = ["bpmn:ExclusiveGateway", "bpmn:InclusiveGateway"];

module.exports = scopeRule(function* find(scope) {
  const first = new Map();
  for (const element of scope.elements.values()) {
    const name = element.name || "";
    if (NAMED.includes(element.$type.slice("bpmn:".length))) {
      const key = `${element.$type} ${name.trim()}`;
      if (!first.has(key)) first.set(key, element.id);
      const message = complaint(element, name, first.get(key));
      if (message) yield [element, message];
    } else if (ASKING.includes(element.$type) && !name.trim() && asks(scope, element)) {
      yield [element, "网关没有写明判断什么。"];
    }
  }
});

function complaint(element, name, first) {
  if (!name.trim()) return "任务没有名称。";
  if (first !== element.id && PEOPLES.includes(element.$type)) return `与 ${first} 同名，办理人分不清。`;
  if (name !== name.split(/\s+/).filter(Boolean).join(" ")) return "名称里有多余的空格或换行。";
  return [...name].length > LONGEST ? `名称超过 ${LONGEST} 个字。` : "";
}

const asks = (scope, element) => (scope.outgoing.get(element.id) || []).some((flow) => flow.conditionExpression);
