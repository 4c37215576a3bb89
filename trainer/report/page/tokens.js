'use strict';
// Completions as text: marked where it helps, never as markup.

// Characters that would not be seen, or would turn what is seen around.
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function escapedForPattern(word) {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
}

/** A pattern for a run's words of reflection, as the trainer counts them. */
function wordPattern(run) {
  if (!run.pattern) {
    const words = [...run.words].sort((a, b) => b.length - a.length).map((word) => {
      const end = /\w$/.test(word) ? '(?![A-Za-z0-9_])' : '';
      return escapedForPattern(word) + end;
    });
    run.pattern = words.length > 0 ? new RegExp(`(?<![A-Za-z0-9_])(?:${words.join('|')})`, 'gi') : /$^/g;
  }
  return run.pattern;
}

/** [begin, end, class] of everything in a completion that is marked. */
function marksOf(run, row) {
  const text = row.text;
  const marks = [];
  const find = (pattern, name) => {
    for (const match of text.matchAll(pattern)) if (match[0] !== '') marks.push([match.index, match.index + match[0].length, name]);
  };
  find(wordPattern(run), 'word');
  find(/<\/?(?:think|answer)>/g, 'tag');
  find(/(?<=\d )ok(?![A-Za-z0-9_])/g, 'yes');
  find(/(?<=\d )no(?![A-Za-z0-9_])/g, 'no');
  const between = (open, close, name) => {
    const begin = text.indexOf(open);
    if (begin < 0) return;
    const end = text.indexOf(close, begin);
    marks.push([begin + open.length, end < 0 ? text.length : end, name]);
  };
  between('<think>', '</think>', 'think');
  between('<answer>', '</answer>', 'answer');
  for (const answer of new Set(Object.values(row.extracted ?? {}))) {
    const at = typeof answer === 'string' && answer !== '' ? text.lastIndexOf(answer) : -1;
    if (at >= 0) marks.push([at, at + answer.length, 'extracted']);
  }
  return marks;
}

/** Text with what cannot be seen made visible. */
function appendText(place, text) {
  let at = 0;
  for (const match of text.matchAll(ODD)) {
    place.append(text.slice(at, match.index), element('span', {className: 'odd'}, 'U+' + match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0')));
    at = match.index + 1;
  }
  place.append(text.slice(at));
}

function appendMarked(place, text, marks) {
  const cuts = [...new Set([0, text.length, ...marks.flatMap(([begin, end]) => [begin, end])])].sort((a, b) => a - b);
  for (let i = 0; i + 1 < cuts.length; ++i) {
    const names = marks.filter(([begin, end]) => begin <= cuts[i] && end >= cuts[i + 1]).map((mark) => mark[2]);
    const span = names.length > 0 ? element('span', {className: [...new Set(names)].join(' ')}) : place;
    appendText(span, text.slice(cuts[i], cuts[i + 1]));
    if (span !== place) place.append(span);
  }
}

function promptBlock(samples, row) {
  const block = element('pre', {className: 'text', 'aria-label': 'prompt'});
  appendText(block, samples.prompts[row.prompt]);
  return block;
}

// Longer texts are shown in part at first: laying out megabytes in one line takes a browser seconds.
const FIRST_CHARACTERS = 20000;

function textBlock(run, row) {
  const block = element('pre', {className: 'text', 'aria-label': 'completion', tabIndex: 0});
  const fill = (text) => {
    block.replaceChildren();
    appendMarked(block, text, marksOf(run, {...row, text}));
  };
  fill(row.text.slice(0, FIRST_CHARACTERS));
  if (row.text.length <= FIRST_CHARACTERS) return block;
  const all = element('button', {type: 'button'}, `Show all ${row.text.length.toLocaleString('en')} characters`);
  all.addEventListener('click', () => {
    fill(row.text);
    all.remove();
  });
  return element('div', {}, block, all);
}

/** What colours a token: strength from 0 to 1 and a hue. */
const TOKEN_COLOURS = {
  logprob: (row, i) => ({strength: Math.min(1, -row.logprobs[i] / 5), colour: '213, 94, 0'}),
  entropy: (row, i) => ({strength: Math.min(1, row.entropies[i] / 2), colour: '0, 114, 178'}),
  advantage: (row) => ({strength: Math.min(1, Math.abs(row.advantage) / 2), colour: row.advantage >= 0 ? '0, 158, 115' : '213, 94, 0'}),
};
const TOKEN_NEEDS = {
  logprob: {has: (row) => row.logprobs, legend: 'Darker: less probable; full colour from -5 nats.'},
  entropy: {has: (row) => row.entropies, legend: 'Darker: more open; full colour from 2 nats.'},
  advantage: {has: (row) => row.advantage !== undefined, legend: 'Green: pushed up. Orange: pushed down. The same for every token of a completion.'},
};

function tokenText(row, i) {
  const parts = [`token ${i + 1}: ${JSON.stringify(row.tokens[i])}`];
  if (row.logprobs) parts.push(`log-probability ${row.logprobs[i]}, probability ${Math.exp(row.logprobs[i]).toFixed(3)}`);
  if (row.entropies) parts.push(`entropy ${row.entropies[i]}`);
  return parts.join(', ');
}

/** Tokens one by one, coloured; or what has to be recorded for that. */
function tokenBlock(row) {
  const block = element('details', {className: 'tokens', open: view.get('tokens') !== ''}, element('summary', {}, 'Tokens'));
  block.addEventListener('toggle', () => view.set({tokens: block.open ? 1 : ''}));
  if (!row.tokens) {
    block.append(element('p', {}, 'Tokens were not recorded: log.completion_ids: true records them, log.completion_logprobs: true their log-probabilities and entropies.'));
    return block;
  }
  const wish = element('select', {'aria-label': 'Colour of tokens'}, ...Object.keys(TOKEN_NEEDS).filter((name) => TOKEN_NEEDS[name].has(row)).map((name) => element('option', {}, name)));
  const line = element('pre', {className: 'text', 'aria-label': 'tokens'});
  const said = element('p', {className: 'soft', role: 'status'});
  const fill = () => {
    said.textContent = TOKEN_NEEDS[wish.value]?.legend ?? '';
    line.replaceChildren(...row.tokens.map((text, i) => {
      const token = element('span', {className: 'token', title: tokenText(row, i)});
      appendText(token, text === '' ? '\u2205' : text.replaceAll('\n', '\u21b5\n'));
      if (wish.value) {
        const {strength, colour: rgb} = TOKEN_COLOURS[wish.value](row, i);
        token.style.backgroundColor = `rgba(${rgb}, ${(0.75 * Math.max(0, strength)).toFixed(3)})`;
      }
      token.addEventListener('mouseenter', () => { said.textContent = tokenText(row, i); });
      return token;
    }));
  };
  wish.addEventListener('change', fill);
  fill();
  const missing = row.logprobs ? '' : ' Log-probabilities and entropies were not recorded: log.completion_logprobs: true records them.';
  block.append(element('p', {}, wish.options.length > 0 ? element('label', {}, 'Colour by ', wish) : '', missing), line, said);
  return block;
}
