// A process that does not exist here. A warning in the Modeler, which cannot see what is deployed elsewhere; the server refuses it.
const { extension, isFeel } = require("../extensions");
const { processes: known } = require("../catalogue.json");

module.exports = () => ({
  check(node, reporter) {
    const name = (extension(node, "zeebe:CalledElement")?.processId || "").trim();
    if (node.$type === "bpmn:CallActivity" && name && !isFeel(name) && !known.includes(name)) reporter.report(node.id, `没有名为“${name}”的流程。`);
  },
});
