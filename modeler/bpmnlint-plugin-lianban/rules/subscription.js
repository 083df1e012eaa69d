// A message that is awaited inside a process has a correlation key. As engine/bpmn/lint/bindings.py.
const { extension } = require("../extensions");

const CATCHES = ["bpmn:IntermediateCatchEvent", "bpmn:BoundaryEvent", "bpmn:StartEvent"];

module.exports = () => ({
  check(node, reporter) {
    const message = awaited(node);
    if (!message || (node.$type === "bpmn:StartEvent" && node.$parent.$type === "bpmn:Process")) return;
    if (!(extension(message, "zeebe:Subscription")?.correlationKey || "").trim()) {
      reporter.report(node.id, `消息“${message.name}”没有关联键（correlationKey）。`);
    }
  },
});

function awaited(node) {
  if (node.$type === "bpmn:ReceiveTask") return node.messageRef;
  if (!CATCHES.includes(node.$type)) return undefined;
  return (node.eventDefinitions || []).find((definition) => definition.$type === "bpmn:MessageEventDefinition")?.messageRef;
}
