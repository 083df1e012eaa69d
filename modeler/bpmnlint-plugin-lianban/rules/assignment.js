// Somebody does a user task. As engine/bpmn/lint/bindings.py.
const { extension } = require("../extensions");

module.exports = () => ({
  check(node, reporter) {
    if (node.$type !== "bpmn:UserTask") return;
    const { assignee, candidateGroups, candidateUsers } = extension(node, "zeebe:AssignmentDefinition") || {};
    if (!assignee && !candidateGroups && !candidateUsers) reporter.report(node.id, "用户任务没有办理人或候选组。");
  },
});
