// Forms: mounts form-js on every <div data-form>, saves drafts by itself, submits, and puts the server's objections back on the fields.
//
//   <div class="task-form" data-form data-submit-url="" [data-draft-url] [data-files-url data-max-bytes] [data-readonly] [data-key="name for the local copy"]
//        [data-saved-at="version of the server's draft"]>
//     <script type="application/json" class="form-schema">{...}</script> <script type="application/json" class="form-data">{...}</script>
//     [<script type="application/json" class="form-materials">{"12": {name, size, url}}</script>]
//   </div>
//   anywhere in the same [data-form-scope] (or the page): [data-submit-form] [data-save-draft] [data-draft-note] [data-form-problems]
// The submit address gets JSON {"data": {...}} and answers 200 {"next": "/path"} or a problem+json; `errors` of it: {dotted path: [text]}.
import { Form } from "@bpmn-io/form-js-viewer";
import "@bpmn-io/form-js-viewer/dist/assets/form-js.css";
import flatpickr from "flatpickr";
import { Mandarin } from "flatpickr/dist/l10n/zh.js";
import { filesModule } from "./files.js";
import "./form.css";
import { say, translateForm } from "./messages.js";

const AUTOSAVE = 1500;
const clock = (date = new Date()) => date.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
const read = (node, name) => JSON.parse(node.querySelector(`script.${name}`)?.textContent || "{}");
const mounted = new Set();

const post = (url, body, keepalive = false) =>
  fetch(url, { method: "POST", keepalive, headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });

class MountedForm {
  constructor(node) {
    this.node = node;
    this.scope = node.closest("[data-form-scope]") ?? document;
    this.readonly = "readonly" in node.dataset;
    this.localKey = node.dataset.key ? `lianban:${node.dataset.key}` : "";
    this.timer = 0;
    this.version = node.dataset.savedAt ?? ""; // of the server's draft that this page knows
    this.saved = "";
    this.busy = false;
  }

  async mount() {
    const { node } = this;
    if (document.body.dataset.lang !== "en") flatpickr.localize(Mandarin);
    const modules = [{ translate: ["value", translateForm] }];
    if (node.dataset.filesUrl) modules.push(filesModule(node.dataset.filesUrl, read(node, "form-materials"), Number(node.dataset.maxBytes)));
    // form-js waits 300 ms before it takes over what was typed, and whatever is drawn anew meanwhile wipes it out: no waiting
    this.form = new Form({ container: node, debounce: false, additionalModules: modules, properties: this.readonly ? { readOnly: true } : {} });
    await this.form.importSchema(read(node, "form-schema"), this.startingData());
    this.translatePlaceholders();
    await new Promise((drawn) => setTimeout(drawn, 50)); // fields exist once they are drawn; before that a snapshot is empty
    this.saved = this.snapshot();
    this.form.on("changed", () => this.changed());
    node.addEventListener("submit", (event) => event.preventDefault());
    this.on("[data-submit-form]", (button) => this.submit(button));
    this.on("[data-save-draft]", () => this.saveDraft());
    node.dataset.ready = "true";
    node.form = this.form;
  }

  // "Search" in a searchable select is hard-coded in form-js.
  translatePlaceholders() {
    const replace = () => this.node.querySelectorAll('input[placeholder="Search"]').forEach((field) => (field.placeholder = translateForm("Search")));
    new MutationObserver(replace).observe(this.node, { childList: true, subtree: true, attributeFilter: ["placeholder"] });
    replace();
  }

  on(selector, act) {
    for (const button of this.scope.querySelectorAll(selector)) {
      button.addEventListener("click", () => act(button));
      button.disabled = this.readonly;
    }
  }

  // What this browser kept when the server could not be reached goes on from the draft that it was based on; once the server has a
  // newer one (what was kept did arrive, or the person went on elsewhere), that one counts.
  startingData() {
    const data = read(this.node, "form-data");
    const kept = this.localKey && localStorage.getItem(this.localKey);
    if (!kept || this.readonly) return data;
    const { at, version = "", values } = JSON.parse(kept);
    if (version !== this.version) {
      localStorage.removeItem(this.localKey);
      return data;
    }
    this.note(say("已恢复 {time} 保存在本机的内容。", { time: clock(new Date(at)) }));
    return { ...data, ...values };
  }

  snapshot() {
    return JSON.stringify(this.form._getSubmitData());
  }

