// Draws BPMN diagrams with the state of an instance: <div data-diagram="xml address"><script class="diagram-state">{...}</script></div>.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer.js";
import { fill } from "./viewer.js";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

const MARKS = ["done", "active", "failed", "coming", "missed"];

export async function draw(container) {
  const stateBlock = container.querySelector(".diagram-state");
  const state = stateBlock ? JSON.parse(stateBlock.textContent) : {};
  const viewer = new NavigatedViewer({ container });
  container.viewer = viewer;
  if (!(await fill(viewer, container, container.dataset.diagram))) return (container.viewer = null);
  show(viewer, state);
  fit(viewer);
  return viewer;
}

// state: {done, active, failed, coming, missed: [element id], tokens: {element id: how many}}
export function show(viewer, state) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  for (const mark of [...MARKS, "scope"]) registry.forEach((element) => canvas.removeMarker(element.id, mark));
  for (const mark of MARKS) {
    for (const id of state[mark] ?? []) {
      const element = registry.get(id);
      // a running subprocess is only framed: what happens inside it is what is active
      if (element) canvas.addMarker(id, mark === "active" && element.children?.length ? "scope" : mark);
    }
  }
  const overlays = viewer.get("overlays");
  overlays.clear();
  for (const [id, count] of Object.entries(state.tokens ?? {})) {
    if (!registry.get(id) || count < 2) continue;
    const html = document.createElement("div");
    html.className = "token";
    html.textContent = count;
    overlays.add(id, { position: { top: -10, right: 12 }, html });
  }
}

// The whole diagram when it stays readable, else at a readable size around what is active.
export function fit(viewer, whole = false) {
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  if (whole || canvas.zoom() >= 0.5) return void canvas.zoom(canvas.zoom() * 0.95, "auto"); // nothing touches the frame
  const registry = viewer.get("elementRegistry");
  const target = registry.find((element) => canvas.hasMarker(element.id, "active")) ?? registry.find((element) => element.type === "bpmn:StartEvent");
  canvas.zoom(0.75, target && { x: target.x, y: target.y });
  if (target) canvas.scrollToElement(target, 160);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-diagram-zoom]");
  const viewer = button?.closest(".diagram-key").previousElementSibling.viewer;
  if (viewer) fit(viewer, button.dataset.diagramZoom === "fit");
});

function drawAll(root) {
  for (const container of root.querySelectorAll("[data-diagram]")) {
    if (container.dataset.drawn || !container.offsetParent) continue; // hidden: drawn when its tab is shown
    container.dataset.drawn = "1";
    draw(container);
  }
}

drawAll(document);
document.addEventListener("htmx:after:swap", () => drawAll(document));
document.addEventListener("lianban:shown", () => drawAll(document));
