// 行政许可法 30: the process and every user task name their legal basis; what the machine does follows the process's.
const { flowElements, properties } = require("../extensions");
const house = require("../house");

const named = (node) => (properties(node).legalBasis || "").trim();

function* find(process) {
  if (!named(process)) yield [process, "流程没有写明法定依据（属性 legalBasis）。"];
  for (const task of flowElements(process)) {
    if (task.$type === "bpmn:UserTask" && !named(task)) yield [task, "任务没有写明法定依据（属性 legalBasis）。"];
  }
}

module.exports = house(find, true);
module.exports.find = find;
