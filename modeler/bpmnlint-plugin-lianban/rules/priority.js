// The priority of a user task is a number from 0 to 100 (Camunda 8). As engine/bpmn/lint/bindings.py.
const { extension, isFeel } = require("../extensions");

module.exports = () => ({
  check(node, reporter) {
    const value = String(extension(node, "zeebe:PriorityDefinition")?.priority || "").trim();
    if (node.$type === "bpmn:UserTask" && value && !isFeel(value) && !(/^\d+$/.test(value) && Number(value) <= 100)) {
      reporter.report(node.id, `优先级 ${value} 不是 0 到 100 的整数。`);
    }
  },
});