  changed() {
    if (this.readonly) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.node.dataset.draftUrl ? this.saveDraft({ quiet: true }) : this.keepHere()), AUTOSAVE);
  }

  async saveDraft({ quiet = false, keepalive = false } = {}) {
    clearTimeout(this.timer);
    const now = this.snapshot();
    if (this.readonly || this.busy || !this.node.dataset.draftUrl || (quiet && now === this.saved)) return;
    const values = JSON.parse(now);
    if (!quiet) this.note(say("暂存中…"));
    try {
      const answer = await post(this.node.dataset.draftUrl, { data: values }, keepalive);
      const body = await answer.json().catch(() => ({}));
      if (!answer.ok) {
        this.keepLocally(values);
        this.note(body.detail ?? String(answer.status));
        return;
      }
      this.saved = now;
      this.version = body.version ?? this.version;
      if (this.localKey) localStorage.removeItem(this.localKey);
      this.note(say("已暂存 {time}", { time: clock() }));
    } catch {
      this.keepLocally(values);
      this.note(say("网络不通，内容已保存在本机 {time}", { time: clock() }));
    }
  }

  // A form that is no task has no draft on the server: what was typed stays in this browser.
  keepHere() {
    const now = this.snapshot();
    if (!this.localKey || this.busy || now === this.saved) return;
    this.saved = now;
    this.keepLocally(JSON.parse(now));
    this.note(say("已保存在本机 {time}", { time: clock() }));
  }

  keepLocally(values) {
    if (this.localKey) localStorage.setItem(this.localKey, JSON.stringify({ at: new Date().toISOString(), version: this.version, values }));
  }

  async submit(button) {
    if (this.busy || this.readonly) return;
    const { data, errors } = this.form.submit();
    const wrong = Object.keys(errors).length;
    if (wrong) {
      this.problems(say("请检查标出的 {n} 处。", { n: wrong }));
      this.focusFirstError();
      return;
    }
    this.problems("");
    clearTimeout(this.timer);
    this.busy = button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await post(this.node.dataset.submitUrl, { data });
      const body = await answer.json().catch(() => ({}));
      if (answer.ok) {
        if (this.localKey) localStorage.removeItem(this.localKey);
        this.saved = this.snapshot();
        location.assign(document.querySelector("[data-rows] a.rowx.on + a.rowx")?.href ?? body.next ?? "/");
        return;
      }
      this.keepLocally(data);
      this.refused(body, answer.status);
    } catch {
      this.keepLocally(data);
      this.problems(say("网络不通，没有提交成功。内容已保存在本机，请稍后重试。"));
    }
    this.busy = button.disabled = false;
    button.removeAttribute("aria-busy");
  }

  // The server names fields by their path in the submission; fields that this form does not show are named in the summary.
  refused(body, status) {
    const paths = { ...(body.errors ?? {}) };
    const errors = {};
    const instances = this.form.get("formFieldInstanceRegistry").getAllKeyed();
    for (const { id, valuePath, indexes } of instances) {
      const path = valuePath.join(".");
      if (!(path in paths)) continue;
      let place = errors;
      const steps = [id, ...Object.values(indexes ?? {})];
      for (const step of steps.slice(0, -1)) place = place[step] ??= {};
      place[steps.at(-1)] = paths[path];
      delete paths[path];
    }
    this.form._setState({ errors });
    const rest = Object.entries(paths).flatMap(([path, texts]) => texts.map((text) => (path ? `${path}：${text}` : text)));
    this.problems([body.detail ?? String(status), ...rest].join("\n"));
    this.focusFirstError();
  }

  // The form draws its errors a moment after they are set.
  focusFirstError() {
    setTimeout(() => this.node.querySelector(".fjs-has-errors :is(input, textarea, select, button)")?.focus(), 60);
  }

  problems(text) {
    const place = this.scope.querySelector("[data-form-problems]");
    if (!place) return;
    place.textContent = text;
    place.hidden = !text;
  }

  note(text) {
    const place = this.scope.querySelector("[data-draft-note]");
    if (place) place.textContent = text;
  }

  // The page may be gone before the server answers (and refuses: the log-in has run out), so the text is kept here first.
  leave() {
    if (!this.form || this.readonly || this.busy) return;
    if (this.snapshot() !== this.saved) this.keepLocally(JSON.parse(this.snapshot()));
    this.saveDraft({ quiet: true, keepalive: true });
  }
}

async function mountAll() {
  for (const one of mounted) {
    if (one.node.isConnected) continue;
    one.leave();
    one.form?.destroy();
    mounted.delete(one);
  }
  for (const node of document.querySelectorAll("[data-form]:not([data-mounted])")) {
    node.dataset.mounted = "true";
    const one = new MountedForm(node);
    mounted.add(one);
    await one.mount();
  }
}

mountAll();
document.addEventListener("htmx:after:swap", mountAll);
addEventListener("pagehide", () => mounted.forEach((one) => one.leave()));
document.addEventListener("visibilitychange", () => document.hidden && mounted.forEach((one) => one.leave()));
