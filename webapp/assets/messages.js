// What scripts say, in both languages, and form-js's own words in Chinese (its sources are English).
const english = () => document.body.dataset.lang === "en";

const ENGLISH = {
  "请检查标出的 {n} 处。": "Please check the {n} marked field(s).",
  "已暂存 {time}": "Draft saved {time}",
  "暂存中…": "Saving…",
  "网络不通，内容已保存在本机 {time}": "Offline: kept in this browser {time}",
  "网络不通，没有提交成功。内容已保存在本机，请稍后重试。": "Offline: not submitted. Your input is kept in this browser; please try again.",
  "已保存在本机 {time}": "Kept in this browser {time}",
  "已恢复 {time} 保存在本机的内容。": "Restored what this browser kept at {time}.",
  "提交中…": "Submitting…",
  "{n} 条新任务": "{n} new task(s)",
  "上传中 {name}": "Uploading {name}",
  "已校验": "checked",
  "文件超过 {limit}": "The file is larger than {limit}",
  "移除": "Remove",
  "选择文件": "Choose files",
  "或拖到这里": "or drop them here",
  "还没有文件": "No files yet",
  "网络不通，没有计算。": "Offline: not evaluated.",
  "页面打不开，请刷新重试。": "The page could not be loaded; please reload.",
};

export function say(text, values = {}) {
  const template = english() ? ENGLISH[text] ?? text : text;
  return template.replace(/{(\w+)}/g, (_, name) => values[name] ?? "");
}

const FORM_CHINESE = {
  "Field is required.": "必填。",
  "Value is not a number.": "请填写数字。",
  "Value is expected to be an integer.": "请填写整数。",
  "Value is expected to have at most 1 decimal digit.": "最多 1 位小数。",
  "Value is expected to have at most {value} decimal digits.": "最多 {value} 位小数。",
  "Please select a valid value, the two nearest valid values are {previousValue} and {nextValue}.": "请填写有效的数值，最接近的是 {previousValue} 和 {nextValue}。",
  "Field must match pattern {value}.": "格式不正确。",
  "Field must have minimum value of {value}.": "不能小于 {value}。",
  "Field must have maximum value of {value}.": "不能大于 {value}。",
  "Min validation value is not a valid number.": "下限不是有效的数字。",
  "Max validation value is not a valid number.": "上限不是有效的数字。",
  "Field must have minimum length of {value}.": "至少填写 {value} 个字。",
  "Field must have maximum length of {value}.": "最多填写 {value} 个字。",
  "Field must be a valid international phone number. (e.g. +4930664040900)": "请填写带国家代码的电话号码。",
  "Field must be a valid email.": "请填写正确的电子邮箱。",
  "Date and time must both be entered.": "日期和时间都要填写。",
  "No content to show.": "没有可显示的内容。",
  "External content couldn't be loaded.": "外部内容无法载入。",
  Increment: "增加",
  Decrement: "减少",
  "Skip to search": "跳到搜索",
  "Remove tag": "移除",
  Search: "搜索",
  "No results": "没有结果",
  "All values selected": "已全部选中",
  "Nothing to show.": "没有可显示的内容。",
  "{page} of {total}": "第 {page} / {total} 页",
  "Previous page": "上一页",
  "Next page": "下一页",
  "Click to sort by {value} descending": "按 {value} 从大到小排列",
  "Click to remove sorting": "取消排序",
  "Click to sort by {value} ascending": "按 {value} 从小到大排列",
  "No files selected": "未选择文件",
  "{value} files selected": "已选择 {value} 个文件",
  "Document reference is not defined.": "没有指定文件。",
  "Unable to download document": "文件无法下载",
  "Download {fileName}": "下载 {fileName}",
  "Add new": "新增一行",
  "Expand all ({value})": "全部展开（{value}）",
  Collapse: "收起",
};

export function translateForm(template, values = {}) {
  const text = english() ? template : FORM_CHINESE[template] ?? template;
  return text.replace(/{(\w+)}/g, (whole, name) => (name in (values ?? {}) ? values[name] : whole));
}
