// The living part of every page: the stream, the clock, the list. State lives in Alpine's component
// `shift` on the body; what a page shows comes from the server, asked for by htmx.
import { $, $$, alarm, body, said, say } from './page.js';
import { isSoundDue, startSound as makeSound, tone } from './sound.js';

const LOST_MS = 25000;
export let shift;
let offset = 0;
let heard = Date.now();
let urgent = 0;
let mine = [];
let flood = 0;
let fresh = new Set();
let later;
let beats = 0;

// new rows wait while somebody reads, keys or the pointer are in the list
const region = () => $('[data-live]');
let pointer = 0;
let asking = null;
let again = false;
const isBusy = () => shift.isFrozen || Date.now() - pointer < 2500;
function refresh() {
  const there = region();
  fresh = new Set();
  shift.newCount = 0;
  if (!there || shift.isPassive) return;
  if (asking?.isConnected) {
    again = true;
    return;
  }
  asking = there;
  htmx.trigger(there, 'refresh');
}
// one question at a time; what moved meanwhile is asked for afterwards
document.addEventListener('htmx:finally:request', event => {
  if (event.detail.ctx?.sourceElement !== asking) return;
  asking = null;
  if (again) {
    again = false;
    refresh();
  }
});
function moved(tasks) {
  const there = region();
  if (!there) return;
  const shown = there.dataset.task;
  if (shown && !tasks.some(one => one[0] === shown)) return;
  if (!shown && isBusy()) {
    for (const one of tasks) fresh.add(one[0]);
    shift.newCount = fresh.size;
    clearTimeout(later);
    if (!shift.isFrozen) later = setTimeout(() => (isBusy() ? moved([]) : refresh()), 2600);
    return;
  }
  clearTimeout(later);
  later = setTimeout(refresh, tasks.some(one => one[2] === 'urgent') ? 50 : 400);
}
function hear(beat) {
  heard = Date.now();
  body.dataset.heard = 'yes';
  offset = beat.now - heard;
  flood = beat.flood;
  shift.isFlood = flood > 0;
  // what happened between the page and its stream, or while the stream was broken, is asked for
  if (shift.isLost) {
    shift.isLost = false;
    say(said('back'));
    refresh();
  } else if (beat.first) refresh();
  const lost = mine.filter(task => !beat.mine.includes(task));
  mine = beat.mine;
  if (lost.length && region() && lost.includes(region().dataset.task)) refresh();
  urgent = beat.urgent;
  if (urgent && isSoundDue()) tone('urgent', flood);
  if (beats++ % 3 === 0) here();
}
function here() {
  if (shift.isPassive) return;
  const form = new URLSearchParams({ task: region()?.dataset.task || '' });
  fetch('/here', {
    method: 'POST',
    body: form,
    headers: { 'X-CSRF-Token': body.dataset.csrf },
  }).catch(() => {});
}
function onMoved(event) {
  const tasks = JSON.parse(event.detail.data).tasks;
  heard = Date.now();
  const loud = tasks.filter(
    one => ['opened', 'raised', 'woken', 'unheld'].includes(one[1]) && one[3] === 'queued',
  );
  const top = ['urgent', 'high', 'normal'].find(word => loud.some(one => one[2] === word));
  if (top) {
    tone(top, flood);
    if (top === 'urgent') say(said('urgent'));
  }
  if (tasks.some(one => one[1].endsWith('_missed'))) {
    tone('high', flood);
    alarm(said('missed'));
  }
  moved(tasks);
}
export function tick() {
  const now = Date.now() + offset;
  for (const one of $$('time[data-due]')) {
    const left = Math.round((one.dataset.due - now) / 1000);
    const all = Math.abs(left);
    const hours = Math.floor(all / 3600);
    const minutes = Math.floor(all / 60) % 60;
    const clock = hours ? `${hours}:${String(minutes).padStart(2, '0')}` : minutes;
    const text =
      hours > 99 ? `${Math.floor(hours / 24)} d` : `${clock}:${String(all % 60).padStart(2, '0')}`;
    one.textContent = left < 0 ? `${said('late')} ${text}` : text;
    one.classList.toggle('is-late', left < 0);
  }
  for (const one of $$('time[data-since]'))
    one.textContent = `${Math.floor((now - one.dataset.since) / 60000)} min`;
}
setInterval(() => {
  tick();
  if (!shift || shift.isPassive) return;
  if (Date.now() - heard > LOST_MS && !shift.isLost) {
    shift.isLost = true;
    tone('lost', flood);
    alarm(said('lost'));
  }
}, 1000);
setInterval(() => {
  if (!shift?.isLost || shift.isPassive) return;
  fetch('/pulse')
    .then(answer => (answer.ok ? answer.json() : null))
    .then(beat => beat && hear(beat))
    .catch(() => {});
}, 5000);

document.addEventListener('alpine:init', () =>
  Alpine.data('shift', () => ({
    soundOn: false,
    isLost: false,
    isPassive: false,
    isFlood: false,
    isFrozen: false,
    newCount: 0,
    get soundOff() {
      return !this.soundOn;
    },
    get needsSound() {
      return !this.soundOn && !this.isPassive;
    },
    get hasNew() {
      return this.newCount > 0;
    },
    init() {
      shift = this;
      for (const name of ['beat', 'moved'])
        $('#live').addEventListener(name, event =>
          name === 'beat' ? hear(JSON.parse(event.detail.data)) : onMoved(event),
        );
      // Alpine starts before htmx has looked at the page: the stream waits for it
      const start = () => setTimeout(() => this.hold(false));
      if (document.readyState === 'complete') start();
      else addEventListener('load', start);
      if (navigator.userActivation?.hasBeenActive && sessionStorage.sound) this.startSound();
    },
    // One tab of a browser is live; the others stand still until it goes.
    hold(steal) {
      const go = () => {
        this.isPassive = false;
        heard = Date.now();
        htmx.trigger('#live', 'golive');
        return new Promise(() => {});
      };
      if (!navigator.locks) return go();
      const name = 'pacc console';
      navigator.locks
        .request(name, steal ? { steal: true } : { ifAvailable: true }, lock => {
          if (lock) return go();
          this.isPassive = true;
          return navigator.locks.request(name, go).catch(() => this.stand());
        })
        .catch(() => this.stand());
    },
    stand() {
      this.isPassive = true;
      htmx.trigger('#live', 'htmx:abort');
    },
    takeLive() {
      this.hold(true);
      refresh();
    },
    startSound() {
      this.soundOn = true;
      sessionStorage.sound = '1';
      makeSound();
    },
    openHelp() {
      $('#help').showModal();
    },
    toggleFreeze() {
      this.isFrozen = !this.isFrozen;
      if (!this.isFrozen) refresh();
    },
    showNew() {
      pointer = 0;
      refresh();
    },
  })),
);

document.addEventListener('pointermove', event => {
  if (event.target.closest?.('table.queue')) pointer = Date.now();
});
