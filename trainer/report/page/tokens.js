'use strict';
// A completion's tokens, one by one.

/** What colours a token: strength from 0 to 1 and a hue. */
const TOKEN_COLOURS = {
  logprob: (row, i) => ({strength: Math.min(1, -row.logprobs[i] / 5), colour: '213, 94, 0'}),
  entropy: (row, i) => ({strength: Math.min(1, row.entropies[i] / 2), colour: '0, 114, 178'}),
  advantage: (row) => ({strength: Math.min(1, Math.abs(row.advantage) / 2), colour: row.advantage >= 0 ? '0, 158, 115' : '213, 94, 0'}),
};
const TOKEN_NEEDS = {
  logprob: {has: (row) => row.logprobs, legend: 'Darker: less probable; full colour from -5 nats.'},
  entropy: {has: (row) => row.entropies, legend: 'Darker: more open; full colour from 2 nats.'},
  advantage: {has: (row) => typeof row.advantage === 'number', legend: 'Green: pushed up. Orange: pushed down. The same for every token of a completion.'},
};

function tokenText(row, i) {
  const parts = [`token ${i + 1}: ${visible(JSON.stringify(row.tokens[i]))}`];
  const said = (name, values, more) => {
    if (values) parts.push(typeof values[i] === 'number' ? `${name} ${values[i]}${more(values[i])}` : `${name} not recorded`);
  };
  said('log-probability', row.logprobs, (value) => `, probability ${Math.exp(value).toFixed(3)}`);
  said('entropy', row.entropies, () => '');
  return parts.join(', ');
}

/** Tokens one by one, coloured; or what has to be recorded for that. */
function tokenBlock(row) {
  const block = element('details', {className: 'tokens', open: view.get('tokens') !== ''}, element('summary', {}, 'Tokens'));
  block.addEventListener('toggle', () => view.set({tokens: block.open ? 1 : ''}));
  if (row.no_tokens) {
    block.append(element('p', {}, `Tokens were recorded but cannot be shown. ${row.no_tokens}`));
    return block;
  }
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
