'use strict';
// Curves, drawn by dygraphs.

// Okabe and Ito's colours, which people with any kind of colour vision tell apart.
const COLOURS = {
  light: ['#0072b2', '#d55e00', '#009e73', '#b0568c', '#8a6100', '#3a86b8', '#000000', '#7a7a00'],
  dark: ['#56b4e9', '#e69f00', '#2fc79b', '#e19cc4', '#f0e442', '#7f9cff', '#ff8a50', '#ffffff'],
};
const DASHES = [null, [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4], [1, 2], [6, 2, 1, 2]];
const dark = matchMedia('(prefers-color-scheme: dark)');
// dygraphs' own legend writes style attributes, which the page's policy refuses.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
const FIRST_CHARTS = 3;  // those of the aha moment
const drawn = [];  // {chart, graph, lines, figure}

function colour(index) {
  const list = COLOURS[dark.matches && !printing() ? 'dark' : 'light'];
  return list[index % list.length];
}

function pageColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The stage of a run that is shown: the chosen one, else the run's main stage. */
function shownStage(run) {
  const wanted = view.get('stage');
  return run.stages.find((stage) => stage.name === wanted) ?? (wanted === '' && run.main !== null ? run.stages[run.main] : null);
}

function shownRuns() {
  const hidden = new Set(view.get('hide').split(' ').filter((text) => text !== '').map(Number));
  return report.data.runs.map((run, index) => ({run, index})).filter(({index}) => !hidden.has(index));
}

/** Trailing mean over `count` recorded values. Of a thinned curve, whose points are the extremes, the values between them count too,
 * as their mean; fewer than lie between two points are not told apart. */
function smoothed(series, count) {
  if (count <= 1) return series.y;
  const means = series.m ?? series.y;
  const size = (i) => series.c?.[i] ?? 1;
  let [first, held, sum] = [0, 0, 0];
  return means.map((mean, i) => {
    held += size(i);
    sum += size(i) * mean;
    for (; held - size(first) >= count; ++first) {
      held -= size(first);
      sum -= size(first) * means[first];
    }
    const left_out = first < i ? Math.max(0, held - count) : 0;
    return (sum - left_out * means[first]) / (held - left_out);
  });
}

/** What a chart shows: one line a run and metric; several seeds as one line with a band. */
function linesOf(keys) {
  const runs = shownRuns();
  const several = report.data.runs.length > 1;
  const smooth = Math.max(1, view.number('smooth') ?? 1);
  const lines = [];
  for (const {run, index} of runs) {
    const stage = shownStage(run);
    if (!stage) continue;
    keys.forEach((key, k) => {
      const series = stage.series[key];
      if (!series) return;
      lines.push({key, run: run.name, group: run.seedless || `run ${index}`, x: series.x, y: smoothed(series, smooth), n: series.n, base: series.y[0],
        label: several ? `${run.name}: ${key}` : key, colour: colour(several ? index : k), dash: several ? DASHES[k % DASHES.length] : DASHES[Math.floor(k / 8) % 8]});
    });
  }
  return view.get('band') && several ? banded(lines) : parted(lines);
}

/** A line that lies on an earlier one is dashed, so that both are seen. */
function parted(lines) {
  const seen = new Set();
  return lines.map((line) => {
    const path = JSON.stringify([line.x, line.y]);
    const dash = seen.has(path) ? [7, 7] : line.dash;
    seen.add(path);
    return {...line, dash};
  });
}

