// A candidate group UNIT.role of the unit register. A warning in the Modeler; the server refuses it.
const { extension, isFeel } = require("../extensions");
const { groups: known } = require("../catalogue.json");

module.exports = () => ({
  check(node, reporter) {
    const groups = (extension(node, "zeebe:AssignmentDefinition")?.candidateGroups || "").trim();
    if (node.$type !== "bpmn:UserTask" || !groups || isFeel(groups)) return;
    for (const group of groups.split(",").map((text) => text.trim())) {
      if (!known.includes(group)) reporter.report(node.id, `没有名为“${group}”的候选组。`);
    }
  },
});
