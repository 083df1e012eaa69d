// A decision that does not exist here. A warning in the Modeler, which cannot see what is deployed elsewhere; the server refuses it.
const { extension, isFeel } = require("../extensions");
const { decisions: known } = require("../catalogue.json");

module.exports = () => ({
  check(node, reporter) {
    const name = (extension(node, "zeebe:CalledDecision")?.decisionId || "").trim();
    if (node.$type === "bpmn:BusinessRuleTask" && name && !isFeel(name) && !known.includes(name)) reporter.report(node.id, `没有名为“${name}”的决策。`);
  },
});
