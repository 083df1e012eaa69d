// The order of 2022: the longest way through the process stays within the hundred working days of a project.
const house = require("../house");
const { criticalPath, limitOf } = require("../paths");

const PROJECT_LIMIT = 100;

function* find(process) {
  const { days, elements } = criticalPath(process);
  const names = elements.map((element) => `${element.name || element.id}（${limitOf(element)}）`).join(" → ");
  if (days > PROJECT_LIMIT) yield [process, `最长路径合计 ${days} 个工作日，超过 ${PROJECT_LIMIT} 个：${names}`];
}

module.exports = house(find, true);
module.exports.find = find;
