// Keyboard first: one table of keys. Letters work outside of fields; Ctrl combinations and Escape work everywhere.

const typing = (node) => Boolean(node?.closest?.("input, textarea, select, [contenteditable]")) && !["checkbox", "radio", "button"].includes(node.type);

const click = (selector) => {
  const node = document.querySelector(selector);
  if (!node || node.disabled) return false;
  node.click();
  return true;
};

// A page may hold several forms (outside events): the button of the one that holds the focus is meant, else the only visible one.
const clickNear = (node, selector) => {
  const near = node.closest?.("[data-form-scope]")?.querySelector(selector);
  const shown = [...document.querySelectorAll(selector)].filter((button) => button.offsetParent);
  const button = near ?? (shown.length === 1 ? shown[0] : null);
  if (!button || button.disabled) return false;
  button.click();
  return true;
};

const focusSearch = () => {
  const field = document.querySelector('[data-hotkey="/"]');
  field?.focus();
  field?.select();
  return Boolean(field);
};

// Rows are links inside [data-rows]; the chosen one has class "on". j and k move the choice and open it in the task pane.
export const rows = () => [...document.querySelectorAll("[data-rows] a.rowx")];

export function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex((row) => row.classList.contains("on"));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  next.dispatchEvent(new CustomEvent("lianban:choose", { bubbles: true }));
  return true;
}

function enter(event) {
  if (event.target.closest?.("a, button, summary") && !event.target.closest("a.rowx.on")) return false;
  const field = document.querySelector(".task-form :is(input, textarea, select):not([disabled], [readonly]), [data-claim]");
  field?.focus();
  return Boolean(field);
}

const plain = {
  "/": focusSearch,
  "?": () => {
    document.getElementById("help")?.showModal();
    return true;
  },
  j: () => move(1),
  k: () => move(-1),
  c: () => click("[data-claim]") || click("[data-unclaim]"),
  n: () => move(1),
  r: () => click("[data-return]"),
  Enter: enter,
};

export function installKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key === "Enter" && clickNear(event.target, "[data-submit-form]")) return event.preventDefault();
    if (control && event.key.toLowerCase() === "s" && clickNear(event.target, "[data-save-draft]")) return event.preventDefault();
    if (event.key === "Escape" && typing(event.target)) {
      event.target.blur();
      document.querySelector("[data-rows] a.rowx.on")?.focus();
      return;
    }
    if (control || event.altKey || typing(event.target)) return;
    if (plain[event.key]?.(event)) event.preventDefault();
  });
}
