// The script of every page: each part is a file.
import './live.js';
import './notes.js';
import './forms.js';
import './keys.js';