/** Lines of one metric and one experiment become their mean, lowest and highest, where all of them have a value. */
function banded(lines) {
  const groups = new Map();
  for (const line of lines) {
    const name = JSON.stringify([line.group, line.key]);
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  return [...groups.values()].map((members) => {
    const at = members.map((line) => new Map(line.x.map((x, i) => [x, line.y[i]])));
    const x = members[0].x.filter((step) => at.every((map) => map.has(step)));
    const values = x.map((step) => at.map((map) => map.get(step)));
    const mean = values.map((list) => list.reduce((a, b) => a + b, 0) / list.length);
    return {...members[0], x, y: mean, base: mean[0] ?? null, low: values.map((list) => Math.min(...list)), high: values.map((list) => Math.max(...list)),
      label: `${members[0].run.replace(/[-_.]?(seed)?[-_.]?\d+$/, '')} (${members.length} run${members.length === 1 ? '' : 's'}): ${members[0].key}`};
  });
}

/** Whether a step can be drawn: on a logarithmic axis only those above 0 have a place. */
function hasPlace(step) {
  return view.get('logx') === '' || step > 0;
}

/** Rows as dygraphs wants them: step, then a value or [low, mean, high] for each line. */
function rowsOf(lines, banding) {
  const rows = new Map();
  lines.forEach((line, l) => line.x.forEach((x, i) => {
    if (!rows.has(x)) rows.set(x, [x, ...lines.map(() => (banding ? [null, null, null] : null))]);
    rows.get(x)[l + 1] = banding ? [line.low[i], line.y[i], line.high[i]] : line.y[i];
  }));
  return [...rows.values()].filter((row) => hasPlace(row[0])).sort((a, b) => a[0] - b[0]);
}

/** The steps between which is drawn; null: all, with a margin. dygraphs' own margin would begin below 0, where there is no logarithm. */
function windowOf(ends) {
  const [from, to] = [view.number('from'), view.number('to')];
  const low = from !== null && hasPlace(from) ? from : ends[0];
  if (view.get('logx') === '') return from === null && to === null ? null : [low, to ?? ends[1]];
  const margin = 1.02;
  return [low / margin, Math.max(low, to ?? ends[1]) * margin];
}

function lineSample(line) {
  const shape = {x1: 0, x2: 24, y1: 4, y2: 4, stroke: line.colour, 'stroke-width': 2.5, ...(line.dash ? {'stroke-dasharray': line.dash.join(' ')} : {})};
  return svgElement('svg', {width: 24, height: 8, 'aria-hidden': 'true'}, svgElement('line', shape));
}

function fillLegend(list, lines, step, values) {
  const where = step === null ? [] : [element('li', {}, 'step ', element('b', {}, shortNumber(step)))];
  list.replaceChildren(...where, ...lines.map((line, l) => element('li', {}, lineSample(line), line.label,
      values?.[l] !== undefined && values[l] !== null ? element('b', {}, ` ${shortNumber(values[l])}`) : '')));
}

/** The value at the first step of each line, dashed across the chart. */
function drawBase(canvas, area, graph, lines) {
  canvas.save();
  canvas.globalAlpha = 0.55;
  canvas.setLineDash([3, 4]);
  for (const line of lines) {
    if (line.base === null || line.base === undefined) continue;
    const y = graph.toDomYCoord(line.base);
    if (!(y >= area.y && y <= area.y + area.h)) continue;
    canvas.strokeStyle = line.colour;
    canvas.beginPath();
    canvas.moveTo(area.x, y);
    canvas.lineTo(area.x + area.w, y);
    canvas.stroke();
  }
  canvas.restore();
}

function chartOptions(lines, rows, legend, banding) {
  const few = rows.length <= 60;
  const series = Object.fromEntries(lines.map((line, l) => [`line ${l}`, {color: line.colour, strokePattern: line.dash, drawPoints: few || line.x.length <= 60, pointSize: 2}]));
  const touch = {touchstart: undefined, touchmove: undefined, touchend: undefined};  // a finger scrolls the page
  const ends = [rows[0]?.[0] ?? 1, rows.at(-1)?.[0] ?? 1];
  const logx = view.get('logx') !== '';
  return {
    labels: ['step', ...lines.map((_, l) => `line ${l}`)], series, customBars: banding,
    connectSeparatedPoints: true, strokeWidth: 1.8, fillAlpha: 0.2,
    logscale: view.get('logy') !== '',
    dateWindow: windowOf(ends),
    axes: {x: {logscale: logx, axisLabelFormatter: shortNumber, drawGrid: false},
      y: {axisLabelFormatter: shortNumber, axisLabelWidth: 56}},
    axisLineColor: pageColour('--line'), gridLineColor: pageColour('--line'), gridLineWidth: 0.5,
    xRangePad: logx ? 0 : 6, yRangePad: 8, animatedZooms: false,
    interactionModel: {...Dygraph.defaultInteractionModel, ...touch},
    underlayCallback: (canvas, area, graph) => drawBase(canvas, area, graph, lines),
    highlightCallback: (event, x, points, row) => fillLegend(legend, lines, x, valuesAt(rows[row], banding)),
    unhighlightCallback: () => fillLegend(legend, lines, null),
    zoomCallback: (low, high, yRanges) => view.set(low <= ends[0] && high >= ends[1] ? {from: '', to: ''} : {from: Math.floor(low), to: Math.ceil(high)}),
  };
}

function valuesAt(row, banding) {
  return row.slice(1).map((value) => (banding ? value?.[1] ?? null : value));
}

function summaryOf(chart, lines) {
  const ends = lines.slice(0, 6).map((line) => `${line.label} from ${shortNumber(line.y[0])} to ${shortNumber(line.y.at(-1))}`);
  return `${chart.title}. ${ends.join('; ')}. Arrow keys move along the curve.`;
}

/** Left and right move the hover along the curve. */
function addKeys(plot, graph, rows) {
  let at = -1;
  plot.addEventListener('keydown', (event) => {
    const move = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity}[event.key];
    if (move === undefined) return;
    event.preventDefault();
    at = Math.min(rows.length - 1, Math.max(0, at + move));
    graph.setSelection(at);
    graph.getFunctionOption('highlightCallback')(event, rows[at][0], [], at);
  });
  plot.addEventListener('blur', () => graph.clearSelection());
}

