// A form that does not exist here. A warning in the Modeler, which cannot see what is deployed elsewhere; the server refuses it.
const { extension, isFeel } = require("../extensions");
const { forms: known } = require("../catalogue.json");

module.exports = () => ({
  check(node, reporter) {
    const name = (extension(node, "zeebe:FormDefinition")?.formId || "").trim();
    if (node.$type === "bpmn:UserTask" && name && !isFeel(name) && !known.includes(name)) reporter.report(node.id, `没有名为“${name}”的表单。`);
  },
});
