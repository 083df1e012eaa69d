// The item that a limit is measured by is in the catalogue.
const { flowElements, properties } = require("../extensions");
const { items } = require("../catalogue.json");
const house = require("../house");

function* find(process) {
  for (const element of flowElements(process)) {
    const code = properties(element).itemCode || properties(process).itemCode || "";
    if (code && !(code in items)) yield [element, `事项目录中没有“${code}”。`];
  }
}

module.exports = house(find, true);
module.exports.find = find;
