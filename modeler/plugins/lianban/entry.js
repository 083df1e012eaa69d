// What registerClientPlugin of the Modeler's helpers does, without the helpers.
const plugin = require("./lint-rules");

window.plugins = window.plugins || [];
window.plugins.push({ plugin, type: "lintRules.cloud-bpmn" });
