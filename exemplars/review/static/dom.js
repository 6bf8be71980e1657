// Elements, and what the server answers. Text becomes a part of the page only as text.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Replace the children of an element, but keep the focus on what has the same attribute, with the caret where it is:
// whoever types while an answer comes goes on typing.
export function replaceChildren(element, attribute, ...children) {
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const name = active?.getAttribute(attribute) ?? null;
  const caret = [active?.selectionStart ?? null, active?.selectionEnd ?? null];
  element.replaceChildren(...children);
  const again = name === null ? null : element.querySelector(`[${attribute}="${CSS.escape(name)}"]`);
  again?.focus({ preventScroll: true });
  if (caret[0] !== null) again?.setSelectionRange(...caret);
}

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export const get = (name, query = {}) => request(`api/${name}?${new URLSearchParams(query)}`);

export const post = (name, body) =>
  request(`api/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

async function request(address, options) {
  let answer, document;
  try {
    answer = await fetch(address, options);
    document = await answer.json();
  } catch {
    const message = "The server does not answer. Start `exemplars review` again, and open the address that it prints.";
    throw new ServerError(message, 0);
  }
  if (!answer.ok) throw new ServerError(document.error, answer.status);
  return document;
}

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

export const shorten = (text, limit = 60) => {
  const signs = [...text];
  return signs.length <= limit ? text : `${signs.slice(0, limit - 1).join("")}…`;
};

export const capitalize = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Split a sentence of the server into text and code, which it writes between backticks.
export const markCode = (text) => text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));
