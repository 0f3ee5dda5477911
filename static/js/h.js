// Elements by hand: h("p", { class: "note" }, "text", child). Text is only ever text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Props: `on…` adds a listener, `class`, `dataset`, booleans and attributes as named;
 * `null`, `undefined` and `false` leave an attribute out. Children: nodes, text, arrays; empty ones are skipped.
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for a drawing. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Puts the children in the place of what stood there. */
export function show(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/**
 * Keeps `element`'s children in step with `items`: what has a known key stays the same node, so focus,
 * open details and selections survive.
 */
export function keyed(element, items, key, render) {
  const known = new Map([...element.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, at) => {
    const name = String(key(item));
    let node = known.get(name);
    known.delete(name);
    if (!node) {
      node = render(item);
      node.dataset.key = name;
    }
    if (element.children[at] !== node) element.insertBefore(node, element.children[at] ?? null);
  });
  for (const node of known.values()) node.remove();
}
