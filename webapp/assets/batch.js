// A running batch: its progress is fetched every second until it has ended; a hidden tab does not ask.
const SECOND = 1000;

function follow(root) {
  let timer = 0;
  async function refresh() {
    if (document.hidden) return wait();
    const answer = await fetch(root.dataset.batch, { headers: { "X-Fragment": "batch" } }).catch(() => null);
    if (answer?.ok) show(await answer.text());
    wait();
  }
  // a part that holds the focus stays: a button must not vanish under the finger
  function show(text) {
    const fresh = document.createElement("div");
    fresh.innerHTML = text;
    const held = [...root.children].find((part) => part.contains(document.activeElement));
    const twin = held && [...fresh.children].find((part) => part.getAttribute("aria-labelledby") === held.getAttribute("aria-labelledby"));
    if (!twin || twin.dataset.state !== held.dataset.state) return root.replaceChildren(...fresh.children);
    for (const part of [...root.children]) if (part !== held) part.remove();
    const parts = [...fresh.children];
    held.before(...parts.slice(0, parts.indexOf(twin)));
    held.after(...parts.slice(parts.indexOf(twin) + 1));
    const bar = twin.querySelector(".batch-bar");
    if (bar) [bar, twin.querySelector(".batch-counts")].forEach((part) => held.querySelector(`.${part.classList[0]}`).replaceWith(part));
  }
  function wait() {
    clearTimeout(timer);
    if (root.querySelector("[data-state]").dataset.state === "RUNNING") timer = setTimeout(refresh, SECOND);
  }
  wait();
}

for (const root of document.querySelectorAll("[data-batch]")) follow(root);
