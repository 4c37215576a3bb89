'use strict';
// What a chart shows as a table and as CSV.

function csvCell(value) {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line, or the three of a band. */
function columnsOf(lines) {
  return lines.flatMap((line) => (line.low === undefined ? [line] : [{...line, label: `${line.label}, mean`},
    {...line, y: line.low, label: `${line.label}, lowest`}, {...line, y: line.high, label: `${line.label}, highest`}]));
}

/** Steps and values of what is drawn between the steps that are shown. */
function plainRows(columns) {
  const [from, to] = [view.number('from') ?? -Infinity, view.number('to') ?? Infinity];
  return rowsOf(columns, false).filter(([step]) => step >= from && step <= to);
}

function csvOf(lines) {
  const columns = columnsOf(lines);
  const head = ['step', ...columns.map((column) => column.label)];
  return [head, ...plainRows(columns)].map((row) => row.map(csvCell).join(',')).join('\n') + '\n';
}

/** A fold that is filled when it is opened. */
function valuesBlock(chart, lines) {
  const fold = element('details', {className: 'values'}, element('summary', {}, 'Values'));
  fold.addEventListener('toggle', () => {
    if (!fold.open || fold.childElementCount > 1) return;
    const save = element('button', {type: 'button'}, 'Save as CSV');
    save.addEventListener('click', () => download(`${chart.id}.csv`, csvOf(lines), 'text/csv'));
    const columns = columnsOf(lines);
    const thinned = lines.some((line) => line.n > line.x.length);
    const head = element('tr', {}, element('th', {className: 'number'}, 'step'), ...columns.map((column) => element('th', {className: 'number'}, column.label)));
    const body = plainRows(columns).map((row) => element('tr', {}, ...row.map((value) => element('td', {className: 'number'}, value === null ? '' : shortNumber(value)))));
    fold.append(element('p', {}, save, thinned ? ' Long curves are thinned out; lowest and highest values stay. "aha report --format csv" writes all.' : ''),
        element('table', {}, element('thead', {}, head), element('tbody', {}, ...body)));
  });
  return fold;
}
