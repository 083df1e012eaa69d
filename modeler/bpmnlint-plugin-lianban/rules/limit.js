// A limit is a whole number of working days.
const { flowElements, properties } = require("../extensions");
const house = require("../house");

function* find(process) {
  for (const element of flowElements(process)) {
    const { limit } = properties(element);
    if (limit !== undefined && !(/^\d+$/.test(limit.trim()) && Number(limit) > 0)) yield [element, `时限“${limit}”不是正整数（工作日）。`];
  }
}

module.exports = house(find, true);
module.exports.find = find;
