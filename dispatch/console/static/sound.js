// Sound that is made here, so there is no recording to load.
import { body } from './page.js';

export const AGAIN_MS = 30000;
const TONES = { urgent: [880, 3], high: [660, 2], normal: [520, 1], lost: [220, 2] };
let sound;
let sounded = 0;

export const isSoundDue = () => Date.now() - sounded >= AGAIN_MS;

// A flood sounds once in AGAIN_MS, not for each of its cases.
export function tone(kind, isFlood) {
  if (!sound) return;
  const [pitch, times] = TONES[kind];
  if (isFlood && !isSoundDue()) return;
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

export function startSound() {
  sound = sound || new AudioContext();
  sound.resume();
  sounded = 0;
  tone('normal');
  sounded = 0;
}
