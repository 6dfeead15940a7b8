// Shows the OpenAPI document as a page: a list of operations to search, each with its parameters, bodies and a curl.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function resolve(value) {
  if (!value || !value.$ref) return value || {};
  return value.$ref.slice(2).split("/").reduce((place, key) => place[key], api);
}

const nameOf = (value) => value && value.$ref && value.$ref.split("/").pop();

/** Text with `code` and blank lines, as elements. */
function prose(text) {
  return (text || "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => {
    const parts = paragraph.split(/`([^`]*)`/);
    return element("p", {}, ...parts.map((part, at) => at % 2 ? element("code", {}, part) : part));
  });
}

const inline = (text) => prose(text).flatMap((paragraph) => [...paragraph.childNodes, " "]);

/** A type in words: `string or null`, `list of RunRow`. */
function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema);
  const choices = schema.oneOf || schema.anyOf || schema.allOf;
  if (choices) return choices.map(typeOf).filter(Boolean).join(" or ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  const types = [].concat(schema.type || []).map((type) => {
    if (type === "array") return `list of ${typeOf(schema.items) || "anything"}`;
    return type === "string" && schema.format && schema.format !== "binary" ? schema.format : type;
  });
  if (schema.format === "binary") return "file";
  return types.join(" or ") || "anything";
}

/** A value that fits a schema: its example, or one made of the examples of its parts. */
function example(schema, seen = []) {
  const name = nameOf(schema);
  if (name && seen.includes(name)) return null;
  const within = name ? [...seen, name] : seen;
  const shape = resolve(schema);
  if (shape.examples && shape.examples.length) return shape.examples[0];
  if ("example" in shape) return shape.example;
  if (shape.enum) return shape.enum[0];
  if (shape.allOf) return Object.assign({}, ...shape.allOf.map((part) => example(part, within)));
  const choices = shape.oneOf || shape.anyOf;
  if (choices) return example(choices.find((choice) => choice.type !== "null") || choices[0], within);
  const type = [].concat(shape.type || [])[0];
  if (shape.properties) {
    return Object.fromEntries(Object.entries(shape.properties).map(([key, part]) => [key, example(part, within)]));
  }
  switch (type) {
    case "array": return [example(shape.items, within)];
    case "object": return {};
    case "string": return "text";
    case "integer": return shape.minimum || 0;
    case "number": return 0.5;
    case "boolean": return true;
    default: return null;
  }
}

function code(text) {
  const copy = element("button", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(copy.previousSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copy.textContent = "Selected";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  return element("div", { class: "code" }, element("pre", { tabindex: "0" }, text), copy);
}

/** The fields of an object, those of named parts below in their own tables. */
function fields(schema) {
  const shape = resolve(schema);
  const rows = Object.entries(shape.properties || {});
  if (!rows.length) return null;
  const body = element("tbody");
  for (const [name, part] of rows) {
    const named = (part.oneOf || []).find((choice) => choice.$ref) || part;
    const needed = (shape.required || []).includes(name);
    body.append(element("tr", {}, element("td", {}, element("code", {}, name)), element("td", {}, typeOf(part)),
      element("td", {}, ...inline(part.description || resolve(named).description)),
      element("td", { class: "needed" }, needed ? "always" : "")));
  }
  const head = element("tr", {}, ...["field", "type", "", ""].map((text) => element("th", {}, text)));
  return element("div", { class: "wide" }, element("table", {}, element("thead", {}, head), body));
}

function parameters(list) {
  const body = element("tbody");
  for (const parameter of list) {
    const notes = [parameter.in, parameter.required ? "needed" : ""].filter(Boolean).join(", ");
    const shown = parameter.example === undefined ? "" : String(parameter.example);
    body.append(element("tr", {}, element("td", {}, element("code", {}, parameter.name)),
      element("td", {}, typeOf(parameter.schema)), element("td", {}, ...inline(parameter.description)),
      element("td", {}, shown ? element("code", {}, shown) : ""), element("td", { class: "soft" }, notes)));
  }
  const head = element("tr", {}, ...["name", "type", "", "example", ""].map((text) => element("th", {}, text)));
  return element("div", { class: "wide" }, element("table", {}, element("thead", {}, head), body));
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(method, path, list, content) {
  const word = (name) => String((list.find((parameter) => parameter.name === name) || {}).example ?? name);
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => word(name).split("/").map(encodeURIComponent).join("/"));
  const query = list.filter((parameter) => parameter.in === "query" && /Needed/.test(parameter.description || ""))
    .map((parameter) => `${parameter.name}=${encodeURIComponent(word(parameter.name))}`).join("&");
  let line = `curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(location.origin + filled + (query && `?${query}`))}`;
  if (content["application/json"]) {
    const body = JSON.stringify(example(content["application/json"].schema));
    line += ` \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(body)}`;
  } else if (content["multipart/form-data"]) {
    line += ` \\\n  -F upload_file=@model.txt \\\n  -F 'json={"path": "outputs", "untar": false}'`;
  }
  return line;
}

function response(status, given) {
  const answer = resolve(given);
  const [type, media] = Object.entries(answer.content || {})[0] || [];
  const parts = [element("h3", {}, `${status}`), element("p", {}, ...inline(answer.description),
    type ? element("span", { class: "soft" }, ` ${type}${media.schema ? `, ${typeOf(media.schema)}` : ""}`) : "")];
  if (media && type === "application/json" && status.startsWith("2")) {
    parts.push(fields(media.schema));
    parts.push(code(JSON.stringify(example(media.schema), null, 2)));
  }
  return parts;
}

function fill(place, operation) {
  const { method, path, details } = operation;
  const list = (details.parameters || []).map(resolve);
  const body = resolve(details.requestBody);
  const content = body.content || {};
  place.append(...prose(details.description));
  if (list.length) place.append(element("h3", {}, "Parameters"), parameters(list));
  for (const [type, media] of Object.entries(content)) {
    place.append(element("h3", {}, `Body, ${type}`));
    place.append(...prose(resolve(media.schema).description));
    const table = fields(media.schema);
    if (table) place.append(table);
    if (type === "application/json") place.append(code(JSON.stringify(example(media.schema), null, 2)));
  }
  place.append(element("h3", {}, "Try it"), code(curl(method, path, list, content)));
  const failures = Object.entries(details.responses).filter(([status]) => !status.startsWith("2"));
  for (const [status, given] of Object.entries(details.responses)) {
    if (status.startsWith("2")) place.append(...response(status, given).filter(Boolean));
  }
  if (failures.length) {
    const rows = failures.map(([status, given]) => {
      const answer = resolve(given);
      const type = Object.keys(answer.content || {})[0];
      return element("tr", {}, element("td", {}, element("code", {}, status)),
        element("td", {}, ...inline(answer.description)), element("td", { class: "soft" }, type || ""));
    });
    place.append(element("h3", {}, "Otherwise"), element("div", { class: "wide" },
      element("table", {}, element("tbody", {}, ...rows))));
  }
}

function operationsOf(tag) {
  const found = [];
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const details = item[method];
      if (details && (details.tags || []).includes(tag)) found.push({ method, path, details });
    }
  }
  return found;
}

function show(operation, list, entries) {
  const { method, path, details } = operation;
  const place = element("div", { class: "body" });
  const opened = element("details", { class: "operation", id: details.operationId },
    element("summary", {}, element("span", { class: `method ${method}` }, method), element("span", { class: "path" }, path),
      element("span", { class: "what" }, details.summary || "")), place);
  // Most operations are never opened, so they are filled when they are.
  opened.addEventListener("toggle", () => {
    if (opened.open && !place.hasChildNodes()) fill(place, operation);
  });
  const link = element("a", { href: `#${details.operationId}`, title: path },
    element("span", { class: `method ${method}` }, method), (details.summary || path).replace(/\.$/, ""));
  const entry = element("li", {}, link);
  list.append(entry);
  const words = `${method} ${path} ${details.summary} ${details.description} ${details.operationId} ${details.tags}`;
  entries.push({ opened, entry, words: words.toLowerCase() });
  return opened;
}

