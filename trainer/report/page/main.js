'use strict';
// Begins when everything is there.

const TABS = ['overview', 'curves', 'samples', 'settings'];

function showTab() {
  const chosen = TABS.includes(view.get('tab')) ? view.get('tab') : 'overview';
  for (const name of TABS) {
    document.getElementById(name).hidden = name !== chosen;
    const tab = document.getElementById(`tab-${name}`);
    tab.setAttribute('aria-selected', String(name === chosen));
    tab.tabIndex = name === chosen ? 0 : -1;
  }
}

function addTabKeys() {
  for (const name of TABS) {
    const tab = document.getElementById(`tab-${name}`);
    tab.addEventListener('click', () => view.set({tab: name === 'overview' ? '' : name}));
    tab.addEventListener('keydown', (event) => {
      const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!move) return;
      const next = TABS[(TABS.indexOf(name) + move + TABS.length) % TABS.length];
      document.getElementById(`tab-${next}`).click();
      document.getElementById(`tab-${next}`).focus();
    });
  }
}

function fillCurveChoices(form) {
  const {runs, charts} = report.data;
  const stages = [...new Set(runs.flatMap((run) => run.stages.map((stage) => stage.name)))];
  form.elements.stage.append(element('option', {value: ''}, 'the one with rewards'), ...stages.map((name) => element('option', {value: name}, name)));
  const charted = new Set(charts.flatMap((chart) => chart.keys));
  const others = [...new Set(runs.flatMap((run) => run.stages.flatMap((stage) => Object.keys(stage.series))))].filter((key) => !charted.has(key)).sort();
  form.elements.more.append(element('option', {value: ''}, 'none'), ...others.map((key) => element('option', {value: key}, key)));
  document.getElementById('band-label').hidden = runs.length < 2;
}

/** Returns what ticks the boxes as the address says. */
function fillRunChoice(place) {
  const {runs} = report.data;
  place.hidden = runs.length < 2;
  runs.forEach((run) => {
    const box = element('input', {type: 'checkbox'});
    box.addEventListener('change', () => {
      const boxes = [...place.querySelectorAll('input')];
      view.set({hide: boxes.map((other, i) => (other.checked ? '' : i)).filter((i) => i !== '').join(' ')});
    });
    place.append(element('label', {}, box, ' ', run.name));
  });
  const show = () => {
    const shown = new Set(shownRuns().map(({index}) => index));
    place.querySelectorAll('input').forEach((box, index) => { box.checked = shown.has(index); });
  };
  show();
  return show;
}

const CURVE_KEYS = new Set(['tab', 'stage', 'smooth', 'from', 'to', 'logx', 'logy', 'band', 'hide', 'more']);

async function begin() {
  report.data = await unpacked('data');
  const {runs, version, made} = report.data;
  document.getElementById('about').textContent = visible(`${runs.map((run) => run.path).join(', ')} · aha ${version} · ${made}`);
  const figures = fillOverview(document.getElementById('overview'));
  fillSettings(document.getElementById('settings'));
  const curveForm = document.getElementById('curve-controls');
  const sampleForm = document.getElementById('sample-controls');
  fillCurveChoices(curveForm);
  const showRunChoice = fillRunChoice(document.getElementById('run-choice'));
  sampleForm.elements.run.append(...runs.map((run, index) => element('option', {value: String(index)}, run.name)));
  addTabKeys();
  addListKeys(document.getElementById('sample-list'));
  const charts = document.getElementById('charts');
  const showCurveForm = bindForm(curveForm);
  const showSampleForm = bindForm(sampleForm);
  if (sampleForm.elements.run.selectedIndex < 0) sampleForm.elements.run.selectedIndex = 0;
  view.onChange((changed) => {
    if (changed.includes('tab')) showTab();
    if (changed.some((key) => CURVE_KEYS.has(key))) redraw(figures, charts);
    if (changed.includes('from')) showCurveForm();
    if (changed.includes('hide')) showRunChoice();
    if (changed.includes('sstage')) showSampleForm();
    fillSamples(changed);
  });
  dark.addEventListener('change', () => redraw(figures, charts));
  addPrinting(() => redraw(figures, charts));
  showTab();
  redraw(figures, charts);
  await fillSamples(['tab']);
  document.getElementById('status').remove();
  document.documentElement.dataset.ready = 'yes';
}

begin().catch((error) => {
  document.getElementById('status').className = 'problem';
  document.getElementById('status').textContent = `The page cannot be shown: ${error.message}`;
  throw error;
});
