'use strict';
// Curves on paper: browsers print no canvas that was made for it, so what dygraphs laid out is drawn once more as SVG.

/** On paper is what is in Overview and Curves, whichever is looked at. */
function printing() {
  return document.documentElement.classList.contains('printing');
}

function svgElement(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** "x,y x,y ..." of values where the graph has them. */
function pointsOf(graph, x, y) {
  const area = graph.getArea();  // toDomXCoord knows no logarithmic axis
  return x.map((step, i) => [area.x + graph.toPercentXCoord(step) * area.w, graph.toDomYCoord(y[i])]).filter((point) => point.every(Number.isFinite))
      .map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
}

function printedLine(graph, area, line) {
  const stroke = {fill: 'none', stroke: line.colour, 'stroke-width': 1.5, ...(line.dash ? {'stroke-dasharray': line.dash.join(' ')} : {})};
  const parts = [svgElement('polyline', {...stroke, points: pointsOf(graph, line.x, line.y)})];
  const base = line.base === null || line.base === undefined ? NaN : graph.toDomYCoord(line.base);
  if (Number.isFinite(base))
    parts.push(svgElement('line', {x1: area.x, x2: area.x + area.w, y1: base, y2: base, stroke: line.colour, 'stroke-dasharray': '3 4', opacity: 0.55}));
  if (line.low)
    parts.push(svgElement('polygon', {fill: line.colour, opacity: 0.2,
      points: `${pointsOf(graph, line.x, line.low)} ${pointsOf(graph, [...line.x].reverse(), [...line.high].reverse())}`}));
  return parts;
}

/** Lays a chart's curves, as dygraphs placed them, over its empty canvas. */
function addPrinted({graph, lines, figure}) {
  const area = graph.getArea();
  const inner = svgElement('svg', {x: area.x, y: area.y, width: area.w, height: area.h, viewBox: `${area.x} ${area.y} ${area.w} ${area.h}`},
      ...lines.flatMap((line) => printedLine(graph, area, line)));
  const {width, height} = graph.size();
  figure.querySelector('.plot').append(svgElement('svg', {class: 'printed', width, height},
      svgElement('rect', {x: area.x, y: area.y, width: area.w, height: area.h, fill: 'none', stroke: pageColour('--line')}), inner));
}

function addPrinting(redrawAll) {
  addEventListener('beforeprint', () => {
    document.documentElement.classList.add('printing');
    redrawAll();
    drawn.forEach(addPrinted);
  });
  addEventListener('afterprint', () => {
    document.documentElement.classList.remove('printing');
    redrawAll();
  });
}
