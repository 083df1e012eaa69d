// 行政许可法 42: no limit is longer than the statute's, that of the item (property `itemCode`) or else twenty working days.
const { flowElements, properties } = require("../extensions");
const { items } = require("../catalogue.json");
const house = require("../house");
const { limitOf } = require("../paths");

const GENERAL_LIMIT = 20;

function* find(process) {
  for (const element of flowElements(process)) {
    const code = properties(element).itemCode || properties(process).itemCode || "";
    if (code && !(code in items)) continue;
    const statute = items[code] || GENERAL_LIMIT;
    if (limitOf(element) > statute) yield [element, `时限 ${limitOf(element)} 个工作日超过法定时限 ${statute} 个工作日。`];
  }
}

module.exports = house(find, true);
module.exports.find = find;
