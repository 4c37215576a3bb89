'use strict';
// Prompts and completions as text: marked where it helps, never as markup.

// Characters that would not be seen, or would turn what is seen around.
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}\u{e0100}-\u{e01ef}]/gu;

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

/** [begin, end, class] of what is marked in text[from, to). A word that an end cuts is found by what is around it. */
function marksOf(run, row, text, from, to) {
  const marks = [];
  const around = Math.max(0, from - 100);
  const near = text.slice(around, to + 100);
  const find = (pattern, name) => {
    for (const match of near.matchAll(pattern)) if (match[0] !== '') marks.push([around + match.index, around + match.index + match[0].length, name]);
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
  for (const answer of new Set(partsOf(row.extracted).map((part) => part[1]))) {
    const at = typeof answer === 'string' && answer !== '' ? text.lastIndexOf(answer) : -1;
    if (at >= 0) marks.push([at, at + answer.length, 'extracted']);
  }
  return marks.filter(([begin, end]) => begin < to && end > from).map(([begin, end, name]) => [Math.max(begin, from), Math.min(end, to), name]);
}

function codeOf(character) {
  return 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
}

/** Text with codes for what cannot be seen, where there can be no elements. */
function visible(text) {
  return text.replace(ODD, codeOf);
}

/** Text with what cannot be seen made visible. */
function appendText(place, text) {
  let at = 0;
  for (const match of text.matchAll(ODD)) {
    place.append(text.slice(at, match.index), element('span', {className: 'odd'}, codeOf(match[0])));
    at = match.index + match[0].length;
  }
  place.append(text.slice(at));
}

/** text[from, to), with its marks. */
function appendMarked(place, text, from, to, marks) {
  const cuts = [...new Set([from, to, ...marks.flatMap(([begin, end]) => [begin, end])])].sort((a, b) => a - b);
  for (let i = 0; i + 1 < cuts.length; ++i) {
    const names = marks.filter(([begin, end]) => begin <= cuts[i] && end >= cuts[i + 1]).map((mark) => mark[2]);
    const span = names.length > 0 ? element('span', {className: [...new Set(names)].join(' ')}) : place;
    appendText(span, text.slice(cuts[i], cuts[i + 1]));
    if (span !== place) place.append(span);
  }
}

// Longer texts are shown in parts: laying out megabytes in one line takes a browser seconds.
const PART = 20000;

/** Where part `n` of a text begins: between characters. */
function partBegin(text, n) {
  const at = Math.min(n * PART, text.length);
  const low = text.charCodeAt(at);
  return low >= 0xdc00 && low <= 0xdfff ? at + 1 : at;
}

/** Buttons and a slider that choose what `fill(from, to)` shows of a long text. */
function partControls(text, fill) {
  const last = Math.ceil(text.length / PART) - 1;
  const slider = element('input', {type: 'range', min: 0, max: last, value: 0, 'aria-label': 'Part of the text'});
  const said = element('span', {role: 'status'});
  const show = () => {
    const [from, to] = [partBegin(text, slider.valueAsNumber), partBegin(text, slider.valueAsNumber + 1)];
    said.textContent = `characters ${(from + 1).toLocaleString('en')} to ${to.toLocaleString('en')} of ${text.length.toLocaleString('en')}`;
    slider.setAttribute('aria-valuetext', said.textContent);
    fill(from, to);
  };
  const go = (name, where) => {
    const button = element('button', {type: 'button'}, name);
    button.addEventListener('click', () => {
      slider.value = where();
      show();
    });
    return button;
  };
  slider.addEventListener('input', show);
  show();
  const save = element('button', {type: 'button'}, 'Save as text');
  save.addEventListener('click', () => download('text.txt', text, 'text/plain'));
  return element('p', {className: 'parts soft'}, go('First', () => 0), go('Previous', () => slider.valueAsNumber - 1), slider,
      go('Next', () => slider.valueAsNumber + 1), go('Last', () => last), said, save);
}

/** A text in `block`, in parts if it is long. */
function shownIn(block, text, marks) {
  const fill = (from, to) => {
    block.replaceChildren();
    appendMarked(block, text, from, to, marks(text, from, to));
    block.scrollTop = 0;
  };
  if (text.length > PART) return element('div', {}, partControls(text, fill), block);
  fill(0, text.length);
  return block;
}

function promptBlock(samples, row) {
  return shownIn(element('pre', {className: 'text', 'aria-label': 'prompt', tabIndex: 0}), samples.prompts[row.prompt], () => []);
}

/** Where the completions of a row's kind are, and how to find this one there. */
function fileOf(run, row) {
  const keys = {stage: row.stage, step: row.step, [row.held_out ? 'row' : 'ordinal']: row.unit, index: row.index};
  return `${run.path}/completions/${row.held_out ? 'eval' : 'train'}.jsonl, in the row with ${JSON.stringify(keys)}`;
}

function textBlock(run, row) {
  const block = element('pre', {className: 'text', 'aria-label': 'completion', tabIndex: 0});
  const marks = (text, from, to) => marksOf(run, row, text, from, to);
  if (!row.cut) return shownIn(block, row.text, marks);
  const bytes = `${row.cut.toLocaleString('en')} bytes`;
  const whole = document.getElementById(`whole-${report.data.runs.indexOf(run)}-${row.whole}`);
  if (!whole)
    return element('div', {}, element('p', {className: 'problem'}, `Its middle is left out: the page has no room for all ${bytes}. They are in ${fileOf(run, row)}.`),
        shownIn(block, row.text, marks));
  const place = element('div', {}, element('p', {className: 'soft', role: 'status'}, `Unpacking ${bytes} ...`));
  unpacked(whole.id).then((text) => place.replaceChildren(shownIn(block, text, marks)));
  return place;
}
