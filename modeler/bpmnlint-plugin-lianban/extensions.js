// Reads the zeebe extensions of a moddle element.

const values = (node) => node?.extensionElements?.values || [];

/** The first extension of a type ("zeebe:TaskDefinition"), or undefined. */
const extension = (node, type) => values(node).find((value) => value.$type === type);

/** zeebe:properties as an object. */
function properties(node) {
  const found = extension(node, "zeebe:Properties")?.properties || [];
  return Object.fromEntries(found.map(({ name, value }) => [name, value || ""]));
}

const isFeel = (text) => (text || "").trim().startsWith("=");

/** The process that an element stands in. */
function processOf(node) {
  let current = node;
  while (current && current.$type !== "bpmn:Process") current = current.$parent;
  return current;
}

const isApproval = (node) => properties(processOf(node)).approval === "true";

/** Flow elements of a process at every depth, in document order. */
function* flowElements(container) {
  for (const element of container.flowElements || []) {
    yield element;
    if (element.flowElements) yield* flowElements(element);
  }
}

const is = (node, type) => Boolean(node?.$instanceOf?.(type));

module.exports = { extension, flowElements, is, isApproval, isFeel, processOf, properties };