function drawChart(chart, place, keys = chart.keys) {
  const lines = linesOf(keys);
  if (lines.length === 0) return null;
  const banding = lines[0].low !== undefined;
  const legend = element('ul', {className: 'legend', 'aria-live': 'polite'});
  const plot = element('div', {className: 'plot', tabIndex: 0, role: 'img', 'aria-label': summaryOf(chart, lines)});
  const caption = element('figcaption', {}, chart.title, element('span', {}, ` (${chart.unit ? `${chart.unit} ` : ''}by step)`));
  const figure = element('figure', {'data-chart': chart.id}, caption, plot, legend, valuesBlock(chart, lines), element('p', {className: 'figure-foot'}, chart.says, outOfPlace(lines)));
  place.append(figure);
  const rows = rowsOf(lines, banding);
  const graph = new Dygraph(plot, rows, chartOptions(lines, rows, legend, banding));
  fillLegend(legend, lines, null);
  addKeys(plot, graph, rows);
  drawn.push({chart, graph, lines, figure});
  return figure;
}

/** Says how many steps a logarithmic axis leaves out. */
function outOfPlace(lines) {
  const out = new Set(lines.flatMap((line) => line.x.filter((step) => !hasPlace(step)))).size;
  return out === 0 ? null : ` A logarithmic axis has no place for ${out === 1 ? 'a step' : `${out} steps`} at or below 0: left out.`;
}

/** Draws all anew where the reader is: the page keeps its height meanwhile, a chart its focus and its open table. */
function redraw(figures, charts) {
  const places = [figures, charts];
  const focused = document.activeElement?.closest('figure .plot')?.parentElement.dataset.chart;
  const open = new Set(drawn.filter(({figure}) => figure.querySelector('details').open).map(({chart}) => chart.id));
  for (const place of places) place.style.minHeight = `${place.offsetHeight}px`;
  drawAll(figures, charts);
  for (const {chart, figure} of drawn) {
    figure.querySelector('details').open = open.has(chart.id);
    if (chart.id === focused) figure.querySelector('.plot').focus({preventScroll: true});
  }
  for (const place of places) place.style.minHeight = '';
}

function drawAll(figures, charts) {
  for (const {graph} of drawn) graph.destroy();
  drawn.length = 0;
  figures.replaceChildren();
  charts.replaceChildren();
  const tab = view.get('tab') || 'overview';
  const first = report.data.charts.slice(0, FIRST_CHARTS);
  if (tab === 'overview' || printing()) for (const chart of first) drawChart(chart, figures);
  if (tab !== 'curves' && !printing()) return;
  const more = view.get('more');
  if (more !== '') drawChart({id: 'more', title: more, unit: '', says: ''}, charts, [more]);
  for (const chart of report.data.charts) if (!printing() || !first.includes(chart)) drawChart(chart, charts);
  if (drawn.length === 0) charts.append(element('p', {}, 'Nothing was recorded for this stage.'));
}

function showChart(id) {
  view.set({tab: 'curves'});
  const figure = document.querySelector(`#charts [data-chart="${id}"]`);
  if (!figure) return;
  figure.scrollIntoView({block: 'center'});
  figure.classList.add('flash');
  figure.querySelector('.plot').focus({preventScroll: true});
  setTimeout(() => figure.classList.remove('flash'), 2000);
}
