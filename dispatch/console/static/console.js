// The living part of every page: the stream, the clock, sound, keys, notes. State lives in Alpine's
// component `shift` on the body; what a page shows comes from the server, asked for by htmx.
(() => {
  const $ = (selector, root) => (root || document).querySelector(selector);
  const $$ = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const body = document.body;
  const said = name => $('#words').dataset[name];
  const say = text => {
    $('#said').textContent = text;
  };
  const alarm = text => {
    $('#alarm').textContent = text;
  };
  const LOST_MS = 25000;
  const AGAIN_MS = 30000;
  const TONES = { urgent: [880, 3], high: [660, 2], normal: [520, 1], lost: [220, 2] };
  let shift;
  let sound;
  let offset = 0;
  let heard = Date.now();
  let sounded = 0;
  let urgent = 0;
  let mine = [];
  let flood = 0;
  let fresh = new Set();
  let later;
  let beats = 0;

  // --- sound: made here, so there is no recording to load ---
  function tone(kind) {
    if (!sound) return;
    const [pitch, times] = TONES[kind];
    if (flood && Date.now() - sounded < AGAIN_MS) return;
    sounded = Date.now();
    sound.resume();
    for (let n = 0; n < times; n++) {
      const wave = sound.createOscillator();
      const level = sound.createGain();
      const at = sound.currentTime + n * 0.28;
      wave.frequency.value = pitch;
      level.gain.setValueAtTime(0.0001, at);
      level.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
      level.gain.exponentialRampToValueAtTime(0.0001, at + 0.22);
      wave.connect(level).connect(sound.destination);
      wave.start(at);
      wave.stop(at + 0.25);
    }
    body.dataset.sounded = `${+(body.dataset.sounded || '0').split(' ')[0] + 1} ${kind}`;
  }

  // --- the list: new rows wait while somebody reads, keys or the pointer are in it ---
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
    if (urgent && Date.now() - sounded >= AGAIN_MS) tone('urgent');
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
      tone(top);
      if (top === 'urgent') say(said('urgent'));
    }
    if (tasks.some(one => one[1].endsWith('_missed'))) {
      tone('high');
      alarm(said('missed'));
    }
    moved(tasks);
  }
  function tick() {
    const now = Date.now() + offset;
    for (const one of $$('time[data-due]')) {
      const left = Math.round((one.dataset.due - now) / 1000);
      const all = Math.abs(left);
      const hours = Math.floor(all / 3600);
      const minutes = Math.floor(all / 60) % 60;
      const clock = hours ? `${hours}:${String(minutes).padStart(2, '0')}` : minutes;
      const text =
        hours > 99
          ? `${Math.floor(hours / 24)} d`
          : `${clock}:${String(all % 60).padStart(2, '0')}`;
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
      tone('lost');
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
        sound = sound || new AudioContext();
        sound.resume();
        this.soundOn = true;
        sessionStorage.sound = '1';
        sounded = 0;
        tone('normal');
        sounded = 0;
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

  // --- notes: kept in this browser until the server has them ---
  const kept = form => `sheet ${form.dataset.sheet}`;
  const values = form =>
    JSON.stringify([...new FormData(form)].filter(([name]) => name !== 'csrf'));
  function restore() {
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

  // --- after every change of the page ---
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
  document.addEventListener('pointermove', event => {
    if (event.target.closest?.('table.queue')) pointer = Date.now();
  });

  // --- keys ---
  const rows = () => $$('a.open');
  function walk(by) {
    const all = rows();
    const place = all.indexOf(
      document.activeElement.closest('tr, article')?.querySelector('a.open'),
    );
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
      if (target.matches('summary'))
        setTimeout(() => $('button', target.parentElement)?.focus(), 0);
    }
    event.preventDefault();
  });
})();
