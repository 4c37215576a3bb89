'use strict';
// The verdict, what was run, and how settings differ.

const MOODS = {good: '✓', bad: '✗', watch: '!', neutral: '·', unknown: '?'};

function moodMark(mood) {
  return element('span', {className: `mood ${mood}`, role: 'img', 'aria-label': mood}, MOODS[mood]);
}

/** Signs in place of the plain characters of the verdict. */
function signed(text) {
  return text.replaceAll('->', '→').replaceAll('+-', '±').replaceAll(' - ', ' − ');
}

function statementRow(statement) {
  const link = element('button', {type: 'button', 'aria-label': `show the curve for: ${statement.claim}`}, 'curve');
  link.addEventListener('click', () => showChart(statement.chart));
  link.hidden = !report.data.charts.some((chart) => chart.id === statement.chart && chart.keys.length > 0);
  return element('tr', {}, element('td', {}, moodMark(statement.mood)),
      element('td', {}, statement.claim, element('span', {className: 'because'}, signed(statement.because))),
      element('td', {}, link));
}

function factsTable(run) {
  const rows = run.facts.map(([name, value]) => element('tr', {}, element('th', {scope: 'row'}, name), element('td', {}, value)));
  return element('table', {className: 'facts'}, element('tbody', {}, ...rows));
}

function planBlock(run) {
  if (run.plan.length === 0) return null;
  return element('details', {}, element('summary', {}, 'What the run said before its first step'),
      element('pre', {className: 'text'}, run.plan.join('\n')));
}

function notesBlock(run) {
  if (run.notes.length === 0) return null;
  return element('div', {className: 'notes'}, element('h3', {}, 'What is missing'),
      element('ul', {}, ...run.notes.map((note) => element('li', {}, note))));
}

function rulesBlock() {
  return element('details', {}, element('summary', {}, 'How it is judged'), element('ul', {}, ...report.data.rules.map((rule) => element('li', {}, rule))));
}

function runCard(run, index) {
  const verdict = run.verdict;
  const headline = element('p', {className: `headline ${verdict.mood}`}, moodMark(verdict.mood), ' ', signed(verdict.headline));
  const statements = element('table', {className: 'verdict'},
      element('caption', {className: 'soft'}, `Judged by numbers alone${run.main === null ? '' : `, of stage ${run.stages[run.main].name}`}`),
      element('tbody', {}, ...verdict.statements.map(statementRow)));
  const aha = element('div', {className: 'aha'});
  fillAha(aha, run, index);
  return element('article', {className: 'run', 'aria-label': `Run ${run.name}`},
      element('h2', {}, run.name, run.software === 'aha' ? '' : ` (${run.software})`), headline,
      element('div', {className: 'run-body'},
          element('div', {}, verdict.statements.length > 0 ? statements : null, notesBlock(run)),
          element('div', {}, factsTable(run), changesBlock([run], 'changed', 'are not the defaults'), planBlock(run), rulesBlock())),
      aha);
}

/** The first right answer after reflection, and the first to a problem that was got wrong before. */
async function fillAha(place, run, index) {
  const samples = await samplesOf(index);
  const show = (at, title, remark) => {
    if (at === null) return;
    const row = samples.rows[at];
    const open = element('button', {type: 'button'}, 'in Samples');
    open.addEventListener('click', () => view.set({tab: 'samples', run: index, sstage: row.stage, sample: at}));
    const before = samples.rows.find((other) => other.held_out && row.held_out && other.stage === row.stage && other.step < row.step &&
        other.prompt === row.prompt && markOf(other) === 'wrong');
    place.append(element('h3', {}, title, ' ', open), element('p', {className: 'soft'}, remark(row)), promptBlock(samples, row),
        element('div', {className: 'side'}, before ? sideBox(run, before, `step ${before.step}`) : null, sideBox(run, row, `step ${row.step}`)));
  };
  show(samples.learnt_aha, 'A problem it got wrong before, right after reflection', (row) =>
    `Held-out problem ${row.unit}, the first of its kind: at step ${row.step} of ${row.stage}. One answer proves nothing: see the curves. "in Samples" shows it at every evaluation.`);
  if (samples.first_aha !== samples.learnt_aha)
    show(samples.first_aha, 'The first right answer after a reflective word', (row) =>
      `Step ${row.step} of ${row.stage}${row.step === 0 ? ': before any reward, so the model came with it' : ''}. One answer proves nothing: see the curves.`);
  if (samples.first_aha === null && samples.rows.length > 0)
    place.append(element('p', {className: 'soft'}, 'Among the recorded completions no right answer is known to come after a reflective word.'));
}

function fillOverview(place) {
  const figures = element('div', {className: 'figures', 'aria-label': 'The three curves of the aha moment'});
  const cards = report.data.runs.map(runCard);
  if (cards.length === 1) {
    place.append(cards[0]);
    cards[0].querySelector('.headline').after(figures);
  } else {
    const differences = changesBlock(report.data.runs.filter((run) => run.settings.length > 0), 'differ', 'differ between the runs');
    if (differences) differences.open = true;
    place.append(figures, ...[differences].filter((part) => part), ...cards);
  }
  return figures;
}

/** Keys that some run has, with each run's value: {path, cells, usual, differ, changed}. */
function settingRows(runs) {
  const tables = runs.map((run) => new Map(run.settings.map(([path, value, usual]) => [path, {value, usual}])));
  return [...new Set(tables.flatMap((table) => [...table.keys()]))].map((path) => {
    const cells = tables.map((table) => table.get(path));
    const usual = cells.find((cell) => cell).usual;
    return {path, cells, usual, differ: new Set(cells.map((cell) => cell?.value)).size > 1,
      changed: cells.some((cell) => cell && cell.value !== usual && !(cell.value === '""' && usual === ''))};
  });
}

function settingsBody(rows) {
  return rows.map(({path, cells, usual, differ}) => element('tr', {}, element('th', {scope: 'row'}, path),
      ...cells.map((cell) => element('td', {className: differ ? 'differs' : ''}, cell?.value ?? '-')), element('td', {className: 'soft'}, usual)));
}

function settingsTable(runs, body) {
  return element('div', {className: 'scroll'}, element('table', {}, element('thead', {}, element('tr', {}, element('th', {}, 'key'),
      ...runs.map((run) => element('th', {}, run.name)), element('th', {}, 'default'))), body));
}

/** What was set otherwise than usual, or otherwise than in the other runs. */
function changesBlock(runs, which, title) {
  const rows = settingRows(runs).filter((row) => row[which]);
  if (rows.length === 0) return null;
  return element('details', {}, element('summary', {}, `${rows.length} settings ${title}`), settingsTable(runs, element('tbody', {}, ...settingsBody(rows))));
}

function fillSettings(place) {
  const runs = report.data.runs.filter((run) => run.settings.length > 0);
  if (runs.length === 0) {
    place.append(element('p', {}, 'No configuration was found (config.resolved.yaml).'));
    return;
  }
  const rows = settingRows(runs);
  const wish = element('select', {'aria-label': 'Which settings'},
      element('option', {value: 'changed'}, 'that are not the defaults'),
      runs.length > 1 ? element('option', {value: 'differ'}, 'that differ between runs') : null,
      element('option', {value: 'all'}, 'all'));
  const body = element('tbody');
  const fill = () => body.replaceChildren(...settingsBody(rows.filter((row) => wish.value === 'all' || row[wish.value])));
  wish.addEventListener('change', fill);
  if (runs.length > 1) wish.value = 'differ';
  fill();
  place.append(element('p', {}, element('label', {}, 'Settings ', wish)), settingsTable(runs, body));
}
