// Notes: kept in this browser until the server has them.
import { $, $$, body, said } from './page.js';

const kept = form => `sheet ${form.dataset.sheet}`;
const values = form => JSON.stringify([...new FormData(form)].filter(([name]) => name !== 'csrf'));
export function restore() {
  const form = $('form[data-sheet]');
  if (!form || form.dataset.restored) return;
  form.dataset.restored = 'yes';
  const text = localStorage.getItem(kept(form));
  if (!text) return;
  for (const [name, value] of JSON.parse(text)) {
    for (const field of $$(`[name="${CSS.escape(name)}"]`, form)) {
      if (field.type === 'radio') field.checked = field.value === value;
      else field.value = value;
    }
  }
  setTimeout(() => htmx.trigger(form, 'save'), 200);
}
document.addEventListener('input', event => {
  const form = event.target.closest('form[data-sheet]');
  if (!form) return;
  localStorage.setItem(kept(form), values(form));
  $('[data-saved]', form).textContent = said('unsaved');
});
document.addEventListener('htmx:after:request', event => {
  const { ctx } = event.detail;
  const form = ctx?.sourceElement;
  if (!form?.dataset?.sheet || !ctx.response?.raw?.ok) return;
  if (localStorage.getItem(kept(form)) !== form.dataset.sent) return;
  localStorage.removeItem(kept(form));
  $('[data-saved]', form).textContent = said('saved');
});
document.addEventListener('htmx:config:request', event => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (form.dataset?.sheet) form.dataset.sent = values(form);
  // a step takes along what is not saved yet, so that it is in the timeline with it
  const sheet = $('form[data-sheet]');
  if (sheet && ctx.request.method === 'POST' && form !== sheet && form.closest?.('#main')) {
    for (const [name, value] of new FormData(sheet))
      if (name !== 'csrf') ctx.request.body.append(name, value);
  }
  ctx.request.headers['X-CSRF-Token'] = body.dataset.csrf;
});
setInterval(() => {
  const form = $('form[data-sheet]');
  if (form && localStorage.getItem(kept(form))) htmx.trigger(form, 'save');
}, 5000);
addEventListener('pagehide', () => {
  const form = $('form[data-sheet]');
  if (form && localStorage.getItem(kept(form)))
    navigator.sendBeacon(form.action, new URLSearchParams(new FormData(form)));
});
