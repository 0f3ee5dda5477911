// OpenAPI and AsyncAPI documents → what the page shows of them. Pure: no page, no network.

const METHODS = ["get", "post", "put", "delete", "patch"];
/** Deeper members are left to the document itself. */
const DEPTH = 3;

/** What a `$ref` of the document leads to. */
export function follow(document, value) {
  let found = value;
  for (let step = 0; found?.$ref && step < 8; step += 1) {
    const names = found.$ref.slice(2).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    found = names.reduce((place, name) => place?.[name], document);
  }
  return found ?? {};
}

/** A schema in a few words. */
export function typeOf(document, schema) {
  const name = schema?.$ref?.split("/").pop();
  const real = follow(document, schema);
  if (name && real.type === "object") return name;
  if (real.const !== undefined) return JSON.stringify(real.const);
  if (real.enum) return real.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (real.anyOf) return real.anyOf.map((each) => typeOf(document, each)).join(" | ");
  const types = [real.type ?? "anything"].flat();
  const said = types.map((type) => (type === "array" ? `list of ${typeOf(document, real.items)}` : type)).join(" | ");
  return said + limits(real);
}

function limits(schema) {
  const range = (low, high, of) => {
    if (low === undefined && high === undefined) return "";
    if (high === undefined) return `, ${low} or more${of}`;
    return low === undefined ? `, at most ${high}${of}` : `, ${low} to ${high}${of}`;
  };
  const least = schema.minimum === 0 && schema.maximum === undefined ? undefined : schema.minimum;
  return range(schema.minLength, schema.maxLength, " characters") + range(least, schema.maximum, "")
    + (schema.default === undefined ? "" : `, ${schema.default} without`);
}

/** The members of an object, nested ones as `a.b`, those of lists as `a[].b`. */
export function membersOf(document, schema, prefix = "", depth = 0) {
  const real = follow(document, schema);
  const whole = real.anyOf ? follow(document, real.anyOf.find((each) => follow(document, each).properties)) : real;
  const required = new Set(whole.required ?? []);
  return Object.entries(whole.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name;
    const inner = follow(document, member);
    const row = { name: path, type: typeOf(document, member), about: [required.has(name) ? "" : "optional", inner.description ?? ""].filter(Boolean).join("; ") };
    const nested = inner.type === "array" ? [inner.items, `${path}[].`] : [member, `${path}.`];
    return [row, ...(depth + 1 < DEPTH ? membersOf(document, nested[0], nested[1], depth + 1) : [])];
  });
}

function who(operation) {
  const words = { visitorToken: "a visitor", visitorCookie: "a visitor", ticket: "a ticket", adminToken: "an API token", adminCookie: "the administrator" };
  if (!operation.security?.length) return "Anyone may call this.";
  const open = operation.security.some((each) => !Object.keys(each).length) ? ["anyone"] : [];
  const named = operation.security.flatMap((each) => Object.keys(each)).map((name) => words[name]).filter(Boolean);
  const scope = operation["x-scope"] ? `, scope ${operation["x-scope"]}` : "";
  return `For ${[...new Set([...open, ...named])].join(", ")}${scope}.`;
}

function responseOf(document, [status, response]) {
  const [media, content] = Object.entries(response.content ?? {})[0] ?? [];
  const problem = media === "application/problem+json";
  return {
    status,
    about: response.description,
    codes: problem ? content.schema.properties.code.enum : [],
    members: problem || !content ? [] : membersOf(document, content.schema),
  };
}

/** The calls of an OpenAPI document, by topic. */
export function called(document) {
  const calls = Object.entries(document.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => {
    const operation = item[method];
    const content = operation.requestBody?.content ?? {};
    const [body] = Object.values(content);
    return {
      id: operation.operationId,
      topic: operation.tags[0],
      method: method.toUpperCase(),
      path,
      summary: operation.summary,
      about: operation.description ?? "",
      who: who(operation),
      parameters: (operation.parameters ?? []).map((each) => follow(document, each))
        .map((each) => ({ name: each.name, type: typeOf(document, each.schema), about: [each.in, each.description].filter(Boolean).join("; ") })),
      body: body ? membersOf(document, body.schema) : [],
      example: body?.example === undefined ? "" : JSON.stringify(body.example, null, 2),
      responses: Object.entries(operation.responses).map((entry) => responseOf(document, entry)),
    };
  }));
  return document.tags.map((tag) => ({ id: `topic-${tag.name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`, name: tag.name, about: tag.description, calls: calls.filter((each) => each.topic === tag.name) }));
}

/** The frames of an AsyncAPI document, by who says them. */
export function said(document) {
  return Object.entries(document.operations).map(([id, operation]) => ({
    id: `side-${id}`,
    name: operation.summary,
    frames: operation.messages.map((each) => follow(document, each)).map((message) => {
      const payload = message.payload.properties.payload;
      return { id: message.name, type: message.payload.properties.type.const, title: message.title, members: membersOf(document, payload) };
    }),
  }));
}

/** The close codes as rows. */
export function close(document) {
  return Object.entries(document.channels.socket["x-close-codes"]).map(([code, why]) => ({ name: code, type: why, about: "" }));
}
