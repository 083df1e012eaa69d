// The program itself does what an approval diagram calls; elsewhere a worker outside may fetch jobs of any type.
const { extension, flowElements, isFeel } = require("../extensions");
const { jobTypes } = require("../catalogue.json");
const house = require("../house");

function* find(process) {
  for (const element of flowElements(process)) {
    const type = (extension(element, "zeebe:TaskDefinition")?.type || "").trim();
    if (type && !isFeel(type) && !jobTypes.includes(type)) {
      yield [element, `没有处理作业类型“${type}”的程序；流程会停在这里等外部工作程序领取。`];
    }
  }
}

module.exports = house(find, true);
module.exports.find = find;