function open() {
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted && wanted.tagName === "DETAILS") {
    wanted.open = true;
    wanted.scrollIntoView({ block: "start" });
    wanted.querySelector("summary").focus({ preventScroll: true });
  }
}

function search(entries, groups) {
  const wanted = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { opened, entry, words } of entries) {
    const fits = wanted.every((word) => words.includes(word));
    opened.hidden = entry.hidden = !fits;
    count += fits;
  }
  for (const group of groups) {
    group.section.hidden = group.index.hidden = !group.index.querySelector("li:not([hidden])");
  }
  document.getElementById("found").textContent = wanted.length ? `${count} of ${entries.length} operations`
    : `${entries.length} operations`;
}

/** Arrows walk through what is shown: the list on the left, or the operations. */
function walk(step) {
  const index = document.getElementById("index");
  const isNarrow = getComputedStyle(index).display === "none";
  const inMain = isNarrow || document.activeElement.tagName === "SUMMARY";
  const stops = [...document.querySelectorAll(inMain ? "main summary" : "#index a")].filter((stop) => stop.offsetParent);
  const next = stops.indexOf(document.activeElement) + step;
  if (stops[Math.max(next, 0)]) stops[Math.max(next, 0)].focus();
}

function keys(event) {
  const field = document.getElementById("search");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== field) {
    field.focus();
    field.select();
  } else if (event.key === "Escape") {
    field.value = "";
    field.dispatchEvent(new Event("input"));
    field.focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (document.activeElement.tagName === "PRE") return;
    walk(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && document.activeElement === field) {
    const first = [...document.querySelectorAll("details.operation")].find((opened) => !opened.hidden);
    if (first) {
      history.replaceState(null, "", `#${first.id}`);
      open();
    }
  } else {
    return;
  }
  event.preventDefault();
}

async function load() {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) throw new Error(`the document answered ${answer.status}`);
  api = await answer.json();
  document.getElementById("about").append(...prose(api.info.description));
  const entries = [];
  const groups = [];
  for (const tag of api.tags) {
    const title = tag.name[0].toUpperCase() + tag.name.slice(1);
    const list = element("ul");
    const index = element("section", {}, element("h2", {}, title), list);
    const section = element("section", {}, element("h2", {}, title), ...prose(tag.description));
    section.append(...operationsOf(tag.name).map((operation) => show(operation, list, entries)));
    document.getElementById("index").append(index);
    document.getElementById("operations").append(section);
    groups.push({ section, index });
  }
  document.getElementById("note").remove();
  document.getElementById("search").addEventListener("input", () => search(entries, groups));
  search(entries, groups);
  document.addEventListener("keydown", keys);
  addEventListener("hashchange", open);
  open();
}

load().catch((error) => {
  document.getElementById("note").textContent = `The document cannot be shown: ${error.message}`;
});
