// A timer has one date, duration or cycle, in ISO 8601 or FEEL; what occurs only once is no cycle. As engine/bpmn/lint/bindings.py and structure.py.
const { isFeel } = require("../extensions");

const DURATION = /^-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/;
const CYCLE = /^R\d*\/(.+\/)?(.+)$/;
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?(\[.+\])?)?$/;

module.exports = () => ({
  check(node, reporter) {
    for (const definition of node.eventDefinitions || []) {
      if (definition.$type !== "bpmn:TimerEventDefinition") continue;
      const message = complaint(node, definition);
      if (message) reporter.report(node.id, message);
    }
  },
});

function complaint(node, { timeDate, timeDuration, timeCycle }) {
  const given = [[timeDate, DATE], [timeDuration, DURATION], [timeCycle, null]].filter(([text]) => text?.body?.trim());
  if (given.length !== 1) return "定时器应有一个日期、时长或周期。";
  const once = timeCycle && occursOnce(node);
  if (once) return once;
  const [[{ body }, pattern]] = given;
  const text = body.trim();
  if (isFeel(text)) return "";
  const sound = pattern ? pattern.test(text) : DURATION.test(CYCLE.exec(text)?.[2] || "");
  return sound && (pattern !== DATE || !Number.isNaN(Date.parse(text.replace(/\[.+\]$/, "")))) ? "" : `“${text}”不是 ISO 8601 的定时器。`;
}

function occursOnce(node) {
  if (node.$type === "bpmn:IntermediateCatchEvent") return "中间定时事件不能是周期。";
  if (node.$type === "bpmn:BoundaryEvent" && node.cancelActivity !== false) return "中断的定时边界事件不能是周期。";
  if (node.$parent?.triggeredByEvent && node.isInterrupting !== false) return "中断的定时启动事件不能是周期。";
  return "";
}
