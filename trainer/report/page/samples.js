'use strict';
// The browser of completions.

const LISTED = 200;  // rows in the list before "more"

function markOf(row) {
  if (typeof row.accuracy !== 'number') return 'unjudged';
  return row.accuracy > 0.5 ? 'right' : 'wrong';
}

/** The stage whose completions are listed: the run's main one where nothing is chosen, '' for all. */
function shownSampleStage(samples) {
  const wanted = view.get('sstage');
  if (wanted !== '') return wanted === 'all' ? '' : wanted;
  const run = report.data.runs[view.number('run') ?? 0];
  const main = run.main === null ? '' : run.stages[run.main].name;
  return samples.rows.some((row) => row.stage === main) ? main : '';
}

/** Whether a row is asked for, by the view's values. */
function sampleFilter(samples) {
  const text = (key) => view.get(key);
  const within = (value, low, high) => (low === null || value >= low) && (high === null || value <= high);
  const [rmin, rmax, lmin, lmax] = ['rmin', 'rmax', 'lmin', 'lmax'].map((key) => view.number(key));
  const [stage, set, mark, words, cut, step, unit] = [shownSampleStage(samples), text('set'), text('mark'), text('words'), text('cut'), view.number('step'), view.number('unit')];
  const search = text('search').toLowerCase();
  return (row) => (stage === '' || row.stage === stage) && (set === '' || (set === 'eval') === row.held_out) &&
      (step === null || row.step === step) && (unit === null || row.unit === unit) && (mark === '' || markOf(row) === mark) &&
      (words === '' || (words === 'with') === row.words > 0) && (cut === '' || (cut === 'yes') === (row.finish === 'length')) &&
      ((rmin === null && rmax === null) || (typeof row.reward === 'number' && within(row.reward, rmin, rmax))) &&
      ((lmin === null && lmax === null) || within(row.length, lmin, lmax)) &&
      (search === '' || row.text.toLowerCase().includes(search) || samples.prompts[row.prompt].toLowerCase().includes(search));
}

function sampleOrder(rows) {
  const key = view.get('sort');
  if (key === '') return (a, b) => a - b;
  const value = (at) => (typeof rows[at][key] === 'number' ? rows[at][key] : -Number.MAX_VALUE);
  return (a, b) => value(b) - value(a) || a - b;
}

function badges(row) {
  const facts = [`${typeof row.length === 'number' ? row.length : '?'} tokens`];
  if (typeof row.reward === 'number') facts.unshift(`reward ${shortNumber(row.reward)}`);
  if (typeof row.advantage === 'number') facts.push(`advantage ${shortNumber(row.advantage)}`);
  if (row.words > 0) facts.push(`${row.words} reflective word${row.words === 1 ? '' : 's'}`);
  if (row.finish === 'length') facts.push('cut');
  return [element('span', {className: `badge ${markOf(row)}`}, markOf(row)), facts.join(', ')];
}

function placeOf(row) {
  return `${row.stage} step ${row.step}, ${row.held_out ? `held-out problem ${row.unit}` : `group ${row.unit}`}, sample ${row.index}`;
}

function listRow(row, at) {
  const preview = element('p');
  appendText(preview, row.text.slice(0, 240));
  const made = element('div', {className: 'row', role: 'option', id: `sample-${at}`, 'aria-selected': String(at === view.number('sample')), 'data-sample': at},
      element('div', {className: 'soft'}, placeOf(row)), element('div', {}, ...badges(row)), preview);
  made.addEventListener('click', () => view.set({sample: at}));
  return made;
}

/** One completion in a box of its own, for comparisons. */
function sideBox(run, row, title) {
  return element('div', {}, element('h3', {}, title), element('p', {className: 'soft'}, ...badges(row)), textBlock(run, row));
}

/** A held-out problem at its first evaluation, the chosen one and the last. */
function comparison(run, rows, row) {
  const same = rows.filter((other) => other.held_out && other.stage === row.stage && other.prompt === row.prompt && other.index === row.index);
  if (same.length < 2) return null;
  const shown = [...new Set([same[0], row, same.at(-1)])].sort((a, b) => a.step - b.step);
  return element('section', {}, element('h3', {}, 'The same problem, earlier and later'),
      element('div', {className: 'side'}, ...shown.map((other) => sideBox(run, other, `step ${other.step}`))));
}

function groupTable(samples, row) {
  const sampled = samples.rows.length < samples.recorded;
  const group = samples.rows.map((other, at) => ({other, at})).filter(({other}) => !other.held_out && other.stage === row.stage && other.step === row.step && other.unit === row.unit);
  if (group.length < 2)
    return element('p', {className: 'soft'}, sampled ? 'Of its group only this one is on this page, which has a sample of what was recorded.' :
        'Of its group only this one was recorded: log.completions_per_step: 0 records all.');
  const body = group.map(({other, at}) => {
    const text = element('td');
    appendText(text, other.text.slice(0, 160));
    const open = element('button', {type: 'button'}, String(other.index));
    open.addEventListener('click', () => view.set({sample: at}));
    return element('tr', {className: other === row ? 'differs' : ''}, element('td', {}, open), element('td', {className: 'number'}, shortNumber(other.reward)),
        element('td', {className: 'number'}, shortNumber(other.advantage)), element('td', {className: 'number'}, shortNumber(other.length)), element('td', {}, markOf(other)), text);
  });
  const heads = ['sample', 'reward', 'advantage', 'tokens', '', 'completion'].map((name) => element('th', {}, name));
  return element('section', {}, element('h3', {}, `Its group: ${group.length} ${sampled ? 'on this page' : 'recorded'}`),
      element('div', {className: 'scroll'}, element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...body))));
}

