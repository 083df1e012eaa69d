// What the machine does names its job type, script or decision. As engine/bpmn/lint/bindings.py.
const { extension } = require("../extensions");

const NEEDED = {
  "bpmn:ServiceTask": [[], "任务没有作业类型（taskDefinition）。"],
  "bpmn:SendTask": [[], "任务没有作业类型（taskDefinition）。"],
  "bpmn:ScriptTask": [["zeebe:Script"], "脚本任务没有 FEEL 脚本或作业类型。"],
  "bpmn:BusinessRuleTask": [["zeebe:CalledDecision"], "业务规则任务没有决策或作业类型。"],
};
const THROWS = ["bpmn:EndEvent", "bpmn:IntermediateThrowEvent"];

module.exports = () => ({
  check(node, reporter) {
    const job = (extension(node, "zeebe:TaskDefinition")?.type || "").trim();
    if (job) return;
    if (node.$type in NEEDED) {
      const [instead, message] = NEEDED[node.$type];
      if (!instead.some((type) => extension(node, type))) reporter.report(node.id, message);
    } else if (THROWS.includes(node.$type) && (node.eventDefinitions || []).some((d) => d.$type === "bpmn:MessageEventDefinition")) {
      reporter.report(node.id, "消息抛出事件没有作业类型。");
    }
  },
});
