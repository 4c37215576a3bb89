'use strict';
// What a chart shows as a table and as CSV.

function csvCell(value) {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function plainRows(lines) {
  return rowsOf(lines.map((line) => ({...line, low: undefined})), false);
}

function csvOf(lines) {
  const head = ['step', ...lines.map((line) => line.label)];
  return [head, ...plainRows(lines)].map((row) => row.map(csvCell).join(',')).join('\n') + '\n';
}

/** A fold that is filled when it is opened. */
function valuesBlock(chart, lines) {
  const fold = element('details', {className: 'values'}, element('summary', {}, 'Values'));
  fold.addEventListener('toggle', () => {
    if (!fold.open || fold.childElementCount > 1) return;
    const save = element('button', {type: 'button'}, 'Save as CSV');
    save.addEventListener('click', () => download(`${chart.id}.csv`, csvOf(lines), 'text/csv'));
    const thinned = lines.some((line) => line.n > line.x.length);
    const head = element('tr', {}, element('th', {className: 'number'}, 'step'), ...lines.map((line) => element('th', {className: 'number'}, line.label)));
    const body = plainRows(lines).map((row) => element('tr', {}, ...row.map((value) => element('td', {className: 'number'}, value === null ? '' : shortNumber(value)))));
    fold.append(element('p', {}, save, thinned ? ' Long curves are thinned out; lowest and highest values stay. "aha report --format csv" writes all.' : ''),
        element('table', {}, element('thead', {}, head), element('tbody', {}, ...body)));
  });
  return fold;
}
