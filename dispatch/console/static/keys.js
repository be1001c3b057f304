// Every key of a page, and walking through a list.
import { shift } from './live.js';
import { $, $$, body } from './page.js';

const rows = () => $$('a.open');
function walk(by) {
  const all = rows();
  const place = all.indexOf(document.activeElement.closest('tr, article')?.querySelector('a.open'));
  const next = all[place < 0 ? 0 : Math.min(all.length - 1, Math.max(0, place + by))];
  if (next) {
    next.focus();
    next.scrollIntoView({ block: 'nearest' });
  }
}
document.addEventListener('keydown', event => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (event.key === 'Escape') {
    if (at.matches('input, textarea, select')) at.blur();
    return;
  }
  if (
    body.dataset.shortcuts !== 'on' ||
    at.matches('input:not([type=radio],[type=checkbox]), textarea, select') ||
    $('dialog[open]')
  )
    return;
  const key = event.key.toLowerCase();
  if (key === '?') shift.openHelp();
  else if (key === 'j') walk(1);
  else if (key === 'k') walk(-1);
  else if (key === 'c' && at.closest('tr, article')?.querySelector('button.claim'))
    at.closest('tr, article').querySelector('button.claim').click();
  else {
    const target =
      $(`[data-key="${CSS.escape(key)}"]`) ||
      (key === 'n' ? $('form[action="/next"] button') : null);
    if (!target) return;
    if (target.matches('textarea')) target.focus();
    else target.click();
    if (target.matches('summary')) setTimeout(() => $('button', target.parentElement)?.focus(), 0);
  }
  event.preventDefault();
});
