// An utterance with its spans. Offsets count code points, as everywhere in the dataset, and the end is exclusive.
import { el } from "./dom.js";

const COLORS = 6;

export const colorOf = (index) => `span-${index % COLORS}`;

export const sliceText = (text, start, end) => [...text].slice(start, end).join("");

// Build the parts of an utterance: plain text, and a mark for each argument that has a span.
export function markSpans(utterance, args) {
  const signs = [...utterance];
  const spans = args
    .map((argument, index) => ({ ...argument, index }))
    .filter(({ start, end }) => Number.isInteger(start) && start >= 0 && start < end && end <= signs.length)
    .sort((first, second) => first.start - second.start || second.end - first.end);
  const parts = [];
  let place = 0;
  for (const { slot, start, end, index } of spans) {
    if (start < place) continue; // It overlaps another span, which the compiler reports.
    parts.push(signs.slice(place, start).join(""));
    const said = signs.slice(start, end).join("");
    parts.push(el("mark", { class: colorOf(index), "data-slot": slot || "?" }, said));
    place = end;
  }
  parts.push(signs.slice(place).join(""));
  return parts.filter((part) => part !== "");
}

// Return arguments whose spans follow a change of the text. What is typed inside of a span belongs to it, and to the
// value if the value was its text; a span that the change crosses is dropped.
export function followText(before, after, args) {
  const [old, now] = [[...before], [...after]];
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const [oldEnd, shift] = [old.length - tail, now.length - old.length];
  return args.map((argument) => {
    const { start, end, value } = argument;
    if (!Number.isInteger(start) || end <= head) return argument;
    if (start >= oldEnd) return { ...argument, start: start + shift, end: end + shift };
    if (start > head || end < oldEnd || end + shift <= start) return { ...argument, start: null, end: null, means: false };
    const isText = value === old.slice(start, end).join("");
    return { ...argument, end: end + shift, value: isText ? now.slice(start, end + shift).join("") : value };
  });
}

// Return the code points that are selected in an element, without white space at the ends; null if none are.
export function readSelection(root) {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!root.contains(range.startContainer) || !root.contains(range.endContainer)) return null;
  const text = root.textContent;
  let start = measure(root, range.startContainer, range.startOffset);
  let end = measure(root, range.endContainer, range.endOffset);
  // Half of a surrogate pair is no character.
  if (isInsidePair(text, start)) start -= 1;
  if (isInsidePair(text, end)) end += 1;
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  if (start === end) return null;
  const before = [...text.slice(0, start)].length;
  const said = text.slice(start, end);
  return { start: before, end: before + [...said].length, said };
}

// Measure the text before a place, in UTF-16 units. Range.toString has all text nodes and nothing of the style.
function measure(root, node, offset) {
  const range = document.createRange();
  range.selectNodeContents(root);
  range.setEnd(node, offset);
  return range.toString().length;
}

const isInsidePair = (text, place) =>
  place > 0 && place < text.length && /[\uDC00-\uDFFF]/.test(text[place]) && /[\uD800-\uDBFF]/.test(text[place - 1]);
