// A house rule is an error in a process that declares approval=true, and under "<id>-hint" a hint in any other.
const { isApproval } = require("./extensions");

/** `find(process)` yields [element, message]; `approval` says which processes this rule looks at. */
module.exports = (find, approval) => () => ({
  check(node, reporter) {
    if (node.$type !== "bpmn:Process" || node.isExecutable === false || isApproval(node) !== approval) return;
    for (const [element, message] of find(node)) reporter.report(element.id, message);
  },
});
