'use strict';
// What is looked at, kept in the page's address: a link shows the same view.

const TYPING_MS = 150;  // a search begins when nothing was typed for so long

const view = {
  values: new URLSearchParams(location.hash.slice(1)),
  listeners: [],
  get(key) { return this.values.get(key) ?? ''; },
  number(key) {
    const text = this.get(key);
    return text === '' || !Number.isFinite(Number(text)) ? null : Number(text);
  },
  /** Sets several; an empty value takes the key away. */
  set(changes) {
    for (const [key, value] of Object.entries(changes)) {
      if (value === '' || value === null || value === undefined) this.values.delete(key);
      else this.values.set(key, String(value));
    }
    history.replaceState(null, '', '#' + this.values);
    for (const listener of this.listeners) listener(Object.keys(changes));
  },
  /** The address was changed by hand. */
  reload() {
    const old = this.values;
    this.values = new URLSearchParams(location.hash.slice(1));
    const keys = [...new Set(['tab', ...old.keys(), ...this.values.keys()])];
    for (const listener of this.listeners) listener(keys);
  },
  onChange(listener) { this.listeners.push(listener); },
};

/** Ties the named fields of a form to the view, both ways. */
function bindForm(form) {
  const fields = [...form.elements].filter((field) => field.name);
  const show = () => {
    for (const field of fields) {
      if (field.type === 'checkbox') field.checked = view.get(field.name) !== '';
      else field.value = view.get(field.name) || field.defaultValue || '';
    }
  };
  const take = (field) => {
    const value = field.type === 'checkbox' ? (field.checked ? 1 : '') : field.value;
    view.set({[field.name]: value === field.defaultValue ? '' : value});
  };
  for (const field of fields) {
    let waiting = 0;
    field.addEventListener('change', () => take(field));
    if (field.type !== 'search') continue;
    field.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => take(field), TYPING_MS);
    });
  }
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    view.set(Object.fromEntries(fields.map((field) => [field.name, ''])));
    show();
  });
  show();
  addEventListener('hashchange', show);
  return show;
}
addEventListener('hashchange', () => view.reload());
