// Every user task says which unit does it: property `unit`, candidate groups UNIT.role, or the applicant as assignee.
const { extension, flowElements, isFeel, properties } = require("../extensions");
const { units } = require("../catalogue.json");
const house = require("../house");

function* find(process) {
  for (const task of flowElements(process)) {
    if (task.$type !== "bpmn:UserTask") continue;
    const { assignee, candidateGroups: groups } = extension(task, "zeebe:AssignmentDefinition") || {};
    const unit = (properties(task).unit || "").trim();
    if (!unit && !groups && !assignee) yield [task, "任务没有写明责任单位（属性 unit 或候选组“单位.角色”）。"];
    else if (unit && !units.includes(unit)) yield [task, `单位名录中没有“${unit}”。`];
    else if (unit && groups && !isFeel(groups) && !groups.split(",").some((group) => group.trim().split(".")[0] === unit)) {
      yield [task, `候选组“${groups}”不属于责任单位“${unit}”。`];
    }
  }
}

module.exports = house(find, true);
module.exports.find = find;
