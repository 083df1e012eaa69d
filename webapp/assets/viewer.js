// What the screens with their own diagrams share: opening a viewer, zoom buttons, two diagrams that move together.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer.js";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

export const english = document.body.dataset.lang === "en";

// The viewer in <div data-xml="address">, the whole diagram in sight; null when it cannot be shown, which the container then says.
export async function open(container) {
  const answer = await fetch(container.dataset.xml, { headers: { Accept: "application/xml" } });
  if (!answer.ok) {
    container.textContent = english ? "The diagram cannot be shown." : "流程图无法显示。";
    return null;
  }
  const viewer = new NavigatedViewer({ container });
  await viewer.importXML(await answer.text());
  viewer.get("canvas").zoom("fit-viewport", "auto");
  return viewer;
}

// A flat diagram needs no tall frame: shrink the frames to what the tallest of the diagrams needs at its present zoom.
export function shrink(viewers) {
  const wanted = Math.max(...viewers.map((viewer) => viewer.get("canvas").viewbox().inner.height * Math.min(viewer.get("canvas").zoom(), 1)));
  for (const viewer of viewers) {
    const frame = viewer.get("canvas").getContainer().parentElement.parentElement;
    frame.style.height = `${Math.max(200, Math.min(frame.clientHeight, wanted + 110))}px`;
    viewer.get("canvas").resized();
    viewer.get("canvas").zoom("fit-viewport", "auto");
  }
}

// Buttons <button data-zoom="fit|in|out"> inside `root` act on all its viewers.
export function installZoom(root, viewers) {
  root.addEventListener("click", (event) => {
    const how = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (!how) return;
    for (const viewer of viewers) {
      if (how === "fit") viewer.get("canvas").zoom("fit-viewport", "auto");
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
