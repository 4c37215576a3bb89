'use strict';
// The data of the page: JSON, compressed, as base64 in blocks that no browser runs.

async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

const report = {data: null, samples: []};

/** Samples of a run, unpacked when they are first asked for. */
async function samplesOf(run) {
  if (!report.samples[run]) report.samples[run] = await unpacked(`samples-${run}`);
  return report.samples[run];
}

/** An element with properties, attributes ("aria-..." and others with a dash) and children. Text is only ever text, and seen. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role') made.setAttribute(key, visible(String(value)));
    else made[key] = value;
  }
  for (const child of children) {
    if (child instanceof Node) made.append(child);
    else if (child !== null && child !== undefined) appendText(made, String(child));
  }
  return made;
}

/** A number as people read it: four significant digits at most, whole numbers whole. What is no number, as it is written. */
function shortNumber(value) {
  if (value === null || value === undefined) return '-';
  if (typeof value !== 'number') return JSON.stringify(value).slice(0, 80);
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** [name, value] of each part of an object; anything else is one part without a name. */
function partsOf(value) {
  if (value === null || value === undefined) return [];
  return typeof value === 'object' ? Object.entries(value) : [['', value]];
}

function download(name, text, type) {
  const link = element('a', {href: URL.createObjectURL(new Blob([text], {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
