// The page that shows both documents: every call by topic, every frame of the socket.

import { h, show } from "./h.js";
import { called, close, said } from "./describe.js";

const at = (id) => document.getElementById(id);

async function fetched(name) {
  const answer = await fetch(`/api/v1/${name}.json`);
  if (!answer.ok) throw new Error(`${name}.json: ${answer.status}`);
  return answer.json();
}

function members(rows) {
  if (!rows.length) return null;
  return h("table", {}, h("thead", {}, h("tr", {}, ["Name", "Is", ""].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("td", {}, row.name), h("td", {}, row.type), h("td", {}, row.about)))));
}

function part(title, ...content) {
  return content.some(Boolean) ? [h("h3", {}, title), content] : null;
}

function answers(responses) {
  return h("table", {}, h("tbody", {}, responses.map((response) => h("tr", {}, h("td", {}, response.status),
    h("td", {}, response.about, response.codes.length ? h("span", { class: "muted" }, ` (${response.codes.join(", ")})`) : null,
      members(response.members))))));
}

function call(entry) {
  return h("details", { class: "call", id: entry.id },
    h("summary", {}, h("span", { class: "method" }, entry.method), h("span", { class: "path" }, entry.path), h("span", {}, entry.summary)),
    h("div", {}, entry.about ? h("p", {}, entry.about) : null, h("p", { class: "muted" }, entry.who),
      part("Parameters", members(entry.parameters)),
      part("Body", members(entry.body), entry.example ? h("pre", {}, h("code", {}, entry.example)) : null),
      part("Answers", answers(entry.responses))));
}

function frame(entry) {
  return h("details", { class: "call", id: entry.id },
    h("summary", {}, h("span", { class: "path" }, entry.type), h("span", {}, entry.title)),
    h("div", {}, members(entry.members)));
}

async function begin() {
  try {
    const [openapi, asyncapi] = await Promise.all([fetched("openapi"), fetched("asyncapi")]);
    const topics = called(openapi);
    const sides = said(asyncapi);
    show(at("about"), `Version ${openapi.info.version}. ${openapi.info.description}`);
    show(at("contents"), h("ul", {}, [...topics, ...sides].map((topic) => h("li", {}, h("a", { href: `#${topic.id}` }, topic.name))),
      h("li", {}, h("a", { href: "#closing" }, "Close codes"))));
    show(at("calls"),
      topics.map((topic) => h("section", { "aria-labelledby": topic.id }, h("h2", { id: topic.id }, topic.name),
        h("p", { class: "muted" }, topic.about), topic.calls.map(call))),
      sides.map((side) => h("section", { "aria-labelledby": side.id }, h("h2", { id: side.id }, side.name), side.frames.map(frame))),
      h("section", { "aria-labelledby": "closing" }, h("h2", { id: "closing" }, "Close codes"), members(close(asyncapi))));
    open();
  } catch (error) {
    const trouble = at("trouble");
    trouble.hidden = false;
    show(trouble, `The documents could not be read: ${error.message}. Reload the page.`);
  }
}

/** What the address points at is opened. */
function open() {
  const wanted = at(decodeURIComponent(location.hash.slice(1)));
  if (wanted?.tagName === "DETAILS") wanted.open = true;
  wanted?.scrollIntoView();
}

addEventListener("hashchange", open);
begin();
