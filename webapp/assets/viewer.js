// What the screens with their own diagrams share: opening a viewer, zoom buttons, two diagrams that move together.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer.js";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

export const english = document.body.dataset.lang === "en";

const SAY = {
  failed: english ? "The diagram cannot be shown." : "流程图无法显示。",
  bare: english ? "This diagram was deployed without a drawing; the process runs all the same." : "这个流程部署时没有图形（BPMNDI），无法显示；流程照常运行。",
};

// Draw the XML at an address; false when it cannot be shown, which the container then says.
export async function fill(viewer, container, address) {
  const answer = await fetch(address, { headers: { Accept: "application/xml" } });
  const xml = await answer.text();
  const problem = !answer.ok ? SAY.failed : /<(\w+:)?BPMNShape\b/.test(xml) ? "" : SAY.bare;
  if (problem) {
    container.replaceChildren(Object.assign(document.createElement("p"), { className: "no-drawing", textContent: problem }));
    return false;
  }
  await viewer.importXML(xml);
  return true;
}

// The whole diagram, with some air around it.
export function whole(viewer) {
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  canvas.zoom(canvas.zoom() * 0.95, "auto");
}

// The viewer in <div data-xml="address">, the whole diagram in sight; null when it cannot be shown, which the container then says.
export async function open(container, options = {}) {
  const viewer = new NavigatedViewer({ container, ...options });
  if (!(await fill(viewer, container, container.dataset.xml))) return null;
  whole(viewer);
  return viewer;
}

// A flat diagram needs no tall frame: shrink the frames to what the tallest of the diagrams needs at its present zoom.
export function shrink(viewers) {
  const wanted = Math.max(...viewers.map((viewer) => viewer.get("canvas").viewbox().inner.height * Math.min(viewer.get("canvas").zoom(), 1)));
  for (const viewer of viewers) {
    const frame = viewer.get("canvas").getContainer().parentElement.parentElement;
    frame.style.height = `${Math.max(200, Math.min(frame.clientHeight, wanted + 110))}px`;
    viewer.get("canvas").resized();
    whole(viewer);
  }
}

// Buttons <button data-zoom="fit|in|out"> inside `root` act on all its viewers.
export function installZoom(root, viewers) {
  root.addEventListener("click", (event) => {
    const how = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (!how) return;
    for (const viewer of viewers) {
      if (how === "fit") whole(viewer);
      else viewer.get("zoomScroll").stepZoom(how === "in" ? 1 : -1);
    }
  });
}

// Panning and zooming one diagram moves the other -> apart(action): does something without that.
export function follow(viewers) {
  let busy = false;
  for (const viewer of viewers) {
    viewer.on("canvas.viewbox.changed", ({ viewbox }) => {
      if (busy) return;
      busy = true;
      const { x, y, width, height } = viewbox;
      for (const other of viewers) if (other !== viewer) other.get("canvas").viewbox({ x, y, width, height });
      busy = false;
    });
  }
  return (action) => {
    const before = busy;
    busy = true;
    action();
    busy = before;
  };
}
