// Alt+K: type a few words, arrows choose, Enter goes. The list is a listbox that the field controls, so focus stays in the field.
export function installGo() {
  const dialog = document.getElementById("go");
  if (!dialog) return;
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const options = () => [...list.querySelectorAll("[role=option][data-href]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  let asked = 0;
  const go = (option) => option?.dataset.href && location.assign(option.dataset.href);

  function choose(option) {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    field.setAttribute("aria-activedescendant", option?.id ?? "");
    option?.scrollIntoView({ block: "nearest" });
  }

  async function ask() {
    const turn = ++asked;
    const answer = await fetch(`${dialog.dataset.url}?${new URLSearchParams({ q: field.value })}`, { headers: { "X-Fragment": "go" } });
    if (turn !== asked || !answer.ok) return; // a later question is on its way, or the log-in has run out
    list.innerHTML = await answer.text();
    choose(options()[0]);
  }

  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  });
  field.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) choose(all[(at + step + all.length) % all.length]);
    else if (event.key === "Enter") go(chosen());
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => go(event.target.closest("[data-href]")));
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.code !== "KeyK" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    dialog.showModal();
    field.select();
    ask();
  });
}
