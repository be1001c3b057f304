// The page after every change: where we are, what was typed, what is copied.
import { tick } from './live.js';
import { restore } from './notes.js';
import { $, $$, said, say } from './page.js';

function settle() {
  for (const link of $$('header nav a')) {
    const isHere = location.pathname.startsWith(link.dataset.path);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  for (const field of $$('input[data-here]')) field.value = location.pathname + location.search;
  tick();
  restore();
}
// What somebody types into a form stays when the page around it is refreshed.
let typed = [];
const fields = () =>
  $$('#main form:not([data-sheet]) :is(input:not([type=hidden]), select, textarea)');
const place = field =>
  `${field.form.getAttribute('action')} ${field.name} ${['radio', 'checkbox'].includes(field.type) ? field.value : ''}`;
document.addEventListener('htmx:before:swap', event => {
  if (!event.detail.ctx?.sourceElement?.matches?.('[data-live]')) return;
  typed = fields().map(field => [place(field), field.checked, field.value]);
});
document.addEventListener('htmx:after:swap', () => {
  for (const field of fields()) {
    const was = typed.find(([where]) => where === place(field));
    if (was) [, field.checked, field.value] = was;
  }
  typed = [];
  settle();
});
document.addEventListener('DOMContentLoaded', settle);

document.addEventListener('click', event => {
  const button = event.target.closest('[data-copy]');
  const text = button && $('textarea', button.closest('details'));
  if (!text) return;
  const done = () => {
    button.textContent = said('copied');
    say(said('copied'));
  };
  text.select();
  if (navigator.clipboard) navigator.clipboard.writeText(text.value).then(done, () => {});
  else if (document.execCommand('copy')) done();
});
