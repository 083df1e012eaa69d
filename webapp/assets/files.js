// The form field "filepicker" of our pages: files are sent and checked as soon as they are chosen, so that a draft keeps them.
// Its value is the list of the stored materials' numbers, ["12", "14"]. Known materials come with the page:
// data-files-url = where to send, data-materials = JSON {number: {name, size, url}}.
import { Errors, Label, Description } from "@bpmn-io/form-js-viewer";
import { jsx, jsxs } from "preact/jsx-runtime";
import { useState } from "preact/hooks";
import { say } from "./messages.js";

export const numbersOf = (value) => (Array.isArray(value) ? value : []);

const megabytes = (bytes) => (bytes >= 104858 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`);

async function send(url, limit, item, file) {
  // said before sending: a server that refuses a body halfway looks like a broken connection
  if (limit && file.size > limit) throw new Error(say("文件超过 {limit}", { limit: megabytes(limit) }));
  const body = new FormData();
  body.append("item", item);
  body.append("file", file);
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.detail || say("页面打不开，请刷新重试。"));
  return json;
}

export function filesModule(url, materials, limit) {
  function Files(props) {
    const { field, onChange, domId, errors = [], disabled, readonly, value } = props;
    const [notes, setNotes] = useState([]);
    const [busy, setBusy] = useState("");
    const numbers = numbersOf(value);
    const locked = disabled || readonly;

    const change = (list) => onChange({ field, value: list.length ? list : null });

    const add = async (files) => {
      let list = field.multiple ? numbers : [];
      const refused = [];
      for (const file of files) {
        setBusy(file.name);
        try {
          const stored = await send(url, limit, field.label || field.key, file);
          materials[stored.id] = stored;
          list = field.multiple ? [...list, String(stored.id)] : [String(stored.id)];
        } catch (error) {
          refused.push(`${file.name}：${error.message}`);
        }
      }
      setBusy("");
      setNotes(refused);
      change(list);
    };

    const drop = (event) => {
      event.preventDefault();
      if (!locked) add([...event.dataTransfer.files]);
    };

    return jsxs("div", {
      className: `fjs-form-field fjs-form-field-filepicker${errors.length ? " fjs-has-errors" : ""}${locked ? " fjs-disabled" : ""}`,
      children: [
        jsx(Label, { htmlFor: domId, label: field.label, required: field.validate?.required }),
        jsxs("div", {
          className: "files-box",
          onDragOver: (event) => event.preventDefault(),
          onDrop: drop,
          children: [
            numbers.map((number) =>
              jsxs(
                "div",
                {
                  className: "file-line",
                  children: [
                    jsx("a", { href: materials[number]?.url, children: materials[number]?.name ?? number }),
                    jsx("span", { className: "small-2", children: materials[number] ? megabytes(materials[number].size) : "" }),
                    jsx("span", { className: "green small-2", children: say("已校验") }),
                    !locked &&
                      jsx("button", { type: "button", className: "file-remove", "aria-label": `${say("移除")} ${materials[number]?.name ?? ""}`, onClick: () => change(numbers.filter((other) => other !== number)), children: "×" }),
                  ],
                },
                number,
              ),
            ),
            locked && !numbers.length && jsx("span", { className: "small-2", children: say("还没有文件") }),
            !locked &&
              jsxs("label", {
                className: "file-choose",
                children: [
                  jsx("input", { id: domId, type: "file", multiple: field.multiple || undefined, accept: field.accept || undefined, onChange: (event) => add([...event.target.files]).then(() => (event.target.value = "")), "aria-describedby": `${domId}-error-message` }),
                  jsx("span", { className: "btn btn-quiet btn-sm", children: say("选择文件") }),
                  jsx("span", { className: "small-2", children: busy ? say("上传中 {name}", { name: busy }) : say("或拖到这里") }),
                ],
              }),
          ],
        }),
        jsx(Description, { description: field.description }),
        jsx(Errors, { id: `${domId}-error-message`, errors: [...errors, ...notes] }),
      ],
    });
  }
  Files.config = { type: "filepicker", keyed: true, label: "File picker", group: "basic-input", emptyValue: null, create: (options = {}) => ({ ...options }) };

  class Registration {
    static $inject = ["formFields"];
    constructor(formFields) {
      formFields.register("filepicker", Files);
    }
  }
  return { __init__: ["lianbanFiles"], lianbanFiles: ["type", Registration] };
}