function extractedLine(row) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200);
  const parts = partsOf(row.extracted).map(([name, value]) => `${name} read "${text(value)}"`);
  const rewards = partsOf(row.rewards).map(([name, value]) => `${name} ${shortNumber(value)}`);
  const line = element('p', {className: 'soft'});
  appendText(line, [...rewards, ...parts].join('; '));
  return line;
}

/** Marks the chosen row of the list, if it is there. */
function showActive() {
  const at = view.number('sample');
  for (const other of document.querySelectorAll('#sample-list .row')) other.setAttribute('aria-selected', String(Number(other.dataset.sample) === at));
  const list = document.getElementById('sample-list');
  if (document.getElementById(`sample-${at}`)) list.setAttribute('aria-activedescendant', `sample-${at}`);
  else list.removeAttribute('aria-activedescendant');
}

function showSample(run, samples) {
  const detail = document.getElementById('sample-detail');
  const at = view.number('sample');
  const row = at === null ? undefined : samples.rows[at];
  showActive();
  if (!row) {
    detail.replaceChildren(element('p', {className: 'soft'}, 'Choose a completion from the list.'));
    return;
  }
  detail.replaceChildren(...[element('h2', {}, placeOf(row)), element('p', {}, ...badges(row)), extractedLine(row), element('h3', {}, 'Prompt'), promptBlock(samples, row),
    element('h3', {}, 'Completion'), textBlock(run, row), tokenBlock(row), row.held_out ? comparison(run, samples.rows, row) : groupTable(samples, row)].filter((part) => part));
}

function fillList(samples) {
  const list = document.getElementById('sample-list');
  const keep = sampleFilter(samples);
  const found = samples.rows.map((_, at) => at).filter((at) => keep(samples.rows[at])).sort(sampleOrder(samples.rows));
  const count = document.getElementById('sample-count');
  count.textContent = `${found.length.toLocaleString('en')} of ${samples.rows.length.toLocaleString('en')} completions` +
      (samples.rows.length < samples.recorded ? ` (a sample of the ${samples.recorded.toLocaleString('en')} that were recorded)` : '') +
      (view.get('search') !== '' && samples.rows.some((row) => row.cut) ? '. Of very long ones only beginning and end are searched.' : '');
  const more = document.getElementById('sample-more');
  list.replaceChildren();
  const add = (from) => {
    list.append(...found.slice(from, from + LISTED).map((at) => listRow(samples.rows[at], at)));
    const left = found.length - from - LISTED;
    more.hidden = left <= 0;
    more.textContent = `${left.toLocaleString('en')} more`;
    more.onclick = () => {
      add(from + LISTED);
      showActive();
    };
  };
  add(0);
}

function fillChoices(form, samples) {
  const put = (field, values, any) => {
    const chosen = view.get(field.name);
    field.replaceChildren(element('option', {value: ''}, any), ...values.map((value) => element('option', {value: String(value)}, String(value))));
    field.value = chosen;
  };
  put(form.elements.sstage, ['all', ...new Set(samples.rows.map((row) => row.stage))], 'with rewards');
  const stage = shownSampleStage(samples);
  const steps = new Set(samples.rows.filter((row) => stage === '' || row.stage === stage).map((row) => row.step));
  put(form.elements.step, [...steps].sort((a, b) => a - b), 'any');
}

/** Arrow keys walk the list. */
function addListKeys(list) {
  list.addEventListener('keydown', (event) => {
    const move = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!move) return;
    event.preventDefault();
    const rows = [...list.querySelectorAll('.row')];
    const at = rows.findIndex((row) => row.getAttribute('aria-selected') === 'true');
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + move))];
    next?.click();
    next?.scrollIntoView({block: 'nearest'});
  });
}

const SAMPLE_KEYS = new Set(['run', 'sstage', 'set', 'step', 'unit', 'mark', 'words', 'cut', 'rmin', 'rmax', 'lmin', 'lmax', 'sort', 'search']);

async function fillSamples(changed) {
  if (view.get('tab') !== 'samples') return;
  const form = document.getElementById('sample-controls');
  const index = view.number('run') ?? 0;
  const run = report.data.runs[index];
  if (!run) return;
  const samples = await samplesOf(index);
  if (changed.some((key) => SAMPLE_KEYS.has(key)) || changed.includes('tab')) {
    fillChoices(form, samples);
    fillList(samples);
  }
  if (!changed.every((key) => key === 'tokens')) showSample(run, samples);
  if (samples.rows.length === 0)
    document.getElementById('sample-count').textContent = (run.software === 'aha' ? 'No completions were recorded (log.log_completions).' : `Of a run of ${run.software} there are metrics alone.`);
}
